"""An attention block: batch 8, length 128, width 256, 4 heads; forward, and gradients of all."""

import numpy as np
from suite.row import Row

B, L, D, H = 8, 128, 256, 4
SCALE = np.float32(1 / np.sqrt(D // H))
NAMES = ("x", "q", "k", "v", "o")


class Attention(Row):
    number, name = 12, "attention"
    title = "attention block, batch 8, length 128, width 256, 4 heads, forward and backward, float32"
    tolerance = 1e-3

    def limit(self):
        return {"flops": 3 * (4 * 2 * B * L * D * D + 2 * 2 * B * L * L * D), "type": "float32"}

    def data(self, random):
        data = {"x": random.normal(0, 1, (B, L, D)).astype("float32")}
        for n in NAMES[1:]:
            data[n] = (random.normal(0, 1, (D, D)) / 16).astype("float32")
        return data

    def numpy(self, d):
        x, q, k, v, o = [d[n] for n in NAMES]

        def heads(t):
            return t.reshape(B, L, H, D // H).transpose(0, 2, 1, 3)

        def joined(t):
            return t.transpose(0, 2, 1, 3).reshape(B * L, D)

        def call():
            flat, scale = x.reshape(B * L, D), x.dtype.type(SCALE)
            hq, hk, hv = heads(flat @ q), heads(flat @ k), heads(flat @ v)
            s = hq @ hk.transpose(0, 1, 3, 2) * scale
            s = np.exp(s - s.max(-1, keepdims=True))
            s /= s.sum(-1, keepdims=True)
            mixed = joined(s @ hv)
            out = mixed @ o
            loss = (out * out).mean()
            dout = out * x.dtype.type(2.0 / out.size)
            do, dmixed = mixed.T @ dout, heads(dout @ o.T)
            ds, dhv = dmixed @ hv.transpose(0, 1, 3, 2), s.transpose(0, 1, 3, 2) @ dmixed
            ds = s * (ds - (ds * s).sum(-1, keepdims=True)) * scale
            dq, dk, dv = joined(ds @ hk), joined(ds.transpose(0, 1, 3, 2) @ hq), joined(dhv)
            dx = (dq @ q.T + dk @ k.T + dv @ v.T).reshape(B, L, D)
            return loss, dx, flat.T @ dq, flat.T @ dk, flat.T @ dv, do

        return call

    def symbolic(self, d, s):
        inputs, T = s.variables(d, " ".join(NAMES)), s.T
        x, q, k, v, o = inputs
        batch, length = x.shape[0], x.shape[1]
        flat = x.reshape((batch * length, D))

        def heads(t):
            t = t.reshape((batch, length, H, D // H)).dimshuffle(0, 2, 1, 3)
            return t.reshape((batch * H, length, D // H))

        hq, hk, hv = [heads(T.dot(flat, w)) for w in (q, k, v)]
        scores = s.matmul(hq, hk.dimshuffle(0, 2, 1)) * SCALE
        weights = s.softmax(scores.reshape((batch * H * length, length)))
        mixed = s.matmul(weights.reshape((batch * H, length, length)), hv)
        mixed = mixed.reshape((batch, H, length, D // H)).dimshuffle(0, 2, 1, 3)
        loss = T.sqr(T.dot(mixed.reshape((batch * length, D)), o)).mean()
        f, values = s.function(inputs, [loss] + s.grad(loss, inputs)), [d[n] for n in NAMES]
        return lambda: f(*values)

    def loss(self, x, q, k, v, o, softmax, swap, mean):
        def heads(t):
            return swap(t.reshape(B, L, H, D // H), 1, 2)

        hq, hk, hv = heads(x @ q), heads(x @ k), heads(x @ v)
        weights = softmax(hq @ swap(hk, 2, 3) * float(SCALE))
        out = swap(weights @ hv, 1, 2).reshape(B, L, D) @ o
        return mean(out * out)

    def torch(self, d, t, compiled):
        leaves = [d[n].requires_grad_() for n in NAMES]
        attend = t.nn.functional.scaled_dot_product_attention

        def loss(x, q, k, v, o):
            heads = [(x @ w).reshape(B, L, H, D // H).transpose(1, 2) for w in (q, k, v)]
            out = attend(*heads).transpose(1, 2).reshape(B, L, D) @ o
            return (out * out).mean()

        forward = compiled(loss)

        def call():
            value = forward(*leaves)
            return (value,) + t.autograd.grad(value, leaves)

        return call

    def jax(self, d, j):
        def loss(*leaves):
            return self.loss(*leaves, softmax=j.nn.softmax, swap=j.numpy.swapaxes, mean=j.numpy.mean)

        f, values = j.jit(j.value_and_grad(loss, argnums=(0, 1, 2, 3, 4))), [d[n] for n in NAMES]

        def call():
            value, gradients = f(*values)
            return (value,) + gradients

        return call


ROWS = [Attention()]
