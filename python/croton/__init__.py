"""Croton: NumPy's syntax, gradients by symbol, native code.

    import croton as ct
    import croton.tensor as T

    x = T.dvector("x")
    y = (x ** 2).sum()
    f = ct.function([x], [y, ct.grad(y, x)])
"""

import os as _os

from . import _core

_core.set_package_folder(_os.path.dirname(_os.path.abspath(__file__)) + _os.sep)

from . import (  # noqa: E402
    compile,
    gradient,
    interop,
    optimizers,
    printing,
    scan_module,
    tensor,
    updates,
)
from ._core import (  # noqa: E402
    Apply,
    ArgumentError,
    CompileError,
    DeviceError,
    DisconnectedInputError,
    Error,
    Figure,
    FileError,
    GradientError,
    InternalError,
    MissingFileError,
    MissingInputError,
    NotDifferentiableError,
    OutOfBoundsError,
    Progress,
    ShapeError,
    TensorType,
    TensorTypeError,
    UnsupportedError,
    UnusedInputError,
    UsageError,
)
from ._core import TensorConstant as Constant  # noqa: E402
from ._core import TensorVariable as Variable  # noqa: E402
from .compile import Function, In, Mode, Out, ProfileStats, function  # noqa: E402
from .configuration import change_flags, config  # noqa: E402
from .gradient import Lop, Rop, grad, hvp, subgraph_grad, verify_grad  # noqa: E402
from .ifelse import ifelse  # noqa: E402
from .interop import from_dlpack  # noqa: E402
from .op import Op, OpFromGraph, as_op  # noqa: E402
from .printing import debugprint, explain, pp, pprint  # noqa: E402
from .scan_module import (  # noqa: E402
    cond,
    foldl,
    foldr,
    for_loop,
    map,
    reduce,
    scan,
    scan_checkpoints,
    until,
    while_loop,
)
from .shared import SharedVariable, shared  # noqa: E402
from .tensor import dot  # noqa: E402
from .updates import OrderedUpdates  # noqa: E402

__version__ = "0.1.0"


def clone(output, replace=None, strict=True, share_inputs=True):
    """The output (or list of outputs) with variables replaced as the dictionary says."""
    single = not isinstance(output, (list, tuple))
    results = _core.substitute([output] if single else list(output), replace or {})
    return results[0] if single else results


__all__ = [name for name in dir() if not name.startswith("_")]
