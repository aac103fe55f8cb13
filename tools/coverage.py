#!/usr/bin/env python3
"""coverage.py BUILD prints line coverage of croton/ by folder, from the .gcda files that tests left.

A line counts as covered if any object that compiled it ran it (headers are compiled many times).
The environment variable GCOV names the reader of the counters: gcov for g++ (the default), "llvm-cov-19
gcov" for clang. With --files, every file below 70 % is listed too.
"""

import collections
import concurrent.futures
import gzip
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile


def read_json(folder):
    """(file, line, count) of gcov's reports."""
    for path in folder.glob("*.gcov.json.gz"):
        for file in json.loads(gzip.open(path).read())["files"]:
            for line in file["lines"]:
                yield file["file"], line["line_number"], line["count"]


def read_text(folder):
    """(file, line, count) of llvm-cov's reports, which know no JSON."""
    for path in folder.glob("*.gcov"):
        file = ""
        for row in path.read_text().splitlines():
            key, _, value = row.partition(":")
            if key == "file":
                file = value
            elif key == "lcount":
                number, count = value.split(",")[:2]
                yield file, int(number), int(count)


def line_counts(build):
    gcov = shlex.split(os.environ.get("GCOV", "gcov"))
    form, read = (["-i"], read_text) if "llvm-cov" in gcov[0] else (["--json-format"], read_json)
    counters = sorted(str(p.resolve()) for p in build.rglob("*.gcda"))
    if not counters:
        sys.exit(f"no counters below {build}: build the preset coverage and run its tests first")
    # One object at a time: reports of a header that many objects compiled have one name.
    def report(path):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([*gcov, *form, "--hash-filenames", path], cwd=folder, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            return list(read(pathlib.Path(folder)))

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for rows in pool.map(report, counters):
            yield from rows


def own_name(name):
    """The path below croton/ of a source as the compiler knew it, or None for others' headers."""
    at = name.rfind("croton/")
    return name[at:] if at >= 0 and not name.startswith("/usr/") and "tests/" not in name else None


def main():
    lines = collections.defaultdict(dict)
    for source, number, count in line_counts(pathlib.Path(sys.argv[1])):
        if name := own_name(source):
            lines[name][number] = lines[name].get(number, 0) + count
    folders = collections.defaultdict(lambda: [0, 0])
    for name, counts in lines.items():
        for key in (os.path.dirname(name), "all"):
            folders[key][0] += sum(1 for count in counts.values() if count)
            folders[key][1] += len(counts)
    for key, (covered, every) in sorted(folders.items(), key=lambda item: (item[0] == "all", item[0])):
        print(f"{key:28} {covered:6} of {every:6} lines  {100 * covered / every:5.1f} %")
    if "--files" in sys.argv:
        for name, counts in sorted(lines.items()):
            covered = sum(1 for count in counts.values() if count)
            if covered < 0.7 * len(counts):
                missed = ",".join(str(n) for n, count in sorted(counts.items()) if not count)
                print(f"{name} {covered} of {len(counts)}: not {missed[:200]}")


if __name__ == "__main__":
    main()
