"""Three products in a chain, with bias and activation."""

import numpy as np
from suite.row import Row

BATCH, WIDTH, LAYERS = 512, 1024, 3


class Products(Row):
    number, name, title = 11, "products", "three (512 x 1024)(1024 x 1024) with bias and tanh, float32"
    names = ["x"] + [n + str(i) for i in range(LAYERS) for n in ("w", "b")]

    def limit(self):
        return {"flops": 2 * BATCH * WIDTH * WIDTH * LAYERS, "type": "float32"}

    def data(self, random):
        data = {"x": random.normal(0, 1, (BATCH, WIDTH)).astype("float32")}
        for i in range(LAYERS):
            data["w%d" % i] = (random.normal(0, 1, (WIDTH, WIDTH)) / 32).astype("float32")
            data["b%d" % i] = random.normal(0, 0.1, WIDTH).astype("float32")
        return data

    def work(self, dot, tanh, x, *p):
        for i in range(LAYERS):
            x = tanh(dot(x, p[2 * i]) + p[2 * i + 1])
        return x

    def numpy(self, d):
        values = [d[n] for n in self.names]
        return lambda: (self.work(np.dot, np.tanh, *values),)

    def symbolic(self, d, s):
        inputs, values = s.variables(d, " ".join(self.names)), [d[n] for n in self.names]
        f = s.function(inputs, self.work(s.T.dot, s.T.tanh, *inputs))
        return lambda: (f(*values),)

    def torch(self, d, t, compiled):
        f, values = compiled(lambda *v: self.work(t.matmul, t.tanh, *v)), [d[n] for n in self.names]
        return lambda: (f(*values),)

    def jax(self, d, j):
        f, values = j.jit(lambda *v: self.work(j.numpy.dot, j.numpy.tanh, *v)), [d[n] for n in self.names]
        return lambda: (f(*values),)


ROWS = [Products()]
