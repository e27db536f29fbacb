#!/usr/bin/env python3
"""Writes core/command_table.inc from what is in core/data: the recorded COMMAND INFO and COMMAND
DOCS of Redis 7.0, commands that are newer, and what neither says (command-facts.txt).

    tools/gen_commands.py            writes the file
    tools/gen_commands.py --check    fails when the file is not what would be written

Commands become rows sorted by name, a subcommand has a row of its own ("XGROUP CREATE"), and equal
key specifications and equal options are one array that rows share.
"""
import itertools
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORDED = ROOT / "core/data/commands-redis-7.0.json"
NEWER = ROOT / "core/data/commands-newer.txt"
FACTS = ROOT / "core/data/command-facts.txt"
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
    "MAY_REPLICATE": "MAY_REPLICATE",
    "NODE_LOCAL": "NODE_LOCAL",
    "OTHER_DATABASE": "OTHER_DATABASE",
    "DESTRUCTIVE": "DESTRUCTIVE",
}
IGNORED = {
    "allow_busy", "asking", "fast", "loading", "no_async_loading", "no_auth", "no_multi",
    "skip_monitor", "skip_slowlog", "stale", "syscmd",
}
KEY_FLAGS = {"RO": ["READ"], "RW": ["READ", "WRITE"], "OW": ["WRITE"], "RM": ["WRITE"],
             "R": ["READ"], "W": ["WRITE"], "not_key": ["NOT_A_KEY"], "incomplete": ["INCOMPLETE"]}

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
    """An initializer of evs__since: "7.4/9.0", "6.2", "/8.1"; "never"."""
    if text == "never":
        return "{EVS__VERSION_NEVER, EVS__VERSION_NEVER}"
    redis, _, valkey = text.partition("/")
    number = lambda t: "EVS__VERSION({}, {})".format(*(t.split(".") + ["0"])[:2])
    first = number(redis) if redis else "EVS__VERSION_NEVER"
    if valkey:
        return f"{{{first}, {number(valkey)}}}"
    shared = redis and tuple(map(int, redis.split(".")[:2])) <= (7, 2)
    return f"{{{first}, EVS__VERSION_{'ALWAYS' if shared else 'NEVER'}}}"


def row(name, arity, since, flags, specs):
    unknown = [f for f in flags if f not in FLAGS and f not in IGNORED]
    if unknown:
        sys.exit(f"gen_commands: {name}: unknown flags {unknown}")
    return {"name": name, "arity": arity, "older_arity": arity, "arity_since": "{0, 0}",
            "since": version(since), "specs": tuple(specs),
            "flags": {FLAGS[f] for f in flags if f in FLAGS}, "replaced": None,
            "allowed": version("never") if "noscript" in flags else "{0, 0}",
            "options": {}, "from": 0}


def leaves(node):
    """How many arguments a node of the argument tree stands for, its own word not counted."""
    inner = [leaves(a) for a in node.get("arguments", [])]
    own = {"block": sum(inner), "oneof": max(inner, default=0), "pure-token": 0}
    return own.get(node["type"], 1)


def words(node, since):
    """The options below a node: word, how many arguments belong to it, since when."""
    since = node.get("since", since)
    if "token" in node and node["token"] not in ("", '""'):
        yield node["token"], leaves(node), since
    for inner in node.get("arguments", []):
        yield from words(inner, since)


def recorded_options(r, command):
    """Options stand behind the arguments that must be there and end before the next of those."""
    depth = 1 + r["name"].count(" ")
    arguments = command.get("arguments", [])
    fixed = list(itertools.takewhile(
        lambda a: not {"optional", "multiple"} & set(a.get("flags", [])) and "token" not in a,
        arguments))
    r["from"] = depth + sum(leaves(a) for a in fixed)
    for place, node in enumerate(arguments[len(fixed):]):
        optional = "optional" in node.get("flags", [])
        if place == 0 and optional and "token" not in node and "since" in node and \
                node["type"] == "integer":
            r["options"][f"@{r['from']}"] = (0, version(node["since"]))
        choice = [a for a in node.get("arguments", []) if node["type"] == "oneof"]
        if not optional and "token" not in node and not (
                choice and all("token" in a for a in choice)):
            break
        for word, values, since in words(node, command["since"]):
            r["options"].setdefault(word, (values, version(since)))


def recorded_rows(command, rows):
    name = command["name"].upper().replace("|", " ")
    subcommands = command.get("subcommands", [])
    flags = [*command.get("flags", []), *command.get("doc_flags", [])]
    flags += [t for t in command.get("tips", []) if t in FLAGS]
    flags += ["code"] if name in BY_CODE else []
    flags += ["container"] if subcommands else []
    specs = [recorded_spec(s) for s in command.get("key_specs", [])]
    rows[name] = row(name, command["arity"], command["since"], flags, specs)
    recorded_options(rows[name], command)
    for subcommand in subcommands:
        recorded_rows(subcommand, rows)


