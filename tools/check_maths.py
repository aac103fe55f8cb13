#!/usr/bin/env python3
"""Vector maths as generated code sees it: can each function be widened, and how fast is it then?

Compiles croton/backend/cpu/maths to bitcode. Each function must be one block without loads or stores,
which is what the cpu back end widens instruction by instruction. Then writes a loop over each
function, links, inlines, runs LLVM's loop vectoriser and looks for whole vectors (the default: one
line a function, exit status 1 if one failed) or, with --time, runs the loops and prints nanoseconds
an element. Needs clang++-19, llvm-link-19 and opt-19.

    tools/check_maths.py [--level x86-64-v3] [--time] [NAME...]
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
MATHS = ROOT / "croton/backend/cpu/maths"
PASSES = ("always-inline,function(sroa,early-cse,loop-vectorize,early-cse,simplifycfg),globaldce")
FLAGS = ["-std=c++20", "-O1", "-fno-exceptions", "-fno-rtti", "-fno-math-errno",
         "-fno-trapping-math", "-ffp-contract=off", "-fno-vectorize", "-fno-slp-vectorize",
         "-fno-unroll-loops", "-fno-stack-protector", f"-I{ROOT}"]
CTYPES = {"f32": "float", "f64": "double"}
NOT_VECTORISED = {  # name: reason
    "fmod": "exact: as many steps as the quotient has digits",
    "floor_mod": "as fmod",
}


def functions():
    """(name, number of arguments) from the lists in maths.hpp."""
    text = re.sub(r"\s*\\\n\s*", " ", (MATHS / "maths.hpp").read_text())
    for count, kind in ((1, "UNARY"), (1, "NEAR"), (2, "BINARY")):
        line = re.search(rf"#define CROTON_MATHS_{kind}\(X\)(.*)", text).group(1)
        yield from ((name, count) for name in re.findall(r"X\((\w+)\)", line))


def run(*command):
    subprocess.run([str(part) for part in command], check=True)


def loops(chosen):
    text = '#include "croton/backend/cpu/maths/maths.hpp"\n'
    for name, count in chosen:
        for kind, ctype in CTYPES.items():
            more, argument = ("", "") if count == 1 else (f", const {ctype}* y", ", y[i]")
            text += (f'extern "C" void loop_{name}_{kind}({ctype}* __restrict o, const {ctype}* x'
                     f"{more}, long n) {{\n    for (long i = 0; i < n; ++i) "
                     f"o[i] = croton_{name}_{kind}(x[i]{argument});\n}}\n")
    return text


def timing(chosen):
    """A program that times each loop on 4096 elements in cache, arguments in [0.01, 4)."""
    text = ("#include <chrono>\n#include <cstdio>\nfloat xf[4096], yf[4096], of[4096];\n"
            "double xd[4096], yd[4096], od[4096];\n")
    for name, count in chosen:
        for kind, ctype in CTYPES.items():
            more = "" if count == 1 else f", const {ctype}*"
            text += f'extern "C" void loop_{name}_{kind}({ctype}*, const {ctype}*{more}, long);\n'
    text += ("template <class F> double best(F f) {\n    double least = 1e9;\n"
             "    for (int k = 0; k < 200; ++k) {\n        auto t = std::chrono::steady_clock::now();\n"
             "        for (int j = 0; j < 4; ++j) f();\n"
             "        std::chrono::duration<double, std::nano> d = std::chrono::steady_clock::now() - t;\n"
             "        if (d.count() < least) least = d.count();\n    }\n    return least / 4 / 4096;\n}\n"
             "int main() {\n    for (int i = 0; i < 4096; ++i) xf[i] = xd[i] = 0.01 + i * 0.000974,\n"
             "        yf[i] = yd[i] = 3.9 - xd[i];\n")
    for name, count in chosen:
        for kind in CTYPES:
            letter = kind == "f32" and "f" or "d"
            more = "" if count == 1 else f", y{letter}"
            text += (f'    std::printf("%-10s {kind} %7.3f\\n", "{name}", best([] {{ '
                     f"loop_{name}_{kind}(o{letter}, x{letter}{more}, 4096); }}));\n")
    return text + "}\n"


def optimised(folder, chosen, level):
    """The loops with the maths inlined, after the back end's passes, as text."""
    sources = sorted(MATHS.glob("*.cpp"))
    for source in sources:
        run("clang++-19", *FLAGS, "-emit-llvm", "-c", source, "-o", folder / f"{source.stem}.bc")
    (folder / "loops.cpp").write_text(loops(chosen))
    run("clang++-19", *FLAGS, f"-march={level}", "-emit-llvm", "-c", folder / "loops.cpp", "-o",
        folder / "loops.bc")
    run("llvm-link-19", folder / "loops.bc", *(folder / f"{s.stem}.bc" for s in sources), "-o",
        folder / "linked.bc")
    run("opt-19", "-passes=internalize," + PASSES, "-internalize-public-api-list="
        + ",".join(f"loop_{n}_{k}" for n, _ in chosen for k in CTYPES),
        folder / "linked.bc", "-S", "-o", folder / "final.ll")
    return (folder / "final.ll").read_text()


def is_straight(text, name, kind):
    """One block, and neither memory nor calls of anything but intrinsics."""
    body = re.search(rf"define [^\n]*@croton_{name}_{kind}\(.*?\n}}\n", text, re.DOTALL).group(0)
    return not re.search(r"\n  (?:br|switch|.* = phi|.* = load|store|.* = getelementptr) ", body) \
        and not re.search(r"call [^@\n]*@(?!llvm\.)", body)


def check(text, functions_text, chosen):
    failed = False
    for name, _ in chosen:
        for kind, ctype in CTYPES.items():
            body = text.split(f"@loop_{name}_{kind}(")[1].split("\n}\n")[0]
            widths = {int(w) for w in re.findall(rf"fmul <(\d+) x {ctype}>", body)}
            calls = sorted(set(re.findall(r"call [^@]*@(croton_\w+|[a-z]\w*)\(", body)))
            straight = is_straight(functions_text, name, kind)
            good = bool(widths) and "vector.body" in body and not calls and straight
            excused = name in NOT_VECTORISED
            print(f"{name:10} {kind} "
                  + (f"vectors of {max(widths)}" if good else
                     f"SCALAR {NOT_VECTORISED.get(name, '')} ") + " ".join(calls))
            failed |= not good and not excused
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--level", default="x86-64-v3")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--keep", help="folder for the intermediate files")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    missing = [t for t in ("clang++-19", "llvm-link-19", "opt-19") if not shutil.which(t)]
    if missing:
        print("check_maths: needs " + ", ".join(missing))
        return 77
    chosen = [f for f in functions() if not options.names or f[0] in options.names]
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(options.keep or temporary)
        text = optimised(folder, chosen, options.level)
        if not options.time:
            run("llvm-dis-19", folder / "maths.bc", "-o", folder / "maths.ll")
            return check(text, (folder / "maths.ll").read_text(), chosen)
        (folder / "timing.cpp").write_text(timing(chosen))
        run("clang++-19", "-O1", "-march=" + options.level, folder / "timing.cpp",
            "-x", "ir", folder / "final.ll", "-w", "-fno-vectorize", "-fno-slp-vectorize", "-o",
            folder / "timing")
        run(folder / "timing")
    return 0


if __name__ == "__main__":
    sys.exit(main())
