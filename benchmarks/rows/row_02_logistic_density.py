"""Log-density of a logistic regression with normal priors, and its gradient: 10 parameters, 100 rows."""

import numpy as np
from suite.row import Row


class LogisticDensity(Row):
    number, name, title = 2, "logistic_density", "logistic log-density and gradient, 10 parameters, 100 rows, float64"
    tolerance = 1e-11

    def data(self, random):
        x = random.normal(0, 1, (100, 10))
        return {"w": random.normal(0, 1, 10), "x": x, "y": (random.uniform(0, 1, 100) < 0.4).astype("float64")}

    def numpy(self, d):
        w, x, y = d["w"], d["x"], d["y"]

        def call():
            z = x @ w
            value = (y * z - np.logaddexp(0, z)).sum() - 0.5 * (w * w).sum()
            return value, x.T @ (y - 1 / (1 + np.exp(-z))) - w

        return call

    def symbolic(self, d, s):
        (w,) = s.variables(d, "w")
        x, y = s.shared(d["x"]), s.shared(d["y"])
        z = s.T.dot(x, w)
        value = (y * z - s.softplus(z)).sum() - 0.5 * (w * w).sum()
        f, point = s.function([w], [value, s.grad(value, w)]), d["w"]
        return lambda: f(point)

    def torch(self, d, t, compiled):
        w, x, y = d["w"].requires_grad_(), d["x"], d["y"]

        def forward(w):
            z = x @ w
            return (y * z - t.nn.functional.softplus(z)).sum() - 0.5 * (w * w).sum()

        forward = compiled(forward)

        def call():
            value = forward(w)
            return value, t.autograd.grad(value, w)[0]

        return call

    def jax(self, d, j):
        w, x, y = d["w"], d["x"], d["y"]

        def density(w):
            z = x @ w
            return (y * z - j.nn.softplus(z)).sum() - 0.5 * (w * w).sum()

        f = j.jit(j.value_and_grad(density))
        return lambda: f(w)


ROWS = [LogisticDensity()]
