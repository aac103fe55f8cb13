"""Variables: operators, methods, indexing, types, sites."""

import operator

import croton as ct
import croton.tensor as T
import numpy as np
import pytest

X = np.arange(12.0).reshape(3, 4) - 5
V = np.array([1.5, -2.0, 0.5, 3.0])


def value(expression, **given):
    """The value of an expression over the inputs x (matrix) and v (vector)."""
    return expression.eval(given)


def both(function, *arrays):
    """The function over variables, compiled, and over NumPy arrays."""
    inputs = [T.TensorType(a.dtype, (None,) * a.ndim)(f"a{i}") for i, a in enumerate(arrays)]
    compiled = ct.function(inputs, function(*inputs), on_unused_input="ignore")
    return compiled(*arrays), function(*arrays)


@pytest.mark.parametrize(
    "op",
    [
        operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
        operator.lt, operator.le, operator.gt, operator.ge,
    ],
)  # fmt: skip
def test_binary_operators_in_every_order(op):
    for f in (
        lambda x, v: op(x, v),
        lambda x, v: op(v, x),
        lambda x, v: op(x, 2),
        lambda x, v: op(2.5, x),
        lambda x, v: op(x, np.float64(1.5)),
        lambda x, v: op(np.array([1.0, 2.0, 3.0, 4.0]), x),
    ):
        got, wanted = both(f, np.abs(X) + 1, np.abs(V) + 1)
        np.testing.assert_allclose(got, wanted, rtol=1e-12)
        assert got.dtype == wanted.dtype


def test_power_matmul_divmod_and_unary():
    got, wanted = both(lambda x, v: x @ v, X, V)
    np.testing.assert_allclose(got, wanted)
    got, wanted = both(lambda x: x**3, X)
    np.testing.assert_allclose(got, wanted)
    got, wanted = both(lambda x: 2.0**x, X)
    np.testing.assert_allclose(got, wanted)
    for f in (operator.neg, abs, lambda x: divmod(x, 3.0)[0], lambda x: divmod(x, 3.0)[1]):
        got, wanted = both(f, X)
        np.testing.assert_allclose(got, wanted)


@pytest.mark.parametrize("op", [operator.and_, operator.or_, operator.xor])
@pytest.mark.parametrize("dtype", ["bool", "int32", "uint8"])
def test_bit_operators(op, dtype):
    a, b = np.array([0, 1, 1, 0]).astype(dtype), np.array([0, 0, 1, 1]).astype(dtype)
    got, wanted = both(op, a, b)
    np.testing.assert_array_equal(got, wanted)
    assert got.dtype == wanted.dtype
    got, wanted = both(operator.invert, a)
    np.testing.assert_array_equal(got, wanted)


def test_numpy_arrays_give_way_to_variables():
    v = T.dvector("v")
    for made in (V + v, V * v, V @ v, np.float64(2) * v, V / v, V < v):
        assert isinstance(made, T.TensorVariable)


def test_plain_numbers_are_weak_and_numpy_scalars_strong():
    f, i = T.fvector(), T.TensorType("int8", (None,))()
    assert (f + 1.5).dtype == "float32"
    assert (f * 2).dtype == "float32"
    assert (i + 1).dtype == "int8"
    assert (i + True).dtype == "int8"
    assert (i + 1.0).dtype == "float64"
    assert (f + np.float64(1)).dtype == "float64"
    assert (f + 1j).dtype == "complex64"
    assert (i + np.int64(1)).dtype == "int64"
    assert T.constant(1.5).dtype == "float64"
    assert T.as_tensor_variable(1.5).weak
    with pytest.raises(ValueError, match="does not fit 64 bits"):
        i + 2**70


