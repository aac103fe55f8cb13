#!/usr/bin/env bash
# check_install.sh BUILD CMAKE CXX: installs BUILD into a fresh folder; an outside program finds it, builds
# against it and runs; first with no environment at all, then in a bare room (chroot) that has no more
# than the program, Croton's two libraries and the C and C++ run-time libraries: no compiler, header, LLVM
# or BLAS.
set -euo pipefail
build=$1 cmake=$2 cxx=$3
here=$(cd "$(dirname "$0")" && pwd)
work=$build/install-test
allowed='^(linux-vdso|linux-gate|libc|libm|libstdc\+\+|libgcc_s|libpthread|libdl|librt|ld-linux[-a-z0-9_]*)\.so'

fail() {
    echo "check_install: $*" >&2
    exit 1
}

rm -rf "$work"
mkdir -p "$work"
# DESTDIR first, moved afterwards: the installation must not know where it lies.
DESTDIR=$work/staging "$cmake" --install "$build" --prefix /opt/croton --component croton --strip >"$work/log"
mv "$work/staging/opt/croton" "$work/prefix"

library=$(find "$work/prefix" -name 'libcroton.so' -print -quit)
[[ -n $library ]] || fail "no libcroton.so was installed"
folder=$(dirname "$library")
generator=$(find "$folder" -maxdepth 1 -name 'libcroton-llvm-*.so')
[[ -n $generator ]] || fail "the code generator was not installed beside libcroton.so"
for file in "$library" "$generator"; do
    name=$(basename "$file")
    echo "$name: $(($(stat -Lc %s "$file") / 1048576)) MiB"
    # The code generator needs libcroton, which has always been loaded before.
    about=$(LD_LIBRARY_PATH=$folder ldd -r "$file" 2>&1)
    foreign=$(awk '/undefined symbol/ { next } { n = $1; sub(".*/", "", n); print n }' <<<"$about" |
        grep -vE "$allowed|^libcroton\.so" || true)
    [[ -z $foreign ]] || fail "$name needs libraries that a user may not have:" $foreign
    lacking=$(grep 'undefined symbol' <<<"$about" | c++filt || true)
    [[ -z $lacking ]] || fail "$name is incomplete: $lacking"
    readelf -d "$file" | grep -E 'R(UN)?PATH' && fail "$name carries a path of this machine"
    shown=$(nm -D --defined-only "$file" | awk '{ print $NF }' | grep -v croton || true)
    [[ -z $shown ]] || fail "symbols of others are visible in $name:" $(head -n 5 <<<"$shown")
done
grep -rqF "$build" "$work/prefix/lib"*/cmake && fail "the package names the build folder"

"$cmake" -S "$here/install" -B "$work/outside" -G Ninja "-DCMAKE_CXX_COMPILER=$cxx" \
    -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_PREFIX_PATH=$work/prefix" >>"$work/log"
"$cmake" --build "$work/outside" >>"$work/log" || { tail -n 40 "$work/log" >&2; fail "no build outside"; }
program=$work/outside/outside
env -i "$program" || fail "the outside program failed with an empty environment"

room=$work/room
mkdir -p "$room"
ldd "$program" | grep -oE '/[^ ]+' | while read -r file; do
    mkdir -p "$room$(dirname "$file")"
    cp -L "$file" "$room$file"
done
cp "$program" "$room/outside"
cp "$generator" "$room$(dirname "$(ldd "$program" | grep -oE '/[^ ]*libcroton\.so[^ ]*')")"
if [[ $(id -u) == 0 ]]; then
    enter=(chroot)
else
    enter=(unshare --map-root-user chroot)
fi
if ! "${enter[@]}" "$room" /outside >"$work/room.log" 2>&1; then
    cat "$work/room.log" >&2
    fail "the outside program failed in a bare room"
fi
echo "the outside program runs in a bare room: $(find "$room" -type f | wc -l) files in all"

# A code generator that is missing, or of another build, is named.
without=$work/without
cp -a "$work/prefix" "$without"
mv "$without${generator#"$work/prefix"}" "$work/generator"
run_without() {
    env -i CROTON_FLAGS=cache_dir=off LD_LIBRARY_PATH="$without${folder#"$work/prefix"}" "$program" 2>&1 || true
}
run_without | grep -q "code generator cannot be opened" || fail "a missing code generator is not named"
python3 - "$work/generator" "$without${generator#"$work/prefix"}" <<'PYTHON' || fail "no generator to change"
import sys

data = bytearray(open(sys.argv[1], "rb").read())
note = data.index(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0")
data[note + 16] ^= 1
open(sys.argv[2], "wb").write(data)
PYTHON
run_without | grep -q "belongs to another build" || fail "the code generator of another build is not refused"
