"""The settings of the library as attributes: croton.config.floatX = "float32"."""

from __future__ import annotations

from . import _core


def _convert(text, default):
    if default in ("true", "false"):
        return text == "true"
    try:
        int(default)
    except ValueError:
        return text
    return int(text)


class _Changed:
    """Settings for a while. (contextlib would be the dearest part of this module's import.)"""

    def __init__(self, config, flags):
        self._config, self._flags = config, flags
        self._before = []

    def _set(self, flags):
        for name, value in flags.items():
            setattr(self._config, name, value)

    def __enter__(self):
        self._before.append({name: getattr(self._config, name) for name in self._flags})
        try:
            self._set(self._flags)
        except BaseException:
            self._set(self._before.pop())
            raise
        return self._config

    def __exit__(self, *error):
        self._set(self._before.pop())

    def __call__(self, function):
        from functools import wraps

        @wraps(function)
        def changed(*args, **kwargs):
            with _Changed(self._config, self._flags):
                return function(*args, **kwargs)

        return changed


class Config:
    """Each setting is an attribute; print(croton.config) lists them with their meaning.

    The environment variable CROTON_FLAGS ("floatX=float32,threads=1") sets them at start.
    """

    __slots__ = ("_defaults",)

    def __init__(self):
        object.__setattr__(
            self, "_defaults", {name: default for name, _, default, _ in _core.setting_infos()}
        )

    def __getattr__(self, name):
        if name not in self._defaults:
            raise AttributeError(
                f"there is no setting {name!r}; there are {', '.join(self._defaults)}"
            )
        return _convert(_core.get_setting(name), self._defaults[name])

    def __setattr__(self, name, value):
        if name not in self._defaults:
            raise AttributeError(
                f"there is no setting {name!r}; there are {', '.join(self._defaults)}"
            )
        _core.set_setting(name, str(value).lower() if isinstance(value, bool) else str(value))

    def __dir__(self):
        return [*self._defaults, "change_flags"]

    def change_flags(self, **flags):
        """Settings within a `with` block, or a decorated function."""
        return _Changed(self, flags)

    def __str__(self):
        lines = []
        for name, doc, default, choices in _core.setting_infos():
            options = f" ({', '.join(choices)})" if choices else ""
            lines.append(f"{name} = {_core.get_setting(name)!r}, by default {default!r}{options}\n    {doc}")
        return "\n".join(lines)


config = Config()
change_flags = config.change_flags
