#!/usr/bin/env python3
"""Measures script-audit on the Lua of published packages. Not one of the tests: it needs npm and the
network, and its numbers change with the packages.

    tests/corpus/run.py [--build DIR] [--keep DIR] [--findings FILE] [PACKAGE...]

Each package is installed into a temporary folder (its install scripts are not run; with --keep, into
DIR, where a second run finds it). Audited are its .lua files with what they include (files in folders
called includes are parts) and the scripts in the strings of its programs. Equal texts count once, and
a program that is called like a .lua file is taken for a copy of it. bottleneck puts its scripts together when it runs, so
its own function for that is asked for them.

The table has per package: scripts; fragments (what does not parse as it stands in a program, or has
code of the program where a statement stands); texts that do not parse although they are whole; key
arguments by verdict; the share of unproven ones outside of fragments. --findings writes one line per
key argument that is not declared, for reading.

Exits 1 when script-audit fails on something, when a whole text does not parse, or when more than 3 %
of the key arguments are unproven.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PACKAGES = ["bullmq", "bull", "bottleneck", "bee-queue", "rate-limiter-flexible",
            "rate-limit-redis", "kue", "redlock", "ioredis-lock", "groupmq"]
MOST_UNPROVEN = 0.03
VERDICTS = ["declared", "derived", "undeclared", "unproven", "unreached"]

# Writes what a package puts together when it runs: one file per script into the folder argv[1].
ASSEMBLE = {
    "bottleneck": """
        const fs = require('fs'), scripts = require('bottleneck/lib/Scripts');
        for (const name of scripts.names)
            fs.writeFileSync(process.argv[1] + '/' + name + '.lua', scripts.payload(name));
    """,
}


def install(package, folder):
    home = folder / package
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "node_modules" / package).exists():
        subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund",
                        "--legacy-peer-deps", "--silent", package], cwd=home, check=True)
    return home


def is_part(path):
    """Is this .lua file one that others are put together from?"""
    return "includes" in path.parts


def inputs(package, home):
    """The files to audit, and how many parts were left out."""
    source = home / "node_modules" / package
    if package in ASSEMBLE:
        out = home / "assembled"
        out.mkdir(exist_ok=True)
        subprocess.run(["node", "-e", ASSEMBLE[package], str(out)], cwd=home, check=True)
        return sorted(out.glob("*.lua")), len(list(source.rglob("*.lua")))
    scripts = [p for p in source.rglob("*.lua") if "node_modules" not in p.relative_to(source).parts]
    whole = [p for p in scripts if not is_part(p)]
    programs = [p for suffix in ("js", "mjs", "cjs", "ts") for p in source.rglob("*." + suffix)
                if "node_modules" not in p.relative_to(source).parts]
    return sorted(whole + programs), len(scripts) - len(whole)


def audit(build, files):
    """The report, or None when the command failed."""
    run = subprocess.run([build / "tools" / "script-audit", "--extract", "--format", "json",
                          "--exit-zero", "--", *files], capture_output=True, text=True)
    if run.returncode != 0:
        print(f"script-audit exits {run.returncode}: {run.stderr.strip()}", file=sys.stderr)
        return None
    return json.loads(run.stdout)


def distinct(report):
    seen = set()
    paths = [pathlib.Path(script["path"]) for script in report["scripts"]]
    files = {path.stem for path in paths if path.suffix == ".lua"}
    for script, path in zip(report["scripts"], paths):
        if path.suffix != ".lua" and path.stem in files:
            continue
        name = script["sha1"] or (path.name, script.get("line"))
        if name not in seen:
            seen.add(name)
            yield script


def is_fragment(script):
    return script.get("fragment", False) or any(h["place"] == "code" for h in script.get("holes", []))


def measure(scripts):
    count = collections.Counter()
    codes = collections.Counter()
    for script in scripts:
        count["scripts"] += 1
        fragment = is_fragment(script)
        count["fragments"] += fragment
        count["invalid"] += script["verdict"] is None and not fragment
        codes.update(finding["code"] for finding in script["findings"])
        for site in script["sites"]:
            count["in fragments" if fragment else site["verdict"]] += 1
    return count, codes


def share(count):
    reached = sum(count[v] for v in VERDICTS if v != "unreached")
    return count["unproven"] / reached if reached else 0.0


def write_findings(out, scripts, folder):
    for script in scripts:
        for f in script["findings"]:
            if f["code"].startswith("ES1") and f["severity"] != "note":
                path = pathlib.Path(f.get("path", script["path"]))
                if path.is_relative_to(folder):
                    path = path.relative_to(folder)
                print(f"{path}:{f['line']}:{f['col']}: {f['code']} {f['message']}", file=out)


def row(name, parts, count):
    cells = [name, count["scripts"], parts, count["fragments"], count["invalid"]]
    cells += [count[v] for v in VERDICTS] + [count["in fragments"], f"{share(count):.1%}"]
    print("{:22}{:>8}{:>7}{:>10}{:>8}{:>9}{:>8}{:>11}{:>9}{:>10}{:>13}{:>8}".format(*cells))


def run(options, folder):
    total, codes, fine, all_parts = collections.Counter(), collections.Counter(), True, 0
    print("{:22}{:>8}{:>7}{:>10}{:>8}{:>9}{:>8}{:>11}{:>9}{:>10}{:>13}{:>8}".format(
        "package", "scripts", "parts", "fragments", "invalid", *VERDICTS, "in fragments", "share"))
    for package in options.packages or PACKAGES:
        home = install(package, folder)
        files, parts = inputs(package, home)
        report = audit(options.build, files)
        if report is None:
            fine = False
            continue
        scripts = list(distinct(report))
        count, of_package = measure(scripts)
        row(package, parts, count)
        if options.findings:
            write_findings(options.findings, scripts, folder)
        total += count
        codes += of_package
        all_parts += parts
    row("all", all_parts, total)
    print("findings: " + "  ".join(f"{code} {n}" for code, n in sorted(codes.items())))
    return fine and total["invalid"] == 0 and share(total) <= MOST_UNPROVEN


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--findings", type=argparse.FileType("w"))
    parser.add_argument("packages", nargs="*", metavar="PACKAGE")
    options = parser.parse_args()
    if options.keep:
        return 0 if run(options, options.keep.resolve()) else 1
    with tempfile.TemporaryDirectory() as folder:
        return 0 if run(options, pathlib.Path(folder)) else 1


sys.exit(main())
