#!/usr/bin/env python3
"""Runs rows in peers, each in its own process, and writes the table. Needs Python only; see README.md."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
root = here.parent
sys.path.insert(0, str(here))

from suite import table  # noqa: E402
from suite.peers import PEERS  # noqa: E402

# The rows' facts are asked of a Python that has NumPy; this program needs none.
LIST = """
import json, sys
sys.path.insert(0, sys.argv[1])
from rows import all_rows
print(json.dumps([dict(number=r.number, name=r.name, title=r.title, threads=r.threads, busy=r.busy,
                       limit=r.limit(), peers=r.peers) for r in all_rows().values()]))
"""


def read_options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", help="names or numbers, with commas; all without")
    parser.add_argument("--peers", help=f"of: {', '.join(PEERS)}")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--budget", type=float, default=3.0, help="seconds of calls a process (two a cell)")
    parser.add_argument("--quick", action="store_true", help="a fifth of the budget")
    parser.add_argument("--limit", type=float, default=180, help="seconds after which a process is ended")
    parser.add_argument("--build", default=str(root / "build/release"), help="build tree with Croton's Python package")
    parser.add_argument("--python", default=str(root / ".venv/bin/python"), help="interpreter for Croton")
    parser.add_argument("--venvs", default=str(root / "build/peers"))
    parser.add_argument("--out", default=str(root / "build/bench.json"), help="cells measured before stay in it")
    parser.add_argument("--also", action="append", default=[], help="results of another run, shown in the table too")
    parser.add_argument("--table", help="markdown file to write the table into, between its markers")
    parser.add_argument("--imports", action="store_true", help="measure the time of imports again")
    parser.add_argument("--no-limits", action="store_true", help="do not measure the machine, imports and C++ calls")
    parser.add_argument("--no-run", action="store_true", help="only write the table")
    parser.add_argument("--profile", action="store_true", help="print Croton's time by step")
    return parser.parse_args()


def interpreter(peer, options):
    if peer.name == "croton":
        return options.python
    return str(pathlib.Path(options.venvs) / peer.venv / "bin/python")


def cores_for(threads):
    cores = sorted(os.sched_getaffinity(0))
    return cores[-1:] if threads == 1 else cores[:threads]


def run_process(row, peer, threads, cache, options, extra=()):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "PYTHONDONTWRITE"))}
    if options.profile:
        environment["CROTON_BENCH_PROFILE"] = "1"
    environment.update(peer.environment(threads, cache))
    if peer.name == "croton":
        environment["PYTHONPATH"] = str(pathlib.Path(options.build) / "python")
    command = [interpreter(peer, options), str(here / "suite/worker.py"), "--row", row["name"], "--peer", peer.name]
    command += ["--threads", str(threads), "--budget", str(options.budget), *extra]
    cores = cores_for(threads)
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )  # fmt: skip
    try:
        out, err = process.communicate(timeout=options.limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return {"error_text": f"not done in {options.limit:.0f} s"}
    for line in out.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line[7:])
    return {"error_text": f"ended with {process.returncode}: {(err or out)[-300:]}", "trace": err[-3000:]}


def neighbour(threads):
    """A process that keeps the last of the cores busy."""
    core = cores_for(threads)[-1]
    return subprocess.Popen(
        [sys.executable, "-c", "while True: pass"], preexec_fn=lambda: os.sched_setaffinity(0, [core])
    )


def run_cell(row, peer, threads, options):
    """A process with an empty cache, then one with what the first left in it; their samples together."""
    cache = tempfile.mkdtemp(prefix="croton-bench-")
    spinner = neighbour(threads) if row["busy"] else None
    try:
        cold = run_process(row, peer, threads, cache, options)
        if "error_text" in cold:
            return cold
        extra = ("--profile", "--no-check") if options.profile else ("--no-check",)
        warm = run_process(row, peer, threads, cache, options, extra)
    finally:
        if spinner:
            spinner.kill()
            spinner.wait()
        shutil.rmtree(cache, ignore_errors=True)
    cell = dict(cold)
    cell["busy"] = row["busy"]
    cell["load"] = os.getloadavg()[0]
    cell["date"] = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M")
    if "error_text" not in warm:
        cell["warm"] = warm["first"]
        cell["samples"] += warm["samples"]
        cell["run_peak_mb"] = max(warm["run_peak_mb"], 0.0)  # no reference was computed in that process
        if "profile" in warm:
            cell["profile"] = warm["profile"]
            print(warm["profile"])
    return cell


def describe_machine(options):
    name = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    flags = next((line for line in open("/proc/cpuinfo") if line.startswith("flags")), "")
    vectors = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "SSE"
    machine = {"name": name, "vectors": vectors, "cores": os.cpu_count(), "system": platform.system() + ", glibc " + platform.libc_ver()[1]}
    program = pathlib.Path(tempfile.mkdtemp()) / "machine"
    flags = "-O3 -march=native -mprefer-vector-width=512 -std=c++20 -pthread -Wno-psabi".split()
    subprocess.run(["g++", *flags, str(here / "machine.cpp"), "-o", str(program)], check=True)
    for threads in (1, 2):
        out = subprocess.run(
            [str(program), str(threads)], check=True, capture_output=True, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores_for(threads)),
        ).stdout  # fmt: skip
        machine[str(threads)] = json.loads(out)
    shutil.rmtree(program.parent)
    commit = subprocess.run(["git", "-C", str(root), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    machine["commit"] = commit.stdout.strip()
    return machine


def keep_best(old, new):
    """Limits are what the machine reached at its best moment."""
    for threads in ("1", "2"):
        for name, value in old.get(threads, {}).items():
            new[threads][name] = max(new[threads][name], value)
    return new


# By peer; Croton alone waits with NumPy for the first array.
IMPORTS = {
    "croton": "croton", "croton with numpy": "numpy, croton", "numpy": "numpy", "torch": "torch", "jax": "jax, jax.numpy",
    "pytensor numba": "pytensor, pytensor.tensor", "theano": "theano, theano.tensor",
}  # fmt: skip


def import_times(options):
    """Processor seconds of importing, in a process that has imported nothing yet (best of five)."""
    found = {}
    for name, modules in IMPORTS.items():
        ours = name.startswith("croton")
        python = interpreter(PEERS["croton" if ours else name], options)
        if not os.path.exists(python):
            continue
        code = f"import time; t = time.process_time(); import {modules}; print(time.process_time() - t)"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHONDONTWRITE")}
        environment["PYTHONPATH"] = str(pathlib.Path(options.build) / "python") if ours else ""
        runs = [
            subprocess.run([python, "-W", "ignore", "-c", code], env=environment, capture_output=True, text=True)
            for _ in range(5)
        ]
        if all(run.returncode == 0 for run in runs):
            found[name] = min(float(run.stdout) for run in runs)
    return found


def scalar_from_cpp(options):
    program = pathlib.Path(options.build) / "benchmarks/scalar_call"
    if not program.exists():
        return None
    out = subprocess.run(
        [str(program)], capture_output=True, text=True, env={**os.environ, "CROTON_FLAGS": "threads=1"},
        preexec_fn=lambda: os.sched_setaffinity(0, cores_for(1)),
    ).stdout  # fmt: skip
    return json.loads(out) if out else None


def main():
    options = read_options()
    if options.quick:
        options.budget /= 5
    listing = subprocess.run(
        [str(pathlib.Path(options.venvs) / "numpy/bin/python"), "-c", LIST, str(here)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = json.loads(listing.stdout)
    out = pathlib.Path(options.out)
    results = json.loads(out.read_text()) if out.exists() else {"cells": {}}
    results["rows"] = rows
    if not options.no_run:
        if not options.no_limits:
            results["machine"] = keep_best(results.get("machine", {}), describe_machine(options))
        wanted = options.rows.split(",") if options.rows else None
        peers = options.peers.split(",") if options.peers else list(PEERS)
        for row in rows:
            if wanted and row["name"] not in wanted and str(row["number"]) not in wanted:
                continue
            for threads in row["threads"]:
                if str(threads) not in options.threads.split(","):
                    continue
                for peer in peers:
                    if row["peers"] and peer not in row["peers"]:
                        continue
                    if not os.path.exists(interpreter(PEERS[peer], options)):
                        continue
                    cell = run_cell(row, PEERS[peer], threads, options)
                    results["cells"][f"{row['name']}|{threads}|{peer}"] = cell
                    out.write_text(json.dumps(results))
                    print(table.line_of(row, threads, peer, cell), flush=True)
        if not options.no_limits:
            if options.imports or "imports" not in results:
                results["imports"] = import_times(options)
            results["scalar_cpp"] = scalar_from_cpp(options) or results.get("scalar_cpp")
        out.write_text(json.dumps(results))
    if "machine" not in results:
        return
    for path in options.also:
        other = json.loads(pathlib.Path(path).read_text())
        results["cells"] = {**results["cells"], **other["cells"]}
        if "machine" in other:
            results["machine"] = {**keep_best(results["machine"], other["machine"])}
        results["imports"] = {**results.get("imports", {}), **other.get("imports", {})}
        results["scalar_cpp"] = results.get("scalar_cpp") or other.get("scalar_cpp")
    text = table.markdown(results)
    if options.table:
        table.insert(pathlib.Path(options.table), text)
    else:
        print(text)


if __name__ == "__main__":
    main()
