"""Compile time of a deep network and of a long chain. (Rows 3, 8 and 12 show theirs beside their calls.)"""

import numpy as np
from suite.row import Row

LAYERS, WIDTH, BATCH = 100, 64, 32


class Deep(Row):
    number, name = 15, "deep_100"
    title = "network of 100 layers of 64, batch 32: loss and gradients of all weights, float32"
    tolerance = 1e-3
    names = ["w%d" % i for i in range(LAYERS)]

    def limit(self):
        return {"flops": 3 * 2 * BATCH * WIDTH * WIDTH * LAYERS, "type": "float32"}

    def data(self, random):
        data = {n: (random.normal(0, 1, (WIDTH, WIDTH)) / 8).astype("float32") for n in self.names}
        data["x"] = random.normal(0, 1, (BATCH, WIDTH)).astype("float32")
        return data

    def loss(self, dot, tanh, x, p):
        for w in p:
            x = tanh(dot(x, w))
        return (x * x).mean()

    def numpy(self, d):
        x, p = d["x"], [d[n] for n in self.names]

        def call():
            kept = [x]
            for w in p:
                kept.append(np.tanh(kept[-1] @ w))
            last, results = kept[-1], []
            g = last * last.dtype.type(2.0 / last.size)
            for i in range(LAYERS - 1, -1, -1):
                g = g * (1 - kept[i + 1] * kept[i + 1])
                results.append(kept[i].T @ g)
                g = g @ p[i].T
            return [(last * last).mean()] + results[::-1]

        return call

    def symbolic(self, d, s):
        (x,) = s.variables(d, "x")
        p = [s.shared(d[n]) for n in self.names]
        loss = self.loss(s.T.dot, s.T.tanh, x, p)
        f, value = s.function([x], [loss] + s.grad(loss, p)), d["x"]
        return lambda: f(value)

    def torch(self, d, t, compiled):
        x, p = d["x"], [d[n].requires_grad_() for n in self.names]
        forward = compiled(lambda x, p: self.loss(t.matmul, t.tanh, x, p))

        def call():
            loss = forward(x, p)
            return (loss,) + t.autograd.grad(loss, p)

        return call

    def jax(self, d, j):
        x, p = d["x"], [d[n] for n in self.names]
        f = j.jit(j.value_and_grad(lambda p, x: self.loss(j.numpy.dot, j.numpy.tanh, x, p)))

        def call():
            loss, gradients = f(p, x)
            return [loss] + gradients

        return call


class LongChain(Row):
    number, name = 15, "chain_10000"
    title = "chain of 10,000 operations on a vector of 100, float64"
    tolerance = 1e-9

    def data(self, random):
        return {"x": random.uniform(0.1, 1, 100)}

    def work(self, tanh, x):
        v = x
        for i in range(2500):
            v = tanh(v) * 1.5 + x * (0.001 * (i % 7))
        return v

    def numpy(self, d):
        return lambda: (self.work(np.tanh, d["x"]),)

    def symbolic(self, d, s):
        (x,) = s.variables(d, "x")
        f, value = s.function([x], self.work(s.T.tanh, x)), d["x"]
        return lambda: (f(value),)

    def torch(self, d, t, compiled):
        f, value = compiled(lambda x: self.work(t.tanh, x)), d["x"]
        return lambda: (f(value),)

    def jax(self, d, j):
        f, value = j.jit(lambda x: self.work(j.numpy.tanh, x)), d["x"]
        return lambda: (f(value),)


ROWS = [Deep(), LongChain()]
