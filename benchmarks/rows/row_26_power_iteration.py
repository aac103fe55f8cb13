"""Power iteration until the eigenvalue stands still."""

import numpy as np
from suite.row import Row

SIZE, LIMIT, CHANGE = 200, 1000, 1e-10


class PowerIteration(Row):
    """The second eigenvalue is 0.9 of the first: 75 steps."""

    number, name = 26, "power_iteration"
    title = "power iteration with until, 200 x 200, float64"
    tolerance = 1e-5  # the vector's; a step more or less would change it by less
    known_shapes = True

    def data(self, random):
        q = np.linalg.qr(random.normal(0, 1, (SIZE, SIZE)))[0]
        values = np.concatenate(([10.0, 9.0], random.uniform(0.1, 8, SIZE - 2)))
        return {"a": (q * values) @ q.T, "x": random.normal(0, 1, SIZE)}

    def step(self, dot, sqrt, x, a):
        y = dot(a, x)
        size = sqrt(dot(y, y))
        return y / size, size

    def still(self, size, before):
        return abs(size - before) < CHANGE * size

    def numpy(self, d):
        a, start = d["a"], d["x"]

        def call():
            x, size = start, 0.0
            for _ in range(LIMIT):
                before = size
                x, size = self.step(np.dot, np.sqrt, x, a)
                if self.still(size, before):
                    break
            return x, size

        return call

    def symbolic(self, d, s):
        a, x = s.variables(d, "a x")

        def body(x, before, a):
            new, size = self.step(s.T.dot, s.T.sqrt, x, a)
            return [new, size], s.until(self.still(size, before))

        first = s.T.constant(np.array(0.0))
        vectors, sizes = s.scan(body, outputs_info=[x, first], non_sequences=a, n_steps=LIMIT)
        f, values = s.function([a, x], [vectors[-1], sizes[-1]]), (d["a"], d["x"])
        return lambda: f(*values)

    def torch(self, d, t, compiled):
        a, start = d["a"], d["x"]

        def work(x, before, a):
            new, size = self.step(t.matmul, t.sqrt, x, a)
            return new, size, self.still(size, before)

        work, zero = compiled(work), t.zeros((), dtype=a.dtype)

        def call():
            x, size = start, zero
            for _ in range(LIMIT):
                x, size, still = work(x, size, a)
                if still:
                    break
            return x, size

        return call

    def jax(self, d, j):
        T = j.numpy

        def going(state):
            i, _, size, before = state
            return (i < LIMIT) & ~self.still(size, before)

        def body(a, state):
            i, x, size, _ = state
            return (i + 1,) + self.step(T.dot, T.sqrt, x, a) + (size,)

        def work(a, x):
            first = (0, x, T.array(0.0), T.array(T.inf))
            return j.lax.while_loop(going, lambda state: body(a, state), first)[1:3]

        f, a, x = j.jit(work), d["a"], d["x"]
        return lambda: f(a, x)


ROWS = [PowerIteration()]
