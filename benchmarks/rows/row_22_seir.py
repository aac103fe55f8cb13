"""An epidemic in the compartments S, E, I, R: log-likelihood of daily counts and its gradient."""

import numpy as np
from suite.reference import with_derivatives
from suite.row import Row

STEPS, DAY = 1200, 0.1  # ten steps a day
PEOPLE = 1e6


class Seir(Row):
    number, name = 22, "seir"
    title = "SEIR log-likelihood and gradient, 1,200 steps of scalar states, float64"
    tolerance = 1e-9
    threads = (1,)
    known_shapes = True
    names = ("beta", "sigma", "gamma", "start")

    def data(self, random):
        beta, sigma, gamma, start = 0.6, 0.25, 0.15, 1e-4
        rates = self.rates(beta * 1.1, sigma, gamma * 0.9, start)
        values = [np.array(v) for v in (beta, sigma, gamma, start)]
        return dict(zip(self.names, values), y=random.poisson(rates).astype("float64"))

    def step(self, s, e, i, beta, sigma, gamma):
        """The compartments one step later, and the cases that are counted in it."""
        infected, ill, well = DAY * beta * s * i, DAY * sigma * e, DAY * gamma * i
        return s - infected, e + infected - ill, i + ill - well, PEOPLE * ill

    def first(self, start):
        return 1 - 2 * start, start, start

    def rates(self, beta, sigma, gamma, start):
        (s, e, i), rates = self.first(start), []
        for _ in range(STEPS):
            s, e, i, rate = self.step(s, e, i, beta, sigma, gamma)
            rates.append(rate)
        return rates

    def likelihood(self, log, rates, y):
        """Poisson, without the term that does not depend on the parameters."""
        return (y * log(rates) - rates).sum()

    def numpy(self, d):
        values, y = [float(d[n]) for n in self.names], d["y"]
        return lambda: with_derivatives(lambda *v: self.likelihood(np.log, np.array(self.rates(*v)), y), values)

    def symbolic(self, d, s):
        values = s.variables(d, " ".join(self.names))
        (y,) = s.variables(d, "y")
        rates = s.scan(
            self.step, outputs_info=list(self.first(values[3])) + [None], non_sequences=values[:3], n_steps=STEPS
        )[3]
        cost = self.likelihood(s.T.log, rates, y)
        f = s.function(values + [y], [cost] + s.grad(cost, values))
        arrays = [d[n] for n in self.names] + [d["y"]]
        return lambda: f(*arrays)

    def torch(self, d, t, compiled):
        values, y, step = [d[n].requires_grad_() for n in self.names], d["y"], compiled(self.step)

        def call():
            (s, e, i), rates = self.first(values[3]), []
            for _ in range(STEPS):
                s, e, i, rate = step(s, e, i, *values[:3])
                rates.append(rate)
            cost = self.likelihood(t.log, t.stack(rates), y)
            return (cost,) + t.autograd.grad(cost, values)

        return call

    def jax(self, d, j):
        values, y = [d[n] for n in self.names], d["y"]

        def cost_of(values, y):
            def body(state, _):
                s, e, i, rate = self.step(*state, *values[:3])
                return (s, e, i), rate

            rates = j.lax.scan(body, self.first(values[3]), None, STEPS)[1]
            return self.likelihood(j.numpy.log, rates, y)

        f = j.jit(j.value_and_grad(cost_of))

        def call():
            cost, slopes = f(values, y)
            return [cost] + slopes

        return call


ROWS = [Seir()]
