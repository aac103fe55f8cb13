#!/usr/bin/env python3
"""Holds every #include of the repository against layers.txt.

Prints one line an offence and exits with 1 if there is any. With --self-test it checks itself against
a small wrong tree first: a checker that sees nothing must not pass for a clean house.
"""

import pathlib
import re
import sys
import tempfile

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
SOURCES = {".hpp", ".cpp", ".h", ".cc", ".cu"}
OUTER = ("python", "tests", "examples", "benchmarks", "tools")


class Layers:
    """layers.txt: the level of each folder, what narrowed folders see, and who may see foreign headers."""

    def __init__(self, text):
        self.level, self.sees, self.foreign = {}, {}, []
        level = 0
        for line in text.splitlines():
            line = line.split("#")[0].strip()
            if line.startswith("only "):
                place, prefixes = line[5:].split(":")
                self.foreign.append((place.strip(), prefixes.split()))
            elif line:
                for entry in line.split("|"):
                    folder, _, sees = entry.partition(":")
                    self.level[folder.strip()] = level
                    if sees.strip():
                        self.sees[folder.strip()] = set(sees.split())
                level += 1

    def key(self, folder):
        """The entry of layers.txt that a folder of croton/ stands under."""
        parent = folder.rpartition("/")[0]
        return folder if folder in self.level else f"{parent}/*"

    def folder(self, path):
        """The folder of layers.txt that holds a path below croton/, or None."""
        parts = pathlib.PurePosixPath(path).parts[:-1]
        for length in range(len(parts), 0, -1):
            folder = "/".join(parts[:length])
            if self.key(folder) in self.level:
                return folder
        return "." if not parts else None

    def allows(self, source, target):
        if source == target:
            return True
        source_key, target_key = self.key(source), self.key(target)
        if source_key in self.sees:
            return target_key in self.sees[source_key]
        return self.level[target_key] < self.level[source_key]


def offences(root):
    layers = Layers((root / "layers.txt").read_text())
    for path in sorted(p for top in ("croton",) + OUTER for p in (root / top).rglob("*")):
        if path.suffix in SOURCES:
            yield from offences_of_file(root, path, layers)


def offences_of_file(root, path, layers):
    place = path.relative_to(root).as_posix()
    inner = place.removeprefix("croton/") if place.startswith("croton/") else None
    source = layers.folder(inner) if inner else None
    if inner and source is None:
        yield f"{place}: its folder is not in layers.txt"
        return
    text = path.read_text()
    for match in INCLUDE.finditer(text):
        where = f"{place}:{text.count(chr(10), 0, match.start()) + 1}"
        header = match[2]
        for owner, prefixes in layers.foreign:
            home = owner if "/" in owner and not owner.startswith("backend") else f"croton/{owner}"
            if header.startswith(tuple(prefixes)) and not place.startswith(home + "/"):
                yield f"{where}: {header} is for {home} only"
        if match[1] == '"' and not header.startswith(("croton/", "tests/", "examples/",
                                                      "benchmarks/", "python/", "tools/")):
            yield f'{where}: "{header}" is not written from the root ("croton/folder/file.hpp")'
        if not header.startswith("croton/") or header == "croton/version.hpp":
            continue
        target = layers.folder(header.removeprefix("croton/"))
        if target is None or not (root / header).exists():
            yield f"{where}: {header} does not exist or is in no layer"
        elif source is not None and not layers.allows(source, target):
            yield f"{where}: {source} may not include {target} ({header})"


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "layers.txt").write_text(
            "base\nkernel | graph\nops\nbackend/* : base kernel\n.\nonly backend/cpu: llvm/\n"
        )
        files = {
            "croton/base/a.hpp": '#include "croton/graph/a.hpp"\n',  # upwards
            "croton/graph/a.hpp": '#include "croton/base/a.hpp"\n',
            "croton/kernel/a.hpp": '#include "croton/graph/a.hpp"\n',  # a neighbour
            "croton/ops/a.cpp": "#include <llvm/IR/Module.h>\n",  # somebody else's library
            "croton/backend/cpu/a.cpp": '#include <llvm/IR/Module.h>\n#include "croton/ops/b.hpp"\n',
            "croton/backend/cpu/b.cpp": '#include "croton/kernel/a.hpp"\n#include "b.hpp"\n',
            "croton/backend/two/a.cpp": '#include "croton/backend/cpu/c.hpp"\n',  # a neighbour
            "croton/ops/b.hpp": "",
            "croton/backend/cpu/c.hpp": "",
            "croton/lost/a.cpp": "",  # in no layer
            "croton/all.hpp": '#include "croton/ops/b.hpp"\n#include "croton/none/a.hpp"\n',
        }
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        found = {line.split(": ")[0] for line in offences(root)}
        wanted = {"croton/base/a.hpp:1", "croton/kernel/a.hpp:1", "croton/ops/a.cpp:1",
                  "croton/backend/cpu/a.cpp:2", "croton/backend/cpu/b.cpp:2",
                  "croton/backend/two/a.cpp:1", "croton/lost/a.cpp", "croton/all.hpp:2"}
        if found != wanted:
            sys.exit(f"the checker is wrong: missed {wanted - found}, invented {found - wanted}")


def main():
    self_test()
    root = pathlib.Path(__file__).resolve().parent.parent
    found = list(offences(root))
    print("\n".join(found) if found else "layers: every include is in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
