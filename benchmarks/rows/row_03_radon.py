"""A hierarchical model of radon in houses: slopes and intercepts by county, 919 rows, 85 counties."""

import numpy as np
from suite.row import Row

HOUSES, COUNTIES = 919, 85
SIZE = 5 + 2 * COUNTIES


def parts(v):
    """mu_a, log sigma_a, mu_b, log sigma_b, log eps, a (offsets), b (offsets)."""
    return v[0], v[1], v[2], v[3], v[4], v[5 : 5 + COUNTIES], v[5 + COUNTIES :]


class Radon(Row):
    number, name, title = 3, "radon", "hierarchical radon model, log-density and gradient, 175 parameters, float64"
    tolerance = 1e-10

    def data(self, random):
        return {
            "v": random.normal(0, 0.5, SIZE),
            "county": np.sort(random.randint(0, COUNTIES, HOUSES)).astype("int64"),
            "floor": (random.uniform(0, 1, HOUSES) < 0.3).astype("float64"),
            "y": random.normal(1.2, 0.8, HOUSES),
        }

    def density(self, v, d, exp):
        mu_a, log_a, mu_b, log_b, log_eps, a, b = parts(v)
        sigma_a, sigma_b = exp(log_a), exp(log_b)
        at = d["county"]
        mean = (mu_a + sigma_a * a)[at] + (mu_b + sigma_b * b)[at] * d["floor"]
        scaled = (d["y"] - mean) * exp(-log_eps)
        likelihood = -0.5 * (scaled * scaled).sum() - HOUSES * log_eps
        prior = -0.5 * ((a * a).sum() + (b * b).sum()) - 0.5 * (mu_a * mu_a + mu_b * mu_b) / 1e4
        scales = -0.5 * (sigma_a * sigma_a + sigma_b * sigma_b + exp(2 * log_eps) / 4) / 4
        return likelihood + prior + scales + log_a + log_b + log_eps

    def numpy(self, d):
        v, county, floor, y = d["v"], d["county"], d["floor"], d["y"]

        def call():
            value = self.density(v, d, np.exp)
            mu_a, log_a, mu_b, log_b, log_eps, a, b = parts(v)
            sigma_a, sigma_b, precision = np.exp(log_a), np.exp(log_b), np.exp(-log_eps)
            mean = (mu_a + sigma_a * a)[county] + (mu_b + sigma_b * b)[county] * floor
            scaled = (y - mean) * precision
            by_county = np.bincount(county, scaled * precision, COUNTIES)
            by_floor = np.bincount(county, scaled * precision * floor, COUNTIES)
            g = np.empty(SIZE)
            g[0] = by_county.sum() - mu_a / 1e4
            g[1] = sigma_a * (by_county @ a) - sigma_a * sigma_a / 4 + 1
            g[2] = by_floor.sum() - mu_b / 1e4
            g[3] = sigma_b * (by_floor @ b) - sigma_b * sigma_b / 4 + 1
            g[4] = (scaled * scaled).sum() - HOUSES - np.exp(2 * log_eps) / 16 + 1
            g[5 : 5 + COUNTIES] = sigma_a * by_county - a
            g[5 + COUNTIES :] = sigma_b * by_floor - b
            return value, g

        return call

    def symbolic(self, d, s):
        (v,) = s.variables(d, "v")
        stored = {name: s.shared(d[name]) for name in ("county", "floor", "y")}
        value = self.density(v, stored, s.T.exp)
        f, point = s.function([v], [value, s.grad(value, v)]), d["v"]
        return lambda: f(point)

    def torch(self, d, t, compiled):
        v = d["v"].requires_grad_()
        forward = compiled(lambda v: self.density(v, d, t.exp))

        def call():
            value = forward(v)
            return value, t.autograd.grad(value, v)[0]

        return call

    def jax(self, d, j):
        v = d["v"]
        f = j.jit(j.value_and_grad(lambda v: self.density(v, d, j.numpy.exp)))
        return lambda: f(v)


ROWS = [Radon()]
