"""Shared variables: values that live between calls."""

from __future__ import annotations

from . import _core
from ._core import TensorSharedVariable as SharedVariable


def shared(value, name=None, strict=False, allow_downcast=None, borrow=False, broadcastable=None, shape=None) -> SharedVariable:
    """A variable that holds a value between calls of functions.

    value: an array, a number, or an object with __dlpack__. With borrow the array's memory is used
    instead of a copy. shape (or Theano's broadcastable): known sizes, None or names, one an axis; by
    default sizes may change. strict and allow_downcast are accepted for Theano's sake: the dtype is
    always the value's.
    """
    if isinstance(value, _core.TensorVariable):
        raise _core.TensorTypeError("shared: a value is wanted, not a variable")
    pattern = shape if shape is not None else broadcastable
    kind = None
    if pattern is not None:
        import numpy as np

        dtype = getattr(value, "dtype", None) if isinstance(value, np.ndarray) else None
        kind = _core.TensorType(dtype or np.asarray(value).dtype, pattern)
    return _core.make_shared(value, name or "", borrow, kind)


__all__ = ["SharedVariable", "shared"]
