"""Parts of arrays replaced and incremented."""

from ._ops import inc_subtensor, set_subtensor, take

__all__ = ["inc_subtensor", "set_subtensor", "take"]
