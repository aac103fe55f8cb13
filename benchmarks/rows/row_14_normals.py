"""Ten million normal draws. What is checked is their distribution."""

import numpy as np
from suite.row import Row

COUNT = 10000000


class Normals(Row):
    number, name, title = 14, "normals", "10 million normal draws, float32"

    def limit(self):
        return {"bytes": 4 * COUNT}

    def data(self, random):
        return {}

    def numpy(self, d):
        generator = np.random.default_rng(1)
        return lambda: (generator.standard_normal(COUNT, dtype="float32"),)

    def symbolic(self, d, s):
        f = s.function([], s.normal(COUNT))
        return lambda: (f(),)

    def torch(self, d, t, compiled):
        f = compiled(lambda: t.randn(COUNT))
        return lambda: (f(),)

    def jax(self, d, j):
        state = [j.random.key(1)]

        def draw(key):
            key, use = j.random.split(key)
            return key, j.random.normal(use, (COUNT,), "float32")

        draw = j.jit(draw)

        def call():
            state[0], values = draw(state[0])
            return (values,)

        return call

    def check(self, results, reference):
        """Mean, deviation, third and fourth moment, and the share beyond 3, in standard errors."""
        x = np.asarray(results[0], "float64")
        if x.shape != (COUNT,):
            raise AssertionError("shape %s" % (x.shape,))
        moments = [x.mean(), x.std() - 1, (x**3).mean(), (x**4).mean() - 3, (abs(x) > 3).mean() - 0.0026998]
        deviations = [1, 0.7072, 15**0.5, 96**0.5, 0.05189]
        worst = max(abs(m) / s for m, s in zip(moments, deviations)) * COUNT**0.5
        return worst / 6 * self.tolerance  # six standard errors


ROWS = [Normals()]
