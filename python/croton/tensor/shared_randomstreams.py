"""Random draws that move on with every call of a function.

The numbers come from a counter-based generator (Philox), not from NumPy's RandomState: the same seed
gives the same numbers on every machine, but not Theano's.
"""

from __future__ import annotations

from .. import _core
from . import _more, _ops


def _sized(size, ndim, *parameters):
    """Sizes as the library takes them: without any, those that the parameters broadcast to.

    A symbolic vector of sizes needs ndim unless its length is known.
    """
    if size is None:
        arrays = [v for v in map(_more.as_tensor_variable, parameters) if v.ndim > 0]
        if not arrays:
            return ()
        total = arrays[0]
        for other in arrays[1:]:
            total = _ops.bitwise_or(_ops.zeros_like(total, "bool"), _ops.zeros_like(other, "bool"))
        return total.shape
    if isinstance(size, _core.TensorVariable) and size.ndim == 1 and ndim is not None:
        return [size[i] for i in range(ndim)]
    return size


def _seed_of_the_system():
    import numpy as np

    return int(np.random.SeedSequence().entropy) % 2**63


class RandomStreams:
    """Draws from distributions: each has a state of its own that a call of a function moves on."""

    def __init__(self, seed=None):
        """seed: an integer; None takes one from the system."""
        if seed is None:
            seed = _seed_of_the_system()
        self._stream = _core.RandomStream(int(seed))

    def seed(self, seed=None):
        """Starts all draws made so far, and those to come, anew."""
        if seed is None:
            seed = _seed_of_the_system()
        self._stream.seed(int(seed))

    def updates(self):
        """(state, next state) of every draw made so far."""
        return [(state, state.default_update) for state in self._stream.states()]

    @property
    def state_updates(self):
        """The same as updates()."""
        return self.updates()

    def uniform(self, size=None, low=0.0, high=1.0, ndim=None, dtype=None):
        """Uniform in [low, high)."""
        return self._stream.uniform(_sized(size, ndim, low, high), low, high, dtype)

    def normal(self, size=None, avg=0.0, std=1.0, ndim=None, dtype=None):
        """Normal with this mean and deviation."""
        return self._stream.normal(_sized(size, ndim, avg, std), avg, std, dtype)

    def random_integers(self, size=None, low=0, high=1, ndim=None, dtype="int64"):
        """Integers from low to high, both included."""
        high = _more.as_tensor_variable(high) + 1
        return self._stream.integers(_sized(size, ndim, low, high), low, high, dtype)

    def binomial(self, size=None, n=1, p=0.5, ndim=None, dtype="int64"):
        """How many of n trials succeed with probability p each."""
        if isinstance(n, int) and n == 1:
            return _ops.cast(self._stream.bernoulli(_sized(size, ndim, p), p), dtype)
        return _ops.cast(self._stream.binomial(_sized(size, ndim, n, p), n, p), dtype)

    def poisson(self, size=None, lam=1.0, ndim=None, dtype="int64"):
        """Counts of events of which lam are expected."""
        return _ops.cast(self._stream.poisson(_sized(size, ndim, lam), lam), dtype)

    def permutation(self, size=None, n=1):
        """0 to n - 1 in random order."""
        if size not in (None, (), []):
            raise _core.UnsupportedError("permutation: one at a time (size=None)")
        return self._stream.permutation(n)

    def choice(self, size=1, a=2, replace=True, p=None):
        """Elements of the vector `a` (or of arange(a)), with or without putting them back.

        p: probabilities of the elements (they need not sum to one); without putting back, more elements
        than have a positive probability are an error when the function runs.
        """
        v = _more.as_tensor_variable(a)
        v = _ops.arange(v) if v.ndim == 0 else v
        if p is None and not isinstance(size, (tuple, list)):
            return self._stream.choice(v, size, replace)
        if replace:
            return _ops.take(v, self._chosen(size, v.shape[0], p), axis=0)
        if isinstance(size, (tuple, list)):
            if len(size) != 1:
                raise _core.UnsupportedError("choice without replacement: size must be one number")
            size = size[0]
        if p is None:
            return self._stream.choice(v, size, False)
        # The smallest of exponential numbers with rates p: Efraimidis and Spirakis (2006).
        p = _ops.cast(p, "float64")
        waits = -_ops.log1p(-self._stream.uniform(p.shape, 0.0, 1.0, "float64")) / p
        enough = _ops.ge(_more.sum(_ops.cast(_ops.gt(p, 0), "int64")), size)
        order = _ops.assert_(
            _ops.argsort(waits), enough, "choice: fewer elements than size have a positive probability"
        )
        return _ops.take(v, order[:size], axis=0)

    def _chosen(self, size, count, p):
        """Positions below count, drawn with probabilities p or equal ones."""
        if p is None:
            return self._stream.integers(_sized(size, None), 0, count, "int64")
        so_far = _more.cumsum(_ops.cast(p, "float64"))
        drawn = self._stream.uniform(_sized(size, None), 0.0, 1.0, "float64") * so_far[-1]
        return _more.searchsorted(so_far, drawn, side="right")

    def multinomial(self, size=None, n=1, pvals=None, dtype="int64"):
        """How often each class comes up in n draws with each row of probabilities."""
        if size is not None:
            raise _core.UnsupportedError("multinomial: give rows of pvals instead of a size")
        if isinstance(n, _core.TensorVariable):
            raise _core.UnsupportedError("multinomial: n must be a plain number")
        p = _more.as_tensor_variable(pvals)
        if n != 1:
            p = _ops.broadcast_to(p, [n, *(p.shape[i] for i in range(p.ndim))])
        drawn = self._stream.categorical(p)
        classes = _ops.arange(p.shape[p.ndim - 1])
        hot = _ops.cast(_ops.eq(_ops.expand_dims(drawn, p.ndim - 1), classes), dtype)
        return hot if n == 1 else _ops.cast(_more.sum(hot, axis=0), dtype)

    def categorical(self, p):
        """One class of each row of probabilities, as its number."""
        return self._stream.categorical(p)

    def shuffle_row_elements(self, input):
        """The rows of the input in random order."""
        return self._stream.shuffled(input)
