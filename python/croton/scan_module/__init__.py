"""Loops in the graph, under Theano's names."""

from .plain_loops import cond, for_loop, while_loop
from .scan import scan
from .scan_checkpoints import scan_checkpoints
from .scan_utils import until
from .scan_views import foldl, foldr, map, reduce

__all__ = [
    "cond", "foldl", "foldr", "for_loop", "map", "reduce", "scan", "scan_checkpoints", "until", "while_loop",
]  # fmt: skip
