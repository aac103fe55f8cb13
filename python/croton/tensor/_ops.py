"""The op functions, made from the catalogue of the library in one loop.

``__all__`` lists them; ``describe(name)`` gives the record behind one.
"""

from .. import _core
from . import _names

_records = {record["name"]: record for record in _core.catalogue()}
_KIND_TYPES = {"bool": "bool", "int": "int", "float": "float", "str": "str", "dtype": "DTypeLike"}


def describe(name):
    """The record of an op as a dictionary; raises KeyError for names without one."""
    return _records[_names.ALIASES.get(name, name)]


def _signature(record):
    import inspect

    parameters = []
    defaults = _names.ARGUMENT_DEFAULTS.get(record["name"], {})
    variadic = False
    for name, _accepts, many in record["arguments"]:
        variadic = variadic or (many and not record["attributes"])
        kind = (
            inspect.Parameter.VAR_POSITIONAL
            if many and not record["attributes"]
            else inspect.Parameter.POSITIONAL_OR_KEYWORD
        )
        default = defaults.get(name, inspect.Parameter.empty)
        parameters.append(inspect.Parameter(name, kind, default=default))
    for name, _kind, default, required, _doc in record["attributes"]:
        parameters.append(
            inspect.Parameter(
                "axis" if name == "axes" else name,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=inspect.Parameter.empty if required else default,
            )
        )
    return inspect.Signature(parameters)


def _docstring(record):
    lines = [record["doc"]]
    takes = {"any": "anything"}
    notes = [
        f"    {name}: {takes.get(accepts, accepts)}{', any number of them' if many else ''}"
        for name, accepts, many in record["arguments"]
    ]
    for name, kind, default, required, doc in record["attributes"]:
        shown = "required" if required else f"default {default}"
        notes.append(f"    {'axis' if name == 'axes' else name}: {doc or kind} ({shown})")
    return "\n".join([*lines, "", "Arguments:", *notes])


class _Written:
    """What a function was made from, which tells its signature to who asks for it.

    inspect.signature() looks there; making signatures of all functions would be a good part of an import.
    """

    def __init__(self, record):
        self.__name__ = record["name"]
        self._record = record

    @property
    def __signature__(self):
        return _signature(self._record)

    def __call__(self, *args, **kwargs):
        return made[self.__name__](*args, **kwargs)


def _make(record):
    name = record["name"]
    apply = _core.apply
    defaults = _names.ARGUMENT_DEFAULTS.get(name)
    if defaults:
        order = [argument[0] for argument in record["arguments"]]

        def function(*args, **kwargs):
            for key, value in defaults.items():
                if key not in kwargs and len(args) <= order.index(key):
                    kwargs[key] = value
            return apply(name, args, kwargs)

    else:

        def function(*args, **kwargs):
            return apply(name, args, kwargs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = _docstring(record)
    function.__wrapped__ = _Written(record)
    function.__module__ = "croton.tensor"
    return function


made = {}  # every record's function, those inside of others too
for _name, _record in _records.items():
    made[_name] = _make(_record)
    if _name not in _names.INSIDE:
        globals()[_name] = made[_name]
for _name in _names.FRIENDLY:
    globals()[_name] = getattr(_core, _name)
for _name, _target in _names.ALIASES.items():
    globals()[_name] = globals()[_target]

__all__ = sorted(
    (set(_records) - set(_names.INSIDE)) | set(_names.FRIENDLY) | set(_names.ALIASES)
)
