"""Steps of gradient descent and inference: logistic regression, and a network 784-500-500-10."""

import numpy as np
from suite.row import Row

RATE = 0.01


class Network(Row):
    sizes = (784, 500, 500, 10)
    batch = 128
    number = 8

    def layers(self):
        return list(zip(self.sizes, self.sizes[1:]))

    def flops(self):
        return 2 * self.batch * sum(a * b for a, b in self.layers())

    def names(self):
        return [n + str(i) for i in range(len(self.layers())) for n in ("w", "b")]

    def data(self, random):
        data = {}
        for i, (a, b) in enumerate(self.layers()):
            data["w%d" % i] = (random.normal(0, 1, (a, b)) / np.sqrt(a)).astype("float32")
            data["b%d" % i] = random.normal(0, 0.1, b).astype("float32")
        data["x"] = random.uniform(0, 1, (self.batch, self.sizes[0])).astype("float32")
        data["y"] = random.randint(0, self.sizes[-1], self.batch).astype("int64")
        return data

    def logits(self, x, p, dot, relu):
        for i in range(0, len(p) - 2, 2):
            x = relu(dot(x, p[i]) + p[i + 1])
        return dot(x, p[-2]) + p[-1]


class Step(Network):
    """One step of gradient descent; the call gives the loss and changes the parameters."""

    tolerance = 1e-3
    checked_call = 3  # its loss tells whether the steps before were right

    def limit(self):
        first = 2 * self.batch * self.sizes[0] * self.sizes[1]
        return {"flops": 3 * self.flops() - first, "type": "float32"}

    def numpy(self, d):
        p, x, y = [d[n] for n in self.names()], d["x"], d["y"]
        rows, rate = np.arange(len(y)), x.dtype.type(RATE)

        def call():
            kept = [x]
            for i in range(0, len(p) - 2, 2):
                kept.append(np.maximum(kept[-1] @ p[i] + p[i + 1], 0))
            z = kept[-1] @ p[-2] + p[-1]
            z -= z.max(1, keepdims=True)
            e = np.exp(z)
            total = e.sum(1, keepdims=True)
            loss = (np.log(total[:, 0]) - z[rows, y]).mean()
            g = e / total
            g[rows, y] -= 1
            g /= len(y)
            for i in range(len(p) - 2, -1, -2):
                a = kept[i // 2]
                dw, db = a.T @ g, g.sum(0)
                if i:
                    g = (g @ p[i].T) * (a > 0)
                p[i] -= rate * dw
                p[i + 1] -= rate * db
            return (loss,)

        return call

    def symbolic(self, d, s):
        x, y = s.variables(d, "x y")
        p = [s.shared(d[n]) for n in self.names()]
        logits = self.logits(x, p, s.T.dot, s.relu)
        loss = -s.log_softmax(logits)[s.T.arange(y.shape[0]), y].mean()
        updates = [(v, v - np.float32(RATE) * g) for v, g in zip(p, s.grad(loss, p))]
        f, values = s.function([x, y], loss, updates=updates), (d["x"], d["y"])
        return lambda: (f(*values),)

    def torch(self, d, t, compiled):
        p, x, y = [d[n].requires_grad_() for n in self.names()], d["x"], d["y"]
        forward = compiled(
            lambda x, y, p: t.nn.functional.cross_entropy(self.logits(x, p, t.matmul, t.relu), y)
        )
        optimizer = t.optim.SGD(p, RATE)

        def call():
            optimizer.zero_grad(set_to_none=True)
            loss = forward(x, y, p)
            loss.backward()
            optimizer.step()
            return (loss,)

        return call

    def jax(self, d, j):
        x, y = d["x"], d["y"]
        state = [[d[n] for n in self.names()]]

        def loss_of(p, x, y):
            logits = self.logits(x, p, j.numpy.dot, j.nn.relu)
            return -j.numpy.take_along_axis(j.nn.log_softmax(logits), y[:, None], 1).mean()

        def step(p, x, y):
            loss, g = j.value_and_grad(loss_of)(p, x, y)
            return loss, [v - RATE * dv for v, dv in zip(p, g)]

        step = j.jit(step, donate_argnums=0)

        def call():
            loss, state[0] = step(state[0], x, y)
            return (loss,)  # of one executable: the state is ready with it

        return call

    def check(self, results, reference):
        return Row.check(self, results[:1], reference)


class LogisticStep(Step):
    name, title = "logistic_step", "logistic regression step, 784-10, batch 600, float32"
    sizes, batch = (784, 10), 600

    def limit(self):
        return {"flops": 2 * self.flops(), "type": "float32"}


class MlpStep(Step):
    name, title = "mlp_step", "network 784-500-500-10, step, batch 128, float32"


class MlpInference(Network):
    name, title = "mlp_inference", "its inference, batch 1"
    batch = 1

    def limit(self):
        return {"bytes": 4 * sum(a * b for a, b in self.layers())}

    def numpy(self, d):
        p, x = [d[n] for n in self.names()], d["x"]
        return lambda: (self.logits(x, p, np.dot, lambda v: np.maximum(v, 0)),)

    def symbolic(self, d, s):
        (x,) = s.variables(d, "x")
        p = [s.shared(d[n]) for n in self.names()]
        f, value = s.function([x], self.logits(x, p, s.T.dot, s.relu)), d["x"]
        return lambda: (f(value),)

    def torch(self, d, t, compiled):
        p, x = [d[n] for n in self.names()], d["x"]
        f = compiled(lambda x, p: self.logits(x, p, t.matmul, t.relu))

        def call():
            with t.inference_mode():
                return (f(x, p),)

        return call

    def jax(self, d, j):
        p, x = [d[n] for n in self.names()], d["x"]
        f = j.jit(lambda x, p: self.logits(x, p, j.numpy.dot, j.nn.relu))
        return lambda: (f(x, p),)


class BusyStep(MlpStep):
    number, name = 17, "mlp_step_busy"
    title = "network step on two threads, one core kept busy by another process"
    threads, busy = (2,), True


ROWS = [LogisticStep(), MlpStep(), MlpInference()]
LATER = [BusyStep()]