INDICES = [
    0, -1, slice(1, 3), slice(None, None, -1), slice(-2, None), slice(None, None, 2), slice(2, 0, -1),
    (0, 1), (slice(None), 2), (Ellipsis, 1), (None, slice(None)), (slice(None), None, 1),
    (slice(1, None), slice(None, -1)), [0, 2], [2, -1, 0], np.array([1, 0]), (slice(None), [0, 3]),
    (np.array([0, 1]), np.array([2, 3])), (Ellipsis,), (), [], slice(5, 1), slice(0, 100),
    (np.array([[0, 1], [2, 0]]), slice(1, 3)),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_indexing_as_numpy(index):
    wanted_index = np.array(index, dtype=int) if isinstance(index, list) else index
    x = T.dmatrix("x")
    got = x[index].eval({x: X})
    np.testing.assert_array_equal(got, X[wanted_index])
    assert got.shape == X[wanted_index].shape


def test_symbolic_indices():
    x, i, j = T.dmatrix("x"), T.lscalar("i"), T.lscalar("j")
    for a in (-3, -1, 0, 2):
        for b in (-4, 0, 3):
            given = {x: X, i: a, j: b}
            np.testing.assert_array_equal(x[i:j].eval(given), X[a:b])
            np.testing.assert_array_equal(x[:, i:j].eval(given), X[:, a:b])
        np.testing.assert_array_equal(x[i].eval({x: X, i: a}), X[a])
        np.testing.assert_array_equal(x[i, ::-1].eval({x: X, i: a}), X[a, ::-1])
    for step in (-2, -1, 1, 2):
        np.testing.assert_array_equal(x[:, ::i].eval({x: X, i: step}), X[:, ::step])
    with pytest.raises(IndexError, match="out of bounds"):
        x[i].eval({x: X, i: 3})
    rows = T.lvector("rows")
    np.testing.assert_array_equal(x[rows].eval({x: X, rows: [2, 0, 2]}), X[[2, 0, 2]])
    mask = X > 0
    np.testing.assert_array_equal(x[x > 0].eval({x: X}), X[mask])


def test_subtensors_are_set_and_incremented():
    x = T.dmatrix("x")
    wanted = X.copy()
    wanted[1:, ::2] = 7
    np.testing.assert_array_equal(T.set_subtensor(x[1:, ::2], 7).eval({x: X}), wanted)
    wanted = X.copy()
    np.add.at(wanted, [0, 0, 2], 1.5)
    np.testing.assert_array_equal(T.inc_subtensor(x[[0, 0, 2]], 1.5).eval({x: X}), wanted)
    with pytest.raises(TypeError, match="set_subtensor"):
        x[0] = 1


METHODS = [
    lambda x: x.sum(), lambda x: x.sum(axis=0), lambda x: x.sum(axis=(0, 1), keepdims=True),
    lambda x: x.prod(axis=1), lambda x: x.mean(axis=-1), lambda x: x.var(axis=0),
    lambda x: x.std(axis=1, ddof=1), lambda x: x.max(axis=0), lambda x: x.min(), lambda x: x.argmax(axis=1),
    lambda x: x.argmin(), lambda x: x.any(axis=0), lambda x: x.all(), lambda x: x.reshape((4, 3)),
    lambda x: x.reshape((2, -1)), lambda x: x.flatten(), lambda x: x.ravel(), lambda x: x.transpose(),
    lambda x: x.transpose(1, 0), lambda x: x.T, lambda x: x.swapaxes(0, 1), lambda x: x.clip(-1, 2),
    lambda x: x.round(), lambda x: x.astype("int32"), lambda x: x.take([0, 5]),
    lambda x: x.take([0, 1], axis=1), lambda x: x.repeat(2, axis=1), lambda x: x.trace(),
    lambda x: x.diagonal(), lambda x: x.cumsum(axis=1), lambda x: x.dot(V), lambda x: x.conj(),
    lambda x: x.squeeze(), lambda x: x.real, lambda x: x.copy(),
]  # fmt: skip


@pytest.mark.parametrize("method", range(len(METHODS)))
def test_methods_as_numpy(method):
    got, wanted = both(METHODS[method], X)
    np.testing.assert_allclose(got, wanted, rtol=1e-12)
    assert got.shape == np.shape(wanted)


def test_sort_norm_and_functions_that_numpy_spells_otherwise():
    x = T.dmatrix("x")
    np.testing.assert_array_equal(x.sort(axis=0).eval({x: -X}), np.sort(-X, axis=0))
    np.testing.assert_array_equal(x.argsort(axis=1).eval({x: -X}), np.argsort(-X, axis=1))
    np.testing.assert_allclose(x.norm(2).eval({x: X}), np.sqrt((X**2).sum()))
    np.testing.assert_allclose(x.norm(1, axis=0).eval({x: X}), np.abs(X).sum(0))
    np.testing.assert_allclose(x.ptp(axis=0).eval({x: X}), np.ptp(X, axis=0))
    np.testing.assert_array_equal(x.nonzero()[1].eval({x: X}), X.nonzero()[1])
    np.testing.assert_array_equal(x.exp().eval({x: X}), T.exp(x).eval({x: X}))
    np.testing.assert_array_equal(
        x.compress([1, 0, 1], axis=0).eval({x: X}), X.compress([1, 0, 1], axis=0)
    )


def test_shapes_are_expressions():
    x = T.dmatrix("x")
    np.testing.assert_array_equal(x.shape.eval({x: X}), [3, 4])
    assert x.shape.dtype == "int64"
    rows, columns = x.shape
    assert rows.eval({x: X}) == 3 and columns.eval({x: X}) == 4
    assert x.shape[-1].eval({x: X}) == 4
    assert x.size.eval({x: X}) == 12
    np.testing.assert_array_equal(
        x.reshape((x.shape[1], -1)).eval({x: X}), X.reshape(X.shape[1], -1)
    )
    np.testing.assert_array_equal(T.zeros((x.shape[0], 2)).eval({x: X}), np.zeros((3, 2)))
    n = T.lvector("n")
    np.testing.assert_array_equal(
        x.reshape(n, ndim=2).eval({x: X, n: np.array([6, 2])}), X.reshape(6, 2)
    )


def test_iteration_length_and_truth():
    x = T.tensor("float64", shape=(3, None), name="x")
    assert len(x) == 3 and [row.ndim for row in x] == [1, 1, 1]
    np.testing.assert_array_equal(list(x)[1].eval({x: X}), X[1])
    with pytest.raises(TypeError, match="length is not known"):
        iter(T.dvector())
    with pytest.raises(TypeError, match="not known"):
        len(T.dvector())
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(x > 0)
    with pytest.raises(TypeError, match="neither true nor false"):
        assert 0 < T.dscalar() < 1


def test_identity_hash_and_tags():
    x = T.dvector("x")
    y = x + 1
    assert y.owner.inputs[0] is x
    assert x == x and not (x == T.dvector("x")) and x != y
    assert {x: 1, y: 2}[x] == 1
    x.tag.test_value = 3
    assert y.owner.inputs[0].tag.test_value == 3
    assert y.owner.op == "add" and y.owner.nin == 2 and y.owner.outputs[0] is y
    assert x.owner is None
    assert (x.sum(axis=0)).owner.attributes == {"axes": (0,), "keepdims": False}
    assert y.get_parents()[0].op == "add"


def test_names_types_and_text():
    x = T.tensor("float32", shape=(None, "n", 3), name="x")
    assert (x.name, x.dtype, x.ndim) == ("x", "float32", 3)
    assert x.static_shape == (None, "n", 3)
    assert x.type == T.TensorType("float32", (None, "n", 3))
    assert x.type != T.TensorType("float64", (None, "n", 3))
    assert hash(x.type) == hash(T.TensorType("float32", (None, "n", 3)))
    assert T.TensorType("float32", (True, False)).broadcastable == (True, False)
    assert "f32[?,n,3]" in repr(x) and str(x) == "x"
    assert str(T.exp(x) * 2) == "exp(x) * 2"
    x.name = "renamed"
    assert x.name == "renamed" and T.dvector().name is None
    with pytest.raises(ct.TensorTypeError, match="no dtype"):
        T.tensor("float31", shape=())


def test_makers():
    assert T.fmatrix("m").type == T.TensorType("float32", (None, None))
    assert T.row().static_shape == (1, None) and T.col().static_shape == (None, 1)
    assert T.ltensor4().dtype == "int64" and T.ltensor4().ndim == 4
    assert T.matrix(dtype="int16").dtype == "int16"
    a, b = T.dvectors("a", "b")
    assert (a.name, b.name) == ("a", "b")
    assert [v.name for v in T.matrices("xyz")] == ["x", "y", "z"]
    assert len(T.scalars(3)) == 3
    with ct.config.change_flags(floatX="float32"):
        assert T.matrix().dtype == "float32" and T.zeros((2,)).dtype == "float32"
    assert T.matrix().dtype == "float64"


def test_lists_of_variables_are_stacked():
    a, b = T.dscalars("ab")
    np.testing.assert_array_equal(T.as_tensor_variable([a, b, 3]).eval({a: 1, b: 2}), [1, 2, 3])
    np.testing.assert_array_equal(
        T.stacklists([[a, b], [b, a]]).eval({a: 1, b: 2}), [[1, 2], [2, 1]]
    )


def test_each_turn_of_a_loop_finds_the_same_lines():
    x, seen = T.dvector("x"), set()
    start = x.site[1]
    for _ in range(300):
        y = x * 2
        z = y + 1
        seen.add((y.site[1] - start, z.site[1] - start))
    assert seen == {(3, 4)}
    for turn in range(3):  # functions that come and go have their own lines, wherever they lie
        body = "\n" * turn + "y = x + x"
        values = {"x": x}
        exec(compile(body, f"made_{turn}.py", "exec"), values)
        assert values["y"].site[:2] == (f"made_{turn}.py", turn + 1)


def test_sites_are_the_users_lines():
    x = T.dvector("x")
    y = (x * 2).sum()  # the line that errors show
    file, line, code = y.site
    assert file == __file__ and code == "y = (x * 2).sum()  # the line that errors show"
    assert line == x.site[1] + 1
    gradient = ct.grad(y, x)
    sites = {node.site[1] for node in ct._core.sorted_nodes([gradient]) if node.site}
    assert sites <= {line, line + 3}
    assert T.nnet.relu(x).site[0] == __file__


def test_numpy_semantics_of_random_expressions():
    """Random trees over matrices, vectors and scalars of several dtypes agree with NumPy."""
    unary = [
        (np.exp, T.exp), (np.sin, T.sin), (np.tanh, T.tanh), (np.abs, T.abs_), (np.sqrt, T.sqrt),
        (np.square, T.sqr), (np.negative, T.neg), (np.floor, T.floor),
    ]  # fmt: skip
    binary = [
        (np.add, T.add), (np.subtract, T.sub), (np.multiply, T.mul), (np.maximum, T.maximum),
        (np.minimum, T.minimum), (np.true_divide, T.true_div), (np.arctan2, T.arctan2),
    ]  # fmt: skip
    rng = np.random.default_rng(20260101)
    shapes = [(3, 4), (4,), (1, 4), (3, 1), ()]
    for _ in range(200):
        arrays = [
            rng.uniform(-2, 2, shapes[rng.integers(len(shapes))]).astype(
                ["float32", "float64"][rng.integers(2)]
            )
            for _ in range(3)
        ]
        inputs = [T.TensorType(a.dtype, (None,) * a.ndim)() for a in arrays]
        pool = list(zip(inputs, arrays))
        with np.errstate(all="ignore"):
            for _ in range(6):
                if rng.integers(2):
                    ours, theirs = pool[rng.integers(len(pool))]
                    n, t = unary[rng.integers(len(unary))]
                    pool.append((t(ours), n(theirs)))
                else:
                    (a, na), (b, nb) = pool[rng.integers(len(pool))], pool[rng.integers(len(pool))]
                    n, t = binary[rng.integers(len(binary))]
                    # Croton promotes by dtype alone, as NumPy does from version 2 on.
                    dtype = np.promote_types(na.dtype, nb.dtype)
                    pool.append((t(a, b), n(na.astype(dtype), nb.astype(dtype))))
        expression, wanted = pool[-1]
        got = ct.function(inputs, expression, on_unused_input="ignore")(*arrays)
        wanted = np.asarray(wanted)
        assert got.dtype == wanted.dtype and got.shape == wanted.shape
        tolerance = 2e-3 if any(a.dtype == np.float32 for a in arrays) else 1e-8
        np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance, err_msg=str(expression))
