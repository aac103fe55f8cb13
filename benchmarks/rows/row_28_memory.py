"""Memory of the gradient through 10,000 steps of a state of 64 (5.12 MB of states), with and without checkpoints."""

import numpy as np
from suite.row import Row

STEPS, EVERY, WIDTH = 10000, 100, 64


class Kept(Row):
    number, name = 28, "states_kept"
    title = "gradient through 10,000 steps of a state of 64, float64: see its memory"
    tolerance = 1e-9
    threads = (1,)
    known_shapes = True
    names = ("x", "a", "b")

    def data(self, random):
        # Slopes of a step stay near 1: the last state still depends on the first steps.
        return {
            "x": random.normal(0, 1, WIDTH),
            "a": random.uniform(0.9999, 1.0, WIDTH),
            "b": random.normal(0, 1e-3, WIDTH),
        }

    def step(self, sin, x, a, b):
        return a * x + b * sin(x)

    def numpy(self, d):
        x, a, b = [d[n] for n in self.names]

        def call():
            states = [x]
            for _ in range(STEPS):
                states.append(self.step(np.sin, states[-1], a, b))
            g, da, db = 2 * states[-1], 0, 0
            for h in states[-2::-1]:
                da = da + g * h
                db = db + g * np.sin(h)
                g = g * (a + b * np.cos(h))
            return (states[-1] ** 2).sum(), g, da, db

        return call

    def symbolic(self, d, s):
        x, a, b = s.variables(d, " ".join(self.names))
        last = self.symbolic_last(s, lambda *v: self.step(s.T.sin, *v), x, [a, b])
        cost = s.T.sqr(last).sum()
        f, values = s.function([x, a, b], [cost] + s.grad(cost, [x, a, b])), [d[n] for n in self.names]
        return lambda: f(*values)

    def symbolic_last(self, s, step, x, constants):
        return s.scan(step, outputs_info=x, non_sequences=constants, n_steps=STEPS)[0][-1]

    def torch(self, d, t, compiled):
        values = [d[n].requires_grad_() for n in self.names]
        step = compiled(lambda *v: self.step(t.sin, *v))

        def stretch(x, a, b):
            for _ in range(EVERY):
                x = step(x, a, b)
            return x

        def call():
            x, a, b = values
            for _ in range(STEPS // EVERY):
                x = self.torch_stretch(t, stretch, x, a, b)
            cost = x.square().sum()
            return (cost,) + t.autograd.grad(cost, values)

        return call

    def torch_stretch(self, t, stretch, x, a, b):
        return stretch(x, a, b)

    def jax(self, d, j):
        def cost_of(x, a, b):
            def step(x, _):
                return self.step(j.numpy.sin, x, a, b), None

            return j.numpy.square(self.jax_last(j, step, x)).sum()

        f, values = j.jit(j.value_and_grad(cost_of, (0, 1, 2))), [d[n] for n in self.names]

        def call():
            cost, slopes = f(*values)
            return (cost,) + slopes

        return call

    def jax_last(self, j, step, x):
        return j.lax.scan(step, x, None, STEPS)[0]


class Checkpointed(Kept):
    name, title = "states_checkpointed", "the same with checkpoints every 100 steps"

    def symbolic_last(self, s, step, x, constants):
        return s.last_of_checkpointed(step, x, constants, STEPS, EVERY)

    def torch_stretch(self, t, stretch, x, a, b):
        return t.utils.checkpoint.checkpoint(stretch, x, a, b, use_reentrant=False)

    def jax_last(self, j, step, x):
        @j.checkpoint
        def stretch(x, _):
            return j.lax.scan(step, x, None, EVERY)[0], None

        return j.lax.scan(stretch, x, None, STEPS // EVERY)[0]


ROWS = [Kept(), Checkpointed()]
