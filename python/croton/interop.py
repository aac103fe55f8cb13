"""Files and the memory of other libraries."""

from __future__ import annotations

from . import _core
from ._core import (
    Batches,
    fashion_mnist,
    fashion_mnist_classes,
    load_npy,
    load_npz,
    load_safetensors,
    permutation,
    read_idx,
    safetensors_metadata,
    save_npy,
    save_npz,
    save_safetensors,
    to_dlpack,
)


def from_dlpack(obj):
    """An array over the memory of any object with __dlpack__ (CPU memory)."""
    return _core.as_array(obj)


def _by_ending(path, npz, safetensors):
    ending = str(path).rsplit(".", 1)[-1]
    if ending == "npz":
        return npz
    if ending == "safetensors":
        return safetensors
    raise _core.ArgumentError(f"the file's name must end in .npz or .safetensors, not {path}")


def _names(variables):
    if hasattr(variables, "items"):
        return dict(variables)
    named = {}
    for variable in variables:
        if not variable.name or variable.name in named:
            raise _core.ArgumentError(
                f"variables are saved under their names: {variable!r} has none, or one that is taken"
            )
        named[variable.name] = variable
    return named


def save(path, variables):
    """Saves shared variables (a list, by their names, or a dictionary) to .npz or .safetensors."""
    _by_ending(path, save_npz, save_safetensors)(path, _names(variables))


def load(path, variables=None):
    """The arrays of an .npz or .safetensors file; with variables, sets each to the array of its name."""
    arrays = _by_ending(path, load_npz, load_safetensors)(path)
    if variables is not None:
        named = _names(variables)
        missing = [name for name in named if name not in arrays]
        if missing:
            raise _core.FileError(f"{path} has no array named {', '.join(missing)}")
        for name, variable in named.items():
            variable.set_value(arrays[name])  # its own: the arrays are the caller's
    return arrays


__all__ = [
    "Batches", "fashion_mnist", "fashion_mnist_classes", "from_dlpack", "load", "load_npy", "load_npz",
    "load_safetensors", "permutation", "read_idx", "safetensors_metadata", "save", "save_npy",
    "save_npz", "save_safetensors", "to_dlpack",
]  # fmt: skip
