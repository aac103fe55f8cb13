"""Embedding: gather 10,240 rows of a 50,000 x 128 table, a loss, its gradient, and the update."""

import numpy as np
from suite.row import Row

WORDS, WIDTH, TAKEN, RATE = 50000, 128, 10240, 1000.0  # the rate: a step changes the loss by 0.3 %


class Embedding(Row):
    number, name, title = 9, "embedding", "embedding: gather 10,240 of 50,000 x 128, loss, gradient, update, float32"
    tolerance = 2e-4
    checked_call = 3

    def limit(self):
        return {"bytes": 4 * 4 * TAKEN * WIDTH}  # rows read, targets read, rows read and written again

    def data(self, random):
        return {
            "w": random.normal(0, 1, (WORDS, WIDTH)).astype("float32"),
            "at": random.randint(0, WORDS, TAKEN).astype("int64"),
            "y": random.normal(0, 1, (TAKEN, WIDTH)).astype("float32"),
        }

    def numpy(self, d):
        w, at, y = d["w"], d["at"], d["y"]
        factor = w.dtype.type(2 * RATE / y.size)

        def call():
            difference = w[at] - y
            loss = (difference * difference).mean()
            np.subtract.at(w, at, factor * difference)
            return (loss,)

        return call

    def symbolic(self, d, s):
        at, y = s.variables(d, "at y")
        w = s.shared(d["w"])
        taken = w[at]
        loss = s.T.sqr(taken - y).mean()
        new = s.update(taken, np.float32(-RATE) * s.grad(loss, taken))
        f, values = s.function([at, y], loss, updates=[(w, new)]), (d["at"], d["y"])
        return lambda: (f(*values),)

    def torch(self, d, t, compiled):
        w, at, y = d["w"], d["at"], d["y"]

        def step(w, at, y):
            difference = w[at] - y
            w.index_add_(0, at, difference, alpha=-2 * RATE / (TAKEN * WIDTH))
            return (difference * difference).mean()

        step = compiled(step)
        return lambda: (step(w, at, y),)

    def jax(self, d, j):
        state, at, y = [d["w"]], d["at"], d["y"]

        def step(w, at, y):
            loss, g = j.value_and_grad(lambda taken: ((taken - y) ** 2).mean())(w[at])
            return loss, w.at[at].add(-RATE * g)

        step = j.jit(step, donate_argnums=0)

        def call():
            loss, state[0] = step(state[0], at, y)
            return (loss,)  # of one executable: the state is ready with it

        return call

    def check(self, results, reference):
        return Row.check(self, results[:1], reference)


ROWS = [Embedding()]
