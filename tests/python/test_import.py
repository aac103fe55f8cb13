"""What importing takes: neither NumPy nor anything else that is dear, and no LLVM for small graphs."""

import inspect
import subprocess
import sys

import croton as ct
import croton.tensor as T
import pytest


def run(program):
    """The output of a program in a new process."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_numpy_waits_for_the_first_array():
    said = run(
        "import sys, croton as ct, croton.tensor as T\n"
        "print('numpy' in sys.modules)\n"
        "x = T.dvector('x'); f = ct.function([x], x + 1)\n"
        "print('numpy' in sys.modules)\n"
        "print(f([1.0, 2.0]).sum(), 'numpy' in sys.modules)\n"
    )
    assert said == ["False", "False", "5.0", "True"]


def test_an_import_brings_in_nothing_dear():
    dear = {"inspect", "typing", "contextlib", "collections", "functools", "re", "numpy"}
    here = set(run("import sys; print(*sys.modules)"))
    brought = set(run("import sys, croton; print(*sys.modules)")) - here
    assert not brought & dear


def test_signatures_are_told_when_asked_for():
    assert str(inspect.signature(T.tanh)) == "(x)"
    assert list(inspect.signature(T.clip).parameters) == ["x", "low", "high"]
    with pytest.raises(TypeError):
        inspect.signature(T.tanh).bind()
    assert T.tanh.__wrapped__(2.0).eval() == T.tanh(2.0).eval()


def test_flags_change_for_a_block_and_for_a_function():
    before = ct.config.threads
    with ct.change_flags(threads=3) as config:
        assert config is ct.config and config.threads == 3
        with ct.change_flags(threads=4):
            assert ct.config.threads == 4
        assert ct.config.threads == 3

    @ct.change_flags(threads=5)
    def threads():
        """Those in force."""
        return ct.config.threads

    assert threads() == 5 and threads() == 5 and threads.__doc__ == "Those in force."
    with pytest.raises(AttributeError), ct.change_flags(threads=6, nothing=1):
        pass
    with pytest.raises(ZeroDivisionError), ct.change_flags(threads=7):
        1 / 0  # noqa: B018
    assert ct.config.threads == before
