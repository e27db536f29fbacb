#!/usr/bin/env bash
# headers.sh COMPILER LANGUAGE STANDARD: fails when a public header does not compile alone, as in
# headers.sh g++ c++ c++11
set -euo pipefail
cd "$(dirname "$0")/../.."

count=0
for header in include/evalshard/*.h; do
    "$1" -x "$2" "-std=$3" -Wall -Wextra -Wpedantic -Wundef -Werror -Iinclude -fsyntax-only - <<END
#include <evalshard/${header##*/}>
#include <evalshard/${header##*/}>
END
    count=$((count + 1))
done
echo "headers: $count compile alone as $3 with ${1##*/}"
