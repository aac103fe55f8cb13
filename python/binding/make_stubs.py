"""Writes the stubs of croton.tensor: make_stubs.py PACKAGE_FOLDER.

The functions made of the catalogue exist only when the package runs, so their stubs are read off it:
tensor/_ops.pyi (the op functions), tensor/__init__.pyi (everything under its public name), and the
methods of variables, which are put into the class in _core.pyi.
"""

import inspect
import pathlib
import re
import sys
import textwrap

# The environment's path stays as it is: in pip's builds it says where NumPy is.
sys.path.insert(0, str(pathlib.Path(sys.argv[1]).absolute().parent))

import croton._core  # noqa: E402
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


# What functions of the extension module return that do not return variables: nanobind knows them as
# objects only. Names of members stand behind their class.
OBJECTS = {
    "TensorType.__call__": "TensorVariable", "Apply.site": "tuple | None", "TensorVariable.name": "str | None",
    "TensorVariable.owner": "Apply | None", "TensorVariable.site": "tuple | None",
    "TensorVariable.__iter__": "Iterator[TensorVariable]", "TensorSharedVariable.get_value": "Any",
    "TensorSharedVariable.default_update": "TensorVariable | None", "TensorConstant.data": "Any",
    "TensorConstant.value": "Any", "In.allow_downcast": "bool | None", "In.update": "TensorVariable | None",
    "In.value": "Any", "Function.__call__": "Any", "Function.__getitem__": "Any", "Function.value": "Function",
    "Function.profile": "Profile | None", "Batches.__iter__": "Iterator[list]", "Progress.__enter__": "Progress",
    "make_shared": "TensorSharedVariable", "as_array": "Any", "apply": "Any", "ifelse": "Any", "sgd": "Any",
    "momentum": "Any", "adagrad": "Any", "rmsprop": "Any", "adam": "Any", "load_npy": "Any", "read_idx": "Any",
    "to_dlpack": "Any", "permutation": "Any", "scan": "tuple[list[TensorVariable], list[tuple]]",
    "scan_checkpoints": "tuple[list[TensorVariable], list[tuple]]",
}  # fmt: skip


def with_results(text):
    """The stub of the extension module with the types that nanobind does not know."""
    lines, owner = [], ""
    for line in text.splitlines():
        if found := re.match(r"class (\w+)", line):
            owner = found[1] + "."
        elif line and not line[0].isspace():
            owner = ""
        if found := re.match(r"( *)def (\w+)\(", line):
            name = (owner if found[1] else "") + found[2]
            line = re.sub(r"-> object(?=:)", "-> " + OBJECTS.get(name, "TensorVariable"), line)
            if found[2] in ("__eq__", "__ne__"):
                line = re.sub(r"arg: \w+", "arg: object", line)
        lines.append(line)
    return "\n".join(lines) + "\n"


def errors_stub():
    """The error classes, bases first."""
    classes = [c for c in vars(croton._core).values() if isinstance(c, type) and issubclass(c, BaseException)]
    classes.sort(key=lambda c: (len(c.__mro__), c.__name__))
    return "\n\n".join(
        f"class {c.__name__}({', '.join(base.__name__ for base in c.__bases__)}):\n"
        + textwrap.indent(f'"""{inspect.cleandoc(c.__doc__ or c.__name__)}"""', "    ")
        for c in classes
    )


def methods_stub():
    """The methods that Python gives variables."""
    methods = [MARK + "\n"]
    present = set(_names.METHODS) | {
        "astype", "copy", "reshape", "transpose", "eval", "clone", "get_parents", "compress",
        "get_scalar_constant_value",
    }  # fmt: skip
    results = {"eval": "Any", "get_parents": "list", "get_scalar_constant_value": "Any", "nonzero": "Any"}
    for name in sorted(present):
        doc = getattr(T.TensorVariable, name).__doc__
        methods.append(
            stub(name, "self, *args: Any, **kwargs: Any", doc, results.get(name, "TensorVariable"), "    ")
        )
    for name, kind in (("real", "TensorVariable"), ("imag", "TensorVariable"), ("tag", "Any")):
        methods.append(f"    @property\n    def {name}(self) -> {kind}: ...\n")
    for name in ("__pow__", "__rpow__"):
        methods.append(f"    def {name}(self, other: Any) -> TensorVariable: ...\n")
    return "\n".join(methods) + "\n"


def complete_core(path):
    """Puts into the stub of the extension module what nanobind leaves out, once."""
    text = path.read_text()
    if MARK in text:
        return
    text = with_results(text)
    # nanobind takes names that end with _ for private ones.
    for name in ("assert_", "print_"):
        text += f"\ndef {name}(x: Any, *args: Any, **kwargs: Any) -> TensorVariable: ...\n"
    start = text.index("class TensorVariable")
    start = text.index("\n    def ", start) + 1
    text = text[:start] + methods_stub() + text[start:]
    # The docstring of the module ends where its own line does.
    head, rest = text.split('\n"""\n', 1)
    imports = "from collections.abc import Iterator\nfrom typing import Any\n"
    path.write_text(f'{head}\n"""\n\n{imports}{rest}\n\n{errors_stub()}\n')


def main():
    package = pathlib.Path(sys.argv[1])
    complete_core(package / "_core.pyi")
    (package / "tensor" / "_ops.pyi").write_text(ops_stub())
    (package / "tensor" / "__init__.pyi").write_text(tensor_stub())
    for path in (package / "_core.pyi", package / "tensor" / "_ops.pyi", package / "tensor" / "__init__.pyi"):
        compile(path.read_text(), str(path), "exec")


if __name__ == "__main__":
    main()
