"""Graphs in their text form (croton/graph/text.hpp), computed by NumPy alone.

A judge that shares no code with Croton's: it reads what `print` writes, each node is one call of NumPy,
loops are Python's. float16 and bfloat16 are not read."""

import math
import re

import numpy as np

DTYPES = {
    "b1": np.bool_, "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64, "u8": np.uint8,
    "u16": np.uint16, "u32": np.uint32, "u64": np.uint64, "f32": np.float32, "f64": np.float64,
    "c64": np.complex64, "c128": np.complex128,
}  # fmt: skip

# --- reading

TOKEN = re.compile(
    r"""\s*(?: (?P<text>"[^"]*") | (?P<id>%\w+) | (?P<inner>\#\d+)
    | (?P<word>[A-Za-z_]\w*) | (?P<number>-?\d[\w.+-]*|-?inf|-?nan) | (?P<mark>[][(){}=:,?])
    )""",
    re.VERBOSE,
)


class Graph:
    """Leaves, nodes in order of computation, outputs; inner graphs are Graphs among the attributes."""

    def __init__(self, inputs, nodes, outputs):
        self.inputs, self.nodes, self.outputs = inputs, nodes, outputs


class Node:
    def __init__(self, ids, op, arguments, attributes, types):
        self.ids, self.op, self.arguments = ids, op, arguments
        self.attributes, self.types = attributes, types


class Reader:
    def __init__(self, text):
        self.tokens, at = [], 0
        text = text.rstrip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found:
                raise ValueError(f"not in the text form: {text[at:at + 40]!r}")
            self.tokens.append((found.lastgroup, found.group(found.lastgroup)))
            at = found.end()
        self.at, self.inner = 0, []

    def peek(self, ahead=0):
        return self.tokens[self.at + ahead][1] if self.at + ahead < len(self.tokens) else None

    def next(self, expected=None):
        token = self.tokens[self.at][1]
        if expected is not None and token != expected:
            raise ValueError(f"{expected!r} expected, found {token!r}")
        self.at += 1
        return token

    def items(self, close, one):
        """`one`, again and again with commas between, up to `close`."""
        result = []
        while self.peek() != close:
            result.append(one())
            if self.peek() == ",":
                self.next()
        self.next(close)
        return result

    def graph(self):
        self.next("graph")
        if self.peek() != "(":
            self.next()
        self.next("(")
        inputs = self.items(")", self.leaf)
        self.next("{")
        nodes = []
        while self.peek() != "return":
            nodes.append(self.node())
        self.next()
        outputs = [self.argument()]
        while self.peek() == ",":
            self.next()
            outputs.append(self.argument())
        self.next("}")
        return Graph(inputs, nodes, outputs)

    def leaf(self):
        name = self.next()
        self.next(":")
        self.type()
        if self.peek().startswith('"'):
            self.next()
        return name

    def type(self):
        dtype = DTYPES[self.next()]
        self.next("[")
        return dtype, self.items("]", self.size)

    def size(self):
        return int(word) if (word := self.next()).isdecimal() else None

    def node(self):
        ids = [self.next()]
        while self.peek() == ",":
            self.next()
            ids.append(self.next())
        self.next("=")
        op = self.next()
        if op == "constant":
            return Node(ids, "constant", [self.argument()], {}, None)
        self.next("(")
        arguments = self.items(")", self.argument)
        attributes = {}
        if self.peek() == "{":
            self.next()
            attributes = dict(self.items("}", self.attribute))
        self.next(":")
        types = [self.type()]
        while self.peek() == ",":
            self.next()
            types.append(self.type())
        if (self.peek() or "").startswith('"'):
            self.next()
        return Node(ids, op, arguments, attributes, types)

    def argument(self):
        """The name of a value, or a constant."""
        if self.peek().startswith("%"):
            return self.next()
        if self.peek(1) != "[":  # a weak number
            return number(self.next())
        dtype, sizes = self.type()
        if self.peek() == "[":
            return np.array(self.nested(), dtype).reshape(sizes)
        return np.array(self.element(), dtype)

    def nested(self):
        if self.peek() != "[":
            return self.element()
        self.next()
        return self.items("]", self.nested)

    def element(self):
        if self.peek() != "(":
            return number(self.next())
        self.next()
        return complex(*self.items(")", self.element))

    def attribute(self):
        name = self.next()
        self.next("=")
        return name, self.value()

    def value(self):
        token = self.peek()
        if token == "[":
            self.next()
            return self.items("]", self.value)
        if token == "graph":
            place = len(self.inner)
            self.inner.append(None)
            self.inner[place] = self.graph()
            return self.inner[place]
        self.next()
        if token.startswith("#"):
            return self.inner[int(token[1:])]
        if token.startswith('"'):
            return token[1:-1]
        return DTYPES[token] if token in DTYPES else number(token)


