"""What neural networks are made of, under Theano's names."""

from .. import _core
from . import _more, _ops
from ._ops import (
    elu,
    hard_sigmoid,
    leaky_relu,
    log_softmax,
    selu,
    sigmoid,
    sigmoid_binary_crossentropy,
    softplus,
    softsign,
)

logsoftmax = log_softmax
softmax = _ops.softmax
binary_crossentropy = _ops.binary_crossentropy
categorical_crossentropy = _ops.categorical_crossentropy
crossentropy_categorical_1hot = categorical_crossentropy
ultra_fast_sigmoid = sigmoid


def relu(x, alpha=0):
    """max(x, 0); with alpha, x for positive x and alpha * x for others."""
    if isinstance(alpha, (int, float)) and alpha == 0:
        return _ops.relu(x)
    return leaky_relu(x, alpha)


def softmax_graph(c):
    """softmax of the last axis."""
    return softmax(c)


def softmax_with_bias(x, b):
    """softmax of x + b."""
    return softmax(_more.as_tensor_variable(x) + b)


def crossentropy_softmax_1hot(x, y_idx):
    """[categorical_crossentropy(softmax(x), y_idx), softmax(x)]."""
    p = softmax(x)
    return [categorical_crossentropy(p, y_idx), p]


def crossentropy_softmax_1hot_with_bias(x, b, y_idx):
    """crossentropy_softmax_1hot of x + b."""
    return crossentropy_softmax_1hot(_more.as_tensor_variable(x) + b, y_idx)


def confusion_matrix(actual, pred):
    """[counts, classes]: how often each actual class (row) was taken for each other (column)."""
    actual, pred = _more.as_tensor_variable(actual), _more.as_tensor_variable(pred)
    classes = _more.max(_ops.maximum(_more.max(actual), _more.max(pred))) + 1
    order = _ops.arange(classes)
    rows = _ops.cast(_ops.eq(_ops.expand_dims(actual, 1), order), "int64")
    columns = _ops.cast(_ops.eq(_ops.expand_dims(pred, 1), order), "int64")
    return [_ops.dot(_ops.transpose(rows), columns), order]


def batch_normalization_train(inputs, gamma, beta, axes="per-activation", epsilon=1e-4):
    """(normalised, mean, 1 / deviation) over the axes: "per-activation", "spatial" or numbers."""
    inputs = _more.as_tensor_variable(inputs)
    axes = _batch_axes(axes, inputs.ndim)
    mean = _more.mean(inputs, axis=axes, keepdims=True)
    variance = _more.var(inputs, axis=axes, keepdims=True)
    inverse = _ops.reciprocal(_ops.sqrt(variance + epsilon))
    return (inputs - mean) * inverse * gamma + beta, mean, inverse


def batch_normalization_test(inputs, gamma, beta, mean, var, axes="per-activation", epsilon=1e-4):
    """The normalisation with mean and variance given."""
    inputs = _more.as_tensor_variable(inputs)
    _batch_axes(axes, inputs.ndim)
    var = _more.as_tensor_variable(var)
    return (inputs - mean) / _ops.sqrt(var + epsilon) * gamma + beta


def _batch_axes(axes, ndim):
    if axes == "per-activation":
        return (0,)
    if axes == "spatial":
        return (0, *range(2, ndim))
    if isinstance(axes, (list, tuple)):
        return tuple(axes)
    raise _core.ArgumentError(
        f"axes takes per-activation, spatial or a tuple of numbers, not {axes!r}"
    )
