#!/usr/bin/env python3
"""Writes core/command_table.inc from core/data/commands-redis-7.0.json and commands-newer.txt.

    tools/gen_commands.py            writes the file
    tools/gen_commands.py --check    fails when the file is not what would be written

Commands become rows sorted by name, a subcommand has a row of its own ("XGROUP CREATE"), and equal
key specifications are one array that rows share.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORDED = ROOT / "core/data/commands-redis-7.0.json"
NEWER = ROOT / "core/data/commands-newer.txt"
TABLE = ROOT / "core/command_table.inc"

FLAGS = {
    "write": "WRITE",
    "readonly": "READONLY",
    "noscript": "NOSCRIPT",
    "blocking": "BLOCKING",
    "movablekeys": "MOVABLE",
    "movable": "MOVABLE",
    "code": "CODE",
    "container": "CONTAINER",
    "pubsub": "PUBSUB",
    "admin": "ADMIN",
    "no_mandatory_keys": "KEYS_OPTIONAL",
    "deprecated": "DEPRECATED",
    "random": "RANDOM",
    "nondeterministic_output": "RANDOM",
    "nondeterministic_output_order": "RANDOM_ORDER",
    "denyoom": "DENYOOM",
    "valkey": "VALKEY",
    "may_replicate": "MAY_REPLICATE",
}
IGNORED = {
    "allow_busy", "asking", "fast", "loading", "no_async_loading", "no_auth", "no_multi",
    "skip_monitor", "skip_slowlog", "stale", "syscmd",
}
KEY_FLAGS = {"RO": ["READ"], "RW": ["READ", "WRITE"], "OW": ["WRITE"], "RM": ["WRITE"],
             "R": ["READ"], "W": ["WRITE"], "not_key": ["NOT_A_KEY"], "incomplete": ["INCOMPLETE"]}

# Not writes, but sent to replicas or run as what they contain. COMMAND does not show this flag.
MAY_REPLICATE = {"EVAL", "EVALSHA", "FCALL", "PFCOUNT", "PUBLISH", "SPUBLISH"}

# Commands whose key positions only code can find; core/command.c has a function for each.
BY_CODE = {"SORT", "SORT_RO", "GEORADIUS", "GEORADIUSBYMEMBER", "MIGRATE", "XREAD", "XREADGROUP"}


def joined(prefix, names):
    return " | ".join(f"{prefix}_{n}" for n in names) or "0"


def spec(begin_kind, find_kind, numbers, flags, keyword=None):
    begin, last, first, step, limit = numbers
    word = f'"{keyword}"' if keyword else "NULL"
    return (f"{{EVS__KEY_BEGIN_{begin_kind}, EVS__KEY_FIND_{find_kind}, {begin}, {last}, {first}, "
            f"{step}, {limit}, {joined('EVS__KEY', flags)}, {word}}}")


def recorded_spec(s):
    """A key specification of COMMAND INFO."""
    flags = [f for name in s["flags"] for f in KEY_FLAGS.get(name, [])]
    search, find = s["begin_search"], s["find_keys"]
    begin = search.get("index", search.get("startfrom", 0))
    if find["type"] == "range":
        numbers = (begin, find["lastkey"], 0, find["keystep"], find["limit"])
        kind = "RANGE"
    elif find["type"] == "keynum":
        numbers = (begin, find["keynumidx"], find["firstkey"], find["keystep"], 0)
        kind = "NUMKEYS"
    else:
        numbers = (begin, 0, 0, 0, 0)
        kind = "UNKNOWN"
    return spec(search["type"].upper(), kind, numbers, flags, search.get("keyword"))


def written_spec(text):
    """A key specification of commands-newer.txt."""
    access, where = text.split(":")
    flags = KEY_FLAGS[access]
    where, _, step = where.partition("/")
    step = int(step or 1)
    if where.startswith("n@"):
        return spec("INDEX", "NUMKEYS", (int(where[2:]), 0, 1, step, 0), flags)
    first, _, last = where.partition("..")
    return spec("INDEX", "RANGE", (int(first), int(last or 0), 0, step, 0), flags)


def version(text):
    major, minor = (text.split(".") + ["0"])[:2]
    return f"{major}, {minor}"


def row(name, arity, since, flags, specs):
    unknown = [f for f in flags if f not in FLAGS and f not in IGNORED]
    if unknown:
        sys.exit(f"gen_commands: {name}: unknown flags {unknown}")
    wanted = {FLAGS[f] for f in flags if f in FLAGS}
    return {"name": name, "arity": arity, "since": version(since), "specs": tuple(specs),
            "flags": [f for f in dict.fromkeys(FLAGS.values()) if f in wanted]}


def recorded_rows(command, rows):
    name = command["name"].upper().replace("|", " ")
    subcommands = command.get("subcommands", [])
    flags = [*command.get("flags", []), *command.get("doc_flags", [])]
    flags += [t for t in command.get("tips", []) if t in FLAGS]
    flags += ["code"] if name in BY_CODE else []
    flags += ["container"] if subcommands else []
    flags += ["may_replicate"] if name in MAY_REPLICATE else []
    specs = [recorded_spec(s) for s in command.get("key_specs", [])]
    rows[name] = row(name, command["arity"], command["since"], flags, specs)
    for subcommand in subcommands:
        recorded_rows(subcommand, rows)


def newer_rows(rows):
    for line in NEWER.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        columns = [c.strip() for c in line.split("|")]
        name, arity = columns[0], int(columns[1])
        if len(columns) == 2:
            rows[name]["arity"] = arity
            continue
        if name in rows:
            sys.exit(f"gen_commands: {name} is in {RECORDED.name} already")
        server, _, since = columns[2].rpartition(":")
        flags = columns[3].split() + ([server] if server else [])
        rows[name] = row(name, arity, since, flags, [written_spec(s) for s in columns[4].split()])


def filled(indent, text, separator):
    """`text` in lines of at most 100 columns, broken behind `separator`."""
    lines = [indent]
    for part in re.split(f"(?<={re.escape(separator)}) ", text):
        if len(lines[-1]) + 1 + len(part) > 100:
            lines.append(indent)
        lines[-1] += part if lines[-1] == indent else " " + part
    return "\n".join(lines)


def render(rows):
    shapes = {}
    for r in rows:
        if r["specs"]:
            shapes.setdefault(r["specs"], f"shape_{len(shapes) + 1}")
    out = ["/* Written by tools/gen_commands.py from core/data; do not edit. */", ""]
    for specs, name in shapes.items():
        out.append(f"static const evs__key_spec {name}[] = {{")
        out += [filled("    ", one + ",", ",") for one in specs] + ["};"]
    out += ["", "static const evs__command commands[] = {"]
    for r in rows:
        out.append(f'    {{"{r["name"]}", {r["arity"]}, {{{r["since"]}}},')
        out.append(filled("     ", joined("EVS__COMMAND", r["flags"]) + ",", "|"))
        out.append(f'     {len(r["specs"])}, {shapes.get(r["specs"], "NULL")}}},')
    return "\n".join(out + ["};", ""])


def main():
    rows = {}
    for command in json.loads(RECORDED.read_text())["commands"]:
        recorded_rows(command, rows)
    newer_rows(rows)
    for name in rows:
        if not re.fullmatch(r"[A-Z0-9_-]+( [A-Z0-9_-]+)?", name):
            sys.exit(f"gen_commands: odd name {name}")
    text = render(sorted(rows.values(), key=lambda r: r["name"]))
    if sys.argv[1:] == ["--check"]:
        return 0 if TABLE.read_text() == text else f"{TABLE} is out of date: run {sys.argv[0]}"
    TABLE.write_text(text)
    return 0


sys.exit(main())
