#!/usr/bin/env python3
"""Fails when shipped C calls a function that we do not use, or when a TODO has no issue number."""
import re
import sys

import source

BANNED = {
    "strcpy": "lengths are known: memcpy, or evs__buf",
    "strcat": "lengths are known: memcpy, or evs__buf",
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "strtok": "writable state and writable input: walk with memchr",
    "atoi": "cannot fail: strtol, and look at the end",
    "gets": "fgets",
    "alloca": "unbounded stack: an arena",
    "setjmp": "hides paths from the reader and from destructors",
    "longjmp": "hides paths from the reader and from destructors",
    "rand": "global state",
    "srand": "global state",
    "signal": "we are a guest in the process; commands use sigaction",
}
CALL = re.compile(r"\b(" + "|".join(BANNED) + r")\s*\(")
TODO = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))")


def main():
    problems = []
    for name in source.files(source.SHIPPED):
        body = source.code(name)
        for hit in CALL.finditer(body):
            word = hit.group(1)
            problems.append(f"{name}:{source.line_of(body, hit.start())}: {word}: {BANNED[word]}")
    for name in source.files(source.ALL):
        body = source.text(name)
        for hit in TODO.finditer(body):
            line = source.line_of(body, hit.start())
            problems.append(f"{name}:{line}: {hit.group(1)} without an issue: write TODO(#12)")
    print("\n".join(problems) or "words: nothing banned, no open TODO")
    return 1 if problems else 0


sys.exit(main())
