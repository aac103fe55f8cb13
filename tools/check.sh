#!/usr/bin/env bash
# tools/check.sh format [--fix] | tidy [FILE...] | layers
# format: every C++ file that git tracks is as clang-format 19 writes it. tidy: clang-tidy 19 over the
# files given, or all of croton/ (minutes), with the flags of build/dev. layers: includes keep layers.txt.
set -euo pipefail
source "$(dirname "$0")/steps.sh"
cd "$root"

tool() {
    local found
    found=$(command -v "$1-19" || command -v "/usr/lib/llvm-19/bin/$1") ||
        stop "$1 of LLVM 19 is missing: apt-get install ${2:-$1-19}"
    echo "$found"
}

formatted() {  # clang-format with the arguments given, over every C++ file that git tracks
    git ls-files -z -- '*.cpp' '*.hpp' | xargs -0 -r -P "$(cores)" -n 40 "$program" "$@" 2>&1
}

format() {
    program=$(tool clang-format)
    if [[ ${1:-} == --fix ]]; then
        # Lists of macro calls settle only after a few rounds.
        for _ in 1 2 3 4; do formatted -i; done
    fi
    formatted --dry-run -Werror | sed -n 's/^\([^ :]*\):[0-9]*:[0-9]*: error.*/\1/p' | sort | uniq -c ||
        stop "format: these files differ (number of places); tools/check.sh format --fix writes them anew"
    say "format: $(git ls-files -- '*.cpp' '*.hpp' | wc -l) files in order"
}

tidy() {
    local program files=("$@")
    program=$(tool run-clang-tidy clang-tidy-19)
    [[ -f build/dev/compile_commands.json ]] || stop "tidy needs a configured build/dev: cmake --preset dev"
    ((${#files[@]})) || mapfile -t files < <(git ls-files -- 'croton/*.cpp')
    # The flags are those of g++, whose names for warnings clang does not all know; libstdc++'s own use
    # of what it calls deprecated is not ours to mend.
    "$program" -quiet -p build/dev -j "$(cores)" -extra-arg=-Wno-unknown-warning-option \
        -extra-arg=-Wno-deprecated-declarations \
        "${files[@]/#/$root/}"
    say "tidy: ${#files[@]} files in order"
}

case ${1:-} in
    format) format "${2:-}" ;;
    tidy) tidy "${@:2}" ;;
    layers) python3 tools/check_layers.py ;;
    *) stop "usage: tools/check.sh format [--fix] | tidy [FILE...] | layers" ;;
esac
