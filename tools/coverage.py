#!/usr/bin/env python3
"""coverage.py BUILD prints line coverage of croton/ by folder, from the .gcda files that tests left.

A line counts as covered if any object that compiled it ran it (headers are compiled many times).
"""

import collections
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile


def reports(build):
    gcov = os.environ.get("GCOV", "gcov")
    counters = sorted(str(p.resolve()) for p in build.rglob("*.gcda"))
    if not counters:
        sys.exit(f"no counters below {build}: build the preset coverage and run its tests first")
    with tempfile.TemporaryDirectory() as folder:
        for start in range(0, len(counters), 50):
            subprocess.run([gcov, "--json-format", "--hash-filenames", *counters[start:start + 50]],
                           cwd=folder, check=True, stdout=subprocess.DEVNULL)
        for file in pathlib.Path(folder).glob("*.gcov.json.gz"):
            yield json.loads(gzip.open(file).read())


def own_name(name):
    """The path below croton/ of a source as the compiler knew it, or None for others' headers."""
    at = name.rfind("croton/")
    return name[at:] if at >= 0 and not name.startswith("/usr/") and "tests/" not in name else None


def main():
    lines = collections.defaultdict(dict)
    for report in reports(pathlib.Path(sys.argv[1])):
        for file in report["files"]:
            name = own_name(file["file"])
            if name:
                for line in file["lines"]:
                    number = line["line_number"]
                    lines[name][number] = lines[name].get(number, 0) + line["count"]
    folders = collections.defaultdict(lambda: [0, 0])
    for name, counts in lines.items():
        for key in (os.path.dirname(name), "all"):
            folders[key][0] += sum(1 for count in counts.values() if count)
            folders[key][1] += len(counts)
    for key, (covered, every) in sorted(folders.items(), key=lambda item: (item[0] == "all", item[0])):
        print(f"{key:28} {covered:6} of {every:6} lines  {100 * covered / every:5.1f} %")


if __name__ == "__main__":
    main()
