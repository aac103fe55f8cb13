#!/usr/bin/env python3
"""Compares two commits of Croton on the same rows.

    benchmarks/compare.py A B [--rows ...]

A and B are build trees that hold the Python package (build/release of two checkouts), or commits: those
are checked out and built under build/compare, which takes minutes the first time. The two run in turns,
several rounds, so that slow changes of the machine hit both.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
root = here.parent
sys.path.insert(0, str(here))

from suite import table  # noqa: E402


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--rows", default="")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--budget", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--python", default=str(root / ".venv/bin/python"))
    parser.add_argument("--venvs", default=str(root / "build/peers"))
    return parser.parse_args()


def build_of(name, python):
    """The build tree that the argument names, built first if it is a commit."""
    if (pathlib.Path(name) / "python/croton").exists():
        return name
    commit = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "--verify", "--short", name + "^{commit}"], capture_output=True, text=True
    ).stdout.strip()
    if not commit:
        sys.exit(f"{name} is neither a build tree with Croton's Python package nor a commit")
    tree = root / "build/compare" / commit
    if not tree.exists():
        subprocess.run(["git", "-C", str(root), "worktree", "add", "--detach", str(tree), commit], check=True)
    options = ["-DCROTON_PYTHON=ON", "-DCROTON_EXAMPLES=OFF", f"-DPython_EXECUTABLE={python}"]
    subprocess.run(["cmake", "--preset", "release", *options], cwd=tree, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", "--preset", "release"], cwd=tree, check=True)
    return str(tree / "build/release")


def run(build, options, out):
    command = [sys.executable, str(here / "run.py"), "--peers", "croton", "--build", build, "--out", str(out)]
    command += ["--python", options.python, "--venvs", options.venvs, "--no-limits"]
    command += ["--threads", options.threads, "--budget", str(options.budget)]
    if options.rows:
        command += ["--rows", options.rows]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return json.loads(out.read_text())


def figures(cells, threads):
    """Medians over the rounds: call, cold and warm compile time, memory."""
    good = [cell for cell in cells if not table.failed(cell)]
    if not good:
        return None
    times = [second for cell in good for second in table.seconds(cell, threads)]
    pick = lambda value: table.median([v for v in map(value, good) if v is not None] or [0.0])  # noqa: E731
    return {
        "time": table.median(times),
        "spread": table.spread(times),
        "cold": pick(lambda c: table.first(c, "cold", threads)),
        "warm": pick(lambda c: table.first(c, "warm", threads)),
        "memory": pick(lambda c: c["run_peak_mb"]),
    }


def main():
    options = read_options()
    builds = [build_of(name, options.python) for name in (options.before, options.after)]
    found, rows = [{}, {}], []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(options.rounds):
            for side, build in enumerate(builds):
                results = run(build, options, pathlib.Path(folder) / f"{side}-{turn}.json")
                rows = results["rows"]
                for key, cell in results["cells"].items():
                    found[side].setdefault(key, []).append(cell)
    print(f"before: {options.before}\nafter:  {options.after}\n")
    print(f"{'row':18} threads {'before':>10} {'after':>10}  ratio  spread   cold  warm  memory (ratios)")
    for row in rows:
        for threads in row["threads"]:
            key = f"{row['name']}|{threads}|croton"
            if key not in found[0] or key not in found[1]:
                continue
            before, after = (figures(side[key], threads) for side in found)
            if not before or not after:
                print(f"{row['name']:18} {threads:7} {'failed' if not before else 'ok':>10} {'failed' if not after else 'ok':>10}")
                continue
            share = lambda name: after[name] / max(before[name], 1e-9)  # noqa: E731
            print(
                f"{row['name']:18} {threads:7} {table.human(before['time']):>10} {table.human(after['time']):>10} "
                f"{share('time'):6.2f} {100 * max(before['spread'], after['spread']):5.0f} %  "
                f"{share('cold'):5.2f} {share('warm'):5.2f} {(after['memory'] + 1) / (before['memory'] + 1):7.2f}"
            )


if __name__ == "__main__":
    main()
