"""Methods of variables that are functions with the variable in front."""

from .._core import TensorVariable
from . import _more, _names, _ops


def _method(name):
    function = getattr(_more, name, None) or getattr(_ops, name)

    # A function of its own: those of the extension module do not bind to objects.
    def method(self, *args, **kwargs):
        return function(self, *args, **kwargs)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = function.__doc__
    return method


def _astype(self, dtype):
    """The elements converted to a dtype."""
    return _ops.cast(self, dtype)


def _copy(self, name=None):
    """The same value as another variable."""
    result = _ops.made["fill"](self, self)
    if name is not None:
        result.name = name
    return result


def _reshape(self, *shape, ndim=-1):
    """The same elements in C order with these sizes, of which one may be -1."""
    sizes = shape[0] if len(shape) == 1 else list(shape)
    if ndim is None:
        ndim = -1
    return _ops.reshape(self, sizes, ndim)


def _transpose(self, *axes):
    """Axes reversed, or in the given order."""
    if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], (list, tuple))):
        axes = axes[0] or ()
    return _ops.transpose(self, list(axes) or None)


def _pow(self, other, modulo=None):
    """self ** other."""
    return _ops.pow(self, other)


def _rpow(self, other):
    """other ** self."""
    return _ops.pow(other, self)


def _divmod(self, other):
    return _more.divmod(self, other)


def _rdivmod(self, other):
    return _more.divmod(other, self)


def _round(self, ndigits=None):
    if ndigits not in (None, 0):
        raise TypeError("round() of a variable goes to whole numbers only")
    return _ops.rint(self)


def _eval(self, inputs_to_values=None):
    """The value, given values for the inputs it needs. Compiled once for each set of inputs."""
    from ..compile import function

    given = {_named(self, key): value for key, value in (inputs_to_values or {}).items()}
    cache = self.__dict__.setdefault("_evaluators", {})
    key = tuple(given)
    if key not in cache:
        cache[key] = function(list(key), self, on_unused_input="ignore", name="eval")
    return cache[key](*given.values())


def _named(root, key):
    """Inputs of eval may be named by a string."""
    if isinstance(key, TensorVariable):
        return key
    from .._core import leaves

    found = [leaf for leaf in leaves([root]) if leaf.name == key]
    if len(found) != 1:
        raise KeyError(f"{len(found)} inputs of the expression are named {key!r}")
    return found[0]


def _tag(self):
    """A scratchpad for the user."""
    from types import SimpleNamespace

    return self.__dict__.setdefault("_tag", SimpleNamespace())


def _get_parents(self):
    """The application that computes this, as a list."""
    return [] if self.owner is None else [self.owner]


def _clone(self):
    """A new input of the same type and name."""
    return self.type(self.name)


def attach():
    """Gives TensorVariable its methods."""
    for name in _names.METHODS:
        setattr(TensorVariable, name, _method(name))
    cls = TensorVariable
    cls.compress = lambda self, condition, axis=None: _more.compress(condition, self, axis)
    cls.compress.__doc__ = _more.compress.__doc__
    cls.astype = _astype
    cls.copy = _copy
    cls.reshape = _reshape
    cls.transpose = _transpose
    cls.real = property(lambda self: _ops.real(self), doc="The real part.")
    cls.imag = property(lambda self: _ops.imag(self), doc="The imaginary part.")
    cls.tag = property(_tag, doc=_tag.__doc__)
    cls.eval = _eval
    cls.get_parents = _get_parents
    cls.clone = _clone
    cls.get_scalar_constant_value = _more.get_scalar_constant_value
    cls.__pow__, cls.__rpow__ = _pow, _rpow
    cls.__divmod__, cls.__rdivmod__ = _divmod, _rdivmod
    cls.__round__ = _round
    # NumPy arrays leave operators with variables to the variables.
    cls.__array_priority__ = 1000
    cls.__array_ufunc__ = None
