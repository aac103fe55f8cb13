"""The op functions: one for each record, with signature, docstring and stub; user ops; control; random."""

import ast
import inspect
import os
import pathlib
import re
import subprocess
import sys

import croton as ct
import croton.tensor as T
import numpy as np
import pytest
from croton.tensor import _names, _ops

V = np.array([0.5, -1.0, 2.0])
RECORDS = [record["name"] for record in ct._core.catalogue()]


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_has_a_function(name):
    if name in _names.INSIDE:
        assert _ops.made[name].__doc__
        return
    function = getattr(T, name)
    assert callable(function) and function.__doc__ and len(function.__doc__) > 8
    if inspect.isfunction(function):
        assert len(inspect.signature(function).parameters) > 0


def test_aliases_stand_for_what_they_say():
    for alias, target in _names.ALIASES.items():
        assert getattr(_ops, alias) is getattr(_ops, target)
        assert callable(getattr(T, alias))


def stub_names(path):
    """What a stub defines: functions, classes, assignments, imports, and members of classes as C.m."""
    if not path.exists():
        pytest.skip(f"{path} is made by the target croton_stubs, which was not built")

    def names(body, prefix=""):
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                yield prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from names(node.body, node.name + ".")
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                yield from (prefix + (alias.asname or alias.name) for alias in node.names)
            if isinstance(node, ast.AnnAssign):
                yield prefix + node.target.id
            if isinstance(node, ast.Assign):
                yield from (prefix + target.id for target in node.targets)

    return set(names(ast.parse(path.read_text()).body))


def test_stubs_name_every_function():
    package = pathlib.Path(ct._core.__file__).parent
    ops, tensor = stub_names(package / "tensor" / "_ops.pyi"), stub_names(package / "tensor" / "__init__.pyi")
    core = stub_names(package / "_core.pyi")
    assert set(_ops.__all__) <= ops
    for name in RECORDS:
        assert name in _names.INSIDE or name in ops and name in tensor, name
    assert set(T.__all__) - tensor == set()
    missing = {f"TensorVariable.{name}" for name in _names.METHODS + ["eval", "astype", "__pow__", "T"]} - core
    assert not missing


def test_the_stub_of_the_extension_module_is_whole():
    path = pathlib.Path(ct._core.__file__).parent / "_core.pyi"
    public = {name for name in dir(ct._core) if not name.startswith("__")}
    assert public - stub_names(path) == set()
    assert not re.search(r"^ *def .*-> object", path.read_text(), re.M)


def test_a_type_checker_knows_the_types(tmp_path):
    pytest.importorskip("mypy", reason="mypy is not installed")
    lines = {
        'x = T.dmatrix("x")': "TensorVariable", 'w = ct.shared([1.0], "w")': "TensorSharedVariable",
        "y = T.tanh(T.dot(x, w)).sum(axis=0) + x.mean()": "TensorVariable", "z = (x**2).T[0] @ w": "TensorVariable",
        "c = T.concatenate([x, x])": "TensorVariable", "s = T.cumsum(T.arange(3))": "TensorVariable",
        "n = x.ndim": "int", "f = ct.function([x], [y, z], updates={w: w * 2})": "Function", "o = x.owner": "Apply",
    }  # fmt: skip
    code = ["import croton as ct", "import croton.tensor as T"]
    for line in lines:
        code += [line, f"reveal_type({line.split()[0]})"]
    program = tmp_path / "program.py"
    program.write_text("\n".join([*code, "e: ct.Error", "T.no_such_name", ""]))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", tmp_path / "cache", program],
        capture_output=True, text=True, env={**os.environ, "MYPYPATH": str(pathlib.Path(ct.__file__).parents[1])},
    )  # fmt: skip
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 1 and "no_such_name" in errors[0], done.stdout + done.stderr
    notes = [line for line in done.stdout.splitlines() if "Revealed type" in line]
    for note, wanted in zip(notes, lines.values()):
        assert wanted in note, note
    assert len(notes) == len(lines)


def test_every_function_of_the_namespace_has_a_docstring():
    for name in T.__all__:
        value = getattr(T, name)
        if callable(value) and not isinstance(value, T.TensorType):
            assert value.__doc__ and len(value.__doc__) > 8, name


