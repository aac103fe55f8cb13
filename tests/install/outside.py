"""What a user of an installed croton runs; it ends with 0 if all is well."""

import pathlib
import sys

import croton

place = pathlib.Path(croton.__file__).parent
assert str(place).startswith(sys.prefix), f"croton came from {place}"
assert (place / "_core.pyi").exists(), "the type stub is missing"
print("croton", croton.__version__, "in", place)
