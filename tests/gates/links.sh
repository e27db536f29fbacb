#!/usr/bin/env bash
# links.sh FILE NAME...: fails when FILE needs a shared library other than libc and the named ones.
# The auditor is one small program for CI images: no hiredis, no libuv, no OpenSSL.
set -euo pipefail

file=$1
shift
extra=()
for needed in $(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    case " libc libm ld-linux-x86-64 ld-linux-aarch64 $* " in
    *" ${needed%%.so*} "*) ;;
    *) extra+=("$needed") ;;
    esac
done
if [ ${#extra[@]} -gt 0 ]; then
    echo "$file needs ${extra[*]}"
    exit 1
fi
echo "links: ${file##*/} needs nothing but ${*:-libc}"
