"""Reads that are not in order: transposed, strided, broadcast."""

import numpy as np
from suite.row import Row

N, M = 4096, 2048


class Read(Row):
    number = 10
    tolerance = 1e-5

    def limit(self):
        return {"bytes": 4 * self.moved}

    def numpy(self, d):
        values = [d[n] for n in self.names.split()]
        return lambda: (self.work(*values),)

    def symbolic(self, d, s):
        inputs = s.variables(d, self.names)
        f, values = s.function(inputs, self.work(*inputs)), [d[n] for n in self.names.split()]
        return lambda: (f(*values),)

    def torch(self, d, t, compiled):
        f, values = compiled(self.work), [d[n] for n in self.names.split()]
        return lambda: (f(*values),)

    def jax(self, d, j):
        f, values = j.jit(self.work), [d[n] for n in self.names.split()]
        return lambda: (f(*values),)


class Transposed(Read):
    name, title, names = "read_transposed", "x.T + y, 2048 x 4096, float32", "x y"
    moved = 3 * N * M

    def data(self, random):
        f = lambda *shape: random.normal(0, 1, shape).astype("float32")  # noqa: E731
        return {"x": f(N, M), "y": f(M, N)}

    def work(self, x, y):
        return x.T + y


class Strided(Read):
    name, title, names = "read_strided", "x[:, ::2] * y[::2, 1::2], 4096 x 2048, float32", "x y"
    moved = N * M // 2 + N * M // 2 + N * M // 4  # lines are read whole: all of x, every second row of y

    def data(self, random):
        f = lambda *shape: random.normal(0, 1, shape).astype("float32")  # noqa: E731
        return {"x": f(N // 2, M), "y": f(N, M)}

    def work(self, x, y):
        return x[:, ::2] * y[::2, 1::2]


class Broadcast(Read):
    name, title, names = "read_broadcast", "x * column + row, 4096 x 2048, float32", "x column row"
    moved = 2 * N * M

    def data(self, random):
        f = lambda *shape: random.normal(0, 1, shape).astype("float32")  # noqa: E731
        return {"x": f(N, M), "column": f(N), "row": f(M)}

    def work(self, x, column, row):
        return x * column[:, None] + row


ROWS = [Transposed(), Strided(), Broadcast()]
