"""Sum, mean and variance over each axis and over all."""

import numpy as np
from suite.row import Row

SHAPE = (4096, 2048)


class Statistics(Row):
    number, name, title = 7, "statistics", "sum, mean, variance over axis 0, 1 and all, 4096 x 2048, float32"

    def limit(self):
        return {"bytes": 4 * SHAPE[0] * SHAPE[1]}  # read once

    def data(self, random):
        return {"x": random.normal(0.3, 1, SHAPE).astype("float32")}

    def work(self, x, sum_, mean, var):
        return [f(x, axis) for axis in (0, 1, None) for f in (sum_, mean, var)]

    def numpy(self, d):
        return lambda: self.work(d["x"], np.sum, np.mean, np.var)

    def symbolic(self, d, s):
        (x,) = s.variables(d, "x")
        f, value = s.function([x], self.work(x, s.T.sum, s.T.mean, s.T.var)), d["x"]
        return lambda: f(value)

    def torch(self, d, t, compiled):
        f = compiled(lambda x: self.work(x, t.sum, t.mean, lambda x, axis: t.var(x, axis, correction=0)))
        return lambda: f(d["x"])

    def jax(self, d, j):
        f, value = j.jit(lambda x: self.work(x, j.numpy.sum, j.numpy.mean, j.numpy.var)), d["x"]
        return lambda: f(value)


ROWS = [Statistics()]
