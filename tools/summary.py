#!/usr/bin/env python3
"""Counts single tests: summary.py RESULTS prints 'N passed, N failed' and fails if any did or none ran.

RESULTS holds ctest.junit and, for each ctest entry that is a GoogleTest or pytest program, a <name>.xml.
An entry with such a file counts as its tests, another as one. An entry that failed though all its tests
passed (a leak at exit, a crash that left no file) is one failure more.
"""

import pathlib
import sys
import xml.etree.ElementTree as xml


def outcomes(file):
    """passed, failed, skipped of a JUnit file as GoogleTest and pytest write it."""
    counts = [0, 0, 0]
    for case in xml.parse(file).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            counts[1] += 1
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            counts[2] += 1
        else:
            counts[0] += 1
    return counts


def counted(results):
    passed, failed, skipped, broken = 0, 0, 0, []
    for entry in xml.parse(results / "ctest.junit").iter("testcase"):
        name, status = entry.get("name"), entry.get("status")
        detail = results / f"{name}.xml"
        inner = outcomes(detail) if detail.exists() else [0, 0, 0]
        if status == "run" and not detail.exists():
            inner[0] += 1
        elif status not in ("run", "fail"):  # not run, or disabled
            inner[2] += 1
        elif status == "fail" and inner[1] == 0:
            inner[1] += 1
        if inner[1]:
            broken.append(name)
        passed, failed, skipped = passed + inner[0], failed + inner[1], skipped + inner[2]
    return passed, failed, skipped, broken


def main():
    passed, failed, skipped, broken = counted(pathlib.Path(sys.argv[1]))
    if broken:
        print("failing:", ", ".join(broken))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
