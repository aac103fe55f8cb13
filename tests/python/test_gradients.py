"""Derivatives through Python."""

import croton as ct
import croton.tensor as T
import numpy as np
import pytest

V = np.array([0.5, -1.0, 2.0])


def test_grad_of_one_and_of_several():
    x, y = T.dvector("x"), T.dscalar("y")
    cost = (x**2).sum() * y
    cost.name = "cost"
    gx = ct.grad(cost, x)
    assert gx.name == "(dcost/dx)"
    np.testing.assert_allclose(gx.eval({x: V, y: 3}), 6 * V)
    assert isinstance(ct.grad(cost, [x, y]), list) and isinstance(ct.grad(cost, (x, y)), tuple)
    second = ct.grad(gx.sum(), x)
    np.testing.assert_allclose(second.eval({x: V, y: 3.0}), [6, 6, 6])


def test_options_of_grad():
    x, y = T.dvector("x"), T.dvector("y")
    with pytest.raises(ValueError, match="y"):
        ct.grad(x.sum(), y)
    with pytest.raises(ct.DisconnectedInputError):
        ct.grad(x.sum(), y)
    zero = ct.grad(x.sum(), y, disconnected_inputs="ignore")
    np.testing.assert_array_equal(zero.eval({y: V}), np.zeros(3))
    assert ct.grad(x.sum(), [y], disconnected_inputs="ignore", return_disconnected="None") == [None]
    s = x * 2
    held = ct.grad((s * x).sum(), x, consider_constant=[s])
    np.testing.assert_allclose(held.eval({x: V}), 2 * V)
    known = ct.grad(None, x, known_grads={s: np.ones(3)})
    np.testing.assert_allclose(known.eval({x: V}), [2, 2, 2])
    with pytest.raises(TypeError, match="scalar"):
        ct.grad(x, x)
    with pytest.raises(TypeError, match="variables"):
        ct.grad(x.sum(), 3)


def test_products_with_jacobians_and_hessians():
    x, v = T.dvector("x"), T.dvector("v")
    f = T.sin(x) * x[::-1]
    J = np.diag(np.cos(V) * V[::-1])
    J[np.arange(3), 2 - np.arange(3)] += np.sin(V)
    u = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(ct.Rop(f, x, v).eval({x: V, v: u}), J @ u)
    np.testing.assert_allclose(ct.Lop(f, x, v).eval({x: V, v: u}), u @ J)
    cost = (x**3).sum()
    np.testing.assert_allclose(ct.hvp(cost, x, v).eval({x: V, v: u}), 6 * V * u)
    known = T.tensor("float64", shape=(3,), name="known")
    np.testing.assert_allclose(
        ct.gradient.jacobian(known**2 + known.sum(), known).eval({known: V}), np.diag(2 * V) + 1
    )
    np.testing.assert_allclose(
        ct.gradient.hessian((known**3).sum(), known).eval({known: V}), np.diag(6 * V)
    )
    both = ct.function([x], [ct.gradient.jacobian(f, x), ct.gradient.hessian(cost, x)])
    np.testing.assert_allclose(both(V)[0], J)
    np.testing.assert_allclose(both(V)[1], np.diag(6 * V))
    np.testing.assert_allclose(both(np.ones(1))[1], [[6.0]])
    assert [m.shape for m in both(np.ones(0))] == [(0, 0), (0, 0)]


def test_hessians_of_loops():
    x = T.dvector("x")
    values, _ = ct.scan(lambda a, p: T.tanh(p * a + a), x, np.float64(0.5))
    cost = T.sqr(values).sum()
    f = ct.function([x], [ct.gradient.hessian(cost, x), ct.grad(cost, x)])
    step = 1e-6
    wanted = [(f(V + step * d)[1] - f(V - step * d)[1]) / (2 * step) for d in np.eye(3)]
    np.testing.assert_allclose(f(V)[0], wanted, atol=1e-6)


