"""Elementwise chains: short, from memory, and long."""

import numpy as np
from suite.row import Row


class Tanh(Row):
    number = 4
    names = "a x b y z"

    def __init__(self, size, name, title):
        self.size, self.name, self.title = size, name, title

    def limit(self):
        return {"bytes": 4 * 4 * self.size}

    def data(self, random):
        data = {n: random.uniform(-1, 1, self.size).astype("float32") for n in ("x", "y")}
        data["z"] = random.uniform(0, 1, self.size).astype("float32")
        data["a"], data["b"] = np.array(1.3, "float32"), np.array(0.2, "float32")
        return data

    def work(self, m, a, x, b, y, z):
        return m.tanh(a * x + b) * m.exp(-y * y) / (1 + z)

    def numpy(self, d):
        values = [d[n] for n in self.names.split()]
        return lambda: (self.work(np, *values),)

    def symbolic(self, d, s):
        inputs = s.variables(d, self.names)
        f, values = s.function(inputs, self.work(s.T, *inputs)), [d[n] for n in self.names.split()]
        return lambda: (f(*values),)

    def torch(self, d, t, compiled):
        f, values = compiled(lambda *v: self.work(t, *v)), [d[n] for n in self.names.split()]
        return lambda: (f(*values),)

    def jax(self, d, j):
        f, values = j.jit(lambda *v: self.work(j.numpy, *v)), [d[n] for n in self.names.split()]
        return lambda: (f(*values),)


class Chain(Tanh):
    names = "x"
    tolerance = 1e-12

    def __init__(self):
        Tanh.__init__(self, 1000000, "chain20", "chain of 20 operations, 1 million elements, float64")

    def limit(self):
        return {"bytes": 2 * 8 * self.size}

    def data(self, random):
        return {"x": random.uniform(0.5, 1.5, self.size)}

    def work(self, m, x):
        v = x
        for i in range(4):
            v = m.sqrt(v * v + 0.5 + 0.1 * i) - 0.25 * v / (1.5 + v)
        return v


ROWS = [
    Tanh(1000, "tanh_1e3", "tanh(a\\*x+b)\\*exp(-y\\*y)/(1+z), float32, 1,000 elements"),
    Tanh(10000000, "tanh_1e7", "the same, 10 million elements"),
    Chain(),
]
