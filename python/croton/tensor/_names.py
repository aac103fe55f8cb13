"""Theano's and NumPy's names for what the catalogue calls otherwise: the one table of aliases.

Left the Python name, right the name of the function it stands for (a record of the catalogue, or a
friendly function of the library).
"""

ALIASES = {
    "abs_": "abs",
    "absolute": "abs",
    "square": "sqr",
    "true_div": "div",
    "true_divide": "div",
    "divide": "div",
    "int_div": "floor_div",
    "floor_divide": "floor_div",
    "subtract": "sub",
    "multiply": "mul",
    "negative": "neg",
    "power": "pow",
    "remainder": "mod",
    "inv": "reciprocal",
    "sgn": "sign",
    "neq": "ne",
    "not_equal": "ne",
    "equal": "eq",
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
    "switch": "where",
    "and_": "bitwise_and",
    "or_": "bitwise_or",
    "xor": "bitwise_xor",
    "bitwise_not": "invert",
    "isnan_": "isnan",
    "isinf_": "isinf",
    "conjugate": "conj",
    "second": "fill",
    "round_half_to_even": "rint",
    "round_half_away_from_zero": "round_half_away",
    "logsoftmax": "log_softmax",
    "amax": "max",
    "amin": "min",
    "ravel": "flatten",
    "join_": "concatenate",
    "identity": "eye",
    "assert_op": "assert_",
    "batched_matmul": "matmul",
    "acos": "arccos",
    "acosh": "arccosh",
    "asin": "arcsin",
    "asinh": "arcsinh",
    "atan": "arctan",
    "atan2": "arctan2",
    "atanh": "arctanh",
    "degrees": "rad2deg",
    "radians": "deg2rad",
    "fabs": "abs",
    "around": "rint",
    "fix": "trunc",
    "bitwise_invert": "invert",
    "bitwise_left_shift": "left_shift",
    "bitwise_right_shift": "right_shift",
    "concat": "concatenate",
    "permute_dims": "transpose",
}

# Defaults of arguments, where the C++ function has one (records only know attributes' defaults).
ARGUMENT_DEFAULTS = {
    "elu": {"alpha": 1.0},
    "tril": {"offset": 0},
    "triu": {"offset": 0},
    "leaky_relu": {"slope": 0.01},
}

# Records that are the inside of a friendlier function of the same or another name, or that need
# something only the library can make: reached through what the right side says.
INSIDE = {
    "subtensor": "x[...]",
    "set_index": "set_subtensor, inc_subtensor",
    "put": "set_subtensor, inc_subtensor",
    "advanced_index": "x[...]",
    "restore_axes": "sum, mean, ... with keepdims",
    "random_uniform": "shared_randomstreams.RandomStreams.uniform",
    "random_normal": "shared_randomstreams.RandomStreams.normal",
    "random_bits": "shared_randomstreams.RandomStreams.random_integers",
    "ifelse": "croton.ifelse.ifelse",
    "call": "croton.OpFromGraph",
    "loop": "croton.scan",
    "joined_steps": "croton.scan",
    "linear_steps": "croton.scan",
    "user_op": "croton.Op",
    "impure_user_op": "croton.Op",
    "assert": "assert_",
    "print": "croton.printing.Print",
    "count": "size",
    "size_of": "x.shape[axis]",
}

# Functions of the library that stand in the place of a record, by name in croton._core.
FRIENDLY = [
    "shape", "reshape", "flatten", "transpose", "matrix_transpose", "swapaxes", "moveaxis",
    "expand_dims", "squeeze", "shape_padleft", "shape_padright", "broadcast_to", "specify_shape",
    "dimshuffle", "concatenate", "stack", "split", "tile", "repeat", "roll", "flip", "full", "zeros",
    "ones", "zeros_like", "ones_like", "arange", "linspace", "eye", "tri", "diag", "tensordot",
    "trace", "set_subtensor", "inc_subtensor", "take", "assert_",
]  # fmt: skip

# Methods of variables: the function of that name with the variable as its first argument.
METHODS = [
    "sum", "prod", "mean", "var", "std", "max", "min", "argmax", "argmin", "any", "all", "ptp", "norm",
    "cumsum", "cumprod", "reshape", "dimshuffle", "flatten", "ravel", "diagonal", "transpose",
    "swapaxes", "squeeze", "repeat", "take", "compress", "choose", "trace", "dot", "sort", "argsort",
    "searchsorted", "nonzero", "nonzero_values", "clip", "conj", "conjugate", "round", "fill",
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh", "ceil", "cos", "cosh", "deg2rad",
    "exp", "exp2", "expm1", "floor", "log", "log10", "log1p", "log2", "rad2deg", "sin", "sinh", "sqrt",
    "tan", "tanh", "trunc", "zeros_like", "ones_like",
]  # fmt: skip