UNARY = [
    ("exp", np.exp), ("exp2", np.exp2), ("expm1", np.expm1), ("sin", np.sin), ("cos", np.cos),
    ("tan", np.tan), ("arctan", np.arctan), ("sinh", np.sinh), ("cosh", np.cosh), ("tanh", np.tanh),
    ("arcsinh", np.arcsinh), ("abs_", np.abs), ("sgn", np.sign), ("sqr", np.square), ("floor", np.floor),
    ("ceil", np.ceil), ("trunc", np.trunc), ("round", np.round), ("inv", np.reciprocal),
    ("deg2rad", np.deg2rad), ("rad2deg", np.rad2deg), ("isnan", np.isnan), ("isinf", np.isinf),
    ("cbrt", np.cbrt), ("sinc", np.sinc), ("signbit", np.signbit), ("logical_not", np.logical_not),
    ("zeros_like", np.zeros_like), ("ones_like", np.ones_like), ("diag", np.diag), ("flip", np.flip),
    ("cumsum", np.cumsum), ("cumprod", np.cumprod), ("argsort", np.argsort), ("sort", np.sort), ("flatnonzero", np.flatnonzero),
]  # fmt: skip


@pytest.mark.parametrize("name,reference", UNARY, ids=[row[0] for row in UNARY])
def test_functions_of_one_vector(name, reference):
    x = T.dvector("x")
    got = ct.function([x], getattr(T, name)(x))(V)
    np.testing.assert_allclose(got, reference(V), rtol=1e-12)
    assert got.dtype == reference(V).dtype


def test_theanos_functions():
    x, i = T.dvector("x"), T.lvector("i")
    M = np.arange(6.0).reshape(2, 3)
    cases = [
        (T.switch(x > 0, x, 0), np.where(V > 0, V, 0)),
        (T.clip(x, -0.5, 1), np.clip(V, -0.5, 1)),
        (T.neq(x, 2), V != 2),
        (T.and_(x > 0, x < 1), (V > 0) & (V < 1)),
        (T.smallest(x, 0.0, 1.0), np.minimum(V, 0)),
        (T.largest(x, 0.0, 1.0), np.maximum(V, 1)),
        (T.isclose(x, x + 1e-9), np.ones(3, bool)),
        (T.allclose(x, x), True),
        (T.max_and_argmax(x)[1], 2),
        (T.join(0, x, x), np.concatenate([V, V])),
        (T.stack([x, x], axis=1), np.stack([V, V], 1)),
        (T.alloc(1.5, 2, 3), np.full((2, 3), 1.5)),
        (T.alloc(x, 2, 3), np.broadcast_to(V, (2, 3))),
        (T.outer(x, x), np.outer(V, V)),
        (T.tensordot(M, x, [[1], [0]]), np.tensordot(M, V, [[1], [0]])),
        (T.batched_dot(np.stack([M, M]), np.stack([V, V])), np.stack([M @ V, M @ V])),
        (T.eye(2, 3, 1), np.eye(2, 3, 1)),
        (T.tril(M), np.tril(M)),
        (T.triu(M, 1), np.triu(M, 1)),
        (T.arange(3), np.arange(3)),
        (T.arange(1, 2, 0.25), np.arange(1, 2, 0.25)),
        (T.linspace(0, 1, 5), np.linspace(0, 1, 5)),
        (T.mgrid[0:2, 0:3][1], np.mgrid[0:2, 0:3][1]),
        (T.ogrid[0:2, 0:3][0], np.ogrid[0:2, 0:3][0]),
        (T.tile(x, (2, 2)), np.tile(V, (2, 2))),
        (T.roll(M, 1), np.roll(M, 1)),
        (T.roll(M, 1, axis=1), np.roll(M, 1, axis=1)),
        (T.repeat(M, 2), np.repeat(M, 2)),
        (T.split(x, [1, 2], 2)[1], V[1:]),
        (T.squeeze(T.shape_padright(x)), V),
        (T.shape_padleft(x, 2), V[None, None]),
        (T.dimshuffle(M, 1, "x", 0), M.T[:, None]),
        (T.to_one_hot(np.array([1, 0]), 3), np.eye(3)[[1, 0]]),
        (T.searchsorted(np.array([0.0, 1.0]), x), np.searchsorted([0.0, 1.0], V)),
        (T.choose(np.array([0, 1, 0]), [x, -x]), np.choose([0, 1, 0], [V, -V])),
        (T.confusion(x) if hasattr(T, "confusion") else T.sqr(x), V**2),
        (T.sum(x, dtype="float32"), V.sum()),
        (T.mean(M, axis=[0, 1]), M.mean()),
        (T.nnet.softmax(M), np.exp(M) / np.exp(M).sum(1, keepdims=True)),
        (T.nnet.relu(x, 0.1), np.where(V > 0, V, 0.1 * V)),
        (T.nnet.elu(x), np.where(V > 0, V, np.expm1(V))),
        (T.nnet.softplus(x), np.log1p(np.exp(V))),
        (T.nnet.categorical_crossentropy(T.nnet.softmax(M), [0, 2]),
         -np.log((np.exp(M) / np.exp(M).sum(1, keepdims=True))[[0, 1], [0, 2]])),
        (T.nnet.confusion_matrix(np.array([0, 1, 1]), np.array([0, 1, 0]))[0], [[1, 0], [1, 1]]),
        (T.identity_like(M), np.eye(2, 3)),
        (T.iround(x + 0.1), np.round(V + 0.1).astype(int)),
        (T.round(x, "half_away_from_zero"), [1, -1, 2]),
        (T.ceil_intdiv(7, 2), 4),
        (T.topk(x, 2), [2.0, 0.5]),
        (T.batched_tensordot(np.ones((2, 3, 4)), np.ones((2, 4, 5)), [[2], [1]]), np.full((2, 3, 5), 4.0)),
    ]  # fmt: skip
    for number, (expression, wanted) in enumerate(cases):
        got = ct.function([x, i], expression, on_unused_input="ignore")(V, [0])
        np.testing.assert_allclose(got, wanted, rtol=1e-12, err_msg=f"case {number}: {expression}")
        assert got.shape == np.shape(wanted), number


