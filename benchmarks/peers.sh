#!/usr/bin/env bash
# benchmarks/peers.sh [PEER...]: one virtual environment a peer under build/peers (or $PEERS), from PyPI,
# with the versions below. Peers: numpy torch jax pytensor theano. They are never dependencies of Croton.
#
# Theano 1.0.5 needs Python 3.7 or 3.8 (from $THEANO_PYTHON, pyenv, or the path), g++, and OpenBLAS as the
# linker finds it (libopenblas-dev or libopenblas-serial-dev); without such a Python it is left out.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${PEERS:-$root/build/peers}
python=${PYTHON:-python3}

declare -A packages=(
    [numpy]="numpy==2.4.6"
    [torch]="torch==2.15.0 numpy==2.4.6 setuptools==84.2.1"
    [jax]="jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6"
    [pytensor]="pytensor==3.0.7"
    [theano]="Theano==1.0.5 numpy==1.19.5 scipy==1.5.4 six==1.17.0"
)

theano_python() {
    local candidate
    for candidate in "${THEANO_PYTHON:-}" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.[78].*/bin/python python3.8 python3.7; do
        [[ -n $candidate ]] && "$candidate" -c 'import venv, ensurepip' 2>/dev/null && echo "$candidate" && return
    done
    return 1
}

make_peer() {
    local peer=$1 with=$python
    if [[ $peer == theano ]] && ! with=$(theano_python); then
        echo "theano: no Python 3.7 or 3.8 found; left out (set THEANO_PYTHON)"
        return
    fi
    echo "$peer: ${packages[$peer]}"
    [[ -x $folder/$peer/bin/python ]] || "$with" -m venv "$folder/$peer"
    # shellcheck disable=SC2086 # a list of words
    "$folder/$peer/bin/python" -m pip install --quiet --disable-pip-version-check ${packages[$peer]}
}

mkdir -p "$folder"
(($#)) || set -- numpy torch jax pytensor theano
for peer in "$@"; do
    [[ -n ${packages[$peer]:-} ]] || { echo "no peer named $peer; there are: ${!packages[*]}" >&2; exit 2; }
    make_peer "$peer"
done
