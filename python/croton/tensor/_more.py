"""Theano's functions with arguments of their own, in terms of the op functions."""

from __future__ import annotations

import builtins

from .. import _core
from .._core import TensorConstant, TensorType, TensorVariable
from . import _ops as ops

TYPE_CHECKING = False  # typing is dear to import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _widened(x, dtype):
    return ops.cast(x, dtype) if dtype is not None else x


def _reduction(name, takes_dtype) -> Callable[..., TensorVariable]:
    made = ops.made[name]

    def wide(x, axis=None, dtype=None, keepdims=False, acc_dtype=None):
        # Narrow floats are accumulated wider anyway; a wider dtype asked for is honoured before.
        wanted = acc_dtype or dtype
        v = as_tensor_variable(x)
        if wanted is not None and _core.can_cast_safely(v.dtype, wanted):
            v = _widened(v, wanted)
        return _widened(made(v, axis=_axes(axis), keepdims=keepdims), dtype)

    def plain(x, axis=None, keepdims=False):
        return made(x, axis=_axes(axis), keepdims=keepdims)

    function: Any = wide if takes_dtype else plain
    function.__name__ = function.__qualname__ = name
    function.__doc__ = made.__doc__
    function.__module__ = "croton.tensor"
    return function


def _axes(axis):
    """An axis, which Theano lets be a constant variable as well."""
    if isinstance(axis, TensorConstant):
        import numpy as np

        return [int(a) for a in np.atleast_1d(axis.data)]
    return axis


sum = _reduction("sum", True)
prod = _reduction("prod", True)
mean = _reduction("mean", True)
max = _reduction("max", False)
min = _reduction("min", False)
argmax = _reduction("argmax", False)
argmin = _reduction("argmin", False)
any = _reduction("any", False)
all = _reduction("all", False)
amax, amin = max, min


def var(x, axis=None, ddof=0, keepdims=False, corrected=False):
    """Variance, divided by the number of elements less ddof."""
    return ops.made["var"](x, axis=_axes(axis), ddof=ddof, keepdims=keepdims)


def std(x, axis=None, ddof=0, keepdims=False, corrected=False):
    """Standard deviation, divided by the number of elements less ddof."""
    return ops.made["std"](x, axis=_axes(axis), ddof=ddof, keepdims=keepdims)


def max_and_argmax(x, axis=None, keepdims=False):
    """[max, argmax] along an axis."""
    return [max(x, axis, keepdims), argmax(x, axis, keepdims)]


def ptp(a, axis=None):
    """Largest less smallest element."""
    return max(a, axis) - min(a, axis)


def norm(x, L=2, axis=None, keepdims=False):
    """The L-norm of the elements along the axes."""
    x = as_tensor_variable(x)
    if L == 0:
        return sum(ops.ne(x, 0), axis=axis, keepdims=keepdims)
    if L == 1:
        return sum(abs(x), axis=axis, keepdims=keepdims)
    if L == 2:
        return ops.sqrt(sum(ops.sqr(x), axis=axis, keepdims=keepdims))
    return sum(abs(x) ** L, axis=axis, keepdims=keepdims) ** (1.0 / L)


def divmod(x, y):
    """floor_div and mod as a pair."""
    return ops.floor_div(x, y), ops.mod(x, y)


def ceil_intdiv(a, b):
    """Quotient of integers rounded up."""
    return -ops.floor_div(-as_tensor_variable(a), b)


def round(a, mode="half_to_even"):
    """Nearest whole number; mode "half_to_even" or "half_away_from_zero"."""
    if mode in (None, "half_to_even"):
        return ops.rint(a)
    if mode == "half_away_from_zero":
        return ops.round_half_away(a)
    raise _core.ArgumentError(
        f"round: mode takes half_to_even or half_away_from_zero, not {mode!r}"
    )


def iround(a, mode="half_to_even"):
    """round as int64."""
    return ops.cast(round(a, mode), "int64")


def isclose(a, b, rtol=1e-5, atol=1e-8, equal_nan=False):
    """|a - b| <= atol + rtol * |b|, element by element."""
    a, b = as_tensor_variable(a), as_tensor_variable(b)
    finite = ops.bitwise_and(ops.isfinite(a), ops.isfinite(b))
    near = ops.bitwise_and(finite, abs(a - b) <= atol + rtol * abs(b))
    result = ops.bitwise_or(near, ops.eq(a, b))
    if equal_nan:
        result = ops.bitwise_or(result, ops.bitwise_and(ops.isnan(a), ops.isnan(b)))
    return result


