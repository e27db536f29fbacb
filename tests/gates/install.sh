#!/usr/bin/env bash
# install.sh BUILD COMPILER: installs BUILD below a temporary folder, then moves that folder, and
# builds a small program against it: with pkg-config (shared and static) and with find_package.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$1 cc=$2

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

quiet() {
    "$@" >"$stage/log" 2>&1 || {
        cat "$stage/log"
        echo "install: failed: $*"
        exit 1
    }
}

# runs TITLE PROGRAM: both versions it prints are the same.
runs() {
    local said
    said=$("$2")
    [ "${said% *}" = "${said#* }" ] || {
        echo "install: $1: header and library differ: $said"
        exit 1
    }
    echo "install: $1 works, version ${said% *}"
}

quiet cmake --install "$build" --prefix "$stage/first"
mv "$stage/first" "$stage/moved"
prefix=$stage/moved
libdir=$(dirname "$(find "$prefix" -name libevalshard.so)")
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir

modules=(evalshard evalshard-audit)
[ ! -f "$libdir/pkgconfig/evalshard-hiredis.pc" ] || modules+=(evalshard-hiredis)
for module in "${modules[@]}"; do
    eval "flags=($(pkg-config --cflags --libs "$module"))"
    quiet "$cc" "$here/installed/main.c" -o "$stage/shared" "${flags[@]}"
    runs "$module, pkg-config" "$stage/shared"
    eval "flags=($(pkg-config --static --cflags --libs "$module"))"
    quiet "$cc" "$here/installed/main.c" -o "$stage/static" "${flags[@]/#-l$module/-l:lib$module.a}"
    runs "$module, pkg-config --static" "$stage/static"
done

quiet cmake -G Ninja -S "$here/installed" -B "$stage/build" \
    -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc"
quiet cmake --build "$stage/build"
for program in "$stage"/build/with_*; do
    runs "find_package, ${program##*/with_}" "$program"
done
