"""Log-softmax of rows with cross-entropy, and the gradient with respect to the logits."""

import numpy as np
from suite.row import Row

ROWS_, CLASSES = 4096, 1000


class CrossEntropy(Row):
    number, name, title = 5, "cross_entropy", "row log-softmax, cross-entropy and gradient, 4096 x 1000, float32"

    def limit(self):
        return {"bytes": 2 * 4 * ROWS_ * CLASSES}

    def data(self, random):
        return {
            "x": random.normal(0, 2, (ROWS_, CLASSES)).astype("float32"),
            "y": random.randint(0, CLASSES, ROWS_).astype("int64"),
        }

    def numpy(self, d):
        x, y = d["x"], d["y"]
        rows = np.arange(len(y))

        def call():
            shifted = x - x.max(axis=1, keepdims=True)
            e = np.exp(shifted)
            total = e.sum(axis=1, keepdims=True)
            loss = (np.log(total[:, 0]) - shifted[rows, y]).mean()
            e /= total
            e[rows, y] -= 1
            e /= len(y)
            return loss, e

        return call

    def symbolic(self, d, s):
        x, y = s.variables(d, "x y")
        loss = -s.log_softmax(x)[s.T.arange(y.shape[0]), y].mean()
        f, values = s.function([x, y], [loss, s.grad(loss, x)]), (d["x"], d["y"])
        return lambda: f(*values)

    def torch(self, d, t, compiled):
        x, y = d["x"].requires_grad_(), d["y"]
        forward = compiled(t.nn.functional.cross_entropy)

        def call():
            loss = forward(x, y)
            return loss, t.autograd.grad(loss, x)[0]

        return call

    def jax(self, d, j):
        def loss(x, y):
            return -j.numpy.take_along_axis(j.nn.log_softmax(x), y[:, None], 1).mean()

        f = j.jit(j.value_and_grad(loss))
        return lambda: f(d["x"], d["y"])


ROWS = [CrossEntropy()]