def test_wrong_calls_of_op_functions():
    x = T.dvector("x")
    for call, phrase in [
        (lambda: T.exp(), "'x' is missing"),
        (lambda: T.exp(x, x), "at most 1"),
        (lambda: T.exp(y=x), "no argument 'y'"),
        (lambda: T.softmax(x, axis="a"), "axis takes integers"),
        (lambda: T.exp("text"), "cannot make an array|dtype"),
        (lambda: T.exp(x, x=x), "at most|given twice"),
        (lambda: x + "text", "unsupported operand"),
        (lambda: T.sum(x, axis=1), "(?s)axis.*test_ops.py"),
    ]:
        with pytest.raises((TypeError, IndexError), match=phrase):
            call()


def test_shape_errors_show_both_shapes_and_lines():
    a, b = T.tensor("float64", shape=(10, 12), name="a"), T.tensor("float64", shape=(10, 10), name="b")
    with pytest.raises(ct.ShapeError) as caught:
        a + b  # added here
    text = str(caught.value)
    assert "12" in text and "10" in text and "test_ops.py" in text and "# added here" in text
    x, y = T.dmatrix("x"), T.dmatrix("y")
    total = x + y  # fails when running
    f = ct.function([x, y], total)
    with pytest.raises(ct.ShapeError) as caught:
        f(np.zeros((2, 3)), np.zeros((2, 4)))
    assert "test_ops.py" in str(caught.value) and "(2, 3)" in str(caught.value)


def test_error_classes():
    for kind, parent in [
        (ct.ShapeError, ValueError), (ct.TensorTypeError, TypeError), (ct.OutOfBoundsError, IndexError),
        (ct.FileError, OSError), (ct.UnsupportedError, NotImplementedError),
        (ct.NotDifferentiableError, TypeError), (ct.UnusedInputError, ct.UsageError),
        (ct.MissingInputError, ct.UsageError), (ct.GradientError, ValueError),
    ]:  # fmt: skip
        assert issubclass(kind, parent) and issubclass(kind, ct.Error) and kind.__doc__
    x, y = T.dvector("x"), T.dvector("y")
    with pytest.raises(ct.UnusedInputError, match="'y' .*made at test_ops.py"):
        ct.function([x, y], x)
    with pytest.raises(ct.MissingInputError, match="'y'"):
        ct.function([x], x + y)
    with pytest.raises(TypeError, match=r"write \[x\]"):
        ct.function(x, x)
    with pytest.raises(TypeError, match="twice"):
        ct.function([x, x], x)


