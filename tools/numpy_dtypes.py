#!/usr/bin/env python3
"""Writes tests/ops/numpy_dtypes.txt: the dtype that NumPy gives each op for each pair of dtypes.

Run it with NumPy 2 (`python tools/numpy_dtypes.py > tests/ops/numpy_dtypes.txt`) when an op with a
NumPy counterpart is added; the tests read the file and need no NumPy.
"""
import warnings

import numpy as np

SHORT = {
    "bool": "b1", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
    "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
    "float16": "f16", "float32": "f32", "float64": "f64",
    "complex64": "c64", "complex128": "c128",
}
NUMBERS = [True, 1, 1.5, 1j]
# Croton's name, and NumPy's where it differs.
BINARY = """add sub=subtract mul=multiply div=true_divide floor_div=floor_divide mod fmod pow=power
    maximum minimum fmax fmin hypot copysign heaviside arctan2 logaddexp
    lt=less le=less_equal gt=greater ge=greater_equal eq=equal ne=not_equal
    logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor left_shift right_shift"""
UNARY = """neg=negative abs sign reciprocal sqr=square sqrt cbrt floor ceil trunc rint
    exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh
    arcsinh arccosh arctanh deg2rad rad2deg logical_not invert isnan isinf isfinite signbit
    real imag conj"""
REDUCTIONS = "sum prod mean max min argmax argmin any all var std"


def functions(names):
    for name in names.split():
        own, _, theirs = name.partition("=")
        yield own, getattr(np, theirs or own)


def dtype_of(compute):
    try:
        return SHORT[np.asarray(compute()).dtype.name]
    except TypeError:
        return "-"


def table(op, compute):
    for left in SHORT:
        x = np.ones(2, left)
        arrays = [dtype_of(lambda: compute(x, np.ones(2, right))) for right in SHORT]
        numbers = [dtype_of(lambda: compute(x, number)) for number in NUMBERS]
        print("binary", op, SHORT[left], *arrays, *numbers)


def main():
    warnings.simplefilter("ignore")
    print(f"# Result dtypes of NumPy {np.__version__} ('-': TypeError), by tools/numpy_dtypes.py.")
    print("# binary OP LEFT: right operands", *SHORT.values(), "and the plain numbers", *NUMBERS)
    for op, function in functions(BINARY):
        table(op, function)
    table("where", lambda x, y: np.where([True, False], x, y))
    print("# unary OP, reduction OP: operands", *SHORT.values())
    for kind, names in ("unary", UNARY), ("reduction", REDUCTIONS):
        for op, function in functions(names):
            print(kind, op, *(dtype_of(lambda: function(np.ones(2, d))) for d in SHORT))


if __name__ == "__main__":
    main()
