"""Optimisers: from a loss and its parameters to the updates of a training function.

step = ct.function([x, y], loss, updates=ct.optimizers.adam(loss, [w, b]))
"""

from __future__ import annotations

from . import _core
from .updates import OrderedUpdates


class Steps(OrderedUpdates):
    """Updates for a function; ``state`` lists the shared variables that the optimiser keeps."""

    def __init__(self, made):
        updates, self.state = made
        super().__init__(updates)


def sgd(loss, parameters, rate):
    """w -= rate * gradient."""
    return Steps(_core.sgd(loss, list(parameters), rate))


def momentum(loss, parameters, rate, momentum=0.9, nesterov=False):
    """v = momentum * v - rate * gradient; w += v (Nesterov: w += momentum * v - rate * gradient)."""
    return Steps(_core.momentum(loss, list(parameters), rate, momentum, nesterov))


def adagrad(loss, parameters, rate, epsilon=1e-7):
    """Adagrad (Duchi et al. 2011)."""
    return Steps(_core.adagrad(loss, list(parameters), rate, epsilon))


def rmsprop(loss, parameters, rate=1e-3, decay=0.9, epsilon=1e-7):
    """RMSprop (Tieleman and Hinton 2012)."""
    return Steps(_core.rmsprop(loss, list(parameters), rate, decay, epsilon))


def adam(loss, parameters, rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Adam (Kingma and Ba 2015) with bias correction."""
    return Steps(_core.adam(loss, list(parameters), rate, beta1, beta2, epsilon))


__all__ = ["Steps", "adagrad", "adam", "momentum", "rmsprop", "sgd"]
