"""The settings of the library as attributes: croton.config.floatX = "float32"."""

from __future__ import annotations

import contextlib

from . import _core


def _convert(text, default):
    if default in ("true", "false"):
        return text == "true"
    try:
        int(default)
    except ValueError:
        return text
    return int(text)


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

    @contextlib.contextmanager
    def change_flags(self, **flags):
        """Settings within a `with` block, or a decorated function."""
        before = {name: getattr(self, name) for name in flags}
        try:
            for name, value in flags.items():
                setattr(self, name, value)
            yield self
        finally:
            for name, value in before.items():
                setattr(self, name, value)

    def __str__(self):
        lines = []
        for name, doc, default, choices in _core.setting_infos():
            options = f" ({', '.join(choices)})" if choices else ""
            lines.append(f"{name} = {_core.get_setting(name)!r}, by default {default!r}{options}\n    {doc}")
        return "\n".join(lines)


config = Config()
change_flags = config.change_flags