def allclose(a, b, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether all elements are close."""
    return all(isclose(a, b, rtol, atol, equal_nan))


def smallest(*args):
    """The smallest of several arrays, element by element."""
    result = args[0]
    for other in args[1:]:
        result = ops.minimum(result, other)
    return as_tensor_variable(result)


def largest(*args):
    """The largest of several arrays, element by element."""
    result = args[0]
    for other in args[1:]:
        result = ops.maximum(result, other)
    return as_tensor_variable(result)


def join(axis, *tensors):
    """Arrays joined along an axis they have."""
    parts = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    return ops.concatenate(list(parts), axis=int(_as_number(axis)))


def horizontal_stack(*args):
    """Matrices side by side."""
    return join(1, *args)


def vertical_stack(*args):
    """Matrices one below the other."""
    return join(0, *args)


def stacklists(arg):
    """Nested lists of variables as one array."""
    if isinstance(arg, (list, tuple)):
        return ops.stack([stacklists(a) for a in arg])
    return as_tensor_variable(arg)


def alloc(value, *shape):
    """An array of these sizes with the value broadcast into it."""
    sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], (list, tuple)) else shape
    return ops.broadcast_to(value, list(sizes))


def full_like(a, fill_value, dtype=None):
    """An array of the sizes of another with every element the same."""
    return _widened(ops.made["full_like"](a, fill_value), dtype)


def identity_like(x):
    """The unit matrix with the sizes of another."""
    x = as_tensor_variable(x)
    return ops.eye(x.shape[0], x.shape[1], 0, dtype=x.dtype)


def diagonal(a, offset=0, axis1=0, axis2=1):
    """The diagonal along two axes, as the last axis."""
    return ops.made["diagonal"](a, offset=offset, axis1=axis1, axis2=axis2)


def shape_padaxis(t, axis):
    """One axis of size 1 at this place."""
    return ops.expand_dims(t, axis)


def batched_tensordot(x, y, axes=2):
    """tensordot of each x[i] with y[i]."""
    x, y = as_tensor_variable(x), as_tensor_variable(y)
    if isinstance(axes, int):
        axes = [list(range(x.ndim - axes, x.ndim)), list(range(1, axes + 1))]
    ax = [axes[0]] if isinstance(axes[0], int) else list(axes[0])
    ay = [axes[1]] if isinstance(axes[1], int) else list(axes[1])
    keep_x = [i for i in range(1, x.ndim) if i not in ax]
    keep_y = [i for i in range(1, y.ndim) if i not in ay]
    left = ops.transpose(x, [0, *keep_x, *ax])
    right = ops.transpose(y, [0, *ay, *keep_y])
    sizes = [x.shape[0], *(x.shape[i] for i in keep_x), *(y.shape[i] for i in keep_y)]
    n, inner = x.shape[0], prod(ops.stack([x.shape[i] for i in ax])) if ax else 1
    left = ops.reshape(left, [n, -1, inner])
    right = ops.reshape(right, [n, inner, -1])
    return ops.reshape(ops.matmul(left, right), sizes)


def nonzero(a, return_matrix=False):
    """Positions of the nonzero elements: a tuple of vectors, or one matrix."""
    a = as_tensor_variable(a)
    found = ops.made["nonzero"](a)
    return found if return_matrix else tuple(found[i] for i in range(a.ndim))


def flatnonzero(a):
    """Positions of the nonzero elements of the flattened array."""
    return nonzero(ops.flatten(a), return_matrix=True)[0]


def nonzero_values(a):
    """The nonzero elements as a vector."""
    return ops.take(ops.flatten(a), flatnonzero(a), axis=0)


def compress(condition, x, axis=None):
    """The elements (rows, ...) where the condition is not zero."""
    return ops.take(x, flatnonzero(condition), axis=axis)


def choose(a, choices):
    """From several arrays the element that `a` names, element by element."""
    stacked = ops.stack(list(choices)) if isinstance(choices, (list, tuple)) else choices
    a = as_tensor_variable(a)
    return ops.take_along_axis(stacked, ops.expand_dims(a, 0), axis=0)[0]


def _cumulative(name) -> Callable[..., TensorVariable]:
    made = ops.made[name]

    def function(x, axis=None):
        if axis is None:
            x, axis = ops.flatten(as_tensor_variable(x)), 0
        return made(x, axis=axis)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = made.__doc__ + "\n\nWithout an axis, of the flattened array."
    function.__module__ = "croton.tensor"
    return function


cumsum = _cumulative("cumsum")
cumprod = _cumulative("cumprod")


def searchsorted(x, v, side="left", sorter=None):
    """Where the elements of v go in the sorted vector x."""
    x, v = as_tensor_variable(x), as_tensor_variable(v)
    if sorter is not None:
        x = ops.take(x, sorter, axis=0)
    if side not in ("left", "right"):
        raise _core.ArgumentError(f"searchsorted: side takes left or right, not {side!r}")
    before = ops.lt if side == "left" else ops.le
    return sum(ops.cast(before(x, ops.expand_dims(v, v.ndim)), "int64"), axis=-1)


def to_one_hot(y, nb_class, dtype=None):
    """A matrix with a one in each row at the place that y names."""
    y = as_tensor_variable(y)
    hot = ops.eq(ops.expand_dims(y, y.ndim), ops.arange(nb_class))
    return ops.cast(hot, dtype or "floatX")


def _as_number(value):
    if isinstance(value, TensorConstant):
        return value.data[()]
    return value


def get_scalar_constant_value(v):
    """The value of a constant scalar; raises NotScalarConstantError otherwise."""
    v = as_tensor_variable(v)
    if isinstance(v, TensorConstant) and v.data.size == 1:
        return v.data.reshape(())[()]
    raise NotScalarConstantError(f"{v} is not a constant scalar")


def get_vector_length(v):
    """The length of a vector whose type knows it."""
    return len(as_tensor_variable(v))


class NotScalarConstantError(_core.Error, ValueError):
    """A constant scalar was wanted."""


# --- making variables


def as_tensor_variable(x, name=None, ndim=None):
    """A variable of a number, an array, a nested list or a variable."""
    v = _core.as_variable(x)
    if ndim is not None and v.ndim != ndim:
        if v.ndim > ndim:
            raise _core.TensorTypeError(
                f"as_tensor_variable: {v} has {v.ndim} axes, more than the {ndim} asked for"
            )
        v = ops.shape_padleft(v, ndim - v.ndim)
    if name is not None:
        v.name = name
    return v


as_tensor = as_tensor_variable


def constant(x, name=None, ndim=None, dtype=None):
    """A constant with a dtype of its own."""
    if isinstance(x, TensorVariable):
        raise _core.TensorTypeError(f"constant: {x} is a variable already")
    v = _core.constant_of(x, dtype)
    if ndim is not None and v.ndim < ndim:
        v = _core.constant_of(v.data.reshape((1,) * (ndim - v.ndim) + v.data.shape))
    if name is not None:
        v.name = name
    return v


def tensor(dtype=None, broadcastable=None, name=None, shape=None):
    """An input: shape has a known size, None or the name of a symbolic size for each axis."""
    if shape is None and broadcastable is None:
        raise _core.UsageError("tensor: give shape (or broadcastable), one entry an axis")
    return TensorType(dtype or "floatX", shape if shape is not None else broadcastable)(name)


_PATTERNS = {
    "scalar": (),
    "vector": (None,),
    "matrix": (None, None),
    "row": (1, None),
    "col": (None, 1),
    **{f"tensor{n}": (None,) * n for n in range(3, 8)},
}
_PREFIXES = {
    "b": "int8", "w": "int16", "i": "int32", "l": "int64",
    "f": "float32", "d": "float64", "c": "complex64", "z": "complex128",
}  # fmt: skip
_PLURALS = {name: name + "s" for name in _PATTERNS} | {"matrix": "matrices", "vector": "vectors"}


def _maker(kind, pattern):
    def make(name=None, dtype=None):
        return TensorType(dtype or "floatX", pattern)(name)

    make.__name__ = make.__qualname__ = kind
    make.__module__ = "croton.tensor"
    make.__doc__ = f"A new input: a {kind} of floatX, or of the dtype given."
    return make


def _plural(kind, single):
    def make(*names):
        if len(names) == 1 and isinstance(names[0], int):
            return [single() for _ in range(names[0])]
        if len(names) == 1:
            names = names[0]
        return [single(name) for name in names]

    make.__name__ = make.__qualname__ = kind
    make.__module__ = "croton.tensor"
    make.__doc__ = "Several inputs: of names, a string of letters, or a count."
    return make


makers = {}
for _kind, _pattern in _PATTERNS.items():
    makers[_kind] = _maker(_kind, _pattern)
    makers[_PLURALS[_kind]] = _plural(_PLURALS[_kind], makers[_kind])
    for _prefix, _dtype in _PREFIXES.items():
        makers[_prefix + _kind] = TensorType(_dtype, _pattern)
        makers[_prefix + _PLURALS[_kind]] = _plural(_prefix + _PLURALS[_kind], makers[_prefix + _kind])
globals().update(makers)

bool_dtypes = ["bool"]
int_dtypes = ["int8", "int16", "int32", "int64"]
uint_dtypes = ["uint8", "uint16", "uint32", "uint64"]
integer_dtypes = int_dtypes + uint_dtypes
float_dtypes = ["float16", "bfloat16", "float32", "float64"]
complex_dtypes = ["complex64", "complex128"]
continuous_dtypes = float_dtypes + complex_dtypes
discrete_dtypes = bool_dtypes + integer_dtypes
all_dtypes = discrete_dtypes + continuous_dtypes


class _Grid:
    """mgrid[0:3, 0:4] and ogrid[0:3, 0:4]."""

    def __init__(self, sparse):
        self._sparse = sparse

    def __getitem__(self, key):
        slices = key if isinstance(key, tuple) else (key,)
        ranges = [
            ops.arange(s.start if s.start is not None else 0, s.stop, s.step if s.step is not None else 1)
            for s in slices
        ]
        n = len(ranges)
        open_grid = [
            ops.dimshuffle(r, *["x"] * i, 0, *["x"] * (n - 1 - i)) for i, r in enumerate(ranges)
        ]
        if self._sparse:
            return open_grid
        sizes = [r.shape[0] for r in ranges]
        return [ops.broadcast_to(g, sizes) for g in open_grid]


mgrid, ogrid = _Grid(False), _Grid(True)

_own = [
    name
    for name, value in list(globals().items())
    if not name.startswith("_")
    and name not in ("annotations", "builtins", "ops", "makers", "TYPE_CHECKING", "TensorConstant")
]
__all__ = _own
del builtins
