"""Writes the stubs of croton.tensor: make_stubs.py PACKAGE_FOLDER.

The functions made of the catalogue exist only when the package runs, so their stubs are read off it:
tensor/_ops.pyi (the op functions), tensor/__init__.pyi (everything under its public name), and the
methods of variables, which are put into the class in _core.pyi.
"""

import inspect
import pathlib
import sys
import textwrap

# The environment's path stays as it is: in pip's builds it says where NumPy is.
sys.path.insert(0, str(pathlib.Path(sys.argv[1]).absolute().parent))

import croton.tensor as T  # noqa: E402
from croton.tensor import _more, _names, _ops, extra_ops  # noqa: E402

HEAD = '''"""Made from the catalogue of the library when Croton is built."""

from collections.abc import Sequence
from typing import Any

from .._core import TensorType, TensorVariable

TensorLike = Any  # a variable, a number, an array, or a list of them
DTypeLike = Any  # a name, a numpy.dtype, a scalar type
Axis = int | Sequence[int] | None
'''
MARK = "    # --- methods that are functions of croton.tensor"
TYPES = {"bool": "bool", "int": "int", "float": "float", "str": "str", "dtype": "DTypeLike"}


def parameters_of(record, function):
    """The parameters of a record's function as text."""
    kinds = {("axis" if a[0] == "axes" else a[0]): a[1] for a in record["attributes"]}
    parts = []
    for name, parameter in inspect.signature(function).parameters.items():
        kind = "TensorLike"
        if name in kinds:
            kind = TYPES.get(kinds[name], "Axis" if name == "axis" else "Sequence[int]")
        star = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        parts.append(f"{star}{name}: {kind}{default}")
    return ", ".join(parts)


def stub(name, parameters, doc, result="TensorVariable", indent=""):
    """One function."""
    body = textwrap.indent(f'"""{inspect.cleandoc(doc or name)}"""', "    ")
    body = body.replace("\\", "\\\\")
    return textwrap.indent(f"def {name}({parameters}) -> {result}:\n{body}\n    ...\n", indent)


def ops_stub():
    """The text of tensor/_ops.pyi."""
    records = {name: _ops.describe(name) for name in _ops.made}
    parts = [HEAD]
    for name in sorted(_names.FRIENDLY):
        parts.append(f"from .._core import {name} as {name}\n")
    for name, record in records.items():
        if name in _names.INSIDE or name in _names.FRIENDLY:
            continue
        result = "Any" if len(record["arguments"]) == 0 else "TensorVariable"
        parts.append(
            stub(name, parameters_of(record, _ops.made[name]), _ops.made[name].__doc__, result)
        )
    for alias, target in _names.ALIASES.items():
        parts.append(f"{alias} = {target}\n")
    parts.append("made: dict[str, Any]\n__all__: list[str]\ndef describe(name: str) -> dict[str, Any]: ...\n")
    return "\n".join(parts)


def tensor_stub():
    """The text of tensor/__init__.pyi."""
    parts = [HEAD]
    elsewhere = {"grad", "Lop", "Rop", "hessian", "jacobian", "verify_grad", "consider_constant"}
    core = {"Apply", "TensorConstant", "TensorSharedVariable"}
    for name in T.__all__:
        if name in _more.makers:
            if name.endswith("s") or name.endswith("matrices") or name.endswith("vectors"):
                parts.append(f"def {name}(*names: Any) -> list[TensorVariable]: ...\n")
            elif isinstance(_more.makers[name], T.TensorType):
                parts.append(f"{name}: TensorType\n")
            else:
                parts.append(
                    f"def {name}(name: str | None = None, dtype: DTypeLike = None) -> TensorVariable: ...\n"
                )
        elif name in ("TensorType", "TensorVariable"):
            continue
        elif name in core:
            parts.append(f"from .._core import {name} as {name}\n")
        elif name in elsewhere:
            parts.append(f"from ..gradient import {name} as {name}\n")
        elif name == "shared":
            parts.append("from ..shared import shared as shared\n")
        elif name == "sharedvar":
            parts.append("from .._core import TensorSharedVariable as sharedvar\n")
        elif name in extra_ops.__all__:
            parts.append(f"from .extra_ops import {name} as {name}\n")
        elif name in _more.__all__:
            parts.append(f"from ._more import {name} as {name}\n")
        elif name in _ops.__all__ or name == "describe":
            parts.append(f"from ._ops import {name} as {name}\n")
        elif name in ("pi", "e"):
            parts.append(f"{name}: float\n")
        elif name == "newaxis":
            parts.append("newaxis: None\n")
        else:
            parts.append(f"from . import {name} as {name}\n")
    return "".join(parts)


def add_methods(path):
    """Puts the methods into the class TensorVariable of _core.pyi, once."""
    text = path.read_text()
    if MARK in text:
        return
    methods = [MARK + "\n"]
    present = set(_names.METHODS) | {
        "astype", "copy", "reshape", "transpose", "eval", "clone", "get_parents", "compress",
        "get_scalar_constant_value",
    }  # fmt: skip
    results = {"eval": "Any", "get_parents": "list", "get_scalar_constant_value": "Any", "nonzero": "tuple"}
    for name in sorted(present):
        doc = getattr(T.TensorVariable, name).__doc__
        methods.append(
            stub(name, "self, *args: Any, **kwargs: Any", doc, results.get(name, "TensorVariable"), "    ")
        )
    for name, kind in (("real", "TensorVariable"), ("imag", "TensorVariable"), ("tag", "Any")):
        methods.append(f"    @property\n    def {name}(self) -> {kind}: ...\n")
    for name in ("__pow__", "__rpow__"):
        methods.append(f"    def {name}(self, other: Any) -> TensorVariable: ...\n")
    start = text.index("class TensorVariable")
    start = text.index("\n    def ", start) + 1
    text = text[:start] + "\n".join(methods) + "\n" + text[start:]
    path.write_text("from typing import Any\n" + text if not text.startswith('"""') else
                    text.replace('\n"""\n', '\n"""\n\nfrom typing import Any\n', 1))  # fmt: skip


def main():
    package = pathlib.Path(sys.argv[1])
    add_methods(package / "_core.pyi")
    (package / "tensor" / "_ops.pyi").write_text(ops_stub())
    (package / "tensor" / "__init__.pyi").write_text(tensor_stub())
    for path in (package / "_core.pyi", package / "tensor" / "_ops.pyi", package / "tensor" / "__init__.pyi"):
        compile(path.read_text(), str(path), "exec")


if __name__ == "__main__":
    main()
