"""Functions of NumPy and of Theano's extra_ops that are made of other functions."""

from __future__ import annotations

from .. import _core
from . import _more, _ops
from ._more import as_tensor_variable, cumprod, cumsum, searchsorted, to_one_hot
from ._ops import repeat, squeeze


_INFINITY = float("inf")


def _axis(axis, ndim):
    if not -ndim <= axis < ndim:
        raise _core.OutOfBoundsError(f"axis {axis} is out of range for an array of rank {ndim}")
    return axis % ndim


def _larger(a, b):
    return a if a > b else b


# --- arithmetic


def positive(x):
    """x itself, as another variable."""
    return _ops.fill(x, x)


def float_power(x, y):
    """x ** y in float64 (complex128 of complex numbers)."""
    x, y = as_tensor_variable(x), as_tensor_variable(y)
    wide = _core.promote(_core.promote(x.dtype, y.dtype), "float64")
    return _ops.pow(_ops.cast(x, wide), _ops.cast(y, wide))


def logaddexp2(x, y):
    """log2(2 ** x + 2 ** y) without overflow."""
    ln2 = 0.6931471805599453
    return _ops.logaddexp(_ops.mul(x, ln2), _ops.mul(y, ln2)) / ln2


def modf(x):
    """[fractional part, whole part], both with the sign of x."""
    x = as_tensor_variable(x)
    if x.dtype in _more.discrete_dtypes:
        x = _ops.cast(x, "floatX")
    whole = _ops.trunc(x)
    rest = _ops.where(_ops.isinf(x), 0.0, x - whole)
    return [_ops.copysign(rest, x), whole]


def frexp(x):
    """[m, e] of x = m * 2 ** e with 0.5 <= abs(m) < 1."""
    exponent = _ops.frexp_exponent(x)
    return [_ops.ldexp(x, -exponent), exponent]


def complex_from_polar(abs, angle):  # noqa: A002
    """abs * exp(1j * angle)."""
    return _ops.complex(_ops.mul(abs, _ops.cos(angle)), _ops.mul(abs, _ops.sin(angle)))


def xlogx(x):
    """x * log(x), 0 where x is 0."""
    return xlogy0(x, x)


def xlogy0(x, y):
    """x * log(y), 0 where x is 0."""
    nothing = _ops.eq(x, 0)
    return _ops.where(nothing, 0.0, _ops.mul(x, _ops.log(_ops.where(nothing, 1.0, y))))


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """x with NaN and infinities replaced; by default by zero and the dtype's largest numbers."""
    x = as_tensor_variable(x)
    if x.dtype in _more.discrete_dtypes:
        return x
    largest = {"float16": 65504.0, "bfloat16": 3.3895313892515355e38}.get(x.dtype)
    if largest is None:
        import numpy as np

        largest = float(np.finfo(x.dtype).max)
    high = _ops.where(_ops.eq(x, _INFINITY), largest if posinf is None else posinf, x)
    low = _ops.where(_ops.eq(x, -_INFINITY), -largest if neginf is None else neginf, high)
    return _ops.where(_ops.isnan(x), nan, low)


# --- products


