"""Compiling functions."""

from __future__ import annotations

from . import _core
from ._core import Function, In, Mode, Out, Profile
from .shared import SharedVariable, shared
from .updates import OrderedUpdates

ProfileStats = Profile


def function(
    inputs,
    outputs=None,
    mode=None,
    updates=None,
    givens=None,
    no_default_updates=False,
    accept_inplace=False,
    name=None,
    rebuild_strict=True,
    allow_input_downcast=None,
    profile=None,
    on_unused_input=None,
) -> Function:
    """Compiles outputs of inputs into a function of arrays.

    inputs: a list of variables or In. outputs: a variable, an Out, a list of them, a dictionary with
    strings as keys, or None; calls give the same form. mode: "quick", "fast", "check", Theano's names for
    them, or a Mode. updates: new values of shared variables (a dictionary or pairs), all at once after a
    call. givens: what stands in the place of which variable. no_default_updates: True or a list of
    shared variables whose default updates are left out. name: for messages and profiles (the line of
    the call otherwise). allow_input_downcast: True takes any dtype, False lossless conversions only,
    None those and plain numbers. profile: True keeps time and memory in f.profile. on_unused_input:
    raise, warn or ignore.

    accept_inplace and rebuild_strict have no effect: graphs hold no destructive ops, and givens must
    have the type of what they replace.
    """
    if profile is not None and not isinstance(profile, (bool, str)):
        raise _core.TensorTypeError(f"profile takes True or False, not {profile!r}")
    return _core.make_function(
        inputs,
        outputs,
        mode,
        updates,
        givens,
        no_default_updates,
        name or "",
        allow_input_downcast,
        bool(profile),
        on_unused_input or "",
    )


def get_mode(name):
    """The mode of that name."""
    return Mode(name)


__all__ = [
    "Function", "In", "Mode", "OrderedUpdates", "Out", "Profile", "ProfileStats", "SharedVariable",
    "function", "get_mode", "shared",
]  # fmt: skip
