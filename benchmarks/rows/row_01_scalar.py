"""x + 1 on a scalar: what a call costs."""

import numpy as np
from suite.row import Row


class ScalarAdd(Row):
    number, name, title = 1, "scalar", "x + 1 on a scalar, float64"
    tolerance = 1e-15

    def data(self, random):
        return {"x": np.array(random.uniform(1, 2))}

    def numpy(self, d):
        x = d["x"]
        return lambda: (x + 1,)

    def symbolic(self, d, s):
        (x,) = s.variables(d, "x")
        f, value = s.function([x], x + 1), d["x"]
        return lambda: (f(value),)

    def torch(self, d, t, compiled):
        x, f = d["x"], compiled(lambda x: x + 1)
        return lambda: (f(x),)

    def jax(self, d, j):
        x, f = d["x"], j.jit(lambda x: x + 1)
        return lambda: (f(x),)


ROWS = [ScalarAdd()]
