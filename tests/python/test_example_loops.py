"""The examples written with scan: both languages give the same numbers, and the numbers are right."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import croton as ct
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[2]
PYTHON, NATIVE = "python", "native"
PROGRAMS = ["char_lstm", "language_of_words", "epidemic", "kalman", "iterations", "hmc"]


def command(program, language):
    if language == PYTHON:
        return [sys.executable, ROOT / "examples" / f"{program}.py"]
    built = pathlib.Path(ct._core.__file__).parents[2] / "examples" / program
    if not built.exists():
        pytest.skip(f"{built} is not there: CROTON_EXAMPLES is off, or the target was not built")
    return [built]


def start(program, language, *options, **environment):
    package = str(pathlib.Path(ct.__file__).absolute().parents[1])
    return subprocess.run(
        [str(part) for part in [*command(program, language), *options]], capture_output=True, text=True,
        timeout=300, env={**os.environ, "PYTHONPATH": package, **environment},
    )  # fmt: skip


def both(program, folder, *options):
    """The text that the Python program prints, after a look at whether C++ prints and saves the same."""
    printed = {}
    for language in (PYTHON, NATIVE):
        done = start(program, language, "--output", folder / language, *options)
        assert done.returncode == 0, done.stdout + done.stderr
        printed[language] = re.sub(r"\b[\d.]+ s\b", "so many s", done.stdout)
    assert printed[PYTHON] == printed[NATIVE]
    files = sorted(path.name for path in (folder / PYTHON).iterdir())
    assert files == sorted(path.name for path in (folder / NATIVE).iterdir())
    for name in files:
        if name.endswith(".npz"):
            in_python, native = np.load(folder / PYTHON / name), np.load(folder / NATIVE / name)
            assert sorted(in_python) == sorted(native)
            for key in in_python:
                np.testing.assert_allclose(native[key], in_python[key], 1e-6, 1e-9, err_msg=f"{name}: {key}")
    return printed[PYTHON]


def saved(folder, name):
    return np.load(folder / PYTHON / name)


def complaint(program, language, *options, **environment):
    """What a program says that cannot run."""
    done = start(program, language, *options, **environment)
    assert done.returncode != 0, done.stdout
    return done.stderr


def bible_or_skip():
    if not shutil.which("bible"):
        pytest.skip("the King James Bible (Debian's packages bible-kjv and bible-kjv-text) is not installed")


def word_lists_or_skip():
    lists = [pathlib.Path("/usr/share/dict") / name for name in ("american-english", "french", "ngerman")]
    if not all(path.exists() for path in lists):
        pytest.skip("word lists (Debian's packages wamerican, wfrench and wngerman) are not installed")


def test_char_lstm_learns_a_text(tmp_path):
    random = np.random.default_rng(3)
    words = [b"and", b"the", b"lord", b"said", b"unto", b"moses"]
    text = b"".join(words[i] + (b"\n" if i == 3 else b" ") for i in random.integers(0, len(words), 12000))
    (tmp_path / "text").write_bytes(text)
    options = ("--hidden", 32, "--batch", 8, "--steps", 16, "--epochs", 1)
    both("char_lstm", tmp_path, "--data", tmp_path / "text", *options)
    losses = saved(tmp_path, "char_lstm_losses.npz")["losses"]
    assert abs(losses[0] - np.log(len(set(text)))) < 0.2
    assert losses[-20:].mean() < 0.75  # ln 6 nats a word of four to five characters are 0.36 each
    written = (tmp_path / PYTHON / "char_lstm.txt").read_text()
    assert written == (tmp_path / NATIVE / "char_lstm.txt").read_text()
    assert len(written) == 400 and sum(word in {w.decode() for w in words} for word in written.split()) > 40


@pytest.mark.parametrize("language", [PYTHON, NATIVE])
def test_char_lstm_reads_the_bible(language, tmp_path):
    bible_or_skip()
    done = start("char_lstm", language, "--seconds", 0, "--hidden", 8, "--epochs", 1, "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "4137850 characters, 63 different ones" in done.stdout


@pytest.mark.parametrize("language", [PYTHON, NATIVE])
def test_char_lstm_names_the_packages_it_misses(language):
    assert "apt-get install bible-kjv" in complaint("char_lstm", language, PATH="/nowhere")


@pytest.mark.parametrize("language", [PYTHON, NATIVE])
def test_char_lstm_wants_a_longer_text(language, tmp_path):
    (tmp_path / "short").write_text("In the beginning\n")
    assert "too few" in complaint("char_lstm", language, "--data", tmp_path / "short")


def test_language_of_words_tells_languages(tmp_path):
    word_lists_or_skip()
    options = ("--words", 1500, "--hidden", 24, "--epochs", 3, "--batch", 32)
    printed = both("language_of_words", tmp_path, *options)
    losses = saved(tmp_path, "language_of_words_losses.npz")["losses"]
    assert abs(losses[0] - np.log(3)) < 1e-6  # all the same to it
    assert losses[-50:].mean() < 0.65
    assert float(printed.split("epoch 3: mean loss")[1].split()[1]) > 75


@pytest.mark.parametrize("language", [PYTHON, NATIVE])
def test_language_of_words_names_the_packages_it_misses(language, tmp_path):
    said = complaint("language_of_words", language, "--data", tmp_path)
    assert "apt-get install wamerican wfrench wngerman" in said and "american-english" in said


def test_epidemic_finds_what_made_the_cases(tmp_path):
    both("epidemic", tmp_path)
    np.testing.assert_allclose(saved(tmp_path, "epidemic.npz")["found"], [2.5, 4, 6, 50], rtol=0.03)
    drawings = [tmp_path / language / "epidemic.svg" for language in (PYTHON, NATIVE)]
    assert drawings[0].read_text() == drawings[1].read_text()


def some_cases(reproduction, incubation, infectious, first, people=1e6, days=150, parts=200):
    """What the equations give in smaller steps than the example's."""
    s, e, i, cases = people - first, 0.0, first, np.zeros(days)
    for part in range(days * parts):
        infections = reproduction / infectious * s * i / people / parts
        onsets, recoveries = e / incubation / parts, i / infectious / parts
        s, e, i = s - infections, e + infections - onsets, i + onsets - recoveries
        cases[part // parts] += onsets
    return cases


@pytest.mark.parametrize("language", [PYTHON, NATIVE])
def test_epidemic_reads_cases(language, tmp_path):
    truth = [3.0, 3.0, 5.0, 20.0]
    cases = tmp_path / "cases"
    cases.write_text("".join(f"{round(number)}\n" for number in some_cases(*truth)))
    done = start("epidemic", language, "--data", cases, "--output", tmp_path / language)
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / language / "epidemic.npz")["found"]
    np.testing.assert_allclose(found[:3], truth[:3], rtol=0.02)
    assert abs(found[3] / truth[3] - 1) < 0.15  # it pays for the example's larger steps


