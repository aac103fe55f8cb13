"""Layer normalisation, forward and backward for a given gradient of the output."""

import numpy as np
from suite.row import Row

N, D = 8192, 768


class LayerNorm(Row):
    number, name, title = 6, "layer_norm", "layer normalisation with gradient, 8192 x 768, float32"

    def limit(self):
        return {"bytes": 4 * 4 * N * D}  # x and dy are read, y and dx are written

    def data(self, random):
        f = lambda *shape: random.normal(0, 1, shape).astype("float32")  # noqa: E731
        return {"x": f(N, D), "g": f(D) + np.float32(1), "b": f(D), "dy": f(N, D)}

    def numpy(self, d):
        x, g, b, dy = d["x"], d["g"], d["b"], d["dy"]

        def call():
            centred = x - x.mean(1, keepdims=True)
            scale = 1 / np.sqrt((centred * centred).mean(1, keepdims=True) + 1e-5)
            unit = centred * scale
            dg, db = (dy * unit).sum(0), dy.sum(0)
            dunit = dy * g
            dx = scale * (dunit - dunit.mean(1, keepdims=True) - unit * (dunit * unit).mean(1, keepdims=True))
            return unit * g + b, dx, dg, db

        return call

    def symbolic(self, d, s):
        x, g, b, dy = s.variables(d, "x g b dy")
        T = s.T
        centred = x - T.mean(x, axis=1, keepdims=True)
        y = centred / T.sqrt(T.mean(T.sqr(centred), axis=1, keepdims=True) + np.float32(1e-5)) * g + b
        f = s.function([x, g, b, dy], [y] + s.grad((y * dy).sum(), [x, g, b]))
        values = [d[n] for n in ("x", "g", "b", "dy")]
        return lambda: f(*values)

    def torch(self, d, t, compiled):
        leaves = [d[n].requires_grad_() for n in ("x", "g", "b")]
        forward = compiled(lambda x, g, b: t.nn.functional.layer_norm(x, (D,), g, b, 1e-5))

        def call():
            y = forward(*leaves)
            return (y,) + t.autograd.grad(y, leaves, d["dy"])

        return call

    def jax(self, d, j):
        def forward(x, g, b):
            centred = x - x.mean(1, keepdims=True)
            return centred * j.lax.rsqrt((centred * centred).mean(1, keepdims=True) + 1e-5) * g + b

        def work(x, g, b, dy):
            y, pull = j.vjp(forward, x, g, b)
            return (y,) + pull(dy)

        f, values = j.jit(work), [d[n] for n in ("x", "g", "b", "dy")]
        return lambda: f(*values)


ROWS = [LayerNorm()]