# --- user ops


class Cube(ct.Op):
    itypes = otypes = [T.dvector]
    performed = 0

    def perform(self, x):
        type(self).performed += 1
        assert not x.flags.writeable
        return x**3

    def grad(self, inputs, output_grads):
        return [3 * inputs[0] ** 2 * output_grads[0]]


def test_user_op_in_graphs_and_gradients():
    x = T.dvector("x")
    y = T.exp(Cube()(x * 2) / 10)
    f = ct.function([x], [y, ct.grad(y.sum(), x)])
    value, gradient = f(V)
    np.testing.assert_allclose(value, np.exp(0.8 * V**3))
    np.testing.assert_allclose(gradient, 2.4 * V**2 * np.exp(0.8 * V**3))
    ct.verify_grad(lambda v: Cube()(v).sum(), [V])
    assert Cube() == Cube() and str(Cube()) == "Cube"
    before = Cube.performed
    ct.function([x], Cube()(x) + Cube()(x))(V)
    assert Cube.performed == before + 1  # equal nodes merge
    with pytest.raises(TypeError, match="Cube: argument 0"):
        Cube()(T.dmatrix())


def test_user_op_with_inferred_types_and_several_results():
    class Split(ct.Op):
        __props__ = ("at",)

        def __init__(self, at):
            self.at = at

        def infer(self, kind):
            return [T.TensorType(kind.dtype, (None,)), T.TensorType(kind.dtype, (None,))]

        def perform(self, x):
            return [x[: self.at], x[self.at :]]

        def L_op(self, inputs, outputs, output_grads):
            return [T.concatenate(output_grads)]

    x = T.fvector("x")
    head, tail = Split(1)(x)
    assert head.dtype == "float32"
    cost = (head * 2).sum() + (tail * 5).sum()
    got = ct.function([x], [head, tail, ct.grad(cost, x)])(V.astype("float32"))
    assert [part.tolist() for part in got] == [[0.5], [-1, 2], [2, 5, 5]]
    assert Split(1) == Split(1) and Split(1) != Split(2)


def test_user_op_that_raises():
    class Bad(ct.Op):
        itypes = otypes = [T.dvector]

        def perform(self, x):
            raise RuntimeError("no such luck")

    class Stops(Bad):
        def perform(self, x):
            raise KeyboardInterrupt

    x, n = T.dvector("x"), ct.shared(0)
    y = Bad()(x)  # the guilty line
    f = ct.function([x], y, updates={n: n + 1})
    with pytest.raises(ct.Error) as caught:
        f(V)
    text = str(caught.value)
    assert "Bad" in text and "no such luck" in text and "# the guilty line" in text
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert n.get_value() == 0
    with pytest.raises(KeyboardInterrupt):
        ct.function([x], Stops()(x))(V)


def test_as_op():
    @ct.as_op(itypes=[T.dvector, T.dscalar], otypes=[T.dvector])
    def scaled(x, k):
        return x * k

    x, k = T.dvector(), T.dscalar()
    np.testing.assert_allclose(ct.function([x, k], scaled(x, k) + 1)(V, 2), V * 2 + 1)
    np.testing.assert_allclose(scaled(x, 3).eval({x: V}), V * 3)


# --- control and random draws


def test_ifelse_computes_one_branch():
    class Counts(Cube):
        performed = 0

    c, x = T.lscalar("c"), T.dvector("x")
    f = ct.function([c, x], ct.ifelse(c > 0, Counts()(x), x))
    np.testing.assert_allclose(f(1, V), V**3)
    assert Counts.performed == 1
    np.testing.assert_allclose(f(0, V), V)
    assert Counts.performed == 1
    a, b = ct.ifelse(c, [x, x * 2], [x * 3, x])
    np.testing.assert_allclose(ct.function([c, x], a + b)(0, V), 4 * V)
    from croton.ifelse import ifelse

    assert ifelse is ct.ifelse


