#!/usr/bin/env python3
"""Turns the ```cpp blocks of README.md and docs/*.md into one C++ test program.

usage: doc_snippets.py OUTPUT.cpp ROOT FILE.md...

Each block becomes a test named after its file and line:
- a block with main() is a program: it is compiled and run;
- a block behind the line `<!-- from PATH -->` quotes a source: the file must hold the same text
  (indentation apart);
- a block behind `<!-- declarations: HEADER... -->` is compiled as declarations with those headers;
- any other block is statements: they are compiled in a function, with croton.hpp, and run.
#line directives make the compiler's messages point at the page.
"""

import os
import re
import sys

HEAD = """// Written by tools/doc_snippets.py: do not edit.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "croton/croton.hpp"
"""

QUOTE = """
[[maybe_unused]] static std::string without_indentation(const std::string& text) {
    std::istringstream lines(text);
    std::string result;
    for (std::string line; std::getline(lines, line);) {
        auto first = line.find_first_not_of(' ');
        if (first != std::string::npos) result += line.substr(first) + "\\n";
    }
    return result;
}
[[maybe_unused]] static void expect_quote(const char* path, const char* block) {
    std::ifstream file(path);
    ASSERT_TRUE(file) << path;
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_NE(without_indentation(text.str()).find(without_indentation(block)), std::string::npos)
        << path << " does not hold this text; quote it anew:\\n" << block;
}
"""


def blocks_of(path):
    """(line of the first line of code, marker line or "", code) of each ```cpp block."""
    lines = open(path, encoding="utf-8").read().split("\n")
    inside, marker = None, ""
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if inside is None:
            if text.startswith("```cpp"):
                inside, first, indent = [], number + 1, len(line) - len(line.lstrip())
            elif text.startswith("<!--"):
                marker = text
            elif text:
                marker = ""
        elif text.startswith("```"):
            yield first, marker, "\n".join(inside) + "\n"
            inside, marker = None, ""
        else:
            inside.append(line[indent:])
    if inside is not None:
        sys.exit(f"{path}: a block that begins at line {first - 1} does not end")


def as_program(code):
    """The code with its main renamed, and its #includes apart (same number of lines)."""
    includes = re.findall(r"^#include .*$", code, re.M)
    code = re.sub(r"^#include .*$", "", code, flags=re.M)
    code = re.sub(r"\bint main\(\)", "void program()", code)
    return includes, re.sub(r"\breturn 0;", "return;", code)


def main():
    output, root, pages = sys.argv[1], sys.argv[2], sys.argv[3:]
    heads, bodies = [], []
    for page in pages:
        place = os.path.relpath(page, root)
        for line, marker, code in blocks_of(page):
            name = re.sub(r"\W+", "_", os.path.splitext(place)[0]) + f"_line_{line - 1}"
            at = f'#line {line} "{place}"\n'
            quoted = re.fullmatch(r"<!-- from (\S+) -->", marker)
            declared = re.fullmatch(r"<!-- declarations:(.*) -->", marker)
            if quoted:
                raw = f'R"quoted({code})quoted"'
                bodies.append(
                    f"TEST(Quotes, {name}) {{\n    expect_quote(\"{quoted[1]}\",\n{at}{raw});\n}}\n"
                )
                continue
            if declared:
                heads += [f'#include "{header}"' for header in declared[1].split()]
                bodies.append(
                    f"namespace {name} {{\nusing namespace croton;\n{at}{code}\n}}\n"
                    f"TEST(Declarations, {name}) {{}}  // they compile\n"
                )
                continue
            if "int main()" in code:
                includes, code = as_program(code)
                heads += includes
            else:
                code = "using namespace croton;\nvoid program() {\n" + at + code + "}\n"
            bodies.append(
                f"namespace {name} {{\n{at}{code}}}\n"
                f"TEST(Programs, {name}) {{ {name}::program(); }}\n"
            )
    with open(output, "w", encoding="utf-8") as file:
        file.write(HEAD + "\n".join(dict.fromkeys(heads)) + "\n" + QUOTE + "\n".join(bodies))


main()
