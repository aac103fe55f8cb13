"""The loop of which all others are special cases."""

from __future__ import annotations

from .. import _core
from ..updates import OrderedUpdates
from .scan_utils import as_list, initials_and_taps, returned, sequences_and_taps, written

TYPE_CHECKING = False  # typing is dear to import
if TYPE_CHECKING:
    from typing import Any


def _is_whole(value):
    from operator import index

    try:
        index(value)
    except TypeError:
        return False
    return True


def scan(
    fn,
    sequences=None,
    outputs_info=None,
    non_sequences=None,
    n_steps=None,
    truncate_gradient=-1,
    go_backwards=False,
    mode=None,
    name=None,
    profile=False,
    allow_gc=None,
    strict=False,
    return_list=False,
    checkpoint=0,
    checkpoint_bytes=0,
) -> tuple[Any, OrderedUpdates]:
    """A loop: fn is called once, to be written down, and runs once a step.

    fn(elements of sequences, past values of outputs, non_sequences) gives the outputs of one step, and may
    give updates of shared variables (a dictionary or pairs) and until(condition) behind them.

    sequences: variables read along their first axis, or dicts with input and taps (which steps, relative to
    the present one; default [0]); the shortest one bounds the loop. outputs_info, one an output: None if no
    step reads what earlier ones gave; the value before the first step; or a dict with initial and taps
    (negative; default [-1]), where initial has an axis in front for taps that reach further back than one
    step. None altogether: nothing is recurrent. non_sequences: what all steps read; other variables and
    shared ones are found by themselves unless strict. n_steps: how often; needed without sequences.
    truncate_gradient: gradients flow through the last so many steps only. go_backwards: sequences are read
    from their end. strict: shared variables must be among the non_sequences, and sequences of one length.
    return_list: a list even of one output. checkpoint: gradients keep states only every so many steps and
    compute the rest again; "sqrt" for the square root of the steps; checkpoint_bytes chooses by a budget.

    mode, profile and allow_gc are accepted for Theano's sake: loops are compiled with what is around them.

    Gives (outputs, updates): the values of all steps along a new first axis (one variable, a list of
    several, None for none), and what croton.function must be given as updates if fn changes shared
    variables or draws random numbers.
    """
    if checkpoint == "sqrt":
        checkpoint = -1
    elif not _is_whole(checkpoint) or checkpoint < 0:
        raise _core.UsageError(f'scan: checkpoint is a number of steps or "sqrt", not {checkpoint!r}')
    sequences, outputs_info = sequences_and_taps(sequences), initials_and_taps(outputs_info)
    non_sequences = as_list(non_sequences)
    outputs, updates = _core.scan(
        written(fn, sequences, outputs_info, non_sequences),
        sequences,
        outputs_info,
        non_sequences,
        n_steps,
        truncate_gradient,
        go_backwards,
        name or "",
        strict,
        checkpoint,
        checkpoint_bytes,
    )
    return returned(outputs, updates, return_list)


__all__ = ["scan"]