def test_op_from_graph():
    x, y = T.dvector("x"), T.dvector("y")
    op = ct.OpFromGraph([x, y], [x * y, x + y], name="both")
    a, b = op(x * 2, y)
    np.testing.assert_allclose(ct.function([x, y], a + b)(V, V), 2 * V * V + 3 * V)
    cost = op(x, y)[0].sum()
    np.testing.assert_allclose(ct.grad(cost, x).eval({x: V, y: V + 1}), V + 1)
    odd = ct.OpFromGraph([x], [x * x], lop_overrides=lambda inputs, outputs, grads: [grads[0] * 100])
    np.testing.assert_allclose(ct.grad(odd(x).sum(), x).eval({x: V}), [100, 100, 100])


def test_random_streams():
    def draws(seed):
        r = T.shared_randomstreams.RandomStreams(seed)
        n = T.lscalar("n")
        outputs = [
            r.uniform((n, 50)), r.normal((n, 50), 3, 2), r.random_integers((n, 50), 2, 4),
            r.binomial((n, 50), p=0.25), r.uniform((50,), dtype="float32"), r.permutation(n=10),
            r.choice(size=4, a=np.arange(10.0, 20.0), replace=False), r.multinomial(pvals=np.full((50, 2), 0.5)),
        ]  # fmt: skip
        return ct.function([n], outputs), r

    f, r = draws(7)
    u, z, k, b, narrow, order, some, hot = f(400)
    assert u.shape == (400, 50) and 0 <= u.min() and u.max() < 1 and abs(u.mean() - 0.5) < 0.02
    assert abs(z.mean() - 3) < 0.1 and abs(z.std() - 2) < 0.1
    assert set(np.unique(k)) == {2, 3, 4} and abs(b.mean() - 0.25) < 0.02
    assert narrow.dtype == "float32" and sorted(order) == list(range(10))
    assert len(set(some)) == 4 and set(some) <= set(range(10, 20))
    assert (hot.sum(axis=1) == 1).all()
    assert not np.array_equal(u, f(400)[0])
    np.testing.assert_array_equal(draws(7)[0](400)[0], u)
    r.seed(7)
    np.testing.assert_array_equal(f(400)[0], u)
    assert len(r.updates()) >= 8


def test_random_streams_draw_counts():
    r = T.shared_randomstreams.RandomStreams(3)
    rate, n = T.dvector("rate"), T.lscalar("n")
    f = ct.function(
        [rate, n],
        [r.poisson((4000, 3), rate), r.poisson(lam=rate), r.binomial((4000,), n, 0.3), r.poisson((), 5.0),
         r.binomial((2,), 5, np.array([0.0, 1.0])), r.multinomial(n=10, pvals=np.full((3, 4), 0.25))],
    )  # fmt: skip
    rates = np.array([0.3, 7.0, 2e7])
    counts, once, wins, one, sure, classes = f(rates, 40)
    np.testing.assert_allclose(counts.mean(axis=0), rates, rtol=0.05)
    np.testing.assert_allclose(counts.var(axis=0), rates, rtol=0.12)
    assert counts.dtype == "int64" and once.shape == (3,) and one.shape == ()
    assert abs(wins.mean() - 12) < 0.3 and abs(wins.var() - 8.4) < 0.9 and 0 <= wins.min() and wins.max() <= 40
    assert sure.tolist() == [0, 5]
    assert classes.shape == (3, 4) and (classes.sum(axis=1) == 10).all()
    with pytest.raises(ValueError, match="rate"):
        f(-rates, 4)
    with pytest.raises(ValueError, match="n must be"):
        f(rates, -1)
    assert ct.function([], r.poisson((2,), 1.0, dtype="int8"))().dtype == "int8"


