"""Measures one row in one peer in this process and prints a JSON object. Started by run.py.

Runs under Python 3.8 too (Theano's).
"""

import argparse
import ctypes
import gc
import json
import os
import resource
import sys
import time


def memory(field):
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(field):
                return int(line.split()[1]) / 1024.0
    return 0.0


def reset_peak():
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


class Held:
    """Memory of this process's own since it was made, in MB: pages of code, which come from files,
    are shared with all processes and can be dropped at any time, are not counted."""

    def __init__(self):
        self.base, self.files = memory("VmRSS"), memory("RssFile")

    def peak(self):
        return memory("VmHWM") - self.base - (memory("RssFile") - self.files)


class Clock:
    """Wall and processor time since it was made, in seconds."""

    def __init__(self):
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def read(self):
        return {"wall": time.perf_counter() - self.wall, "cpu": time.process_time() - self.cpu}


class CompileClock(Clock):
    """With the processor time of compilers that were started and have ended."""

    def __init__(self):
        Clock.__init__(self)
        self.children = sum(os.times()[2:4])

    def read(self):
        used = Clock.read(self)
        used["cpu"] += sum(os.times()[2:4]) - self.children
        return used


def samples_of(call, budget, shortest):
    """Seconds a call (wall, cpu), each over a run of calls of at least `shortest` seconds; until the
    middle half lies within 2 % of the median, or the budget is spent."""
    count = 1
    while True:
        clock = Clock()
        for _ in range(count):
            call()
        taken = clock.read()["cpu"]
        if taken >= shortest:
            break
        count = max(count + 1, min(count * 10, int(count * 1.3 * shortest / max(taken, 1e-7))))
    samples, total = [], Clock()
    loop = range(count)
    while True:
        clock = Clock()
        for _ in loop:
            call()
        used = clock.read()
        samples.append((used["wall"] / count, used["cpu"] / count))
        if total.read()["cpu"] > budget or total.read()["wall"] > 4 * budget:
            return samples, count
        if len(samples) >= 12 and len(samples) % 4 == 0 and total.read()["cpu"] > budget / 4:
            ordered = sorted(sample[1] for sample in samples)
            quarter = len(ordered) // 4
            if ordered[-quarter - 1] - ordered[quarter] < 0.02 * ordered[len(ordered) // 2]:
                return samples, count


def measure(row, peer, options):
    import numpy as np
    from suite.row import as_float64

    data = row.data(np.random.RandomState(7))
    reference = None
    if not options.no_check:
        call = row.numpy(as_float64(data))
        for _ in range(row.checked_call):
            reference = call()
        del call
    data = peer.adopt(data)
    gc.collect()
    time.sleep(0.1)  # peers with threads of their own free what was adopted a little later
    reset_peak()
    held = Held()
    result = {"base_mb": held.base, "version": peer.version()}
    clock = CompileClock()
    call = peer.build(row, data)
    first = call()
    result["first"] = clock.read()
    result["compile_peak_mb"] = held.peak()
    for _ in range(row.checked_call - 1):
        first = call()
    arrays = peer.arrays(first)
    if reference is not None:
        result["error"] = row.check(arrays, reference)
        result["agrees"] = bool(result["error"] <= row.tolerance)
    del first, arrays, reference
    call()
    reset_peak()
    result["samples"], result["calls_each"] = samples_of(call, options.budget, options.shortest)
    before = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(10):
        call()
    after = resource.getrusage(resource.RUSAGE_SELF)
    result["page_faults"] = (after.ru_minflt - before.ru_minflt) / 10.0
    result["system_seconds"] = (after.ru_stime - before.ru_stime) / 10.0
    result["run_peak_mb"] = held.peak()
    result["process_peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    if options.profile and getattr(peer, "functions", None):
        result["profile"] = "\n".join(str(f.profile) for f in peer.functions)
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--row", required=True)
    parser.add_argument("--peer", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--budget", type=float, default=2.0)
    parser.add_argument("--shortest", type=float, default=0.002)
    parser.add_argument("--no-check", action="store_true")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.setrecursionlimit(400000)
    from rows import all_rows
    from suite.peers import PEERS

    row, peer = all_rows()[options.row], PEERS[options.peer]
    try:
        peer.start(options.threads)
        result = measure(row, peer, options)
    except Exception as error:  # the driver writes it into the table
        import traceback

        result = {"error_text": "%s: %s" % (type(error).__name__, error), "trace": traceback.format_exc()}
    print("\nRESULT " + json.dumps(result))
    sys.stdout.flush()
    os._exit(0)  # nobody's clean-up is measured


if __name__ == "__main__":
    import threading

    threading.stack_size(512 * 1024 * 1024)  # deep graphs recurse in some peers
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
