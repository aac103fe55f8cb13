#!/usr/bin/env bash
# tools/try_pythons.sh [PYTHON...]
# Builds the extension module for each Python and runs tests/python with NumPy 1.26 and the newest NumPy.
# Pythons are versions (3.12) or paths; by default every 3.10 to 3.13 in the PATH or in pyenv. The library
# itself is not built again: the modules of all versions stand side by side in build/dev, which must be
# configured. PYTEST_ARGS goes to pytest. Ends with one line a combination, and with 1 if one failed.
set -euo pipefail
source "$(dirname "$0")/steps.sh"
cd "$root"

tree=build/dev
folder=$root/build/pythons
log=$folder/log.txt
mkdir -p "$folder"
: >"$log"
[[ -f $tree/CMakeCache.txt ]] || stop "$tree is not configured: cmake --preset dev"
own=$(sed -n 's/^Python_EXECUTABLE:[A-Z]*=//p' "$tree/CMakeCache.txt")

find_python() {  # a version or a path -> the interpreter
    local candidate
    for candidate in "$1" "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1"*/bin/python; do
        # A name may stand for a program that only says which versions there are.
        if command -v "$candidate" >/dev/null && "$candidate" -c '' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

point_tree_at() {  # what CMake found out about another Python is forgotten
    cmake "$tree" -U 'Python_*' -U '_Python_*' -U 'nanobind_*' -DCROTON_PYTHON=ON \
        -DPython_EXECUTABLE="$1" >>"$log" 2>&1
}
restore() {
    [[ -z $own ]] || point_tree_at "$own" || say "could not point $tree back at $own (see $log)"
}
trap restore EXIT

results=()
failed=0
try_numpy() {  # name of the Python, its interpreter, what pip is asked for
    local name=$1 python=$2 wanted=$3 numpy summary
    if ! "$python" -m pip install --quiet --only-binary :all: "$wanted" >>"$log" 2>&1; then
        results+=("$name, $wanted: no wheel for this Python, not tried")
        return
    fi
    numpy=$("$python" -c 'import numpy; print(numpy.__version__)')
    say "$name with NumPy $numpy: testing"
    if ! PYTHONPATH=$root/$tree/python "$python" -m pytest ${PYTEST_ARGS:-} tests/python \
        >"$folder/$name-numpy-$numpy.txt" 2>&1; then
        failed=1
    fi
    cat "$folder/$name-numpy-$numpy.txt" >>"$log"
    summary=$(tail -n 1 "$folder/$name-numpy-$numpy.txt")
    results+=("$name, NumPy $numpy: $summary")
}

try_python() {
    local base=$1 name python
    name=python-$("$base" -c 'import platform; print(platform.python_version())')
    python=$folder/$name/bin/python
    if [[ ! -x $python ]]; then
        logged "$name: making a virtual environment" "$log" "$base" -m venv "$folder/$name"
        logged "$name: installing packages" "$log" "$python" -m pip install --quiet \
            --disable-pip-version-check 'nanobind>=2.7' pytest ml_dtypes safetensors
    fi
    say "$name: building the extension module"
    point_tree_at "$python" || stop "CMake failed for $base (see $log)"
    nice ninja -C "$tree" -j "$(cores)" _core croton_stubs >>"$log" 2>&1 || stop "the build failed for $base (see $log)"
    try_numpy "$name" "$python" 'numpy==1.26.*'
    try_numpy "$name" "$python" 'numpy>=2'
}

wanted=("$@")
((${#wanted[@]})) || wanted=(3.10 3.11 3.12 3.13)
for version in "${wanted[@]}"; do
    if base=$(find_python "$version"); then
        try_python "$base"
    else
        results+=("Python $version: not found, not tried")
    fi
done
printf '    %s\n' "${results[@]}"
((failed == 0)) || stop "some tests failed: see $folder/*.txt"
say "every combination passed"
