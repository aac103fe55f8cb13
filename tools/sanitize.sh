#!/usr/bin/env bash
# tools/sanitize.sh asan|tsan [CTEST ARGUMENTS]: builds build/asan (addresses, leaks, undefined behaviour) or
# build/tsan (threads) with g++ and runs the tests in it, then lists what the sanitizer found. What it is
# told, and why, stands in tests/CMakeLists.txt. CROTON_FUZZ_COUNT (2000) and CROTON_FUZZ_SEED choose the
# random graphs.
set -euo pipefail
source "$(dirname "$0")/steps.sh"
cd "$root"

case ${1:-} in
    asan | tsan) preset=$1 ;;
    *) stop "usage: tools/sanitize.sh asan|tsan [CTEST ARGUMENTS]" ;;
esac
shift
export CC=${CC:-gcc} CXX=${CXX:-g++} CROTON_PRESET=$preset

log=$root/build/$preset-tests.log
mkdir -p "$root/build"
status=0
./test "$@" 2>&1 | tee "$log" || status=$?
findings=$(grep -E 'ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|: runtime error: ' "$log" |
    sed -E 's/^[0-9]+: //; s/^==[0-9]+==//' | sort | uniq -c) || true
[[ -z $findings ]] || printf '%s\n' "$findings"
((status == 0)) || stop "$preset: findings or failing tests (the whole log is $log)"
say "$preset: nothing found"
