"""for, while and if as plain functions of states."""

from __future__ import annotations

from .. import _core
from .scan_utils import as_list, single_or_list


def for_loop(count, initial, body):
    """The states after `count` rounds of body(i, *states), i = 0, 1, ...

    initial: a value, or a list of them. The result has its form; it is initial where count is 0. Bodies
    that draw random numbers are written with scan.
    """
    made = _core.for_loop(count, as_list(initial), lambda arguments: as_list(body(*arguments)))
    return single_or_list(made, initial)


def while_loop(condition, body, initial, limit=None):
    """The states after rounds of body(*states) for as long as condition(*states), a bool scalar, holds.

    The condition is asked before each round. limit: the most rounds that may run.
    """
    made = _core.while_loop(
        lambda states: condition(*states),
        lambda states: as_list(body(*states)),
        as_list(initial),
        limit,
    )
    return single_or_list(made, initial)


def cond(condition, then, otherwise, *operands):
    """then(*operands) if the scalar condition holds, else otherwise(*operands); only one is computed."""
    return _core.ifelse(condition, then(*operands), otherwise(*operands))


__all__ = ["cond", "for_loop", "while_loop"]