def test_shaped_gradients():
    x = T.dvector("x")
    for function, wanted in [
        (ct.gradient.zero_grad, V),
        (ct.gradient.disconnected_grad, V),
        (ct.gradient.consider_constant, V),
        (lambda a: ct.gradient.grad_scale(a, 3), 4 * V),
        (lambda a: ct.gradient.grad_clip(a, -0.25, 0.25), V + np.clip(V, -0.25, 0.25)),
    ]:
        cost = (x * function(x)).sum()
        got, gradient = ct.function([x], [cost, ct.grad(cost, x)])(V)
        np.testing.assert_allclose(got, (V**2).sum())
        np.testing.assert_allclose(gradient, wanted)


def test_verify_grad():
    X = np.arange(6.0).reshape(2, 3) / 7
    ct.verify_grad(lambda x, v: T.tanh(T.dot(x, v)).sum(), [X, V])
    ct.verify_grad(lambda x: T.nnet.softmax(x)[:, 0].sum(), [X], order=2)

    class Wrong(ct.Op):
        itypes = otypes = [T.dvector]

        def perform(self, x):
            return x**2

        def grad(self, inputs, output_grads):
            return [inputs[0] * output_grads[0]]

    with pytest.raises(ct.GradientError, match="(?s).*"):
        ct.verify_grad(lambda x: Wrong()(x).sum(), [V])


def test_missing_gradients_name_op_and_line():
    class Opaque(ct.Op):
        itypes = otypes = [T.dvector]

        def perform(self, x):
            return x

    x = T.dvector("x")
    y = Opaque()(x)
    with pytest.raises(ct.NotDifferentiableError, match="(?s)Opaque.*test_gradients.py"):
        ct.grad(y.sum(), x)


def test_training_logistic_regression_as_in_theanos_tutorial():
    rng = np.random.RandomState(0)
    data = rng.randn(400, 20), rng.randint(size=400, low=0, high=2)
    x, y = T.dmatrix("x"), T.dvector("y")
    w, b = ct.shared(rng.randn(20), name="w"), ct.shared(0.0, name="b")
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
    prediction = p_1 > 0.5
    entropy = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
    cost = entropy.mean() + 0.01 * (w**2).sum()
    gw, gb = T.grad(cost, [w, b])
    train = ct.function(
        inputs=[x, y], outputs=[prediction, entropy], updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb))
    )
    predict = ct.function(inputs=[x], outputs=prediction)
    W, B = w.get_value(), 0.0
    for _ in range(50):
        train(*data)
        p = 1 / (1 + np.exp(-data[0] @ W - B))
        W = W - 0.1 * (data[0].T @ (p - data[1]) / 400 + 0.02 * W)
        B = B - 0.1 * np.mean(p - data[1])
    np.testing.assert_allclose(w.get_value(), W, rtol=1e-9)
    np.testing.assert_allclose(b.get_value(), B, rtol=1e-9)
    assert predict(data[0]).dtype == bool


@pytest.mark.parametrize("name", ["sgd", "momentum", "adagrad", "rmsprop", "adam"])
def test_optimisers_lower_the_loss_of_a_network(name):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(64, 5)).astype("float32")
    Y = (X[:, 0] * X[:, 1] > 0).astype("int64")
    x, y = T.fmatrix("x"), T.lvector("y")
    make = lambda *shape: ct.shared(rng.normal(size=shape).astype("float32") * np.float32(0.5))  # noqa: E731
    parameters = [make(5, 16), make(16), make(16, 2), make(2)]
    hidden = T.nnet.relu(T.dot(x, parameters[0]) + parameters[1])
    scores = T.dot(hidden, parameters[2]) + parameters[3]
    loss = T.nnet.categorical_crossentropy(T.nnet.softmax(scores), y).mean()
    rate = {"sgd": 0.5, "momentum": 0.1, "adagrad": 0.1, "rmsprop": 0.01, "adam": 0.01}[name]
    steps = getattr(ct.optimizers, name)(loss, parameters, rate)
    train = ct.function([x, y], loss, updates=steps)
    losses = [float(train(X, Y)) for _ in range(200)]
    assert losses[-1] < 0.4 * losses[0]
    assert len(steps.state) == {"sgd": 0, "adam": len(steps.state)}.get(name, 4)
