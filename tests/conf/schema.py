#!/usr/bin/env python3
"""schema.py BUILD: holds what `evalshard schema` prints against maps and a validator not ours.

  - It is a JSON Schema of draft 7.
  - Every good map is valid: tests/conf/good, conf/examples, tests/tools/maps and the whole maps in
    the manual; so is every one in tests/conf/bad that gets nothing but warnings.
  - Every bad map with a code in EXPRESSED is not valid. Of the codes in PARTLY some forms are
    expressed; which files are not rejected is said there.
  - Each key has a description and a shape.

Editors read YAML 1.2: plain text is null, a boolean or a number only in the forms of its core
schema.
"""
import json
import pathlib
import re
import subprocess
import sys

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BAD = ROOT / "tests/conf/bad"

EXPRESSED = set("""E101 E120 E121 E122 E201 E203 E204 E205 E206 E207 E209 E210 E212 E214 E215 E217
E218 E230 E241 E242 E250 E251 E252 E253 E256 E260 E265 E270""".split())

# Seen in some forms only: which files escape.
PARTLY = {
    "E208": ["e208_contradictions"],
    "E211": ["e211_large_table", "e211_weights"],
    "E216": ["e216_generation"],
    "E255": ["e255_no_groups"],
}

# Other parts of the map, sums, primes, files, variables, the text itself.
NEVER = set("""E102 E103 E104 E105 E106 E107 E108 E109 E112 E202 E213 E220 E221 E231 E240 E254 E257 E258
E259 E261 E262 E263 E264 E266 E267 E280 E281 E282""".split())

CORE = [
    (re.compile(r"(?:null|Null|NULL|~|)\Z"), lambda text: None),
    (re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), lambda text: text.lower() == "true"),
    (re.compile(r"[-+]?[0-9]+\Z"), int),
    (re.compile(r"0o[0-7]+\Z"), lambda text: int(text[2:], 8)),
    (re.compile(r"0x[0-9a-fA-F]+\Z"), lambda text: int(text, 16)),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"), float),
]


class Duplicate(Exception):
    """A key twice: an editor complains by itself."""


def value_of(node):
    if isinstance(node, yaml.MappingNode):
        found = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else str(key)
            if name in found:
                raise Duplicate(name)
            found[name] = value_of(value)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [value_of(item) for item in node.value]
    if node.style is None:
        for pattern, convert in CORE:
            if pattern.match(node.value):
                return convert(node.value)
    return node.value


def load(text):
    return value_of(yaml.compose(text, Loader=yaml.SafeLoader))


def codes_of(path):
    first = path.read_bytes().split(b"\n", 1)[0].decode(errors="replace")
    return re.findall(r"\b[EWN]\d{3}\b", first.partition("expect:")[2])


def check_good(validator, problems):
    paths = [*ROOT.glob("tests/conf/good/*.yaml"), *ROOT.glob("conf/examples/*.yaml"),
             *ROOT.glob("tests/tools/maps/*.yaml")]
    texts = [(str(path.relative_to(ROOT)), path.read_text()) for path in paths
             if path.name != "bad.yaml"]
    for page in [ROOT / "docs/shard-map.md", ROOT / "docs/ops.md"]:
        for number, block in enumerate(re.findall(r"^```yaml\n(evalshard: 1\n.*?)^```$",
                                                  page.read_text(), re.S | re.M)):
            texts.append((f"{page.name}, map {number + 1}", block))
    for name, text in texts:
        for error in validator.iter_errors(load(text)):
            problems.append(f"{name}: not valid: {error.json_path}: {error.message}")
    return len(texts)


def check_bad(validator, problems):
    count = {"rejected": 0, "not seen": 0, "no YAML to others": 0}
    for path in sorted(BAD.glob("*.yaml")):
        codes = {code for code in codes_of(path) if code[0] == "E"}
        known = EXPRESSED | set(PARTLY) | NEVER
        if codes - known:
            problems.append(f"{path.name}: put {', '.join(sorted(codes - known))} into a list of "
                            "this test")
        try:
            value = load(path.read_text())
        except (yaml.YAMLError, Duplicate, UnicodeDecodeError, AttributeError, RecursionError):
            count["no YAML to others"] += 1
            continue
        valid = validator.is_valid(value)
        count["not seen" if valid else "rejected"] += 1
        partly = {code for code in codes & set(PARTLY) if path.stem not in PARTLY[code]}
        if valid and codes & EXPRESSED | partly:
            problems.append(f"{path.name}: valid in spite of {', '.join(sorted(codes))}")
        if not valid and not codes:
            error = next(validator.iter_errors(value))
            problems.append(f"{path.name}: not valid: {error.json_path}: {error.message[:200]}")
    return count


def check_keys(schema, problems):
    """Every property says what it is and has more than a description."""
    keys = 0
    for kind, definition in schema["definitions"].items():
        for key, shape in definition.get("properties", {}).items():
            keys += 1
            if "description" not in shape:
                problems.append(f"{kind}.{key}: no description (conf/schema_keys.c)")
            if not set(shape) - {"description"}:
                problems.append(f"{kind}.{key}: anything goes (conf/schema_keys.c)")
    return keys


def main():
    printed = subprocess.run([f"{sys.argv[1]}/tools/evalshard", "schema"], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    schema = json.loads(printed)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    problems = []
    keys = check_keys(schema, problems)
    good = check_good(validator, problems)
    bad = check_bad(validator, problems)
    print("\n".join(problems))
    print(f"{keys} keys; {good} good maps; of the bad ones " +
          ", ".join(f"{number} {what}" for what, number in bad.items()))
    return 1 if problems else 0


sys.exit(main())
