#!/usr/bin/env bash
# symbols.sh LIBRARY LIST: fails when the library exports anything else than LIST names. After a
# wanted change: symbols.sh LIBRARY LIST --write
set -euo pipefail

# GCC puts its own __odr_asan names into instrumented libraries.
exported=$(nm -D --defined-only "$1" | awk '$3 !~ /^__(odr_)?asan/ {print $3}' | LC_ALL=C sort)
if [ "${3-}" = --write ]; then
    printf '%s\n' "$exported" >"$2"
elif ! diff -u --label "$2" --label "$1" "$2" <(printf '%s\n' "$exported"); then
    echo "the exported symbols changed; if that is meant: tests/gates/symbols.sh $1 $2 --write"
    exit 1
fi
echo "symbols: $(wc -l <"$2") exported by ${1##*/}"
