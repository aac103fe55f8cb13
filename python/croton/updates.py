"""Updates of shared variables in order."""

from ._core import TensorSharedVariable, UsageError


class OrderedUpdates(dict):
    """A dictionary from shared variables to their new values, which keeps its order.

    Adding two refuses different values for one variable.
    """

    def __init__(self, *args, **kwargs):
        super().__init__()
        self.update(*args, **kwargs)

    def __setitem__(self, key, value):
        if not isinstance(key, TensorSharedVariable):
            raise UsageError(f"updates are of shared variables, not of {key!r}")
        super().__setitem__(key, value)

    def update(self, other=(), **kwargs):
        """Takes over the pairs of another; the same variable must not get another value."""
        pairs = other.items() if hasattr(other, "items") else other
        for key, value in pairs:
            if key in self and self[key] is not value:
                raise UsageError(f"{key} would be updated in two ways")
            self[key] = value

    def __add__(self, other):
        result = OrderedUpdates(self)
        result.update(other)
        return result

    def __radd__(self, other):
        return OrderedUpdates(other) + self