def test_draws_without_size_have_the_sizes_of_their_parameters():
    r = T.shared_randomstreams.RandomStreams(3)
    low, high = T.dcol("low"), T.dvector("high")
    f = ct.function([low, high], [r.uniform(None, low, high), r.normal(avg=high), r.binomial(p=high / 100)])
    u, z, b = f(np.array([[0.0], [10.0]]), np.array([20.0, 30.0, 40.0]))
    assert u.shape == (2, 3) and z.shape == b.shape == (3,)
    assert len(np.unique((u - [[0], [10]]) / ([20, 30, 40] - np.array([[0], [10]])))) == 6
    assert abs(z - [20, 30, 40]).max() < 6 and (u[1] >= 10).all()


def test_choice_with_probabilities():
    r = T.shared_randomstreams.RandomStreams(11)
    p, a = T.dvector("p"), np.array([10.0, 20.0, 30.0, 40.0])
    f = ct.function([p], [r.choice((3000, 2), a, True, p), r.choice(3, a, False, p), r.choice((5, 2), 7)])
    weights = np.array([1.0, 0.0, 2.0, 5.0])
    many, few, plain = f(weights)
    assert many.shape == (3000, 2) and plain.shape == (5, 2) and 0 <= plain.min() and plain.max() < 7
    shares = [(many == value).mean() for value in a]
    np.testing.assert_allclose(shares, weights / 8, atol=0.02)
    assert sorted(few) == [10, 30, 40]
    first = [f(weights)[1][0] for _ in range(800)]
    np.testing.assert_allclose([np.mean(np.equal(first, value)) for value in a], weights / 8, atol=0.06)
    with pytest.raises(ct.Error, match="fewer elements than size have a positive probability"):
        f(np.array([1.0, 0.0, 0.0, 1.0]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parts_of_floating_numbers(dtype):
    info = np.finfo(dtype)
    edges = [0.0, -0.0, 1, -1, 0.5, 3, 1e-30, info.max, info.min, info.tiny, info.smallest_subnormal,
             info.smallest_subnormal * 5, -info.tiny / 4, np.inf, -np.inf, np.nan]  # fmt: skip
    numbers = np.concatenate([edges, np.random.default_rng(0).normal(size=50) * 1e5]).astype(dtype)
    x, y, n = T.TensorType(dtype, (None, 1))(), T.TensorType(dtype, (None,))(), T.lvector()
    powers = np.array([0, 1, -1, 60, -60, -130, -149, 127, 128, 300, -300, -1022, -1074, 1023, 1024, 5000, -5000, 2**40])
    f = ct.function([x, y, n], [T.nextafter(x, y), T.ldexp(x, n), *T.frexp(y), T.spacing(y)])
    after, scaled, mantissa, exponent, spacing = f(numbers[:, None], numbers, powers)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(after, np.nextafter(numbers[:, None], numbers))
        wanted = np.ldexp(numbers[:, None], np.minimum(powers, 2**20).astype("int32"))
        np.testing.assert_array_equal(scaled, wanted)
        np.testing.assert_array_equal(np.signbit(scaled), np.signbit(wanted))
        finite = np.isfinite(numbers)
        np.testing.assert_array_equal(mantissa, np.frexp(numbers)[0])
        np.testing.assert_array_equal(exponent[finite], np.frexp(numbers)[1][finite])
        np.testing.assert_array_equal(np.abs(spacing), np.abs(np.spacing(numbers)))
    assert mantissa.dtype == spacing.dtype == dtype and exponent.dtype == "int32"
    with pytest.raises(ct.UnsupportedError, match="float32 and float64, not float16"):
        T.ldexp(T.TensorType("float16", ())(), 1)


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_cumulative_results(name):
    ours, theirs = getattr(T, name), getattr(np, name)
    x = T.dtensor3("x")
    array = np.random.default_rng(0).normal(size=(2, 3, 4))
    array[0, 1, 2] = array[1, 0, 3] = 0
    for axis in (None, 0, 1, 2, -1):
        y = ours(x, axis)
        np.testing.assert_allclose(ct.function([x], y)(array), theirs(array, axis))
        weights = np.random.default_rng(1).normal(size=theirs(array, axis).shape)
        ct.verify_grad(lambda v, axis=axis, w=weights: (ours(v, axis=axis) * w).sum(), [array])
    assert ct.function([x], getattr(x, name)(1))(array[:, ::-1].T).shape == (4, 3, 2)
    assert ct.function([x], ours(x, 1))(array[:, :0]).shape == (2, 0, 4)
    with pytest.raises((IndexError, ValueError), match="axis"):
        ours(x, 3)
    for dtype in T.all_dtypes:
        if dtype == "bfloat16":
            continue
        v = T.TensorType(dtype, (None,))()
        numbers = np.array([1, 2, 3]).astype(dtype)
        got = ct.function([v], ours(v))(numbers)
        assert got.dtype == theirs(numbers).dtype, dtype
        np.testing.assert_array_equal(got, theirs(numbers))


REFERENCES = {"concat": np.concatenate, "atan2": np.arctan2, "asinh": np.arcsinh, "around": np.round, "fix": np.trunc}
M = np.array([[0.5, -1.0, 2.0], [3.0, 0.25, -0.75]])
EXTRA = [
    ("positive", (V,)), ("float_power", (V.astype("float32") ** 2, 3)), ("logaddexp2", (V, 900 * V)),
    ("modf", (np.array([1.5, -2.25, np.inf, -0.0]),)), ("nan_to_num", (np.array([1, np.nan, np.inf, -np.inf]),)),
    ("inner", (M, M)), ("inner", (V, M)), ("vdot", (V * (1 + 2j), V * 1j)), ("kron", (M, V)), ("kron", (V, V)),
    ("cross", (M, M[::-1] + 1)), ("hstack", ([V, V],)), ("hstack", ([M, M],)), ("vstack", ([V, V],)),
    ("vstack", ([M, V],)), ("atleast_1d", (3.0,)), ("atleast_2d", (V,)), ("fliplr", (M,)), ("flipud", (M,)),
    ("meshgrid", (V, V[:2])), ("meshgrid", (V, V[:2], V + 1)), ("diff", (M,)), ("diff", (M, 2)), ("diff", (M, 1, 0)),
    ("diff", (V > 0,)), ("count_nonzero", (np.array([0, 2, 3]),)), ("bincount", (np.array([3, 1, 1]),)),
    ("bincount", (np.array([3, 1, 1]), V)), ("bincount", (np.array([0, 1]), None, 5)),
    ("bincount", (np.zeros(0, "int64"),)), ("bincount", (np.zeros(0, "int64"), None, 2)),
    ("cov", (M,)), ("cov", (M, M + V)), ("cov", (M, None, False)), ("cov", (M, None, True, True)), ("bartlett", (1,)),
    ("bartlett", (6,)), ("unravel_index", (np.array([5, 3, 0]), (2, 3))), ("concat", ([V, V],)),
    ("ravel_multi_index", ((np.array([1, 0]), np.array([2, 1])), (2, 3))), ("around", (V,)), ("fix", (V,)),
    ("fabs", (V,)), ("degrees", (V,)), ("radians", (V,)), ("atan2", (V, 2.0)), ("asinh", (V,)),
]  # fmt: skip


@pytest.mark.parametrize("name,args", EXTRA, ids=[f"{i}-{row[0]}" for i, row in enumerate(EXTRA)])
def test_functions_made_of_others(name, args):
    inputs, values = [], []

    def symbolic(arg):
        if isinstance(arg, np.ndarray):
            inputs.append(T.TensorType(arg.dtype, (None,) * arg.ndim)())
            values.append(arg)
            return inputs[-1]
        if isinstance(arg, (list, tuple)) and isinstance(arg[0], np.ndarray):
            return type(arg)(symbolic(item) for item in arg)
        return arg

    ours = getattr(T, name)(*[symbolic(arg) for arg in args])
    ours = list(ours) if isinstance(ours, (list, tuple)) else [ours]
    wanted = REFERENCES.get(name, getattr(np, name, None))(*args)
    wanted = list(wanted) if isinstance(wanted, (list, tuple)) else [wanted]
    got = ct.function(inputs, ours)(*values)
    assert len(got) == len(wanted)
    for a, b in zip(got, wanted):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
        assert a.shape == np.shape(b)


def test_theanos_extra_functions():
    x, p = T.dmatrix("x"), T.lmatrix("p")
    order = np.array([[2, 0, 1]])
    f = ct.function(
        [x, p],
        [T.permute_row_elements(x, p), T.permute_row_elements(T.permute_row_elements(x, p), p, True),
         T.inverse_permutation(p), T.fill_diagonal(x, 9), T.fill_diagonal_offset(x, 9, 1),
         T.fill_diagonal(T.zeros([2, 2, 2]), 1.0), T.addbroadcast(p, 0) + x, T.topk(x, 2), T.topk(x, -2),
         T.argtopk(x, 1, 0), T.xlogx(abs(x) - 0.25), T.xlogy0(x * 0, 0), T.complex_from_polar(2.0, 0.0),
         T.ravel_multi_index((p, p), (3, 2), "wrap"), T.ravel_multi_index((p, p), (3, 2), "clip")],
    )  # fmt: skip
    got = f(M, order)
    np.testing.assert_array_equal(got[0], M[:, order[0]])
    np.testing.assert_array_equal(got[1], M)
    np.testing.assert_array_equal(got[2], np.argsort(order))
    filled = M.copy()
    np.fill_diagonal(filled, 9)
    np.testing.assert_array_equal(got[3], filled)
    assert got[4].tolist() == [[0.5, 9, 2], [3, 0.25, 9]] and got[5].sum() == 2 and got[5][1, 1, 1] == 1
    np.testing.assert_array_equal(got[6], M + order)
    assert got[7].tolist() == [[2, 0.5], [3, 0.25]] and got[8].tolist() == [[-1, 0.5], [-0.75, 0.25]]
    assert got[9].tolist() == [[1, 1, 0]] and got[10][1, 1] == 0 and not got[11].any() and got[12] == 2
    assert got[13].tolist() == [[4, 0, 3]] and got[14].tolist() == [[5, 0, 3]]
    with pytest.raises(ValueError, match="size|axis|1"):
        f(M, np.zeros((2, 3), "int64"))
    with pytest.raises(ct.Error, match="out of bounds"):
        ct.function([p], T.ravel_multi_index((p, p), (3, 2)))(order)
    assert T.grad(T.xlogx(x).sum(), x).eval({x: np.ones((1, 1))}) == 1
    with pytest.raises(IndexError, match="axis 2"):
        T.diff(x, axis=2)


def test_linear_recurrence():
    a, b = T.dvector("a"), T.dvector("b")
    y = T.linear_recurrence(a, b)
    f = ct.function([a, b], y)
    assert f([9, 2, 3], [1, 1, 1]).tolist() == [1, 3, 10]
    ct.verify_grad(lambda u, v: T.linear_recurrence(u, v).sum(), [V, V + 1], order=2)
    with pytest.raises(ValueError, match="same sizes"):
        f([1, 2], [1, 2, 3])


def test_printing(capsys):
    x = T.dvector("x")
    y = T.exp(x * 2).sum()
    tree = ct.printing.debugprint(y, file="str")
    assert "exp" in tree and "test_ops.py" in tree
    ct.debugprint(y)
    assert capsys.readouterr().out.strip() == tree.strip()
    assert ct.pp(y) == "sum(exp(x * 2))"
    assert "exp(" in ct.printing.graph_text(y)
    f = ct.function([x], y)
    assert "exp" in ct.explain(f, file="str")


def test_clone_replaces():
    x, y = T.dvector("x"), T.dvector("y")
    z = ct.clone(x * 2 + 1, replace={x: y * 3})
    np.testing.assert_allclose(z.eval({y: V}), V * 6 + 1)


@pytest.mark.parametrize("shape", [(4100, 2101), (2101, 4112), (4097, 2048)])
def test_transposed_arrays_beyond_the_caches(shape):
    # Rows that begin within lines are read in longer runs there.
    x = np.arange(shape[0] * shape[1], dtype="float32").reshape(shape)
    y = np.linspace(0, 1, x.size, dtype="float32").reshape(shape[::-1])
    a, b = T.fmatrices("a", "b")
    f = ct.function([a, b], a.T + b)
    assert np.array_equal(f(x, y), x.T + y)
    assert np.array_equal(f(x[:, 3:], y[3:]), x[:, 3:].T + y[3:])
