"""Ops written in Python."""

from __future__ import annotations

from . import _core
from ._core import TensorType, TensorVariable


class Op:
    """Base of ops: give it perform, the types of its results, and a gradient if there is one.

    class Cube(ct.Op):
        itypes = [T.dvector]
        otypes = [T.dvector]
        def perform(self, x):
            return x ** 3
        def grad(self, inputs, output_grads):
            return [3 * inputs[0] ** 2 * output_grads[0]]

    y = Cube()(x)

    Types: itypes and otypes (lists of TensorType), or infer(*types) that returns the type of the result
    or a list of types. Results: perform(*arrays) returns an array or a list of arrays; arguments must not
    be changed. grad(inputs, output_grads), or L_op(inputs, outputs, output_grads), returns one
    variable an input, None where the gradient is zero. Two ops of a class are equal if the attributes
    named in __props__ are. pure = False: calls are never merged or computed beforehand.
    """

    itypes = None
    otypes = None
    pure = True
    __props__: tuple = ()

    def __call__(self, *inputs):
        results = self.apply(*inputs)
        return results[0] if len(results) == 1 else results

    def apply(self, *inputs):
        """The results as a list."""
        if self.itypes is not None:
            inputs = self._fitted(inputs)
        return _core.apply_user_op(self, str(self), bool(self.pure), list(inputs))

    def _fitted(self, inputs):
        if len(inputs) != len(self.itypes):
            raise _core.UsageError(f"{self} takes {len(self.itypes)} arguments, not {len(inputs)}")
        fitted = []
        for position, (value, wanted) in enumerate(zip(inputs, self.itypes)):
            if isinstance(value, TensorVariable) and not isinstance(value, _core.TensorConstant):
                v = value
            else:
                raw = value.data if isinstance(value, _core.TensorConstant) else value
                v = _core.constant_of(raw, wanted.dtype)
            if v.dtype != wanted.dtype or v.ndim != wanted.ndim:
                raise _core.TensorTypeError(
                    f"{self}: argument {position} takes {wanted}, not {v.type} ({v})"
                )
            fitted.append(v)
        return fitted

    def infer(self, *types):
        """The type of the result, or a list of types, from the types of the arguments."""
        if self.otypes is None:
            raise TypeError(f"{type(self).__name__} has neither otypes nor infer")
        return list(self.otypes)

    def perform(self, *inputs):
        """The result, or a list of results, from arrays."""
        raise NotImplementedError(f"{type(self).__name__} has no perform")

    # --- what the library calls

    def _types(self, types):
        made = self.infer(*types)
        return [made] if isinstance(made, TensorType) else list(made)

    def _perform(self, inputs):
        import numpy as np

        made = self.perform(*inputs)
        results = list(made) if isinstance(made, (list, tuple)) else [made]
        return [np.asarray(result) for result in results]

    def _has_gradient(self):
        return hasattr(self, "grad") or hasattr(self, "L_op")

    def _gradient(self, inputs, outputs, output_grads):
        if hasattr(self, "L_op"):
            made = self.L_op(inputs, outputs, output_grads)
        else:
            made = self.grad(inputs, output_grads)
        return [made] if isinstance(made, TensorVariable) else list(made)

    def _key(self):
        return (type(self), *(getattr(self, name) for name in self.__props__))

    def __eq__(self, other):
        if type(self).__props__ or type(self).__init__ is object.__init__:
            return isinstance(other, Op) and self._key() == other._key()
        return self is other

    def __hash__(self):
        if type(self).__props__ or type(self).__init__ is object.__init__:
            return hash(self._key())
        return id(self) >> 4

    def __str__(self):
        props = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__props__)
        return type(self).__name__ + (f"{{{props}}}" if props else "")


class FromFunctionOp(Op):
    """An op whose perform is a plain function."""

    __props__ = ("function",)

    def __init__(self, function, itypes, otypes, grad=None):
        self.function = function
        self.itypes, self.otypes = list(itypes), list(otypes)
        if grad is not None:
            self.grad = grad

    def perform(self, *inputs):
        return self.function(*inputs)

    def __str__(self):
        return self.function.__name__


def as_op(itypes, otypes, infer_shape=None, grad=None):
    """A decorator that makes an op of a function of arrays; infer_shape is not needed.

    grad(inputs, output_grads) may be given for derivatives.
    """
    itypes = [itypes] if isinstance(itypes, TensorType) else itypes
    otypes = [otypes] if isinstance(otypes, TensorType) else otypes
    return lambda function: FromFunctionOp(function, itypes, otypes, grad)


class OpFromGraph:
    """A graph as an op: OpFromGraph([x, y], [x + y])(a, b).

    lop_overrides: a function (inputs, outputs, output_grads) -> one gradient an input (None: zero) that
    stands in the place of the graph's own. inline has no effect: calls are always expanded when a
    function is compiled.
    """

    def __init__(
        self, inputs, outputs, inline=False, lop_overrides=None, grad_overrides=None, name=None
    ):
        gradient = lop_overrides if callable(lop_overrides) else None
        if gradient is None and callable(grad_overrides):

            def gradient(inputs, outputs, output_grads):
                return grad_overrides(inputs, output_grads)

        self.inputs, self.outputs = list(inputs), list(outputs)
        self.name = name or "graph"
        self._graph = _core.GraphOp(self.inputs, self.outputs, self.name, gradient)

    def __call__(self, *inputs):
        results = self._graph.call(*inputs)
        return results[0] if len(results) == 1 else results

    def __repr__(self):
        return f"OpFromGraph({self.name})"


__all__ = ["FromFunctionOp", "Op", "OpFromGraph", "as_op"]
