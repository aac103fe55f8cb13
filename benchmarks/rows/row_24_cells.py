"""Training steps of recurrent layers: loss and the gradients of all parameters, float32."""

import numpy as np
from suite.row import Row


def logistic(x):
    return 1 / (1 + np.exp(-x))


def lstm_forward(x, h, c, w, u, b):
    """The states h of all steps, and what the backward pass reads. Gates: in, forget, new, out."""
    z, states, kept = x @ w + b, [], []
    for part in z:
        i, f, g, o = np.split(part + h @ u, 4, axis=1)
        i, f, g, o = logistic(i), logistic(f), np.tanh(g), logistic(o)
        before, c = (h, c), f * c + i * g
        end = np.tanh(c)
        h = o * end
        states.append(h)
        kept.append((before, i, f, g, o, end))
    return np.stack(states), kept


def lstm_backward(x, w, u, kept, slopes):
    """The gradients of x, w, u and b from those of the states."""
    dh, dc, dz = 0, 0, []
    for (before, i, f, g, o, end), slope in zip(kept[::-1], slopes[::-1]):
        dh = dh + slope
        dc = dc + dh * o * (1 - end * end)
        parts = dc * g * i * (1 - i), dc * before[1] * f * (1 - f), dc * i * (1 - g * g), dh * end * o * (1 - o)
        dz.append(np.concatenate(parts, axis=1))
        dh, dc = dz[-1] @ u.T, dc * f
    dz = np.stack(dz[::-1])
    h = np.stack([before[0] for before, *_ in kept])
    return dz @ w.T, np.tensordot(x, dz, ((0, 1), (0, 1))), np.tensordot(h, dz, ((0, 1), (0, 1))), dz.sum((0, 1))


def lstm_gates(sigmoid, tanh, z, c, n):
    """h and c of one step from the sum of the products."""
    i, f, g, o = [z[:, k * n : (k + 1) * n] for k in range(4)]
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def symbolic_lstm(s, x, h, c, w, u, b, n):
    def step(x, h, c, w, u, b):
        return lstm_gates(s.sigmoid, s.T.tanh, s.T.dot(x, w) + s.T.dot(h, u) + b, c, n)

    return s.scan(step, sequences=x, outputs_info=[h, c], non_sequences=[w, u, b])[0]


def jax_lstm(j, x, h, c, w, u, b):
    def step(state, z):
        h, c = lstm_gates(j.nn.sigmoid, j.numpy.tanh, z + state[0] @ u, state[1], u.shape[0])
        return (h, c), h

    return j.lax.scan(step, (h, c), x @ w + b)[1]  # one product for all steps


class Cell(Row):
    """The loss is the mean square of the states of all steps."""

    number = 24
    tolerance = 1e-3
    known_shapes = True
    steps, batch, inputs, hidden = 50, 32, 256, 256
    gates, states = 4, ("h", "c")
    names = ("w", "u", "b")

    def limit(self):
        product = 2 * self.steps * self.batch * self.gates * self.hidden
        return {"flops": product * (2 * self.inputs + 3 * self.hidden), "type": "float32"}

    def data(self, random):
        n, wide = self.hidden, self.gates * self.hidden
        data = {
            "x": random.normal(0, 1, (self.steps, self.batch, self.inputs)),
            "w": random.normal(0, 1, (self.inputs, wide)) / np.sqrt(self.inputs),
            "u": random.normal(0, 1, (n, wide)) / np.sqrt(n),
        }
        data.update((name, random.normal(0, 0.5, wide)) for name in self.names[2:])
        data.update((name, random.normal(0, 0.5, (self.batch, n))) for name in self.states)
        return {k: v.astype("float32") for k, v in data.items()}

    def symbolic(self, d, s):
        x, *states = s.variables(d, " ".join(("x",) + self.states))
        parameters = [s.shared(d[n]) for n in self.names]
        loss = s.T.sqr(self.symbolic_layer(s, x, states, parameters)).mean()
        f = s.function([x] + states, [loss] + s.grad(loss, parameters))
        arrays = [d["x"]] + [d[n] for n in self.states]
        return lambda: f(*arrays)

    def torch(self, d, t, compiled):
        layer = self.torch_layer(t.nn)(self.inputs, self.hidden)
        with t.no_grad():
            layer.weight_ih_l0.copy_(d["w"].T)
            layer.weight_hh_l0.copy_(d["u"].T)
            layer.bias_ih_l0.copy_(d["b"])
            layer.bias_hh_l0.copy_(d.get("k", 0 * d["b"]))
        x, states = d["x"], tuple(d[n][None] for n in self.states)
        states = states if len(states) > 1 else states[0]
        forward = compiled(lambda x, states: layer(x, states)[0].square().mean())
        used = (layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0)[: len(self.names)]

        def call():
            loss = forward(x, states)
            dw, du, *rest = t.autograd.grad(loss, used)
            return [loss, dw.T, du.T] + rest

        return call

    def jax(self, d, j):
        x, states, parameters = d["x"], [d[n] for n in self.states], [d[n] for n in self.names]

        def loss_of(parameters, x, states):
            return j.numpy.square(self.jax_layer(j, x, states, parameters)).mean()

        f = j.jit(j.value_and_grad(loss_of))

        def call():
            loss, slopes = f(parameters, x, states)
            return [loss] + slopes

        return call


