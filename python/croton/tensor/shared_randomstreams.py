"""Random draws that move on with every call of a function.

The numbers come from a counter-based generator (Philox), not from NumPy's RandomState: the same seed
gives the same numbers on every machine, but not Theano's.
"""

from __future__ import annotations

import numpy as np

from .. import _core
from . import _more, _ops


def _sized(size, ndim):
    """Sizes as the library takes them; a symbolic vector needs ndim unless its length is known."""
    if size is None:
        return ()
    if isinstance(size, _core.TensorVariable) and size.ndim == 1 and ndim is not None:
        return [size[i] for i in range(ndim)]
    return size


class RandomStreams:
    """Draws from distributions: each has a state of its own that a call of a function moves on."""

    def __init__(self, seed=None):
        """seed: an integer; None takes one from the system."""
        if seed is None:
            seed = int(np.random.SeedSequence().entropy) % 2**63
        self._stream = _core.RandomStream(int(seed))

    def seed(self, seed=None):
        """Starts all draws made so far, and those to come, anew."""
        if seed is None:
            seed = int(np.random.SeedSequence().entropy) % 2**63
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
        return self._stream.uniform(_sized(size, ndim), low, high, dtype)

    def normal(self, size=None, avg=0.0, std=1.0, ndim=None, dtype=None):
        """Normal with this mean and deviation."""
        return self._stream.normal(_sized(size, ndim), avg, std, dtype)

    def random_integers(self, size=None, low=0, high=1, ndim=None, dtype="int64"):
        """Integers from low to high, both included."""
        high = _more.as_tensor_variable(high) + 1
        return self._stream.integers(_sized(size, ndim), low, high, dtype)

    def binomial(self, size=None, n=1, p=0.5, ndim=None, dtype="int64"):
        """How many of n trials succeed with probability p each."""
        if isinstance(n, _core.TensorVariable):
            raise _core.UnsupportedError("binomial: n must be a plain number")
        if n == 1:
            return _ops.cast(self._stream.bernoulli(_sized(size, ndim), p), dtype)
        sizes = _sized(size, ndim)
        sizes = list(sizes) if isinstance(sizes, (list, tuple)) else [sizes]
        trials = self._stream.bernoulli([n, *sizes], p)
        return _ops.cast(_more.sum(_ops.cast(trials, "int64"), axis=0), dtype)

    def permutation(self, size=None, n=1):
        """0 to n - 1 in random order."""
        if size not in (None, (), []):
            raise _core.UnsupportedError("permutation: one at a time (size=None)")
        return self._stream.permutation(n)

    def choice(self, size=1, a=2, replace=True, p=None):
        """Elements of the vector `a` (or of arange(a)), with or without putting them back."""
        if p is not None:
            raise _core.UnsupportedError("choice: use multinomial for given probabilities")
        v = _more.as_tensor_variable(a)
        return self._stream.choice(_ops.arange(v) if v.ndim == 0 else v, size, replace)

    def multinomial(self, size=None, n=1, pvals=None, dtype="int64"):
        """One of the classes of each row of probabilities, as a row with a single one."""
        if n != 1 or size is not None:
            raise _core.UnsupportedError("multinomial: n=1 and the rows of pvals only")
        p = _more.as_tensor_variable(pvals)
        drawn = self._stream.categorical(p)
        classes = _ops.arange(p.shape[p.ndim - 1])
        return _ops.cast(_ops.eq(_ops.expand_dims(drawn, p.ndim - 1), classes), dtype)

    def categorical(self, p):
        """One class of each row of probabilities, as its number."""
        return self._stream.categorical(p)

    def shuffle_row_elements(self, input):
        """The rows of the input in random order."""
        return self._stream.shuffled(input)