def inner(a, b):
    """Sums of products over the last axes."""
    a, b = as_tensor_variable(a), as_tensor_variable(b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return _ops.tensordot(a, b, [[a.ndim - 1], [b.ndim - 1]])


def vdot(a, b):
    """Sum of conj(a) * b over all elements."""
    return _more.sum(_ops.mul(_ops.conj(_ops.flatten(as_tensor_variable(a))), _ops.flatten(as_tensor_variable(b))))


def vecdot(a, b, axis=-1):
    """Sums of conj(a) * b along an axis."""
    return _more.sum(_ops.mul(_ops.conj(a), b), axis=axis)


def kron(a, b):
    """Kronecker's product of vectors or matrices."""
    a, b = as_tensor_variable(a), as_tensor_variable(b)
    ndim = _larger(a.ndim, b.ndim)
    a, b = _ops.shape_padleft(a, ndim - a.ndim), _ops.shape_padleft(b, ndim - b.ndim)
    for axis in range(ndim):
        a = _ops.expand_dims(a, 2 * axis + 1)
        b = _ops.expand_dims(b, 2 * axis)
    product = a * b
    return _ops.reshape(product, [product.shape[2 * i] * product.shape[2 * i + 1] for i in range(ndim)])


def cross(a, b):
    """Cross products of vectors of three elements along the last axis."""
    a, b = as_tensor_variable(a), as_tensor_variable(b)
    x, y, z = (a[..., i] for i in range(3))
    u, v, w = (b[..., i] for i in range(3))
    return _ops.stack([y * w - z * v, z * u - x * w, x * v - y * u], -1)


# --- shapes


def hstack(tensors):
    """Arrays side by side (vectors one after the other)."""
    parts = [atleast_1d(t) for t in tensors]
    return _ops.concatenate(parts, axis=0 if parts[0].ndim == 1 else 1)


def vstack(tensors):
    """Arrays one below the other; vectors are rows."""
    return _ops.concatenate([atleast_2d(t) for t in tensors], axis=0)


def atleast_1d(x):
    """x, with an axis if it has none."""
    x = as_tensor_variable(x)
    return _ops.shape_padleft(x, 1) if x.ndim == 0 else x


def atleast_2d(x):
    """x with axes in front, to two at least."""
    x = as_tensor_variable(x)
    return _ops.shape_padleft(x, 2 - x.ndim) if x.ndim < 2 else x


def fliplr(x):
    """The second axis backwards."""
    return _ops.flip(x, 1)


def flipud(x):
    """The first axis backwards."""
    return _ops.flip(x, 0)


def meshgrid(*vectors, indexing="xy"):
    """One array a vector, with the grid's sizes: the vector along its own axis."""
    vectors = [as_tensor_variable(v) for v in vectors]
    n = len(vectors)
    order = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    sizes = [vectors[order[i]].shape[0] for i in range(n)]
    return [
        _ops.broadcast_to(_ops.dimshuffle(v, *(0 if order[axis] == i else "x" for axis in range(n))), sizes)
        for i, v in enumerate(vectors)
    ]


def addbroadcast(x, *axes):
    """x, whose size along these axes is promised to be 1."""
    return _known(x, {axis: 1 for axis in axes})


def unbroadcast(x, *axes):
    """x: sizes of 1 broadcast whether promised or not."""
    return as_tensor_variable(x)


def patternbroadcast(x, broadcastable):
    """x, whose size is promised to be 1 where the pattern is True."""
    return _known(x, {axis: 1 for axis, one in enumerate(broadcastable) if one})


def _known(x, sizes):
    x = as_tensor_variable(x)
    axes = {_axis(axis, x.ndim): size for axis, size in sizes.items()}
    return _ops.specify_shape(x, [axes.get(i, x.shape[i]) for i in range(x.ndim)])


def shape_i(x, i):
    """The size of an axis."""
    return as_tensor_variable(x).shape[i]


def tensor_copy(x):
    """The same value as another variable."""
    return _ops.fill(x, x)


# --- orders and counts


def topk_and_argtopk(x, kth, axis=-1, sorted=True, idx_dtype="int64"):  # noqa: A002
    """[topk, argtopk]."""
    order = argtopk(x, kth, axis, sorted, idx_dtype)
    return [_ops.take_along_axis(x, order, axis=axis), order]


def topk(x, kth, axis=-1, sorted=True, idx_dtype="int64"):  # noqa: A002
    """The kth largest elements along an axis, largest first; kth < 0: the smallest, smallest first."""
    return topk_and_argtopk(x, kth, axis, sorted, idx_dtype)[0]


def argtopk(x, kth, axis=-1, sorted=True, idx_dtype="int64"):  # noqa: A002
    """Positions of the kth largest elements along an axis, largest first; kth < 0: the smallest.

    sorted has no effect: the order is the same always.
    """
    x = as_tensor_variable(x)
    order = _ops.argsort(x, axis=axis)
    if kth > 0:
        order = _ops.flip(order, axis=axis)
    index = [slice(None)] * x.ndim
    index[axis] = slice(0, abs(kth))
    return _ops.cast(order[tuple(index)], idx_dtype)


def diff(x, n=1, axis=-1):
    """Differences of neighbours along an axis, n times."""
    x = as_tensor_variable(x)
    axis = _axis(axis, x.ndim)
    front = (slice(None),) * axis
    for _ in range(n):
        subtract = _ops.ne if x.dtype == "bool" else _ops.sub
        x = subtract(x[(*front, slice(1, None))], x[(*front, slice(None, -1))])
    return x


def count_nonzero(x, axis=None, keepdims=False):
    """How many elements are not zero."""
    return _more.sum(_ops.cast(_ops.ne(x, 0), "int64"), axis=axis, keepdims=keepdims)


def bincount(x, weights=None, minlength=None, assert_nonneg=False):
    """How often each number from 0 to the largest comes up (or the sum of the weights of each)."""
    x = as_tensor_variable(x)
    if x.ndim != 1:
        raise _core.TensorTypeError(f"bincount takes a vector, not {x.type}")
    if assert_nonneg:
        x = _ops.assert_(x, _more.all(_ops.ge(x, 0)), "bincount: a number is negative")
    # A zero in front lets vectors without elements have a largest one.
    largest = _more.max(_ops.concatenate([_ops.zeros([1], x.dtype), x]))
    length = _ops.cast(largest, "int64") + 1
    # Without elements there is no number 0 either.
    length = _ops.where(_ops.eq(x.shape[0], 0), 0, length)
    if minlength is not None:
        length = _ops.maximum(length, minlength)
    w = _ops.ones_like(x, "int64") if weights is None else as_tensor_variable(weights)
    start = _ops.zeros([length], w.dtype)
    return _ops.inc_subtensor(start[x], w)


def cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None):
    """Covariances of the rows (without rowvar: the columns)."""
    if fweights is not None or aweights is not None:
        raise _core.UnsupportedError("cov takes no weights")
    m = atleast_2d(m)
    m = m if rowvar else _ops.transpose(m)
    if y is not None:
        y = atleast_2d(y)
        m = _ops.concatenate([m, y if rowvar else _ops.transpose(y)], axis=0)
    if ddof is None:
        ddof = 0 if bias else 1
    centred = m - _more.mean(m, axis=1, keepdims=True)
    product = _ops.dot(centred, _ops.conj(_ops.transpose(centred)))
    return product / _ops.cast(m.shape[1] - ddof, product.dtype)