def number(word):
    if word in ("true", "false"):
        return word == "true"
    try:
        return int(word)
    except ValueError:
        return float(word)


# --- computing


def axes_of(attributes, x):
    axes = attributes.get("axes")
    return tuple(range(np.ndim(x))) if axes is None else tuple(axes)


def window(text, bounds):
    """NumPy's index from `1:$, ..., new`; each $ is the next of `bounds`."""
    bounds = iter(bounds)

    def end(word):
        word = word.strip()
        return int(next(bounds)) if word == "$" else int(word) if word else None

    def part(word):
        word = word.strip()
        if word in ("new", "newaxis", "None"):
            return None
        if ":" in word:
            return slice(*(end(w) for w in word.split(":")))
        return end(word)

    return tuple(part(word) for word in text.split(",")) if text else ()


def shuffled(x, order):
    kept = [axis for axis in order if axis >= 0]
    x = np.squeeze(x, tuple(set(range(x.ndim)) - set(kept)))
    kept = [sorted(kept).index(axis) for axis in kept]
    return np.expand_dims(np.transpose(x, kept), tuple(i for i, axis in enumerate(order) if axis < 0))


def sum_to(x, like):
    extra = x.ndim - like.ndim
    x = x.sum(axis=tuple(range(extra)), dtype=x.dtype)
    narrow = tuple(i for i in range(like.ndim) if like.shape[i] == 1 and x.shape[i] != 1)
    return x.sum(axis=narrow, keepdims=True, dtype=x.dtype)


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def log_softmax(x, axis):
    x = x - x.max(axis=axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


def logsumexp(x, axes, keepdims):
    top = x.max(axis=axes, keepdims=True)
    top = np.where(np.isfinite(top), top, np.zeros((), x.dtype))
    total = np.log(np.exp(x - top).sum(axis=axes, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, axes)


def position(find, x, axes, keepdims):
    """argmax or argmin over several axes: the position in them, in C order."""
    others = [i for i in range(x.ndim) if i not in axes]
    lines = np.transpose(x, [*others, *sorted(axes)]).reshape(
        [x.shape[i] for i in others] + [math.prod(x.shape[i] for i in axes)]
    )
    found = find(lines, axis=-1)
    return np.expand_dims(found, tuple(sorted(axes))) if keepdims else found


def written(x, y, index, add):
    x = np.array(x)
    if add:
        np.add.at(x, index, y)
    else:
        x[index] = y
    return x


def softplus(x):
    return np.logaddexp(x, np.zeros((), np.result_type(x)))


def sigmoid(x):
    return np.exp(-softplus(-x))


def elementwise(f):
    return lambda attributes, *arguments: f(*arguments)


def folding(f):
    return lambda a, x: f(x, axis=tuple(i % x.ndim for i in axes_of(a, x)), keepdims=a.get("keepdims", False))


def places(find):
    return lambda a, x: position(find, x, tuple(i % x.ndim for i in axes_of(a, x)), a.get("keepdims", False))


erf, erfc = np.vectorize(math.erf, otypes=[float]), np.vectorize(math.erfc, otypes=[float])

OPS = {name: elementwise(getattr(np, name)) for name in """
    add maximum minimum hypot logaddexp exp expm1 log log1p sqrt sin cos tanh arctan floor ceil trunc rint sign
    logical_and logical_or logical_not bitwise_and bitwise_or bitwise_xor where isfinite reciprocal
    """.split()} | {
    name: elementwise(f) for name, f in {
        "sub": np.subtract, "mul": np.multiply, "div": np.true_divide, "pow": np.power, "neg": np.negative,
        "abs": np.abs, "sqr": np.square, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
        "eq": np.equal, "ne": np.not_equal, "floor_div": np.floor_divide, "mod": np.remainder, "erf": erf, "erfc": erfc,
        "sigmoid": sigmoid, "softplus": softplus, "dot": np.dot, "matrix_product": np.matmul, "sum_to": sum_to,
        "shape": lambda x: np.array(x.shape, np.int64),
        "fill": lambda like, value: np.broadcast_to(value, np.shape(like)),
        "full_like": lambda like, value: np.full(np.shape(like), value, like.dtype),
        "ifelse": lambda condition, yes, no: yes if condition else no,
        "make_vector": lambda *scalars: np.array([int(s) for s in scalars], np.int64),
    }.items()
} | {
    name: folding(f) for name, f in {
        "sum": lambda x, **k: np.sum(x, dtype=np.int64 if x.dtype.kind in "bi" else None, **k),
        "prod": np.prod, "mean": np.mean, "max": np.max, "min": np.min, "any": np.any, "all": np.all, "var": np.var,
        "logsumexp": lambda x, axis, keepdims: logsumexp(x, axis, keepdims),
    }.items()
} | {
    "argmax": places(np.argmax), "argmin": places(np.argmin),
    "count": lambda a, x: math.prod(x.shape[i] for i in axes_of(a, x)),
    "size_of": lambda a, x: x.shape[a["axis"]],
    "softmax": lambda a, x: softmax(x, a["axis"]),
    "log_softmax": lambda a, x: log_softmax(x, a["axis"]),
    "dimshuffle": lambda a, x: shuffled(x, a["order"]),
    "reshape": lambda a, x, sizes: np.reshape(x, [int(i) for i in np.atleast_1d(sizes)]),
    "broadcast_to": lambda a, x, sizes: np.broadcast_to(x, [int(i) for i in np.atleast_1d(sizes)]),
    "concatenate": lambda a, *parts: np.concatenate(parts, axis=a.get("axis", 0)),
    "subtensor": lambda a, x, *bounds: x[window(a["index"], bounds)],
    "set_index": lambda a, x, y, *bounds: written(x, y, window(a["index"], bounds), a.get("mode") == "add"),
    "take": lambda a, x, *where: x[(slice(None),) * a.get("axis", 0) + where],
    "put": lambda a, x, y, *where: written(x, y, (slice(None),) * a.get("axis", 0) + where, a.get("mode") == "add"),
    "take_along_axis": lambda a, x, where: np.take_along_axis(x, where, a["axis"]),
    "sort": lambda a, x: np.sort(x, a.get("axis", -1)),
    "argsort": lambda a, x: np.argsort(x, a.get("axis", -1), kind="stable"),
    "cast": lambda a, x: x.astype(a["dtype"]),
}  # fmt: skip


def loop(attributes, types, arguments, widest):
    """States, sequences, constants through the body; what each step gives is traced or stacked."""
    steps, rest = int(arguments[0]), list(arguments[1:])
    body, n, sequences = attributes["graph"], attributes["states"], attributes["sequences"]
    until = attributes.get("until", False)
    states, elements, constants = rest[:n], rest[n : n + sequences], rest[n + sequences :]
    traces, done = [[state] for state in states], 0
    stacks = [[] for _ in range(len(types) - n - bool(until))]
    for step in range(steps):
        results = evaluate(body, [*states, *(e[step] for e in elements), *constants], widest)
        states, done = results[:n], step + 1
        for trace, state in zip(traces, states):
            trace.append(state)
        for stack, value in zip(stacks, results[n:]):
            stack.append(value)
        if until and results[-1]:
            break
    finals = [np.stack(t) if kept else t[-1] for t, kept in zip(traces, attributes["traced"])]
    if stacks and not done:  # what a step would have given says how wide nothing is
        shapes = evaluate(body, [*states, *(np.zeros(e.shape[1:], e.dtype) for e in elements), *constants], widest)[n:]
        finals += [np.zeros([0, *like.shape], like.dtype) for _, like in zip(stacks, shapes)]
    else:
        finals += [np.stack(stack) for stack in stacks]
    return [*finals, np.int64(done)] if until else finals


def evaluate(graph, arguments, widest=False):
    """The outputs' values. `widest`: real numbers are float64 throughout, whatever the text says."""
    values = dict(zip(graph.inputs, arguments))

    def value(of):
        found = values[of] if isinstance(of, str) else of
        return wider(found) if widest else found

    with np.errstate(all="ignore"):
        for node in graph.nodes:
            given = [value(a) for a in node.arguments]
            if node.op == "constant":
                results = given
            elif node.op == "loop":
                results = loop(node.attributes, node.types, given, widest)
            else:
                results = [OPS[node.op](node.attributes, *given)]
            for name, result, (dtype, sizes) in zip(node.ids, results, node.types or [(None, None)]):
                result = np.asarray(result)
                if dtype is not None:
                    result = result.astype(dtype, copy=False)
                    assert result.ndim == len(sizes), f"{node.op}: rank {result.ndim}, the text says {len(sizes)}"
                    assert all(s in (None, n) for s, n in zip(sizes, result.shape)), (node.op, sizes, result.shape)
                values[name] = wider(result) if widest else result
    return [np.asarray(value(o)) for o in graph.outputs]


def wider(x):
    return x.astype(np.float64) if getattr(x, "dtype", None) == np.float32 else x
