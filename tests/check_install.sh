#!/usr/bin/env bash
# check_install.sh BUILD CMAKE CXX: installs BUILD into a fresh folder; an outside program finds it, builds
# against it and runs; first with no environment at all, then in a bare room (chroot) that has no more
# than the program, libcroton.so and the C and C++ run-time libraries: no compiler, header, LLVM or BLAS.
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
echo "libcroton.so: $(($(stat -Lc %s "$library") / 1048576)) MiB"
foreign=$(ldd "$library" | awk '{ n = $1; sub(".*/", "", n); print n }' | grep -vE "$allowed" || true)
[[ -z $foreign ]] || fail "libcroton.so needs libraries that a user may not have:" $foreign
lacking=$(ldd -r "$library" 2>&1 | grep 'undefined symbol' | c++filt || true)
[[ -z $lacking ]] || fail "libcroton.so is incomplete: $lacking"
readelf -d "$library" | grep -E 'R(UN)?PATH' && fail "libcroton.so carries a path of this machine"
shown=$(nm -D --defined-only "$library" | awk '{ print $NF }' | grep -v croton || true)
[[ -z $shown ]] || fail "symbols of others are visible:" $(head -n 5 <<<"$shown")
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
