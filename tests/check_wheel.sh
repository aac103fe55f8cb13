#!/usr/bin/env bash
# check_wheel.sh SOURCE WORK PYTHON BUILD_TYPE: `pip install SOURCE` into a clean virtual environment, then
# uses the package with no environment and outside of the tree. The build type is that of the build under
# test, so that ccache knows the objects again.
set -euo pipefail
source=$1 work=$2 python=$3 type=$4

fail() {
    echo "check_wheel: $*" >&2
    exit 1
}

rm -rf "$work"
mkdir -p "$work/elsewhere"
"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --disable-pip-version-check -q \
    -C "cmake.build-type=$type" -C install.strip=true -C cmake.define.CROTON_WERROR=ON "$source" >"$work/log" 2>&1 ||
    { tail -n 60 "$work/log" >&2; fail "pip install failed ($work/log)"; }
cd "$work/elsewhere"
env -i "$work/venv/bin/python" "$source/tests/install/outside.py" || fail "the installed package failed"
