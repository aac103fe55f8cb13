"""Graphs and functions for people's eyes."""

from __future__ import annotations

import sys

from . import _core
from ._core import Function, TensorVariable, pp


def _outputs(obj):
    if isinstance(obj, Function):
        return obj.outputs
    if isinstance(obj, (list, tuple)):
        return [v for item in obj for v in _outputs(item)]
    return [obj]


def debugprint(
    obj, depth=-1, print_type=False, file=None, ids="CHAR", stop_on_name=False, print_sites=True
):
    """Writes the graph of a variable, a list or a function as a tree; file="str" returns the text."""
    text = _core.debugprint(_outputs(obj), depth, bool(ids), print_type, print_sites, stop_on_name)
    if file == "str":
        return text
    print(text, file=file or sys.stdout)
    return None


def explain(function, file=None):
    """Writes what the compiler did to a function: rewriting steps, program, kernels."""
    text = function.explain()
    if file == "str":
        return text
    print(text, file=file or sys.stdout)
    return None


pprint = pp


def graph_text(obj, inputs=None, name="graph"):
    """The text form of a graph, which the library reads back."""
    return _core.graph_text(_outputs(obj), inputs, name)


class Print:
    """Print("message")(x) is x, and writes it whenever it is computed."""

    def __init__(self, message=""):
        self.message = message

    def __call__(self, x) -> TensorVariable:
        return _core.print_(x, self.message)


__all__ = ["Print", "debugprint", "explain", "graph_text", "pp", "pprint"]
