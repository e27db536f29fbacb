#!/usr/bin/env python3
"""Fails when a function is longer than 80 lines or a file longer than 600 (a test, which is mostly
tables: 900); lists what is over the aims (40 and 300).

A function is found by layout, which clang-format guarantees: its body opens and closes with a brace
in the first column. Its length counts from the first line of its head to the closing brace.
"""
import statistics
import sys

import source

FUNCTION_STOP, FUNCTION_AIM = 80, 40
FILE_STOP, TEST_STOP, FILE_AIM = 600, 900, 300

# "path" or "path:function": why it may pass the stop.
EXCEPTIONS = {}


def functions(name):
    """Yields (name of the function, first line, length)."""
    lines = source.code(name).split("\n")
    for number, line in enumerate(lines):
        if line.rstrip() != "{":
            continue
        head = number
        while head > 0 and lines[head - 1].strip() and lines[head - 1].rstrip()[-1] not in ";}":
            head -= 1
        end = next(n for n in range(number, len(lines)) if lines[n].startswith("}"))
        title = " ".join(lines[head:number]).split("(")[0]
        yield title.split()[-1].lstrip("*"), head + 1, end - head + 1


def main():
    problems, notes, lengths = [], [], []
    for name in source.files(source.ALL):
        shipped = not name.startswith("tests/")
        count = source.text(name).count("\n")
        stop = FILE_STOP if shipped else TEST_STOP
        if count > stop and name not in EXCEPTIONS:
            problems.append(f"{name}: {count} lines, more than {stop}")
        elif count > FILE_AIM and shipped:
            notes.append(f"{name}: {count} lines")
        for function, line, length in functions(name):
            lengths.append(length)
            if length > FUNCTION_STOP and f"{name}:{function}" not in EXCEPTIONS:
                problems.append(f"{name}:{line}: {function} has {length} lines, "
                                f"more than {FUNCTION_STOP}")
            elif length > FUNCTION_AIM and shipped:
                notes.append(f"{name}:{line}: {function} has {length} lines")
    for note in notes:
        print(f"over the aim: {note}")
    for problem in problems:
        print(problem)
    tenths = statistics.quantiles(lengths, n=10)
    print(f"lengths: {len(lengths)} functions, median {statistics.median(lengths):.0f} lines, "
          f"90% at {tenths[8]:.0f} or less")
    return 1 if problems else 0


sys.exit(main())
