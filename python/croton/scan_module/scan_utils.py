"""What bodies of loops give back, and what loops are handed, brought to one form."""

from __future__ import annotations

from .._core import TensorSharedVariable, TensorTypeError, TensorVariable, UsageError
from ..updates import OrderedUpdates


class until:
    """Ends the loop after the first step in which the condition, a bool scalar, is true.

    That step counts. A body gives it behind its outputs and updates.
    """

    def __init__(self, condition):
        self.condition = condition


def as_list(value):
    """None: nothing; a list or tuple: its items; anything else: itself alone."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _are_updates(value):
    if isinstance(value, dict):
        return True
    return (
        isinstance(value, (list, tuple))
        and len(value) > 0
        and all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in value)
        and all(isinstance(pair[0], TensorSharedVariable) for pair in value)
    )


def get_updates_and_outputs(returned):
    """(condition or None, outputs, updates) of what a body gave: each of them may be left out."""
    if returned is None:
        return None, [], OrderedUpdates()
    parts = [returned]
    if isinstance(returned, (list, tuple)) and not _are_updates(returned):
        parts = list(returned)
    condition, outputs, updates = None, [], OrderedUpdates()
    for part in parts:
        if isinstance(part, until):
            if condition is not None:
                raise UsageError("scan: the body gives two conditions to stop")
            condition = part.condition
        elif _are_updates(part):
            updates.update(part)
        elif isinstance(part, (list, tuple)):
            outputs.extend(part)
        else:
            outputs.append(part)
    return condition, outputs, updates


def _taps(info, default, what):
    taps = info.get("taps")
    if taps is None:
        return [default]
    return list(taps) if isinstance(taps, (list, tuple)) else [taps]


def _check_keys(info, allowed, what):
    wrong = [key for key in info if key not in allowed]
    if wrong:
        raise UsageError(f"scan: {what} is a dictionary with {' and '.join(allowed)}, not {wrong[0]!r}")


def sequences_and_taps(sequences):
    """(values, taps) of each."""
    result = []
    for i, item in enumerate(as_list(sequences)):
        if isinstance(item, dict):
            _check_keys(item, ("input", "taps"), f"sequence {i}")
            if "input" not in item:
                raise UsageError(f"scan: sequence {i} is a dictionary without input")
            result.append((item["input"], _taps(item, 0, "sequence")))
        else:
            result.append((item, [0]))
    return result


def initials_and_taps(outputs_info):
    """(initial value or None, taps) of each."""
    result = []
    for i, item in enumerate(as_list(outputs_info)):
        if isinstance(item, dict):
            _check_keys(item, ("initial", "taps", "return_steps", "inplace"), f"outputs_info[{i}]")
            if item.get("initial") is None and item.get("taps"):
                raise UsageError(
                    f"scan: outputs_info[{i}] has taps {item['taps']!r} but no initial value: "
                    "the first steps would have nothing to read"
                )
            result.append((item.get("initial"), _taps(item, -1, "output")))
        else:
            result.append((item, [-1]))
    return result


def _check_arguments(fn, sequences, outputs_info, non_sequences):
    """That fn takes as many arguments as it will get."""
    import inspect

    elements = sum(len(taps) for _, taps in sequences)
    past = sum(len(taps) for initial, taps in outputs_info if initial is not None)
    try:
        signature = inspect.signature(fn)
    except (TypeError, ValueError):  # some built-in functions have none
        return
    try:
        signature.bind(*range(elements + past + len(non_sequences)))
    except TypeError as error:
        raise UsageError(
            f"scan: the body {getattr(fn, '__name__', fn)}{signature} is called with {elements} elements of "
            f"sequences, {past} past values of outputs and {len(non_sequences)} non_sequences: {error}"
        ) from None


def written(fn, sequences, outputs_info, non_sequences):
    """The function as the library calls it."""
    if not callable(fn):
        raise TensorTypeError(f"scan: the body is a function, not {fn!r}")
    _check_arguments(fn, sequences, outputs_info, non_sequences)

    def body(arguments):
        condition, outputs, updates = get_updates_and_outputs(fn(*arguments))
        for i, output in enumerate(outputs):
            if output is None:
                raise UsageError(f"scan: output {i} of the body is None")
        return outputs, updates, condition

    return body


def returned(outputs, updates, return_list):
    """What scan gives: one output alone, several in a list, None for none."""
    if not return_list and len(outputs) < 2:
        outputs = outputs[0] if outputs else None
    return outputs, OrderedUpdates(updates)


def single_or_list(values, like):
    """values in the form of `like`: a single one or a list."""
    return list(values) if isinstance(like, (list, tuple)) else values[0]


__all__ = ["get_updates_and_outputs", "until"]