@pytest.mark.parametrize("program", ["epidemic", "kalman"])
@pytest.mark.parametrize("language", [PYTHON, NATIVE])
def test_files_of_something_else_are_refused(program, language, tmp_path):
    (tmp_path / "poem").write_text("Tyger tyger burning bright\n")
    assert "poem" in complaint(program, language, "--data", tmp_path / "poem")
    assert "missing" in complaint(program, language, "--data", tmp_path / "missing")


def test_kalman_finds_the_noise(tmp_path):
    both("kalman", tmp_path)
    push, blur = saved(tmp_path, "kalman.npz")["found"]
    assert abs(push / 0.1 - 1) < 0.3 and abs(blur / 2 - 1) < 0.1
    losses = saved(tmp_path, "kalman.npz")["losses"]
    assert losses[-1] < losses[0] and abs(losses[-1] - losses[-50]) < 1e-3


def test_iterations_are_right(tmp_path):
    both("iterations", tmp_path)
    found = saved(tmp_path, "iterations.npz")
    np.testing.assert_allclose(found["slope"], np.outer(found["vector"], found["vector"]), atol=1e-9)
    assert 3 < found["count"] < 100 and abs(np.linalg.norm(found["vector"]) - 1) < 1e-12
    times = 0.25 * np.arange(1, 13)
    np.testing.assert_allclose(found["angles"] - 0.8 * np.sin(found["angles"]), times, rtol=1e-12)
    np.testing.assert_allclose(found["speeds"], 1 / (1 - 0.8 * np.cos(found["angles"])), rtol=1e-12)


def test_hmc_draws_from_its_distribution(tmp_path):
    both("hmc", tmp_path, "--draws", 600)
    found = saved(tmp_path, "hmc.npz")
    assert found["chains"].shape == (600, 50, 2)
    np.testing.assert_allclose(found["mean"], [1, -2], atol=0.06)
    np.testing.assert_allclose(found["covariance"], [[2, 0.8], [0.8, 0.5]], rtol=0.08)
    last = found["chains"][-1]
    assert np.unique(last[:, 0]).size == 50  # each chain has numbers of its own


@pytest.mark.parametrize("program", PROGRAMS)
def test_wrong_options_are_named(program):
    assert "--sed" in complaint(program, NATIVE, "--sedd", "3")
    said = complaint(program, NATIVE, "--seed", "three")
    assert "seed" in said and "three" in said
