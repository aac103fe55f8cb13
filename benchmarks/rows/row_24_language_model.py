"""A language model of two LSTM layers: embedding, softmax over 10,000 words, one step of gradient descent."""

import numpy as np
from rows.row_24_cells import jax_lstm, lstm_backward, lstm_forward, symbolic_lstm
from suite.row import Row

WORDS, BATCH, STEPS = 10000, 20, 20
RATE = 1.0


class LanguageModel(Row):
    """The call gives the loss and changes the parameters."""

    number = 24
    tolerance = 1e-5  # a step changes the loss by 0.2 %
    known_shapes = True
    checked_call = 3  # its loss tells whether the steps before were right
    width = 200
    names = ("w0", "u0", "b0", "w1", "u1", "b1", "v", "k")
    states = ("h0", "c0", "h1", "c1")

    def limit(self):
        layers = 2 * 2 * self.width * 4 * self.width  # two products a layer
        return {"flops": 3 * 2 * BATCH * STEPS * (layers + self.width * WORDS), "type": "float32"}

    def data(self, random):
        n = self.width
        data = {"e": random.normal(0, 1, (WORDS, n)), "v": random.normal(0, 1, (n, WORDS)) / np.sqrt(n)}
        data["k"] = random.normal(0, 0.1, WORDS)
        for i in "01":
            data["w" + i] = random.normal(0, 1, (n, 4 * n)) / np.sqrt(n)
            data["u" + i] = random.normal(0, 1, (n, 4 * n)) / np.sqrt(n)
            data["b" + i] = random.normal(0, 0.1, 4 * n)
        data.update((name, random.normal(0, 0.5, (BATCH, n))) for name in self.states)
        data = {k: v.astype("float32") for k, v in data.items()}
        data["x"] = random.randint(0, WORDS, (STEPS, BATCH)).astype("int64")
        data["y"] = random.randint(0, WORDS, (STEPS, BATCH)).astype("int64")
        return data

    def numpy(self, d):
        table, x, at = d["e"], d["x"], d["y"].ravel()
        p, rows = {n: d[n] for n in self.names}, np.arange(BATCH * STEPS)
        rate = table.dtype.type(RATE)

        def call():
            inputs, kept = [table[x]], []
            for i in "01":
                states, parts = lstm_forward(
                    inputs[-1], d["h" + i], d["c" + i], p["w" + i], p["u" + i], p["b" + i]
                )
                inputs.append(states)
                kept.append(parts)
            flat = inputs[-1].reshape(-1, self.width)
            z = flat @ p["v"] + p["k"]
            z -= z.max(1, keepdims=True)
            e = np.exp(z)
            total = e.sum(1, keepdims=True)
            loss = (np.log(total[:, 0]) - z[rows, at]).mean()
            g = e / total
            g[rows, at] -= 1
            g /= len(at)
            slopes = {"v": flat.T @ g, "k": g.sum(0)}
            back = (g @ p["v"].T).reshape(inputs[-1].shape)
            for i in (1, 0):
                names = [n + str(i) for n in "wub"]
                back, *own = lstm_backward(inputs[i], p[names[0]], p[names[1]], kept[i], back)
                slopes.update(zip(names, own))
            for name, slope in slopes.items():
                p[name] -= rate * slope
            np.subtract.at(table, x, rate * back)
            return (loss,)

        return call

    def symbolic(self, d, s):
        x, y, *states = s.variables(d, " ".join(("x", "y") + self.states))
        table, p = s.shared(d["e"]), {n: s.shared(d[n]) for n in self.names}
        taken = table[x.flatten()]
        h = taken.reshape((STEPS, BATCH, self.width))
        for i in "01":
            first = states[2 * int(i) : 2 * int(i) + 2]
            h = symbolic_lstm(s, h, *first, p["w" + i], p["u" + i], p["b" + i], self.width)
        logits = s.T.dot(h.reshape((STEPS * BATCH, self.width)), p["v"]) + p["k"]
        loss = -s.log_softmax(logits)[s.T.arange(STEPS * BATCH), y.flatten()].mean()
        slopes = s.grad(loss, [taken] + [p[n] for n in self.names])
        rate = np.float32(RATE)
        updates = [(table, s.update(taken, -rate * slopes[0]))]
        updates += [(p[n], p[n] - rate * slope) for n, slope in zip(self.names, slopes[1:])]
        f = s.function([x, y] + states, loss, updates=updates)
        arrays = [d[n] for n in ("x", "y") + self.states]
        return lambda: (f(*arrays),)

    def torch(self, d, t, compiled):
        table, v, k = [d[n].requires_grad_() for n in "evk"]
        layers = t.nn.LSTM(self.width, self.width, 2)
        with t.no_grad():
            for i in "01":
                getattr(layers, "weight_ih_l" + i).copy_(d["w" + i].T)
                getattr(layers, "weight_hh_l" + i).copy_(d["u" + i].T)
                getattr(layers, "bias_ih_l" + i).copy_(d["b" + i])
                getattr(layers, "bias_hh_l" + i).zero_()
        states = tuple(t.stack((d[n + "0"], d[n + "1"])) for n in "hc")
        weights = [p for name, p in layers.named_parameters() if "weight" in name] + [table, v, k]
        biases = [p for name, p in layers.named_parameters() if "bias" in name]  # two in place of one
        optimizer = t.optim.SGD([{"params": weights}, {"params": biases, "lr": RATE / 2}], RATE)
        x, y, nn = d["x"], d["y"].flatten(), t.nn.functional

        @compiled
        def forward(x, y, states):
            h = layers(nn.embedding(x, table, sparse=True), states)[0]
            return nn.cross_entropy(h.reshape(-1, self.width) @ v + k, y)

        def call():
            optimizer.zero_grad(set_to_none=True)
            loss = forward(x, y, states)
            loss.backward()
            optimizer.step()
            return (loss,)

        return call

    def jax(self, d, j):
        states = [d[n] for n in self.states]
        x, y, state = d["x"], d["y"], [(d["e"], {n: d[n] for n in self.names})]

        def loss_of(taken, p, y, states):
            h = taken
            for i in "01":
                first = states[2 * int(i) : 2 * int(i) + 2]
                h = jax_lstm(j, h, *first, p["w" + i], p["u" + i], p["b" + i])
            logits = h @ p["v"] + p["k"]
            return -j.numpy.take_along_axis(j.nn.log_softmax(logits), y[..., None], 2).mean()

        def step(table_and_p, x, y, states):
            table, p = table_and_p
            loss, (back, slopes) = j.value_and_grad(loss_of, (0, 1))(table[x], p, y, states)
            return loss, (table.at[x].add(-RATE * back), {n: p[n] - RATE * slopes[n] for n in p})

        step = j.jit(step, donate_argnums=0)

        def call():
            loss, state[0] = step(state[0], x, y, states)
            return (loss,)  # of one executable: the state is ready with it

        return call

    def check(self, results, reference):
        return Row.check(self, results[:1], reference)


class Small(LanguageModel):
    name = "language_model_200"
    title = "language model, 2 LSTM layers of 200, 10,000 words, batch 20, 20 steps: training step, float32"


class Large(LanguageModel):
    name, title = "language_model_650", "the same, 2 layers of 650"
    width = 650


ROWS = [Small(), Large()]
