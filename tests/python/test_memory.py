"""Nothing leaks: graphs, functions, calls."""

import gc
import itertools
import os

import croton as ct
import croton.tensor as T
import numpy as np


def resident():
    """Bytes of memory the process holds."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def growth(work, rounds, warm):
    for _ in range(warm):
        work()
    before = resident()
    for _ in range(rounds):
        work()
    return resident() - before


def test_100_000_graphs_with_gradients():
    weights = ct.shared(np.ones(3))

    def work():
        x = T.dvector("x")
        cost = T.tanh(x * weights + 1.5)[1:].sum()
        ct.grad(cost, weights)

    assert growth(work, 100_000, 2_000) < 8 << 20


def test_100_000_functions():
    values = np.ones(100)

    def work():
        x = T.dvector("x")
        w = ct.shared(values)
        cost = T.tanh(x * w + 1.5)[1:].sum()
        f = ct.function([x], cost, updates={w: w - 0.1 * ct.grad(cost, w)}, mode="quick")
        f(values)

    assert growth(work, 100_000, 2_000) < 8 << 20


def test_functions_of_native_code():
    values, numbers = np.ones(100), itertools.count()

    def build(number):
        x, s = T.dvector("x"), T.dscalar("s")
        state = ct.In(s, value=1.0, update=s + 1)
        f = ct.function([x, state], {"a": T.tanh(x * (0.5 + number)), "b": x.sum() * s}, mode="fast")
        f(values)
        f(values, output_subset=["b"])
        f.copy()(values)

    assert growth(lambda: build(0), 1_000, 200) < 4 << 20
    # New kernels each time: their code goes with them.
    assert growth(lambda: build(next(numbers) / 1e4), 100, 20) < 4 << 20


def test_calls_with_results():
    x = T.dmatrix("x")
    f = ct.function([x], [x * 2, x.sum(), {"a": 1} and x[0]])
    big = np.ones((200, 200))

    def work():
        f(big)
        f(x=big)
        f(big, output_subset=[1])

    assert growth(work, 3_000, 100) < 4 << 20


def test_errors_and_user_ops():
    class Bad(ct.Op):
        itypes = otypes = [T.dvector]

        def perform(self, x):
            raise ValueError("x" * 1000)

    v = T.dvector()
    f = ct.function([v], Bad()(v))

    def work():
        try:
            f(np.ones(10))
        except ct.Error:
            pass
        for wrong in (lambda: T.exp(v, v, v), lambda: f(v=1), lambda: f(np.ones((2, 2))), lambda: f["w"]):
            try:
                wrong()
            except TypeError:
                pass

    assert growth(work, 3_000, 300) < 4 << 20
