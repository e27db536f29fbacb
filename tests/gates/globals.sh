#!/usr/bin/env bash
# globals.sh LIBRARY...: fails when a shared library holds a variable that can be written to. Tables
# of pointers (.data.rel.ro) are written by the dynamic linker alone and are fine, as are the few
# variables that the compiler's own start files and the linkers (GNU, mold) bring.
set -euo pipefail

# objdump -t: address, seven flags, section, TAB, size, perhaps .hidden, name. Flag d: no variable.
row='^[0-9a-f]+ ......[^d] (\.data|\.bss|\.tdata|\.tbss|\*COM\*)\t[0-9a-f]+ +(\.hidden )?(.*)$'
start_files=' (completed\.[0-9]+|__dso_handle|__TMC_END__|__bss_start|_edata|_?end|\.data|\.bss)$'

for library in "$@"; do
    symbols=$(objdump -t "$library")
    case $symbols in
    *.text*) ;;
    *)
        echo "$library has no symbol table"
        exit 1
        ;;
    esac
    found=$(sed -nE "s/$row/\1 \3/p" <<<"$symbols" | grep -vE "$start_files" || true)
    if [ -n "$found" ]; then
        printf '%s has writable globals:\n%s\n' "$library" "$found"
        exit 1
    fi
    echo "globals: none in ${library##*/}"
done
