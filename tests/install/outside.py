"""What a user of an installed croton runs; it ends with 0 if all is well."""

import pathlib
import sys

import croton

place = pathlib.Path(croton.__file__).parent
assert str(place).startswith(sys.prefix), f"croton came from {place}"
for stub in ("_core.pyi", "tensor/__init__.pyi", "tensor/_ops.pyi", "py.typed"):
    assert (place / stub).exists(), f"{stub} is missing"

# Small graphs find their kernels in the package: LLVM stays closed.
if list(place.glob("croton-*.kernels")):
    croton.config.cache_dir = "off"
    x = croton.tensor.dvector("x")
    assert croton.function([x], x + 1)([1.0, 2.0]).tolist() == [2.0, 3.0]
    assert "libcroton-llvm" not in pathlib.Path("/proc/self/maps").read_text(), "x + 1 was compiled anew"
    assert croton.function([x], croton.tensor.cos(x * 0.77).sum())([0.0]) == 1.0
print("croton", croton.__version__, "in", place)
