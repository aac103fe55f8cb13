"""The logistic map: a loop of which the body is three scalar operations."""

import numpy as np
from suite.reference import with_derivatives
from suite.row import Row


class LogisticMap(Row):
    """At r = 3.5 the map settles on a cycle of four values: rounding is forgotten, and nothing decays to zero."""

    number = 21
    tolerance = 1e-9
    threads = (1,)
    known_shapes = True
    steps = 100000

    def data(self, random):
        return {"x": np.array(random.uniform(0.2, 0.4)), "r": np.array(3.5)}

    def step(self, x, r):
        return r * x * (1 - x)

    def values(self, x, r):
        values = []
        for _ in range(self.steps):
            x = self.step(x, r)
            values.append(x)
        return values

    def states(self, s, x, r):
        return s.scan(self.step, outputs_info=x, non_sequences=r, n_steps=self.steps)[0]

    def scanned(self, j, x, r):
        def body(x, _):
            new = self.step(x, r)
            return new, new

        return j.lax.scan(body, x, None, self.steps)


class LastValue(LogisticMap):
    name, title = "logistic_map_last", "logistic map, 100,000 steps, float64: last value"

    def last(self, step, x, r):
        for _ in range(self.steps):
            x = step(x, r)
        return x

    def numpy(self, d):
        x, r = float(d["x"]), float(d["r"])
        return lambda: (self.last(self.step, x, r),)

    def symbolic(self, d, s):
        x, r = s.variables(d, "x r")
        f, values = s.function([x, r], self.states(s, x, r)[-1]), (d["x"], d["r"])
        return lambda: (f(*values),)

    def torch(self, d, t, compiled):
        step, x, r = compiled(self.step), d["x"], d["r"]
        return lambda: (self.last(step, x, r),)

    def jax(self, d, j):
        f = j.jit(lambda x, r: j.lax.fori_loop(0, self.steps, lambda i, x: self.step(x, r), x))
        x, r = d["x"], d["r"]
        return lambda: (f(x, r),)


class AllValues(LogisticMap):
    name, title = "logistic_map_all", "the same, all values"

    def numpy(self, d):
        x, r = float(d["x"]), float(d["r"])
        return lambda: (np.array(self.values(x, r)),)

    def symbolic(self, d, s):
        x, r = s.variables(d, "x r")
        f, values = s.function([x, r], self.states(s, x, r)), (d["x"], d["r"])
        return lambda: (f(*values),)

    def torch(self, d, t, compiled):
        step, x, r = compiled(self.step), d["x"], d["r"]

        def call():
            last, values = x, t.empty(self.steps, dtype=x.dtype)
            for i in range(self.steps):
                last = step(last, r)
                values[i] = last
            return (values,)

        return call

    def jax(self, d, j):
        f = j.jit(lambda x, r: self.scanned(j, x, r)[1])
        x, r = d["x"], d["r"]
        return lambda: (f(x, r),)


class Gradient(LogisticMap):
    name = "logistic_map_grad"
    title = "logistic map, 1,000 steps, float64: sum of the values and its gradient"
    steps = 1000

    def numpy(self, d):
        x, r = float(d["x"]), float(d["r"])
        return lambda: with_derivatives(lambda x, r: sum(self.values(x, r)), (x, r))

    def symbolic(self, d, s):
        x, r = s.variables(d, "x r")
        cost = self.states(s, x, r).sum()
        f, values = s.function([x, r], [cost] + s.grad(cost, [x, r])), (d["x"], d["r"])
        return lambda: f(*values)

    def torch(self, d, t, compiled):
        step, x, r = compiled(self.step), d["x"].requires_grad_(), d["r"].requires_grad_()

        def call():
            last, values = x, []
            for _ in range(self.steps):
                last = step(last, r)
                values.append(last)
            cost = t.stack(values).sum()
            return (cost,) + t.autograd.grad(cost, (x, r))

        return call

    def jax(self, d, j):
        f = j.jit(j.value_and_grad(lambda x, r: self.scanned(j, x, r)[1].sum(), (0, 1)))
        x, r = d["x"], d["r"]

        def call():
            cost, slopes = f(x, r)
            return (cost,) + slopes

        return call


ROWS = [LastValue(), AllValues(), Gradient()]
