"""A loop in a loop: an oscillator that is seen every 20 steps, fitted to what was seen."""

import numpy as np
from suite.reference import with_derivatives
from suite.row import Row

OUTER, INNER, STEP = 50, 20, 0.02


class Nested(Row):
    number, name = 27, "nested_scan"
    title = "nested scan, 50 x 20 steps of a Van der Pol oscillator, with gradient, float64"
    tolerance = 1e-9
    threads = (1,)
    known_shapes = True
    names = ("x", "v", "mu")

    def data(self, random):
        data = {"x": np.array(1.2), "v": np.array(0.3), "mu": np.array(1.5)}
        data["y"] = np.array(self.seen(1.0, 0.5, 1.2)) + random.normal(0, 0.1, OUTER)
        return data

    def step(self, x, v, mu):
        return x + STEP * v, v + STEP * (mu * (1 - x * x) * v - x)

    def seen(self, x, v, mu):
        seen = []
        for _ in range(OUTER):
            for _ in range(INNER):
                x, v = self.step(x, v, mu)
            seen.append(x)
        return seen

    def numpy(self, d):
        values, y = [float(d[n]) for n in self.names], d["y"]
        return lambda: with_derivatives(lambda *v: ((np.array(self.seen(*v)) - y) ** 2).sum(), values)

    def symbolic(self, d, s):
        x, v, mu = s.variables(d, " ".join(self.names))
        (y,) = s.variables(d, "y")

        def between(x, v, mu):
            inner = s.scan(self.step, outputs_info=[x, v], non_sequences=mu, n_steps=INNER)
            return [states[-1] for states in inner]

        seen = s.scan(between, outputs_info=[x, v], non_sequences=mu, n_steps=OUTER)[0]
        cost = s.T.sqr(seen - y).sum()
        f = s.function([x, v, mu, y], [cost] + s.grad(cost, [x, v, mu]))
        arrays = [d[n] for n in self.names] + [d["y"]]
        return lambda: f(*arrays)

    def torch(self, d, t, compiled):
        values, y = [d[n].requires_grad_() for n in self.names], d["y"]

        @compiled
        def between(x, v, mu):
            for _ in range(INNER):
                x, v = self.step(x, v, mu)
            return x, v

        def call():
            x, v, mu = values
            seen = []
            for _ in range(OUTER):
                x, v = between(x, v, mu)
                seen.append(x)
            cost = (t.stack(seen) - y).square().sum()
            return (cost,) + t.autograd.grad(cost, values)

        return call

    def jax(self, d, j):
        def cost_of(x, v, mu, y):
            def step(state, _):
                return self.step(*state, mu), None

            def between(state, _):
                state = j.lax.scan(step, state, None, INNER)[0]
                return state, state[0]

            return j.numpy.square(j.lax.scan(between, (x, v), None, OUTER)[1] - y).sum()

        f, values = j.jit(j.value_and_grad(cost_of, (0, 1, 2))), [d[n] for n in self.names + ("y",)]

        def call():
            cost, slopes = f(*values)
            return (cost,) + slopes

        return call


ROWS = [Nested()]
