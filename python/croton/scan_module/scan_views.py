"""Loops of the commonest shapes."""

from __future__ import annotations

from ..updates import OrderedUpdates
from .scan import scan

TYPE_CHECKING = False  # typing is dear to import
if TYPE_CHECKING:
    from typing import Any


def map(
    fn,
    sequences,
    non_sequences=None,
    truncate_gradient=-1,
    go_backwards=False,
    mode=None,
    name=None,
) -> tuple[Any, OrderedUpdates]:
    """fn of each element of the sequences. Gives (outputs, updates) as scan does."""
    return scan(
        fn,
        sequences,
        non_sequences=non_sequences,
        truncate_gradient=truncate_gradient,
        go_backwards=go_backwards,
        mode=mode,
        name=name,
    )


def reduce(fn, sequences, outputs_info, non_sequences=None, go_backwards=False, mode=None, name=None) -> tuple[Any, OrderedUpdates]:
    """The last values of fn(elements, values so far, non_sequences). Gives (outputs, updates)."""
    outputs, updates = scan(
        fn,
        sequences,
        outputs_info,
        non_sequences,
        go_backwards=go_backwards,
        mode=mode,
        name=name,
    )
    if isinstance(outputs, list):
        return [output[-1] for output in outputs], updates
    return outputs[-1], updates


def foldl(fn, sequences, outputs_info, non_sequences=None, mode=None, name=None) -> tuple[Any, OrderedUpdates]:
    """reduce from the first element to the last."""
    return reduce(fn, sequences, outputs_info, non_sequences, False, mode, name)


def foldr(fn, sequences, outputs_info, non_sequences=None, mode=None, name=None) -> tuple[Any, OrderedUpdates]:
    """reduce from the last element to the first."""
    return reduce(fn, sequences, outputs_info, non_sequences, True, mode, name)


__all__ = ["foldl", "foldr", "map", "reduce"]
