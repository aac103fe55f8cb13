"""A Kalman filter of a level and its slope: likelihood of what was seen, and its gradient."""

import numpy as np
from suite.reference import with_derivatives
from suite.row import Row

STEPS = 500


class Kalman(Row):
    number, name = 25, "kalman"
    title = "Kalman filter, likelihood and gradient, 500 steps of 2 x 2, float64"
    tolerance = 1e-9
    threads = (1,)
    known_shapes = True
    parameters = ("level", "slope", "noise")  # logarithms of variances
    others = ("m", "p", "f", "h", "y")

    def data(self, random):
        slope = np.cumsum(random.normal(0, 0.1, STEPS))
        level = np.cumsum(slope + random.normal(0, 0.5, STEPS))
        return {
            "level": np.array(-1.0),
            "slope": np.array(-4.0),
            "noise": np.array(0.5),
            "m": random.normal(0, 1, 2),
            "p": np.array([[4.0, 0.3], [0.3, 1.0]]),
            "f": np.array([[1.0, 1.0], [0.0, 0.98]]),
            "h": np.array([1.0, 0.1]),
            "y": level + random.normal(0, 1, STEPS),
        }

    def step(self, y, m, p, f, h, q, r, dot, outer):
        """The state after a value was seen; the miss and its variance."""
        m, p = dot(f, m), dot(dot(f, p), f.T) + q
        seen = dot(p, h)
        miss, variance = y - dot(h, m), dot(h, seen) + r
        gain = seen / variance
        return m + gain * miss, p - outer(gain, seen), miss, variance

    def likelihood(self, log, miss, variance):
        return -0.5 * (log(variance) + miss * miss / variance).sum()

    def numpy(self, d):
        m0, p0, f, h, y = [d[n] for n in self.others]

        def work(level, slope, noise):
            m, p, misses, variances = m0, p0, [], []
            q, r = np.diag([np.exp(level), np.exp(slope)]), np.exp(noise)
            for seen in y:
                m, p, miss, variance = self.step(seen, m, p, f, h, q, r, np.dot, np.outer)
                misses.append(miss)
                variances.append(variance)
            return self.likelihood(np.log, np.array(misses), np.array(variances))

        values = [float(d[n]) for n in self.parameters]
        return lambda: with_derivatives(work, values)

    def symbolic(self, d, s):
        logs = s.variables(d, " ".join(self.parameters))
        m, p, f, h, y = s.variables(d, " ".join(self.others))
        q = s.T.diag(s.T.exp(s.T.stack(logs[:2])))
        _, _, misses, variances = s.scan(
            lambda *v: self.step(*v, s.T.dot, s.T.outer),
            sequences=y,
            outputs_info=[m, p, None, None],
            non_sequences=[f, h, q, s.T.exp(logs[2])],
        )
        cost = self.likelihood(s.T.log, misses, variances)
        call = s.function(logs + [m, p, f, h, y], [cost] + s.grad(cost, logs))
        arrays = [d[n] for n in self.parameters + self.others]
        return lambda: call(*arrays)

    def torch(self, d, t, compiled):
        logs = [d[n].requires_grad_() for n in self.parameters]
        m0, p0, f, h, y = [d[n] for n in self.others]
        step = compiled(lambda *v: self.step(*v, t.matmul, t.outer))

        def call():
            m, p, misses, variances = m0, p0, [], []
            q, r = t.diag(t.exp(t.stack(logs[:2]))), t.exp(logs[2])
            for seen in y:
                m, p, miss, variance = step(seen, m, p, f, h, q, r)
                misses.append(miss)
                variances.append(variance)
            cost = self.likelihood(t.log, t.stack(misses), t.stack(variances))
            return (cost,) + t.autograd.grad(cost, logs)

        return call

    def jax(self, d, j):
        T = j.numpy
        logs, others = [d[n] for n in self.parameters], [d[n] for n in self.others]

        def cost_of(logs, m, p, f, h, y):
            q, r = T.diag(T.exp(T.stack(logs[:2]))), T.exp(logs[2])

            def body(state, seen):
                m, p, miss, variance = self.step(seen, *state, f, h, q, r, T.dot, T.outer)
                return (m, p), (miss, variance)

            return self.likelihood(T.log, *j.lax.scan(body, (m, p), y)[1])

        f = j.jit(j.value_and_grad(cost_of))

        def call():
            cost, slopes = f(logs, *others)
            return [cost] + slopes

        return call


ROWS = [Kalman()]