def bartlett(M):  # noqa: N803
    """Bartlett's triangular window of M elements."""
    M = as_tensor_variable(M)  # noqa: N806
    n = _ops.cast(_ops.arange(M), "floatX")
    # A window of one element is 1; the branch not taken must not divide by zero.
    last = _ops.cast(_ops.maximum(M - 1, 1), "floatX")
    window = 1 - abs(2 * n / last - 1)
    return _ops.where(_ops.eq(M, 1), _ops.ones_like(window), window)


# --- diagonals, permutations, positions


def fill_diagonal(a, val):
    """a with `val` on the main diagonal (of an array of rank 2 or more with equal sizes)."""
    a = as_tensor_variable(a)
    if a.ndim == 2:
        return fill_diagonal_offset(a, val, 0)
    place = _ops.arange(a.shape[0])
    along = [_ops.dimshuffle(place, *(0 if i == axis else "x" for i in range(a.ndim))) for axis in range(a.ndim)]
    on = _ops.eq(along[0], along[1])
    for other in along[2:]:
        on = _ops.bitwise_and(on, _ops.eq(along[0], other))
    return _ops.where(on, _ops.cast(val, a.dtype), a)


def fill_diagonal_offset(a, val, offset):
    """The matrix a with `val` on the diagonal `offset` above the main one."""
    a = as_tensor_variable(a)
    rows = _ops.expand_dims(_ops.arange(a.shape[0]), 1)
    return _ops.where(_ops.eq(rows + offset, _ops.arange(a.shape[1])), _ops.cast(val, a.dtype), a)


