"""Symbolic arrays: variables, the op functions, and Theano's names for them."""

from .. import _core
from .._core import (
    Apply,
    TensorConstant,
    TensorSharedVariable,
    TensorType,
    TensorVariable,
)
from ..gradient import Lop, Rop, consider_constant, grad, hessian, jacobian, verify_grad
from ..shared import shared
from . import _methods, _more, _names, _ops, extra_ops, nnet, random, shared_randomstreams, subtensor
from ._more import *  # noqa: F403
from ._more import makers as _makers
from ._ops import *  # noqa: F403
from ._ops import describe

# Theano's signatures win over the plain records of the same name.
for _name in _more.__all__:
    globals()[_name] = getattr(_more, _name)
for _name in extra_ops.__all__:
    globals()[_name] = getattr(extra_ops, _name)
globals().update(_makers)
_methods.attach()

pi = 3.141592653589793
e = 2.718281828459045
newaxis = None
sharedvar = TensorSharedVariable

__all__ = sorted(
    {name for name in globals() if not name.startswith("_")} - {"extra_ops", "nnet", "random", "subtensor"}
) + ["extra_ops", "nnet", "random", "shared_randomstreams", "subtensor"]