class Lstm(Cell):
    name, title = "lstm_step", "LSTM 256-256, loss and gradients, batch 32, 50 steps, float32"

    def numpy(self, d):
        x, h, c, w, u, b = [d[n] for n in "x h c w u b".split()]

        def call():
            states, kept = lstm_forward(x, h, c, w, u, b)
            slopes = states * x.dtype.type(2 / states.size)
            return ((states * states).mean(),) + lstm_backward(x, w, u, kept, slopes)[1:]

        return call

    def symbolic_layer(self, s, x, states, parameters):
        return symbolic_lstm(s, x, *states, *parameters, self.hidden)

    def torch_layer(self, nn):
        return nn.LSTM

    def jax_layer(self, j, x, states, parameters):
        return jax_lstm(j, x, *states, *parameters)


class Gru(Cell):
    """Gates: reset, update, new; the reset gate acts behind the product, as in PyTorch."""

    name, title = "gru_step", "GRU 128-128, loss and gradients, batch 64, 100 steps, float32"
    steps, batch, inputs, hidden = 100, 64, 128, 128
    gates, states = 3, ("h",)
    names = ("w", "u", "b", "k")  # k: the bias of the product with the state

    def numpy(self, d):
        x, start, w, u, b, k = [d[n] for n in "x h w u b k".split()]

        def call():
            z, h, kept, loss = x @ w + b, start, [], 0.0
            for part in z:
                (r, s, v), (hr, hs, hv) = np.split(part, 3, axis=1), np.split(h @ u + k, 3, axis=1)
                r, s = logistic(r + hr), logistic(s + hs)
                v = np.tanh(v + r * hv)
                kept.append((h, r, s, v, hv))
                h = (1 - s) * v + s * h
                loss += (h * h).sum()
            dx, dk, size = [], [], z[..., : self.hidden].size
            after, dh = h, 0
            for before, r, s, v, hv in kept[::-1]:
                dh = dh + after * x.dtype.type(2 / size)
                dv, ds = dh * (1 - s) * (1 - v * v), dh * (before - v) * s * (1 - s)
                dr = dv * hv * r * (1 - r)
                dx.append(np.concatenate((dr, ds, dv), axis=1))
                dk.append(np.concatenate((dr, ds, dv * r), axis=1))
                dh, after = dh * s + dk[-1] @ u.T, before
            dx, dk, h = np.stack(dx[::-1]), np.stack(dk[::-1]), np.stack([parts[0] for parts in kept])
            both = ((0, 1), (0, 1))
            return loss / size, np.tensordot(x, dx, both), np.tensordot(h, dk, both), dx.sum((0, 1)), dk.sum((0, 1))

        return call

    def gates_of(self, sigmoid, tanh, z, y, h):
        n = self.hidden
        r, s = sigmoid(z[:, :n] + y[:, :n]), sigmoid(z[:, n : 2 * n] + y[:, n : 2 * n])
        return (1 - s) * tanh(z[:, 2 * n :] + r * y[:, 2 * n :]) + s * h

    def symbolic_layer(self, s, x, states, parameters):
        def step(x, h, w, u, b, k):
            return self.gates_of(s.sigmoid, s.T.tanh, s.T.dot(x, w) + b, s.T.dot(h, u) + k, h)

        return s.scan(step, sequences=x, outputs_info=states, non_sequences=parameters)[0]

    def torch_layer(self, nn):
        return nn.GRU

    def jax_layer(self, j, x, states, parameters):
        w, u, b, k = parameters

        def step(h, z):
            h = self.gates_of(j.nn.sigmoid, j.numpy.tanh, z, h @ u + k, h)
            return h, h

        return j.lax.scan(step, states[0], x @ w + b)[1]


ROWS = [Lstm(), Gru()]