def inverse_permutation(perm):
    """The permutations that undo these (along the last axis)."""
    return _ops.argsort(perm, axis=-1)


def permute_row_elements(x, y, inverse=False):
    """The elements of each row of x in the order y, or with `inverse` in the order that undoes it."""
    x, y = as_tensor_variable(x), as_tensor_variable(y)
    if inverse:
        y = inverse_permutation(y)
    ndim = _larger(x.ndim, y.ndim)
    x, y = _ops.shape_padleft(x, ndim - x.ndim), _ops.shape_padleft(y, ndim - y.ndim)
    sizes = [_ops.maximum(x.shape[i], y.shape[i]) for i in range(ndim)]
    return _ops.take_along_axis(_ops.broadcast_to(x, sizes), _ops.broadcast_to(y, sizes), axis=-1)


def unravel_index(indices, dims, order="C", ndim=None):
    """Positions along each axis of places in the flattened array."""
    dims = _vector_of_sizes(dims, ndim)
    places, rest = [], as_tensor_variable(indices)
    for size in reversed(dims) if order == "C" else dims:
        places.append(_ops.mod(rest, size))
        rest = _ops.floor_div(rest, size)
    return tuple(reversed(places)) if order == "C" else tuple(places)


def ravel_multi_index(multi_index, dims, mode="raise", order="C", ndim=None):
    """Places in the flattened array of positions along each axis."""
    dims = _vector_of_sizes(dims, ndim)
    indices = [as_tensor_variable(i) for i in multi_index]
    if len(indices) != len(dims):
        raise _core.ArgumentError(f"ravel_multi_index: {len(indices)} positions for {len(dims)} sizes")
    if mode not in ("raise", "wrap", "clip"):
        raise _core.ArgumentError(f"mode takes raise, wrap or clip, not {mode!r}")
    pairs = list(zip(indices, dims))
    result = 0
    for index, size in pairs if order == "C" else reversed(pairs):
        if mode == "wrap":
            index = _ops.mod(index, size)
        elif mode == "clip":
            index = _ops.clip(index, 0, as_tensor_variable(size) - 1)
        else:
            inside = _more.all(_ops.bitwise_and(_ops.ge(index, 0), _ops.lt(index, size)))
            index = _ops.assert_(index, inside, "ravel_multi_index: an index is out of bounds")
        result = result * size + index
    return as_tensor_variable(result)


def _vector_of_sizes(dims, ndim):
    if isinstance(dims, _core.TensorVariable) and dims.ndim == 1:
        count = dims.static_shape[0] if ndim is None else ndim
        if not isinstance(count, int):
            raise _core.ArgumentError("dims has no known length: give ndim")
        return [dims[i] for i in range(count)]
    return list(dims) if isinstance(dims, (list, tuple)) else [dims]


__all__ = [
    "addbroadcast", "argtopk", "atleast_1d", "atleast_2d", "bartlett", "bincount", "complex_from_polar",
    "count_nonzero", "cov", "cross", "cumprod", "cumsum", "diff", "fill_diagonal", "fill_diagonal_offset",
    "float_power", "fliplr", "flipud", "frexp", "hstack", "inner", "inverse_permutation", "kron", "logaddexp2",
    "meshgrid", "modf", "nan_to_num", "patternbroadcast", "permute_row_elements", "positive",
    "ravel_multi_index", "repeat", "searchsorted", "shape_i", "squeeze", "tensor_copy", "to_one_hot",
    "topk", "topk_and_argtopk", "unbroadcast", "unravel_index", "vdot", "vecdot", "vstack", "xlogx", "xlogy0",
]  # fmt: skip
