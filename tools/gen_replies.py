#!/usr/bin/env python3
"""Writes core/command_reply_table.inc from core/data/command-replies.txt.

    tools/gen_replies.py            writes the file
    tools/gen_replies.py --check    fails when the file is not what would be written
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WRITTEN = ROOT / "core/data/command-replies.txt"
TABLE = ROOT / "core/command_reply_table.inc"
KINDS = ["status", "int", "bulk", "nil", "double", "verbatim", "list", "set", "map", "any"]


def kinds(text):
    words = text.split()
    unknown = [w for w in words if w not in KINDS]
    if unknown:
        sys.exit(f"gen_replies: unknown {unknown}")
    return " | ".join(f"EVS__REPLY_{w.upper()}" for w in words) or "0"


def halves(text):
    first, _, others = text.partition(";")
    return first.strip(), others.strip() or first.strip()


def bound(text, otherwise):
    return text if text else otherwise


def numbers(text):
    if not text:
        return "-HUGE_VAL, HUGE_VAL"
    low, _, high = text.partition("..")
    return f"{bound(low, '-HUGE_VAL')}, {bound(high, 'HUGE_VAL')}"


def condition(words, line):
    word, begin, more, resp3 = "NULL", 0, 0, 0
    for w in words:
        if match := re.fullmatch(r"\+([A-Z]+)@(\d+)", w):
            word, begin = f'"{match[1]}"', match[2]
        elif match := re.fullmatch(r">(\d+)", w):
            more = int(match[1]) + 1
        elif w == "RESP3":
            resp3 = 1
        else:
            sys.exit(f"gen_replies: {line}: what is {w}?")
    return f"{word}, {begin}, {more}, {resp3}"


def row(line):
    columns = [c.strip() for c in line.split("|")] + ["", "", ""]
    words = columns[0].split()
    name = [words.pop(0)]
    while words and re.fullmatch(r"[A-Z][A-Z-]*", words[0]) and words[0] != "RESP3":
        name.append(words.pop(0))
    first, others = halves(columns[2])
    low, high = halves(columns[3])
    return (" ".join(name), f'    {{"{" ".join(name)}", {condition(words, line)},\n'
            f"     {kinds(columns[1])}, {kinds(first)}, {kinds(others)},\n"
            f"     {{{numbers(low)}}}, {{{numbers(high)}}}}},")


def main():
    lines = [line for line in WRITTEN.read_text().splitlines() if line and line[0] != "#"]
    rows = [row(line) for line in lines]
    if [name for name, _ in rows] != sorted(name for name, _ in rows):
        sys.exit(f"gen_replies: {WRITTEN.name} is not in order")
    text = "\n".join(["/* Written by tools/gen_replies.py from core/data; do not edit. */", "",
                      "static const evs__command_reply replies[] = {",
                      *[text for _, text in rows], "};", ""])
    if sys.argv[1:] == ["--check"]:
        return 0 if TABLE.read_text() == text else f"{TABLE} is out of date: run {sys.argv[0]}"
    TABLE.write_text(text)
    return 0


sys.exit(main())
