"""What a user of an installed croton runs; it ends with 0 if all is well."""

import pathlib
import sys

import croton

place = pathlib.Path(croton.__file__).parent
assert str(place).startswith(sys.prefix), f"croton came from {place}"
for stub in ("_core.pyi", "tensor/__init__.pyi", "tensor/_ops.pyi", "py.typed"):
    assert (place / stub).exists(), f"{stub} is missing"
print("croton", croton.__version__, "in", place)
