"""Hessian-vector product of a two-layer network in float64."""

import numpy as np
from suite.row import Row

BATCH, INPUTS, HIDDEN = 100, 20, 50


class HessianVector(Row):
    number, name, title = 13, "hessian_vector", "Hessian-vector product, network 20-50-1, batch 100, float64"
    tolerance = 1e-10

    def data(self, random):
        return {
            "w": random.normal(0, 0.3, (INPUTS, HIDDEN)),
            "u": random.normal(0, 0.3, HIDDEN),
            "vw": random.normal(0, 1, (INPUTS, HIDDEN)),
            "vu": random.normal(0, 1, HIDDEN),
            "x": random.normal(0, 1, (BATCH, INPUTS)),
            "y": random.normal(0, 1, BATCH),
        }

    def loss(self, m, w, u, x, y):
        difference = m.tanh(x @ w) @ u - y
        return (difference * difference).mean()

    def numpy(self, d):
        w, u, vw, vu, x, y = [d[n] for n in "w u vw vu x y".split()]

        def call():
            h = np.tanh(x @ w)
            slope = 1 - h * h
            r = 2 * (h @ u - y) / BATCH
            dh = slope * (x @ vw)
            dr = 2 * (dh @ u + h @ vu) / BATCH
            dback = (np.outer(dr, u) + np.outer(r, vu)) * slope - 2 * np.outer(r, u) * h * dh
            return x.T @ dback, dh.T @ r + h.T @ dr

        return call

    def symbolic(self, d, s):
        w, u, vw, vu = s.variables(d, "w u vw vu")
        x, y = s.shared(d["x"]), s.shared(d["y"])
        difference = s.T.dot(s.T.tanh(s.T.dot(x, w)), u) - y
        products = s.hvp(s.T.sqr(difference).mean(), [w, u], [vw, vu])
        f, values = s.function([w, u, vw, vu], products), [d[n] for n in ("w", "u", "vw", "vu")]
        return lambda: f(*values)

    def torch(self, d, t, compiled):
        x, y = d["x"], d["y"]

        def product(w, u, vw, vu):
            gradient = t.func.grad(lambda w, u: self.loss(t, w, u, x, y), argnums=(0, 1))
            return t.func.jvp(gradient, (w, u), (vw, vu))[1]

        f, values = compiled(product), [d[n] for n in ("w", "u", "vw", "vu")]
        return lambda: f(*values)

    def jax(self, d, j):
        def product(w, u, vw, vu):
            gradient = j.grad(lambda w, u: self.loss(j.numpy, w, u, d["x"], d["y"]), argnums=(0, 1))
            return j.jvp(gradient, (w, u), (vw, vu))[1]

        f, values = j.jit(product), [d[n] for n in ("w", "u", "vw", "vu")]
        return lambda: f(*values)


ROWS = [HessianVector()]
