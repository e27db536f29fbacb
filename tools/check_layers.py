#!/usr/bin/env python3
"""Fails when an include climbs the ladder, when includes form a circle, or when a third-party header
is reached from more than the one module that owns it.

The ladder, low to high: core (pure) < core/net < sharding < conf | scripts/syntax < scripts/audit
< scripts < scripts/engine < tools; beside scripts/audit: scripts/audit/extract; a library of its own
above the engine: scripts/hiredis. An include goes down or stays in its folder; conf and scripts/syntax do not see each
other; tools see public headers only, but script-audit the pure core, the YAML
reader and the table conf/compat.h; scripts/audit
sees the pure rungs only.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# folder: folders it may include from (itself is always allowed)
MAY = {
    "include/evalshard": [],
    "core": [],
    "core/net": ["core"],
    "sharding": ["core", "core/net"],
    "conf": ["core", "sharding"],
    "scripts/syntax": ["core"],
    "scripts/audit": ["core", "scripts/syntax"],
    "scripts/audit/extract": ["core", "scripts/syntax"],
    "scripts": ["core", "scripts/syntax", "scripts/audit"],
    "scripts/engine": ["core", "core/net", "sharding", "scripts", "scripts/audit"],
    "scripts/hiredis": ["core", "sharding", "scripts", "scripts/engine", "scripts/audit"],
    "tools": [],
    "tools/script_audit": ["core", "conf"],
}

# What of conf knows nothing of shard maps: reading YAML by tables of keys. script-audit is built of
# these files besides its library, so they may include core and each other only.
YAML = ["ascii", "diagnostics", "excerpt", "fields", "file", "quoted", "readers", "secretive",
        "source", "yaml_problem", "yaml_tree"]

# third-party header: the only files that may include it
OWNERS = {
    "uv.h": "core/net/",
    "yaml.h": "conf/yaml_tree.c",
    "xxhash.h": "core/hash64.c",
    "md5.h": "sharding/hash/md5.c",
    "hiredis/": "scripts/hiredis/",
    "openssl/": "core/net/tls",
}

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)


def rung(path):
    """The longest folder of MAY that holds `path`."""
    best = None
    for folder in MAY:
        if path.startswith(folder + "/") and (best is None or len(folder) > len(best)):
            best = folder
    return best


def is_yaml(name):
    return name.rsplit(".", 1)[0] in [f"conf/{part}" for part in YAML]


def script_audit_may(name, target):
    """A pure table of conf beside the YAML reader: which hash tags `compat` implies."""
    return name.startswith("tools/script_audit/") and target == "conf/compat.h"


def check_file(name, text, graph):
    problems = []
    here = rung(name)
    for kind, target in INCLUDE.findall(text):
        for header, owner in OWNERS.items():
            if target.startswith(header) and not name.startswith(owner):
                problems.append(f"{name}: {target} belongs to {owner}")
        if kind == "<" or target.startswith("evalshard/"):
            continue
        there = rung(target)
        if not (ROOT / target).exists():
            problems.append(f'{name}: "{target}" is not a path from the root')
            continue
        graph.setdefault(name, []).append(target)
        if there != here and there not in MAY[here]:
            problems.append(f"{name}: {here} may not include {target}")
        if (there == "conf" and not is_yaml(target) and not script_audit_may(name, target)
                and (is_yaml(name) or here != "conf")):
            problems.append(f"{name}: {target} knows shard maps")
        if is_yaml(name) and there not in ["core", "conf"]:
            problems.append(f"{name}: {target} is above reading YAML")
    return problems


def find_circle(graph):
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return None
        path.append(node)
        for target in graph.get(node, []):
            circle = visit(target)
            if circle:
                return circle
        path.pop()
        done.add(node)
        return None

    for node in list(graph):
        circle = visit(node)
        if circle:
            return circle
    return None


def main():
    problems, graph, count = [], {}, 0
    for folder in ["core", "sharding", "conf", "scripts", "tools", "include"]:
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            name = path.relative_to(ROOT).as_posix()
            problems += check_file(name, path.read_text(), graph)
            count += 1
    circle = find_circle(graph)
    if circle:
        problems.append("circle: " + " -> ".join(circle))
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 1
    print(f"layers: {count} files, no climb, no circle")
    return 0


sys.exit(main())
