"""The benchmarks' quick rows give what their references say, and the tables are written between marks."""

import pathlib
import sys

import numpy as np
import pytest

benchmarks = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(benchmarks))

from rows import all_rows  # noqa: E402
from suite import table  # noqa: E402
from suite.peers import PEERS  # noqa: E402
from suite.row import as_float64  # noqa: E402


@pytest.fixture(scope="module")
def croton():
    peer = PEERS["croton"]
    peer.start(1)
    return peer


@pytest.mark.parametrize("name", ["scalar", "logistic_density", "radon", "tanh_1e3", "logistic_step", "mlp_inference", "hessian_vector"])
def test_row(croton, name):
    row = all_rows()[name]
    data = row.data(np.random.RandomState(3))
    reference, call = row.numpy(as_float64(data)), row.symbolic(croton.adopt(data), croton)
    for _ in range(row.checked_call):
        want, got = reference(), croton.arrays(call())
    assert row.check(got, want) <= row.tolerance
    assert row.check([np.asarray(g) * 1.01 for g in got], want) > row.tolerance


def test_every_row_has_all_builders():
    for row in all_rows().values():
        assert row.number and row.name and row.title
        for builder in ("data", "numpy", "symbolic", "torch", "jax"):
            assert callable(getattr(row, builder, None)), (row.name, builder)


def cell(time, **more):
    used = {"wall": 1.0, "cpu": 1.0}
    return {"samples": [(time, time)] * 8, "first": used, "warm": used, "run_peak_mb": 2.0, "version": "1", "load": 0.5} | more


def results(**cells):
    able = {"copy": 10.0, "read": 10.0, "float32": 100.0, "float64": 50.0}
    machine = {"name": "m", "vectors": "AVX2", "cores": 2, "system": "s", "commit": "c", "1": able, "2": able}
    row = {"number": 1, "name": "r", "title": "a row", "threads": [1], "limit": {"bytes": 10**7}}
    return {"machine": machine, "rows": [row], "cells": {f"r|1|{peer}": c for peer, c in cells.items()}}


def test_ratio_and_share_of_the_limit():
    text = table.markdown(results(croton=cell(0.002), numpy=cell(0.004), jax=cell(0.001, error=1.0, agrees=False)))
    assert "| 1. a row | 2 ms | 0 % | 4 ms (numpy) | **0.50** | 50 % |" in text  # a wrong peer is no peer
    assert "r, jax: wrong by" in text


def test_insert_keeps_what_is_around(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n")
    for text in ("one\n", "two\n"):
        table.insert(page, text)
    assert page.read_text().startswith("before\n") and "two" in page.read_text() and "one" not in page.read_text()
