"""The example programs: C++ and Python do the same, to the last digit."""

import gzip
import os
import pathlib
import struct
import subprocess
import sys

import croton as ct
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[2]
COUNTS = {"train": 1500, "t10k": 300}


def real_images(split, count):
    """The first images of the installed data set, or None where it is not installed."""
    try:
        images, labels = ct.interop.fashion_mnist("test" if split == "t10k" else split)
    except ct.FileError:
        return None
    return images[:count], labels[:count]


def drawn_images(split, count):
    """Ten noisy patterns, for machines without the data set."""
    random = np.random.default_rng(5 if split == "train" else 6)
    patterns = np.random.default_rng(4).integers(0, 200, (10, 28, 28))
    labels = random.integers(0, 10, count).astype("uint8")
    return (patterns[labels] + random.integers(0, 56, (count, 28, 28))).astype("uint8"), labels


@pytest.fixture(scope="module", params=["real", "drawn"])
def data(request, tmp_path_factory):
    """A folder with a small data set in the IDX format, zipped."""
    folder = tmp_path_factory.mktemp(request.param)
    for split, count in COUNTS.items():
        found = real_images(split, count) if request.param == "real" else drawn_images(split, count)
        if found is None:
            pytest.skip("Fashion-MNIST (Debian's package dataset-fashion-mnist) is not installed")
        for what, array in zip(("images-idx3", "labels-idx1"), found):
            head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            with gzip.open(folder / f"{split}-{what}-ubyte.gz", "wb", 1) as file:
                file.write(head + np.ascontiguousarray(array).tobytes())
    return folder


def run(program, output, data, *options):
    """Lines about epochs that the program prints, and the parameters it saves."""
    command = [*program, "--data", data, "--output", output, "--epochs", "2", "--batch", "100", *options]
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(pathlib.Path(ct.__file__).absolute().parents[1])},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("epoch ") and "mean loss" in line]
    assert len(lines) == 2, done.stdout
    return lines, (output / "parameters.npz").read_bytes(), np.load(output / "parameters.npz")


def native():
    """The compiled example beside the package in the build tree."""
    program = pathlib.Path(ct._core.__file__).parents[2] / "examples" / "fashion_mnist"
    if not program.exists():
        pytest.skip(f"{program} is not there: CROTON_EXAMPLES is off, or the target fashion_mnist was not built")
    return [program]


@pytest.mark.parametrize(
    "options", [(), ("--optimizer", "momentum"), ("--model", "logistic", "--seed", "7")], ids=" ".join
)
def test_fashion_mnist_is_the_same_in_both_languages(data, options, tmp_path):
    program = native()
    lines, raw, parameters = run(program, tmp_path / "native", data, *options)
    in_python, raw_in_python, parameters_in_python = run(
        [sys.executable, ROOT / "examples" / "fashion_mnist.py"], tmp_path / "python", data, *options
    )
    assert lines == in_python
    assert raw == raw_in_python
    assert sorted(parameters) == sorted(parameters_in_python) and len(parameters.files) >= 2
    for name in parameters:
        np.testing.assert_array_equal(parameters[name], parameters_in_python[name])
    first, second = (float(line.split()[4].rstrip(",")) for line in lines)
    assert second < first < 2.5
    again, _, _ = run(program, tmp_path / "again", data, *options)
    assert again == lines
    assert run(program, tmp_path / "other", data, *options, "--seed", "8")[0] != lines