def lines(path):
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            yield line


def newer_rows(rows):
    for line in lines(NEWER):
        columns = [c.strip() for c in line.split("|")]
        name, arity = columns[0], int(columns[1])
        if len(columns) == 3:
            rows[name]["arity"] = arity
            rows[name]["arity_since"] = version(columns[2])
            continue
        if name in rows:
            sys.exit(f"gen_commands: {name} is in {RECORDED.name} already")
        specs = [written_spec(s) for s in columns[4].split()]
        rows[name] = row(name, arity, columns[2], columns[3].split(), specs)
        rows[name]["from"] = 2


def named(rows, names):
    """The rows of names; an underscore may stand for the blank before a subcommand."""
    for name in names.split():
        yield rows[name if name in rows else name.replace("_", " ")]


def add_fact(rows, what, names):
    kind, *rest = what.split()
    for r in named(rows, names):
        if kind == "flag":
            r["flags"].add(rest[0])
        elif kind == "allowed":
            r["allowed"] = version(rest[0])
        elif kind == "replaced":
            r["replaced"] = " ".join(rest)
        elif kind == "options":
            r["from"] = int(rest[0])
        elif kind == "option":
            r["options"][rest[0]] = (int(rest[1]), version(rest[2]))
        else:
            sys.exit(f"gen_commands: {FACTS.name} has an unknown fact {kind}")


def filled(indent, text, separator):
    """`text` in lines of at most 100 columns, broken behind `separator`."""
    lines = [indent]
    for part in re.split(f"(?<={re.escape(separator)}) ", text):
        if len(lines[-1]) + 1 + len(part) > 100:
            lines.append(indent)
        lines[-1] += part if lines[-1] == indent else " " + part
    return "\n".join(lines)


def render_option(word, values, since):
    place = int(word[1:]) if word[0] == "@" else 0
    text = "NULL" if place else f'"{word}"'
    return f"{{{text}, {place}, {values}, {since}}}"


def render_arrays(rows, field, kind, prefix, text):
    """One array for all rows that have the same; what each row calls it."""
    names, out = {}, []
    for r in rows:
        if r[field]:
            names.setdefault(text(r[field]), f"{prefix}_{len(names) + 1}")
    for items, name in names.items():
        out.append(f"static const {kind} {name}[] = {{")
        out += [filled("    ", one + ",", ",") for one in items] + ["};"]
    return out, lambda r: names.get(text(r[field]), "NULL")


def render(rows):
    options = lambda o: tuple(render_option(word, *rest) for word, rest in o.items())
    shapes, shape_of = render_arrays(rows, "specs", "evs__key_spec", "shape", tuple)
    lists, list_of = render_arrays(rows, "options", "evs__option", "options", options)
    out = ["/* Written by tools/gen_commands.py from core/data; do not edit. */", ""]
    out += [*shapes, *lists, "", "static const evs__command commands[] = {"]
    for r in rows:
        flags = joined("EVS__COMMAND", [f for f in dict.fromkeys(FLAGS.values()) if f in r["flags"]])
        replaced = f'"{r["replaced"]}"' if r["replaced"] else "NULL"
        out.append(f'    {{"{r["name"]}", {r["arity"]}, {r["older_arity"]}, {len(r["specs"])}, {r["from"]}, '
                   f'{len(r["options"])},')
        out.append(filled("     ", flags + ",", "|"))
        out.append(f'     {r["since"]}, {r["allowed"]}, {r["arity_since"]},')
        out.append(f'     {shape_of(r)}, {list_of(r)}, {replaced}}},')
    return "\n".join(out + ["};", ""])


def main():
    rows = {}
    for command in json.loads(RECORDED.read_text())["commands"]:
        recorded_rows(command, rows)
    newer_rows(rows)
    for line in lines(FACTS):
        add_fact(rows, *line.split(":"))
    for name in rows:
        if not re.fullmatch(r"[A-Z0-9_-]+( [A-Z0-9_-]+)?", name):
            sys.exit(f"gen_commands: odd name {name}")
    text = render(sorted(rows.values(), key=lambda r: r["name"]))
    if sys.argv[1:] == ["--check"]:
        return 0 if TABLE.read_text() == text else f"{TABLE} is out of date: run {sys.argv[0]}"
    TABLE.write_text(text)
    return 0


sys.exit(main())
