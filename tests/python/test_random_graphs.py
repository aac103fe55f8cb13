"""Random graphs of tests/fuzz: Croton's interpreter and NumPy give the same values.

tests/fuzz itself compares rewritten, fused and compiled graphs with that interpreter. CROTON_FUZZ_SEED and
CROTON_FUZZ_COUNT choose other graphs; a failure names the seed of its graph."""

import os
import pathlib
import subprocess

import croton as ct
import numpy as np
import pytest

from numpy_judge import Graph, Reader, evaluate

ROUNDING = {"float32": 2e-4, "float64": 1e-9, "complex64": 2e-4, "complex128": 1e-9}


def agree(expected, found):
    """Whether arrays are equal; numbers with a point up to rounding of the largest element."""
    if expected.shape != found.shape or expected.dtype != found.dtype:
        return False
    rounding = ROUNDING.get(str(expected.dtype))
    if rounding is None:
        return np.array_equal(expected, found)
    finite = np.abs(expected[np.isfinite(expected)])
    return np.allclose(found, expected, rounding, rounding * max(1, finite.max(initial=0)), equal_nan=True)


def written_graphs(folder):
    """(seed, graph, inputs, values of outputs) of each graph that the test program writes."""
    program = pathlib.Path(ct._core.__file__).parents[2] / "tests" / "test_fuzz"
    if not program.exists():
        pytest.skip(f"{program} is not there: the target test_fuzz was not built")
    done = subprocess.run(
        [program, "--gtest_filter=RandomGraphs.AreWrittenForAnotherJudge"], capture_output=True, text=True,
        env={**os.environ, "CROTON_FUZZ_WRITE": str(folder)}, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    arrays = dict(np.load(folder / "values.npz"))
    for text in (folder / "graphs.txt").read_text().split("seed ")[1:]:
        seed, text = text.split("\n", 1)
        inputs, values = ([arrays[key] for key in numbered(arrays, f"{seed}/{what}")] for what in ("in", "out"))
        yield seed, text, inputs, values


def numbered(arrays, prefix):
    count = 0
    while f"{prefix}{count}" in arrays:
        yield f"{prefix}{count}"
        count += 1


def test_random_graphs_have_the_values_that_numpy_gives(tmp_path):
    count, wrong = 0, []
    for seed, text, inputs, values in written_graphs(tmp_path):
        graph = Reader(text).graph()
        assert len(graph.inputs) == len(inputs) and len(graph.outputs) == len(values)
        try:
            found = evaluate(graph, inputs)
            count += 1
        except Exception as error:
            wrong.append(f"seed {seed}: {error!r}\n{text}")
            continue
        for i, (expected, value) in enumerate(zip(values, found)):
            if not agree(expected, value) and (
                "f32" not in text or not near_the_truth(graph, inputs, i, expected, value)
            ):
                wrong.append(f"seed {seed}, output {i}: {expected!r}, NumPy: {value!r}\n{text}")
    assert not wrong, f"{len(wrong)} of {count} graphs\n" + "\n".join(wrong[:5])
    assert count >= int(os.environ.get("CROTON_FUZZ_COUNT", 2000))


def near_the_truth(graph, inputs, i, expected, value):
    """Where float32 loses digits, float64 throughout says whether Croton is at least as near as NumPy."""
    if expected.dtype.kind not in "fc" or expected.shape != value.shape:
        return False
    truth = evaluate(graph, inputs, widest=True)[i]
    with np.errstate(invalid="ignore"):  # infinities from each other
        ours, theirs = np.abs(expected - truth), np.abs(value - truth)
    same = (expected == truth) | (np.isnan(truth) & np.isnan(expected))
    return bool(np.all(same | (ours <= theirs) | (ours <= 2e-4 * (1 + np.abs(truth)))))


def test_the_judge_finds_what_is_wrong(tmp_path):
    """A graph whose text says another thing than its values is found."""
    text = "graph(%0: f64[2] \"x\") {\n  %1 = mul(%0, f64[] 2.0) : f64[2]\n  return %1\n}"
    x = np.array([1.0, 2.0])
    (found,) = evaluate(Reader(text).graph(), [x])
    assert agree(2 * x, found) and not agree(3 * x, found)
    (found,) = evaluate(Reader(text.replace("mul", "add")).graph(), [x])
    assert not agree(2 * x, found)
    with pytest.raises(AssertionError, match="rank"):
        evaluate(Reader(text.replace(": f64[2]\n  return", ": f64[2,1]\n  return")).graph(), [x])
    with pytest.raises(ValueError, match="return"):
        Reader("graph(%0: f64[2]) { return return }").graph()
