"""Nothing leaks: graphs, functions, calls."""

import gc
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


def test_functions_and_their_calls():
    values = np.ones(1000)

    def work():
        x = T.dvector("x")
        state = ct.shared(values)
        f = ct.function([x], (x * 2 + state).sum(), updates={state: state + x}, mode="quick")
        f(values)

    assert growth(work, 2_000, 500) < 12 << 20


def test_calls_with_results():
    x = T.dmatrix("x")
    f = ct.function([x], [x * 2, x.sum(), {"a": 1} and x[0]])
    big = np.ones((200, 200))

    def work():
        f(big)
        f(x=big)

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
        try:
            T.exp(v, v, v)
        except TypeError:
            pass

    assert growth(work, 3_000, 300) < 4 << 20
