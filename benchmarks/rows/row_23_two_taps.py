"""A recurrence of vectors over two earlier values, with its gradient."""

import numpy as np
from suite.row import Row

STEPS = 1000


class TwoTaps(Row):
    number = 23
    known_shapes = True
    width, dtype = 10, "float64"
    names = ("x", "a", "b", "c")

    def data(self, random):
        n = self.width
        data = {
            "x": random.normal(0, 1, (2, n)),
            "a": random.uniform(0.2, 1.2, n),
            "b": random.uniform(-0.9, -0.2, n),
            "c": random.normal(0, 0.5, n),
        }
        return {k: v.astype(self.dtype) for k, v in data.items()}

    def step(self, tanh, before, last, a, b, c):
        return tanh(a * last + b * before + c)

    def numpy(self, d):
        x, a, b, c = [d[n] for n in self.names]

        def call():
            h = np.empty((STEPS + 2, self.width), x.dtype)
            h[:2] = x
            for i in range(STEPS):
                h[i + 2] = self.step(np.tanh, h[i], h[i + 1], a, b, c)
            cost = np.mean(h[2:] ** 2)
            g = np.zeros_like(h)
            g[2:] = h[2:] * x.dtype.type(2.0 / (STEPS * self.width))
            da, db, dc = np.zeros_like(a), np.zeros_like(b), np.zeros_like(c)
            for i in range(STEPS - 1, -1, -1):
                inner = g[i + 2] * (1 - h[i + 2] * h[i + 2])
                g[i + 1] += inner * a
                g[i] += inner * b
                da += inner * h[i + 1]
                db += inner * h[i]
                dc += inner
            return cost, g[:2], da, db, dc

        return call

    def symbolic(self, d, s):
        x, a, b, c = s.variables(d, " ".join(self.names))
        (h,) = s.scan(
            lambda *v: self.step(s.T.tanh, *v),
            outputs_info=[dict(initial=x, taps=[-2, -1])],
            non_sequences=[a, b, c],
            n_steps=STEPS,
        )
        cost = s.T.sqr(h).mean()
        f, values = s.function([x, a, b, c], [cost] + s.grad(cost, [x, a, b, c])), [d[n] for n in self.names]
        return lambda: f(*values)

    def torch(self, d, t, compiled):
        values = [d[n].requires_grad_() for n in self.names]
        step = compiled(lambda *v: self.step(t.tanh, *v))

        def call():
            x, a, b, c = values
            states = list(x)
            for _ in range(STEPS):
                states.append(step(states[-2], states[-1], a, b, c))
            cost = t.stack(states[2:]).square().mean()
            return (cost,) + t.autograd.grad(cost, values)

        return call

    def jax(self, d, j):
        def cost_of(x, a, b, c):
            def body(state, _):
                new = self.step(j.numpy.tanh, *state, a, b, c)
                return (state[1], new), new

            return j.numpy.square(j.lax.scan(body, (x[0], x[1]), None, STEPS)[1]).mean()

        f, values = j.jit(j.value_and_grad(cost_of, (0, 1, 2, 3))), [d[n] for n in self.names]

        def call():
            cost, slopes = f(*values)
            return (cost,) + slopes

        return call


class Narrow(TwoTaps):
    name, title = "two_taps_10", "two-tap recurrence with gradient, 1,000 steps of 10, float64"
    tolerance = 1e-9
    threads = (1,)


class Wide(TwoTaps):
    name, title = "two_taps_1000", "two-tap recurrence with gradient, 1,000 steps of 1,000, float32"
    width, dtype = 1000, "float32"
    tolerance = 1e-3


ROWS = [Narrow(), Wide()]
