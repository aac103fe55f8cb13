#!/usr/bin/env bash
# Line coverage of croton/ by the tests: builds build/coverage, runs the tests (arguments go to ctest)
# and prints covered and all lines of each folder. gcov merges what every program ran.
set -euo pipefail
source "$(dirname "$0")/steps.sh"
cd "$root"

[[ -x $python ]] || "$root/tools/setup.sh"
built coverage all -DCROTON_PYTHON=ON -DPython_EXECUTABLE="$python"
find build/coverage -name '*.gcda' -delete
ctest --test-dir build/coverage -j "$(cores)" "$@" >build/coverage-tests.log 2>&1 ||
    say "some tests failed (build/coverage-tests.log); their lines count all the same"
"$python" tools/coverage.py build/coverage
