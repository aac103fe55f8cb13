"""Derivatives of graphs, which are graphs again."""

from __future__ import annotations

from . import _core
from ._core import (
    DisconnectedInputError,
    GradientError,
    NotDifferentiableError,
    TensorVariable,
    disconnected_grad,
    grad_clip,
    grad_scale,
    zero_grad,
)
from ._core import consider_constant as consider_constant

NullTypeGradError = NotDifferentiableError


def _like(wrt, results):
    """Results in the form of wrt: a variable, a list or a tuple."""
    if isinstance(wrt, TensorVariable):
        return results[0]
    return tuple(results) if isinstance(wrt, tuple) else list(results)


def grad(
    cost,
    wrt,
    consider_constant=None,
    disconnected_inputs="raise",
    add_names=True,
    known_grads=None,
    return_disconnected="zero",
    null_gradients="raise",
):
    """The gradient of a scalar with respect to a variable, or a list or tuple of them.

    consider_constant: variables that nothing flows through. disconnected_inputs: raise, warn or ignore
    variables that the cost does not depend on; return_disconnected: "zero" or "None" for those.
    known_grads: gradients that are known already (cost may then be None).
    """
    if return_disconnected not in ("zero", "None", "Disconnected"):
        raise _core.ArgumentError(
            f"return_disconnected takes zero or None, not {return_disconnected!r}"
        )
    results = _core.grad(
        cost,
        wrt,
        consider_constant,
        disconnected_inputs,
        known_grads,
        return_disconnected != "zero",
    )
    variables = [wrt] if isinstance(wrt, TensorVariable) else list(wrt)
    if add_names and cost is not None and getattr(cost, "name", None):
        for variable, result in zip(variables, results):
            if result is not None and result.name is None and variable.name:
                result.name = f"(d{cost.name}/d{variable.name})"
    return _like(wrt, results)


def Lop(f, wrt, eval_points, consider_constant=None, disconnected_inputs="raise"):
    """Vector-Jacobian product: eval_points (of f's shapes) times the Jacobian of f."""
    return _like(wrt, _core.vjp(f, wrt, eval_points, consider_constant, disconnected_inputs))


def Rop(f, wrt, eval_points, disconnected_outputs="raise", return_disconnected="zero"):
    """Jacobian-vector product: the Jacobian of f times eval_points (of wrt's shapes)."""
    results = _core.jvp(f, wrt, eval_points)
    return results[0] if isinstance(f, TensorVariable) else results


vjp, jvp = Lop, Rop


def hvp(cost, wrt, vectors):
    """Product of the Hessian of a scalar with vectors of wrt's shapes, without the matrix."""
    return _like(wrt, _core.hvp(cost, wrt, vectors))


def jacobian(expression, wrt, consider_constant=None, disconnected_inputs="raise"):
    """All derivatives of a vector (or scalar): one row an element."""
    return _like(wrt, _core.jacobian(expression, wrt, consider_constant, disconnected_inputs))


def hessian(cost, wrt, consider_constant=None, disconnected_inputs="raise"):
    """The second derivatives of a scalar with respect to vectors: one matrix a vector."""
    return _like(wrt, _core.hessian(cost, wrt, consider_constant, disconnected_inputs))


def verify_grad(
    fun, pt, n_tests=2, rng=None, eps=None, out_type=None, abs_tol=None, rel_tol=None, mode=None, order=1
):
    """Compares the gradient of a function of variables with central differences at the points.

    Raises GradientError naming op, input, element and both numbers where they disagree. eps: half the
    distance of the compared values; rel_tol: the error allowed; order=2 checks second gradients too.
    """
    for test in range(n_tests):
        seed = test + 1 if rng is None else int(rng.randint(2**31) if hasattr(rng, "randint") else rng.integers(2**31))
        _core.verify_grad(fun, list(pt), seed, eps or 0.0, rel_tol or abs_tol or 0.0, order, True)


def subgraph_grad(wrt, end, start=None, cost=None, details=False):
    """Gradients of wrt and of end, back-propagated from start (known gradients) and cost."""
    known = dict(start or {})
    targets = list(wrt) + list(end)
    grads = _core.grad(cost, targets, list(end), "ignore", known or None, False)
    if details:
        return grads[: len(wrt)], grads[len(wrt) :], [], []
    return grads[: len(wrt)], grads[len(wrt) :]


__all__ = [
    "DisconnectedInputError", "GradientError", "Lop", "NotDifferentiableError", "NullTypeGradError",
    "Rop", "consider_constant", "disconnected_grad", "grad", "grad_clip", "grad_scale", "hessian", "hvp",
    "jacobian", "jvp", "subgraph_grad", "verify_grad", "vjp", "zero_grad",
]  # fmt: skip
