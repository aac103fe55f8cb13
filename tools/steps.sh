# Sourced by ./demo, ./test and tools/*.sh: how they speak and how they build.
# Sets `root` (the repository) and `python` (its virtual environment's).

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=$root/.venv/bin/python
started=$SECONDS

say() { printf '==> %s\n' "$*"; }

stop() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

cores() { nproc 2>/dev/null || echo 2; }

# logged WHAT LOG COMMAND...: runs the command into LOG; on failure shows the end of LOG and stops.
logged() {
    local what=$1 log=$2
    shift 2
    if ! "$@" >>"$log" 2>&1; then
        tail -n 60 "$log" >&2
        stop "$what (the whole log is $log)"
    fi
}

# built PRESET TARGET [CMAKE ARGUMENTS...]: configures and builds in build/PRESET.
built() {
    local preset=$1 target=$2 folder=$root/build/$1 log=$root/build/$1.log
    shift 2
    mkdir -p "$root/build"
    : >"$log"
    say "configuring build/$preset"
    (cd "$root" && logged "configuring build/$preset" "$log" cmake --preset "$preset" "$@")
    say "building build/$preset with $(cores) jobs"
    if [[ -t 1 ]]; then
        NINJA_STATUS='[%f/%t, %es] ' ninja -C "$folder" -j "$(cores)" "$target" || stop "building $preset"
    else
        # No terminal: one line in forty, the rest is in the log.
        NINJA_STATUS='[%f/%t, %es] ' ninja -C "$folder" -j "$(cores)" "$target" 2>&1 | tee -a "$log" |
            awk '/^\[[0-9]+\// { if (n++ % 40 == 0) { print "    " $0; fflush() } }' ||
            { grep -A 20 -E '^FAILED|error:' "$log" | head -n 80 >&2; stop "building $preset, see $log"; }
    fi
}
