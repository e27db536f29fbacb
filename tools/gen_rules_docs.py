#!/usr/bin/env python3
"""Writes docs/rules: a page per rule of script-audit, and an index.

    tools/gen_rules_docs.py PROGRAM            writes the pages
    tools/gen_rules_docs.py PROGRAM --check    fails when they are not what would be written

PROGRAM is script-audit as it was built (build/tools/script-audit); the pages say what it says of
its rules.
"""
import json
import pathlib
import subprocess
import sys

PAGES = pathlib.Path(__file__).resolve().parent.parent / "docs/rules"
FAMILIES = {"ES0": "Input", "ES1": "Keys and slots", "ES2": "What callers pass", "ES3": "Commands",
            "ES4": "Termination and cost", "ES5": "Types, numbers and replies",
            "ES6": "The sandbox", "ES7": "Determinism", "ES9": "The audit itself"}
TIERS = {"A": "runs by default", "B": "runs by default",
         "C": "runs when it is selected, or in a profile that asks for it"}


def code(title, text):
    if text.startswith("\ufeff"):
        title += " (it begins with a byte order mark)"
    return [f"{title}:", "", "```lua", text, "```", ""]


def paragraph(title, text):
    return [f"**{title}** {text}", ""] if text else []


def page(rule):
    out = [f"# {rule['code']} {rule['name']}", "",
           f"{rule['severity'].capitalize()}; tier {rule['tier']}: {TIERS[rule['tier']]}.", "",
           rule["why"], ""]
    out += code("Bad", rule["bad"])
    out += paragraph("On", f"`{rule['target']}`, for one." if rule["target"] else "")
    out += paragraph("Also found there:", ", ".join(
        f"[{c}]({c}.md)" for c in rule["companions"].split()))
    out += code("Good", rule["good"])
    out += paragraph("Fix:", rule["fix"])
    out += paragraph("The server says:", f"`{rule['server']}`" if rule["server"] else "")
    out += paragraph("Not reported:", rule["exceptions"])
    out += paragraph("When it may be wrong:", rule["falsePositives"])
    return "\n".join(out)


def index(rules):
    out = ["# Rules of script-audit", "",
           "Written by `tools/gen_rules_docs.py`; `script-audit --explain CODE` says the same.", ""]
    for family, title in FAMILIES.items():
        rows = [r for r in rules if r["code"].startswith(family)]
        if not rows:
            continue
        out += [f"## {family}xx {title}", "", "| code | name | severity | tier |",
                "|---|---|---|---|"]
        out += [f"| [{r['code']}]({r['code']}.md) | {r['name']} | {r['severity']} | {r['tier']} |"
                for r in rows] + [""]
    return "\n".join(out)


def main():
    program = sys.argv[1]
    told = subprocess.run([program, "--explain", "--format", "json"], check=True,
                          stdout=subprocess.PIPE)
    rules = json.loads(told.stdout)
    pages = {f"{r['code']}.md": page(r) for r in rules}
    pages["README.md"] = index(rules)
    there = {p.name: p.read_text(encoding="utf-8") for p in PAGES.glob("*.md")}
    if sys.argv[2:] == ["--check"]:
        wrong = sorted(n for n in pages.keys() | there.keys() if pages.get(n) != there.get(n))
        return f"docs/rules: out of date: {' '.join(wrong)}\nrun {sys.argv[0]} {program}" \
            if wrong else 0
    PAGES.mkdir(exist_ok=True)
    for name in there.keys() - pages.keys():
        (PAGES / name).unlink()
    for name, text in pages.items():
        (PAGES / name).write_text(text, encoding="utf-8")
    return 0


sys.exit(main())
