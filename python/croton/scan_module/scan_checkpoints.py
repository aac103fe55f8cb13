"""Loops of which the values at checkpoints alone are given."""

from __future__ import annotations

from .. import _core
from ..updates import OrderedUpdates
from .scan_utils import as_list, initials_and_taps, returned, sequences_and_taps, written

TYPE_CHECKING = False  # typing is dear to import
if TYPE_CHECKING:
    from typing import Any


def scan_checkpoints(
    fn,
    sequences=None,
    outputs_info=None,
    non_sequences=None,
    name="checkpointscan_fn",
    n_steps=None,
    save_every_N=10,
    padding=True,
) -> tuple[Any, OrderedUpdates]:
    """A scan that keeps the values of every save_every_N-th step, and of the last one, only.

    Gradients compute the steps between them again. Outputs have no taps other than -1. padding is accepted
    for Theano's sake: any number of steps will do.
    """
    sequences, outputs_info = sequences_and_taps(sequences), initials_and_taps(outputs_info)
    non_sequences = as_list(non_sequences)
    outputs, updates = _core.scan_checkpoints(
        written(fn, sequences, outputs_info, non_sequences),
        sequences,
        outputs_info,
        non_sequences,
        n_steps,
        name or "",
        save_every_N,
    )
    return returned(outputs, updates, False)


__all__ = ["scan_checkpoints"]
