#!/usr/bin/env bash
# Installs what building and testing Croton needs, where it is missing: packages of Debian 12 or
# Ubuntu 24.04 (as root or with sudo) and a virtual environment in .venv. Details go to build/setup.log.
set -euo pipefail
source "$(dirname "$0")/steps.sh"

packages=(
    g++ gfortran cmake ninja-build ccache git ca-certificates
    clang-19 lld-19 llvm-19-dev clang-format-19
    libopenblas-serial-dev zlib1g-dev libzstd-dev libgtest-dev
    python3-venv python3-dev
    dataset-fashion-mnist bible-kjv bible-kjv-text wamerican wfrench wngerman
)
mkdir -p "$root/build"
log=$root/build/setup.log
: >"$log"

as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    else
        sudo "$@"
    fi
}

missing_packages() {
    local package
    for package in "${packages[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
    done
}

install_packages() {
    command -v apt-get >/dev/null ||
        stop "this is no Debian or Ubuntu; install by hand what these packages hold: ${packages[*]}"
    local missing
    mapfile -t missing < <(missing_packages)
    if ((${#missing[@]} == 0)); then
        say "packages: all there"
        return
    fi
    [[ $(id -u) == 0 ]] || command -v sudo >/dev/null ||
        stop "neither root nor sudo; run as root: apt-get install ${missing[*]}"
    say "packages: installing ${missing[*]}"
    logged "reading the package lists" "$log" as_root apt-get update
    logged "installing ${missing[*]}" "$log" as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}"
}

# A Python that can make a virtual environment and compile extension modules.
usable() {
    "$1" - >>"$log" 2>&1 <<'PY'
import ensurepip, os, sys, sysconfig, venv
assert (3, 10) <= sys.version_info[:2] <= (3, 13), sys.version
assert os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")), "no Python.h"
PY
}

choose_python() {
    local candidate
    for candidate in ${CROTON_BASE_PYTHON:-} python3 /usr/bin/python3 python3.1{3,2,1,0}; do
        if command -v "$candidate" >/dev/null && usable "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    stop "no Python 3.10 to 3.13 with headers and venv was found (see $log)"
}

make_environment() {
    local stamp=$root/.venv/croton-requirements.txt
    if [[ -x $python ]] && cmp -s "$stamp" "$root/tools/requirements.txt" && usable "$python"; then
        say "virtual environment: all there"
        return
    fi
    local base
    base=$(choose_python)
    say "virtual environment: making .venv with $("$base" --version)"
    logged "making .venv" "$log" "$base" -m venv --clear "$root/.venv"
    logged "installing Python packages" "$log" \
        "$python" -m pip install --disable-pip-version-check -r "$root/tools/requirements.txt"
    cp "$root/tools/requirements.txt" "$stamp"
}

install_packages
make_environment
say "set-up done in $((SECONDS - started)) s"
