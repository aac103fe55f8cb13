"""A choice of which only the chosen branch is computed."""

from . import _core


def ifelse(condition, then_branch, else_branch, name=None):
    """then_branch if the scalar condition holds, else else_branch; lists choose several values."""
    result = _core.ifelse(condition, then_branch, else_branch)
    if name is not None and not isinstance(result, list):
        result.name = name
    return result


setattr(ifelse, "ifelse", ifelse)  # noqa: B010 - croton.ifelse.ifelse, as in Theano, and croton.ifelse(...) alike

__all__ = ["ifelse"]
