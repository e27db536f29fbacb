#!/usr/bin/env python3
"""script_audit.py BUILD [NAME...]: the command script-audit from outside.

Each function test_NAME gets an empty folder that is the working directory, and run(), which runs
script-audit there. Formats are read by parsers that are not ours, and compared with tests/tools/
golden/audit (EVS_GOLDEN=write writes them anew). With EVS_SARIF_SCHEMA naming the official schema,
SARIF is validated by it too.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/tools/golden/audit"
TOOL = pathlib.Path(sys.argv[1]).resolve() / "tools/script-audit"

ADD = ("local prefix = ARGV[1] -- \u00e9\n"
       "local id = redis.call('INCR', KEYS[1])\n"
       "redis.call('HSET', '\u00e9' .. prefix, 'name', id) -- evalshard: ignore[ES901] why\n"
       "redis.call('GET', 'cfg') -- evalshard: ignore[ES101] one server\n"
       "return redis.call('GET', KEYS[1] .. ':x')\n")


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout.decode(), done.stderr.decode()


def run(*args, stdin=b"", env=None):
    settings = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR",)}
    settings.update(env or {})
    return Result(subprocess.run([TOOL, *args], input=stdin, capture_output=True, env=settings,
                                 timeout=120))


def write(name, text):
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def check(truth, *what):
    if not truth:
        raise AssertionError(" ".join(map(str, what)) or "not so")


def equal(found, expected):
    check(found == expected, f"found {found!r}\nexpected {expected!r}")


def codes(result):
    """(path, code, line) of every finding that counts."""
    return [(s["path"], f["code"], f["line"]) for s in json.loads(result.out)["scripts"]
            for f in s["findings"] if f["suppressed"] is None]


SELECT = ["--select", "ES001,ES101,ES102,ES104,ES9", "--format", "json"]


# ---- formats ----

def golden(name, text):
    path = GOLDEN / name
    text = text.replace(version(), "VERSION")
    if os.environ.get("EVS_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    equal(text, path.read_text())


def version():
    return run("--version").out.split()[1]


def in_format(name, *more):
    write("a dir/add%.lua", ADD)
    write("good.lua", "return redis.call('GET', KEYS[1])\n")
    write("broken.lua", "return (\n")
    return run("--format", name, "--select", "ES001,ES101,ES102,ES104,ES9", "--show", "note", *more,
               "broken.lua", "good.lua", "a dir", "gone.lua")


def test_text():
    golden("text.txt", in_format("text").out)


def test_concise():
    result = in_format("concise")
    golden("concise.txt", result.out)
    equal(result.code, 3)


def test_json():
    result = in_format("json")
    golden("json.txt", result.out)
    all = json.loads(result.out)
    equal([s["path"] for s in all["scripts"]], ["a dir/add%.lua", "broken.lua", "good.lua"])
    equal(all["unread"], [{"path": "gone.lua", "why": "No such file or directory"}])
    equal(all["summary"]["suppressed"], 1)
    script = all["scripts"][0]
    equal(script["keys"], {"declared": None, "used": [1], "unused": [], "dynamic": False})
    equal(script["argv"], {"used": [1], "dynamic": False})
    equal((script["writes"], script["killable"]), (True, "no-after-write"))
    equal([f["suppressed"] for f in script["findings"] if f["code"] == "ES101"],
          [{"kind": "inSource", "reason": "one server"}])
    equal(all["scripts"][1]["verdict"], None)


def test_jsonl():
    lines = in_format("jsonl").out.splitlines()
    equal([json.loads(line)["path"] for line in lines],
          ["a dir/add%.lua", "broken.lua", "good.lua"])


def test_sarif():
    result = in_format("sarif")
    log = json.loads(result.out)
    equal(log["version"], "2.1.0")
    run_ = log["runs"][0]
    rules = run_["tool"]["driver"]["rules"]
    for rule in rules:
        for field in ("shortDescription", "fullDescription", "help"):
            check(0 < len(rule[field]["text"]) <= 1024, rule["id"], field)
        check(rule["properties"]["precision"] in ("very-high", "high", "medium", "low"))
    for one in run_["results"]:
        equal(rules[one["ruleIndex"]]["id"], one["ruleId"])
        check(one["level"] in ("error", "warning", "note"))
        region = one["locations"][0]["physicalLocation"]["region"]
        check(region["startLine"] >= 1 and region["startColumn"] >= 1)
        check((region["endLine"], region["endColumn"]) >= (region["startLine"],
                                                           region["startColumn"]))
    # Columns are code points: the tag of the line is two bytes long.
    derived = [r for r in run_["results"] if r["ruleId"] == "ES102"][0]
    place = derived["locations"][0]["physicalLocation"]
    equal(place["artifactLocation"]["uri"], "a%20dir/add%25.lua")
    equal((place["region"]["startColumn"], place["region"]["endColumn"]), (20, 33))
    flow = derived["codeFlows"][0]["threadFlows"][0]["locations"]
    equal(flow[0]["location"]["message"]["text"], "enters here")
    ignored = [r for r in run_["results"] if r["ruleId"] == "ES101"][0]
    equal(ignored["suppressions"], [{"kind": "inSource", "justification": "one server"}])
    equal(run_["columnKind"], "unicodeCodePoints")
    equal(run_["automationDetails"]["id"], "script-audit/cluster/")
    equal(run_["invocations"][0]["executionSuccessful"], False)
    run_["tool"]["driver"]["rules"] = [] # there are more rules with every version
    for one in run_["results"]:
        del one["ruleIndex"]
    golden("sarif.txt", json.dumps(log, indent=1) + "\n")
    schema = os.environ.get("EVS_SARIF_SCHEMA")
    if schema:
        import jsonschema
        text = json.loads(pathlib.Path(schema).read_text())
        jsonschema.validators.validator_for(text)(text).validate(json.loads(result.out))


def test_github():
    golden("github.txt", in_format("github").out)


def test_github_limits():
    write("many.lua", "".join(f"redis.call('GET', 'k{i}')\n" for i in range(30)) +
          "-- evalshard: ignore[ES999] 100%, really\n")
    lines = run("--format", "github", "--select", "ES101,ES9", "many.lua").out.splitlines()
    equal(sum(line.startswith("::error ") for line in lines), 10)
    check(lines[-1].startswith("::notice "), lines[-1])
    check("10 of 31 are shown here" in lines[-1], lines[-1])


def test_github_has_a_table_on_its_page():
    write("a|b.lua", "return redis.call('GET', 'x')")
    write("fine.lua", "return redis.call('GET', KEYS[1])")
    page = {"GITHUB_STEP_SUMMARY": "page.md"}
    write("page.md", "before\n")
    run("--format", "github", "--select", "ES101", ".", env=page)
    lines = pathlib.Path("page.md").read_text().splitlines()
    equal((lines[0], lines[1]), ("before", "### script-audit: 2 scripts"))
    equal(lines[-1], "| a&#124;b.lua | undeclared | 1 | 0 |")
    run("--format", "text", ".", env=page)
    equal(len(pathlib.Path("page.md").read_text().splitlines()), len(lines))


def test_gitlab():
    result = in_format("gitlab")
    golden("gitlab.txt", result.out)
    for one in json.loads(result.out):
        equal(sorted(one), ["check_name", "description", "fingerprint", "location", "severity"])


def test_junit():
    result = in_format("junit", "--fail-on", "warning")
    golden("junit.txt", result.out)
    suite = ElementTree.fromstring(result.out)
    equal((suite.get("tests"), suite.get("failures"), suite.get("errors")), ("4", "2", "1"))
    equal([case.get("classname") for case in suite],
          ["a dir/add%.lua", "broken.lua", "good.lua", "gone.lua"])


def test_sha_list():
    write("a.lua", "return redis.call('GET', KEYS[1])")
    result = run("--emit", "sha-list", "a.lua")
    equal(result.out, "6b6c5bc0a2a8a8ab0c5ae7a6be8b4a0d8ad4b8e7\tdeclared\ta.lua\n".replace(
        "6b6c5bc0a2a8a8ab0c5ae7a6be8b4a0d8ad4b8e7", sha1(b"return redis.call('GET', KEYS[1])")))


def sha1(data):
    import hashlib
    return hashlib.sha1(data).hexdigest()


def test_bytes_that_are_no_text():
    name = b"odd \xff<&>\"'.lua"
    path = os.fsencode(os.getcwd()) + b"/" + name
    try:
        with open(path, "wb") as file:
            file.write(b"return redis.call('GET', '\xff\x01\x0c<&>]]>\xef\xbf\xbf' .. ARGV[1])")
    except OSError:
        return  # the file system wants UTF-8
    for form in ("json", "jsonl", "sarif", "gitlab"):
        for line in (run("--format", form, ".").out.splitlines() if form == "jsonl" else
                     [run("--format", form, ".").out]):
            json.loads(line)
    ElementTree.fromstring(run("--format", "junit", ".").out)


def test_order_and_locale_change_nothing():
    for name in ("b.lua", "B.lua", "a/x.lua", "a.lua", "\u00e9.lua", "a-1.lua"):
        write(name, "return redis.call('GET', 'x')")
    first = run("--format", "json", ".").out
    names = ["./b.lua", "./a", "./\u00e9.lua", "./B.lua", "./a-1.lua", "a.lua", "b.lua"]
    equal(run("--format", "json", *names, env={"LC_ALL": "C.UTF-8"}).out, first)
    equal(run("--format", "json", *reversed(names), env={"LC_ALL": "C"}).out, first)


# ---- exit codes and options ----

def test_fail_on():
    write("derived.lua", "return redis.call('GET', KEYS[1] .. ':x')")
    write("lost.lua", "return redis.call('GET', loadstring(ARGV[1])())")
    write("bad.lua", "return redis.call('GET', 'x')")
    only = ["--select", "ES006,ES101,ES104,ES105"]
    expected = {"derived.lua": {"derived", "warning", "note"},
                "lost.lua": {"unproven", "derived", "warning", "note"},
                "bad.lua": {"error", "unproven", "derived", "warning", "note"}}
    for name, fails in expected.items():
        for limit in ("never", "error", "unproven", "derived", "warning", "note"):
            code = run(*only, "--fail-on", limit, name).code
            check(code == (limit in fails), name, limit, code)
    equal(run("--exit-zero", "bad.lua").code, 0)


def test_output_and_quiet():
    write("a.lua", "return redis.call('GET', 'x')")
    result = run("--format", "concise", "--output", "report.txt", "a.lua")
    equal((result.out, result.code), ("", 1))
    check(b"a.lua:1:26: ES101" in pathlib.Path("report.txt").read_bytes())
    equal(run("--output", "no/such/folder", "a.lua").code, 3)
    check("sha1" not in run("--quiet", "a.lua").out)
    check("sha1" in run("a.lua").out)


def test_stdin_has_a_name():
    write("sub/.script-audit.yaml", "ignore: [ES101]\n")
    script = b"return redis.call('GET', 'x')"
    equal(codes(run(*SELECT[2:], "--select", "ES101", "-", stdin=script)), [("-", "ES101", 1)])
    equal(codes(run("--format", "json", "--stdin-filename", "sub/x.lua", "--ignore", "ES110", "-",
                    stdin=script)), [])


def test_every_option_is_in_the_help():
    text = run("--help").out
    source = (ROOT / "tools/script_audit/options.c").read_text()
    import re
    for name in re.findall(r'\{"(--[a-z-]+)"', source):
        if name != "--rules":
            check(name in text, name)


def test_hash_tags_are_those_of_the_map():
    write("a.lua", "return redis.call('GET', '{' .. KEYS[1])")
    write("b.lua", "-- evalshard: hashtag\nreturn redis.call('GET', KEYS[1] .. ':x')")
    only = ["--select", "ES104", "--format", "concise", "--show", "note"]
    check("the slot may differ" in run(*only, "a.lua").out)
    check("has a [tag]" in run(*only, "--hash-tag", "[]", "a.lua").out)
    check("no hash tags" in run(*only, "--hash-tag", "off", "a.lua").out)
    equal(run(*only, "--fail-on", "warning", "b.lua").code, 0)
    equal(run(*only, "--fail-on", "warning", "--hash-tag", "off", "b.lua").code, 1)
    equal(run("--hash-tag", "{", "a.lua").code, 2)
    write(".script-audit.yaml", "hash_tag: off\n")
    check("no hash tags" in run(*only, "a.lua").out)
    write(".script-audit.yaml", "hash_tag: abc\n")
    equal(run("a.lua").code, 2)


def test_hash_tags_are_those_of_a_pool():
    write("a.lua", "return redis.call('GET', 'a{' .. KEYS[1])")
    only = ["--select", "ES104", "--format", "concise"]
    shards = "    shards:\n      a: 127.0.0.1:1\n"
    write("short.yaml", "evalshard: 1\nshards:\n  a: 127.0.0.1:1\n")
    check("the slot may differ" in run(*only, "--map", "short.yaml", "a.lua").out)
    for settings, words in [("", "the slot may differ"),
                            ("    hash_tag: '[]'\n", "has a [tag]"),
                            ("    hash_tag: off\n", "no hash tags"),
                            ("    compat: twemproxy\n", "no hash tags"),
                            ("    compat: codis\n    tag_style: codis\n", "the slot may differ"),
                            ("    compat: jedis\n    hash_tag: '{}'\n", "the slot may differ")]:
        write("map.yaml", "evalshard: 1\npools:\n  p:\n" + settings + shards)
        check(words in run(*only, "--map", "map.yaml", "a.lua").out, settings)
        check(words in run(*only, "--map", "map.yaml", "--pool", "p", "a.lua").out, settings)
    write("map.yaml", "evalshard: 1\npools:\n  p:\n    hash_tag: '[]'\n" + shards +
          "  q:\n    compat: twemproxy\n" + shards)
    check("has a [tag]" in run(*only, "--map", "map.yaml", "--pool", "p", "a.lua").out)
    check("no hash tags" in run(*only, "--map", "map.yaml", "--pool", "q", "a.lua").out)
    differ = run(*only, "--map", "map.yaml", "a.lua")
    equal(differ.code, 2)
    check("map.yaml:2:1: error[E204]: pools differ in their hash tags: p [], q off" in differ.err,
          differ.err)
    missing = run("--map", "map.yaml", "--pool", "r", "a.lua")
    equal((missing.code, missing.out.count("a.lua")), (2, 0))
    check('map.yaml:2:1: error[E204]: there is no pool "r"' in missing.err, missing.err)
    write(".script-audit.yaml", "map: map.yaml\npool: p\n")
    check("has a [tag]" in run(*only, "a.lua").out)
    check("no hash tags" in run(*only, "--pool", "q", "a.lua").out)
    check("no hash tags" in run(*only, "--hash-tag", "off", "a.lua").out)
    check("the slot may differ" in run(*only, "--map", "short.yaml", "a.lua").out)


def test_maps_that_are_no_use():
    write("a.lua", "return redis.call('GET', KEYS[1] .. ':x')")
    for text, where in [("evalshard: 1\npools:\n  p: {hash_tag: {}}\n", "3:17"),
                        ("evalshard: 1\npools:\n  p: {hash_tag: '{'}\n", "3:17"),
                        ("evalshard: 1\npools:\n  p: {compat: twenproxy}\n", "3:15"),
                        ("evalshard: 1\npools:\n  p: 3\n", "3:6"),
                        ("evalshard: 1\npools: []\n", "2:8"),
                        ("evalshard: 1\nname: x\n", "1:1"), ("pools: {}\n", "1:1"),
                        ("evalshard: 2\n", "1:12"), ("evalshard: [\n", "2:1"), ("", "1:1")]:
        write("map.yaml", text)
        write("settings.yaml", "map: map.yaml\n")
        for args in [["--map", "map.yaml"], ["--config", "settings.yaml"]]:
            bad = run(*args, "a.lua")
            equal(bad.code, 2)
            check(f"map.yaml:{where}: error" in bad.err, where, bad.err)
    equal(run("--map", "gone.yaml", "a.lua").code, 3)
    write("settings.yaml", "map: gone.yaml\n")
    equal(run("--config", "settings.yaml", "a.lua").code, 3)
    equal(run("--map", "map.yaml", "--hash-tag", "[]", "a.lua").code, 2)
    alone = run("--pool", "p", "a.lua")
    equal((alone.code, "--pool needs a map" in alone.err), (2, True))
    write("settings.yaml", "map: map.yaml\nhash_tag: off\n")
    both = run("--config", "settings.yaml", "a.lua")
    equal((both.code, "cannot stand together" in both.err), (2, True))


def test_commands_and_globals_of_the_settings():
    write("a.lua", "redis.call('JSON.SET', KEYS[1], '$', app)\nreturn redis.call('FT.PING', 'x')")
    only = ["--show", "note", "--format", "concise", "--ignore", "ES110,ES5"]
    equal([c[1] for c in codes(run("--format", "json", "--ignore", "ES5", "a.lua"))],
          ["ES301", "ES602", "ES301"])
    equal(run(*only, "--command", "JSON.SET=1 write", "--command=FT.PING=none", "--global", "app",
              "a.lua").out, "")
    for settings in ["commands: {JSON.SET: 1 write, FT.PING: none}\nglobals: [app]\n",
                     "commands: [JSON.SET=1, FT.PING=none]\nglobals: app\n",
                     "files:\n  - glob: a.lua\n    commands: {JSON.SET: 1, FT.PING: none}\n"
                     "    globals: app\n"]:
        write(".script-audit.yaml", settings)
        equal(run(*only, "a.lua").out, "")
    write(".script-audit.yaml", "commands:\n  JSON.SET: 1\n  FT.PING: maybe\nglobals: [1a]\n")
    bad = run("a.lua")
    equal(bad.code, 2)
    check(".script-audit.yaml:3:12: error[E204]: commands: 'FT.PING=maybe'" in bad.err, bad.err)
    check(".script-audit.yaml:4:10: error[E204]: globals: '1a'" in bad.err, bad.err)
    equal(run("--no-config", "--command", "a=b", "a.lua").code, 2)
    equal(run("--no-config", "--global", "a.b", "a.lua").code, 2)


def test_the_limit_of_unpack():
    write("a.lua", "-- evalshard: argv=500\nreturn redis.call('DEL', unpack(ARGV))")
    only = ["--select", "ES408", "--format", "concise"]
    equal(run(*only, "a.lua").out, "")
    says = "a.lua:2:26: ES408 unpack of ARGV may give 200 values or more, and then fails\n"
    equal(run(*only, "--unpack-limit", "200", "a.lua").out, says)
    write(".script-audit.yaml", "unpack_limit: 200\n")
    equal(run(*only, "a.lua").out, says)
    equal(run(*only, "--unpack-limit", "600", "a.lua").out, "")
    for value in ["0", "x", "-1", "1x", ""]:
        equal(run(*only, "--unpack-limit", value, "a.lua").code, 2)
    write(".script-audit.yaml", "unpack_limit: 0\n")
    equal(run("a.lua").code, 2)


def test_dumps():
    write("a.lua", "return redis.call('GET', KEYS[1])")
    check("1:26\t<name>\tKEYS\n" in run("--dump", "tokens", "a.lua").out)
    check("redis" in run("--dump=ast", "a.lua").out)
    check("1:26\tkey\tGET argument 1\tdeclared\tKEYS[1]\n" in run("--dump=facts", "a.lua").out)
    equal(run("--dump=all", "a.lua").code, 2)


# ---- suppressions ----

def test_a_bad_directive_is_a_usage_error():
    write("a.lua", "-- evalshard: ignore[ES1O1] x\nreturn 1")
    write("b.lua", "return redis.call('GET', KEYS[1])")
    result = run("--format", "concise", "a.lua", "b.lua")
    equal(result.code, 2)
    check("a.lua:1:22: ES900 there is no rule ES1O1, did you mean" in result.out, result.out)


# ---- settings ----

def test_settings_are_found_upwards():
    write(".script-audit.yaml", "ignore: [ES101]\n")
    write("deep/er/a.lua", "return redis.call('GET', 'x')")
    write("own/.script-audit.yaml", "select: [ES101]\n")
    write("own/a.lua", "return redis.call('GET', 'x')")
    equal(codes(run("--format", "json", "--ignore", "ES110", ".")),
          [("own/a.lua", "ES101", 1)])
    equal(len(codes(run("--no-config", *SELECT, "."))), 2)
    write("other.yaml", "severity: {ES101: note}\n")
    equal(run("--config", "other.yaml", "--ignore", "ES110", ".").code, 0)
    equal(run("--config", "gone.yaml", ".").code, 2)


def test_settings_by_glob():
    write(".script-audit.yaml", """
files:
  - glob: "legacy/**"
    ignore: [ES101]
  - glob: "*-note.lua"
    severity: {ES101: note}
  - glob: "only/*.lua"
    select: ES102
exclude: ["**/skip/*"]
contracts:
  "two/*.lua": keys=2
""")
    bad = "return redis.call('GET', 'x')"
    for name in ("legacy/a/b.lua", "x/a-note.lua", "only/a.lua", "x/skip/a.lua", "x/a.lua"):
        write(name, bad)
    write("two/a.lua", "return redis.call('MGET', KEYS[1], KEYS[3])")
    found = json.loads(run("--format", "json", "--ignore", "ES110", ".").out)
    by_path = {s["path"]: [(f["code"], f["severity"]) for f in s["findings"]]
               for s in found["scripts"]}
    equal(by_path["legacy/a/b.lua"], [])
    equal(by_path["x/a-note.lua"], [("ES101", "note")])
    equal(by_path["only/a.lua"], [])
    equal(by_path["x/a.lua"], [("ES101", "error")])
    check("x/skip/a.lua" not in by_path)
    check("ES202" in [code for code, _ in by_path["two/a.lua"]], by_path["two/a.lua"])


def test_the_command_line_comes_first():
    write(".script-audit.yaml", "target: redis:6.2\nprofile: aliyun\nfail_on: never\nshow: error\n"
          "severity: {ES101: note}\n")
    write("a.lua", "return redis.call('GET', 'x')")
    equal(run("a.lua").code, 0)
    equal(run("--fail-on", "error", "--severity", "ES101=error", "a.lua").code, 1)
    target = json.loads(run("--format", "json", "--target", "valkey:8.0", "--profile", "cluster",
                            "a.lua").out)["target"]
    equal((target["server"], target["min"], target["profile"]), ("valkey", "8.0", "cluster"))
    target = json.loads(run("--format", "json", "a.lua").out)["target"]
    equal((target["server"], target["max"], target["profile"]), ("redis", "6.2", "aliyun"))


def test_wrong_settings_are_told_with_their_place():
    write("bad/.script-audit.yaml", "taget: redis:7.0\nignore: [ES999]\nfail_on: often\n"
          "files:\n  - ignore: ES101\nbaseline: [x]\n")
    write("bad/a.lua", "return redis.call('GET', 'x')")
    write("good.lua", "return redis.call('GET', 'x')")
    result = run("--format", "concise", "--select", "ES101", ".")
    for text in ("bad/.script-audit.yaml:1:1: error[E203]: unknown key \"taget\"",
                 "did you mean \"target\"?", ":2:9: error[E204]: select: no rule begins with",
                 ":3:10: error[E204]: unknown fail_on \"often\"", ":5:5: error[E216]: glob is missing",
                 ":6:11: "):
        check(text in result.err, text, "\n", result.err)
    equal(result.code, 2)
    equal(result.out, "good.lua:1:26: ES101 key of GET is the constant 'x', not taken from KEYS\n")
    write("bad/.script-audit.yaml", "a: [\n")
    equal(run("bad").code, 2)
    write("bad/.script-audit.yaml", "# nothing yet\n")
    equal(run("--select", "ES101", "bad").code, 1)


def test_contracts_from_names():
    write("add-1.lua", "return redis.call('MGET', KEYS[1], KEYS[2])")
    equal([c for _, c, _ in codes(run("--format", "json", "--select", "ES202", "add-1.lua"))], [])
    equal([c for _, c, _ in codes(run("--format", "json", "--select", "ES202", "--keys-from-name",
                                      "add-1.lua"))], ["ES202"])


def test_derived_keys_may_be_allowed():
    write("a.lua", "return redis.call('GET', KEYS[1] .. ':x')")
    write("b.lua", "-- evalshard: hashtag\nreturn redis.call('GET', KEYS[1] .. ':x')")
    write("c.lua", "-- evalshard: hashtag\nreturn redis.call('GET', string.upper(KEYS[1]))")
    only = ["--select", "ES104", "--fail-on", "warning"]
    equal([run(*only, name).code for name in ("a.lua", "b.lua", "c.lua")], [1, 0, 1])
    equal(run(*only, "--allow-derived", "a.lua", "c.lua").code, 0)


def test_scripts_that_opt_out_of_clusters():
    write("a.lua", "#!lua flags=no-cluster\nreturn redis.call('GET', 'x')")
    write("b.lua", "--!df flags=allow-undeclared-keys\nreturn redis.call('GET', 'x')")
    only = ["--select", "ES101"]
    equal(run(*only, "a.lua").code, 0)
    equal(run(*only, "b.lua").code, 1)
    equal(run(*only, "--profile", "dragonfly", "b.lua").code, 0)
    only += ["--format", "concise", "--show", "note"]
    said = "2:26: ES101 key of GET is the constant 'x', not taken from KEYS (opted out "
    equal(run(*only, "a.lua").out, f"a.lua:{said}of clusters by flags=no-cluster)\n")
    equal(run(*only, "b.lua").out, f"b.lua:{said}for Dragonfly only)\n")
    equal(run(*only, "--profile", "dragonfly", "b.lua").out, f"b.lua:{said}for Dragonfly)\n")
    equal(run(*only, "--severity", "ES101=error", "a.lua").code, 1)
    verdicts = [s["verdict"] for s in json.loads(run("--format", "json", ".").out)["scripts"]]
    equal(verdicts, ["undeclared", "undeclared"])
    write("c.lua", "#!lua flags=allow-cross-slot-keys\nreturn redis.call('GET', 'x')")
    equal([f[1] for f in codes(run("--format", "json", "c.lua"))], ["ES113", "ES101", "ES110"])
    equal(run("c.lua").code, 1)
    # Weights that rules choose themselves are notes too.
    write("d.lua", "#!lua flags=no-cluster\nfor _, k in ipairs(redis.call('KEYS', '*')) do\n"
          "  redis.call('DEL', k)\nend\nredis.call('SORT', KEYS[1], 'BY', 'w_*')\n"
          "return redis.call(ARGV[1], KEYS[1])")
    weights = {f["code"]: f["severity"] for s in json.loads(run("--format", "json", "d.lua").out)
               ["scripts"] for f in s["findings"] if f["code"].startswith("ES1")}
    check(len(weights) > 3 and set(weights.values()) == {"note"}, weights)


# ---- baselines ----

def test_a_baseline_accepts_what_was_there():
    write("src/a.lua", "redis.call('GET', 'x')\nredis.call('GET', 'y')\n")
    write("src/b.lua", "return redis.call('GET', ARGV[1])\n")
    only = ["--select", "ES101,ES102,ES9"]
    result = run(*only, "--write-baseline", "--baseline", "base.json", "src")
    equal(result.code, 0)
    text = pathlib.Path("base.json").read_text()
    entries = json.loads(text)["findings"]
    equal([(e["path"], e["code"], e["count"]) for e in entries],
          [("src/a.lua", "ES101", 2), ("src/b.lua", "ES102", 1)])
    equal(len(text.splitlines()), 4)
    equal(run(*only, "--baseline", "base.json", "src").code, 0)
    write("src/a.lua", "\n\n redis.call('GET',  'x')\nredis.call('GET', 'edited')\n")
    equal(run(*only, "--baseline", "base.json", "src").code, 0)
    write("src/a.lua", "redis.call('GET', 'x')\nredis.call('GET', 'y')\nredis.call('GET', 'new')\n")
    found = codes(run(*only, "--format", "json", "--baseline", "base.json", "src"))
    equal(found, [("src/a.lua", "ES101", 3)])
    os.chdir("src")
    equal(codes(run(*only, "--format", "json", "--baseline", "../base.json", "a.lua")),
          [("a.lua", "ES101", 3)])
    os.chdir("..")
    write("src/a.lua", "return 1")
    stale = run(*only, "--format", "concise", "--baseline", "base.json", "src").out
    equal(stale, "base.json:2:1: ES901 the baseline has 2 findings of ES101 here that are not there "
          "any more\n")
    pathlib.Path("src/a.lua").unlink()
    gone = run(*only, "--baseline", "base.json", "src")
    check("base.json:2: ES901 src/a.lua is not there any more" in gone.err, gone.err)
    equal(gone.code, 0)
    for options, code in [(["--fail-on", "warning"], 1), (["--fail-on", "never"], 0),
                          (["--fail-on", "warning", "--exit-zero"], 0),
                          (["--fail-on", "warning", "--ignore", "ES901"], 0),
                          (["--severity", "ES901=error"], 1)]:
        equal(run(*only, *options, "--baseline", "base.json", "src").code, code)
    again = run(*only, "--write-baseline", "--baseline", "base.json", "src")
    equal(again.code, 0)
    equal(len(json.loads(pathlib.Path("base.json").read_text())["findings"]), 1)


def test_a_baseline_that_is_none():
    write("a.lua", "return redis.call('GET', KEYS[1])")
    for text in ("", "{", "[]", '{"schema":2,"findings":[]}', '{"schema":1,"findings":[{}]}',
                 '{"schema":1,"findings":{}}'):
        write("base.json", text)
        result = run("--baseline", "base.json", "a.lua")
        check(result.code == 2 and "base.json" in result.err, repr(text), result.code, result.err)
    equal(run("--baseline", "gone.json", "a.lua").code, 2)


# ---- scripts of several files ----

def test_includes():
    write("a.lua", '--- @include "inc/f"\nreturn f(ARGV[1])\n')
    write("b.lua", '-- $include(g.lua)\nreturn f(ARGV[1])\n')
    write("inc/f.lua", '--- @include "h"\n--- @include "h"\n\nlocal function f(k)\n'
          "  return redis.call('GET', k)\nend")
    write("inc/h.lua", "local h = 1\n")
    write("common/g.lua", "local function f(k) return redis.call('GET', k) end")
    write(".script-audit.yaml", "include_paths: [common]\nexclude: ['inc/*', 'common/*']\n")
    all = json.loads(run("--format", "json", "--select", "ES102", ".").out)["scripts"]
    equal([s["path"] for s in all], ["a.lua", "b.lua"])
    f = all[0]["findings"][0]
    equal((f["path"], f["line"], f["col"]), ("inc/f.lua", 5, 28))
    equal((f["trace"][0]["line"], f["trace"][0].get("path")), (2, None))
    expanded = ("local h = 1\n\n\n\nlocal function f(k)\n  return redis.call('GET', k)\nend"
                "\nreturn f(ARGV[1])\n")
    equal(all[0]["sha1"], sha1(expanded.encode()))
    equal(all[1]["findings"][0]["path"], "common/g.lua")
    write(".script-audit.yaml", "includes: false\n")
    equal(run("--select", "ES102", "a.lua").code, 0)


def test_includes_that_cannot_be():
    write("gone.lua", 'local a = 1\n  --- @include "nowhere"\n')
    write("self.lua", '--- @include "self"\n')
    write("one.lua", '--- @include "two"\n')
    write("two.lua", '--- @include "one"\n')
    for i in range(40):
        write(f"deep/{i}.lua", f'--- @include "{i + 1}"\n')
    write("deep/40.lua", "return 1\n")
    write("fine.lua", "return redis.call('GET', KEYS[1])\n")
    result = run("gone.lua", "self.lua", "one.lua", "deep/0.lua", "fine.lua")
    for text in ("gone.lua:2:17: there is no file nowhere to include",
                 "self.lua:1:15: self.lua includes itself", "two.lua:1:15: one.lua includes itself",
                 "includes are nested deeper than 32"):
        check(text in result.err, text, result.err)
    equal(result.code, 3)
    check("fine.lua: declared" in result.out)


def test_scripts_of_a_list_of_files():
    write(".script-audit.yaml", "concat:\n  - name: lock.lua\n    files: [head.lua, tail.lua]\n")
    write("head.lua", "local key = ARGV[1]")
    write("tail.lua", "return redis.call('GET', key)\n")
    write("other.lua", "return redis.call('GET', KEYS[1])\n")
    all = json.loads(run("--format", "json", "--select", "ES102", ".").out)["scripts"]
    equal([s["path"] for s in all], ["lock.lua", "other.lua"])
    f = all[0]["findings"][0]
    equal((f["path"], f["line"], f["trace"][0]["path"]), ("tail.lua", 1, "head.lua"))
    equal(all[0]["sha1"], sha1(b"local key = ARGV[1]\nreturn redis.call('GET', key)\n"))


# ---- inputs that are none ----

def test_what_is_no_script_is_told_and_the_others_are_audited():
    write("fine.lua", "return redis.call('GET', KEYS[1])\r\n")
    write("code.lua", b"\x1bLuaQ\x00\x01\x04")
    write("wide.lua", "return 1".encode("utf-16"))
    write("zip.lua", b"PK\x03\x04\x00\x00")
    write("huge.lua", b"-" * (16 * 1024 * 1024 + 1))
    write("mark.lua", b"\xef\xbb\xbfreturn 1")
    os.symlink("loop.lua", "loop.lua")
    os.mkdir("closed.lua")
    os.mkfifo("pipe.lua")
    result = run("--select", "ES001", ".")
    for text in ("code.lua: compiled Lua", "wide.lua: UTF-16", "zip.lua: binary data",
                 "huge.lua: larger than 16 MiB", "loop.lua: Too many levels of symbolic links", "pipe.lua: not a file"):
        check(text in result.err, text, result.err)
    equal(result.code, 3)
    check("fine.lua: declared" in result.out, result.out)
    check("error[ES005]" in result.out and "mark.lua" in result.out, result.out)


def test_unreadable_and_empty():
    write("secret.lua", "return 1")
    os.chmod("secret.lua", 0)
    if os.geteuid() != 0:
        result = run("secret.lua")
        equal(result.code, 3)
        check("secret.lua: Permission denied" in result.err)
    os.mkdir("empty")
    result = run("empty")
    equal(result.code, 0)
    check("empty: no *.lua files" in result.err)
    equal(run("gone").code, 3)
    write("nothing.lua", "")
    equal(run("nothing.lua").code, 0)


# ---- hooks ----

def test_hook_and_action_definitions():
    try:
        import yaml
    except ImportError:
        return
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    equal([h["id"] for h in hooks], ["script-audit", "script-audit-system"])
    for hook in hooks:
        equal(hook["types"], ["lua"])
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    equal(action["runs"]["using"], "composite")
    for name in action["inputs"]:
        check(f"inputs.{name} " in (ROOT / "action.yml").read_text(), name)


def main():
    wanted = sys.argv[2:]
    failed = 0
    for name, function in list(globals().items()):
        if not name.startswith("test_") or (wanted and name[5:] not in wanted):
            continue
        with tempfile.TemporaryDirectory(prefix="script-audit-") as folder:
            os.chdir(folder)
            try:
                function()
            except Exception:
                failed += 1
                print(f"{name} FAILED")
                traceback.print_exc()
            os.chdir("/")
            subprocess.run(["chmod", "-R", "u+rwx", folder], check=False)
    print("failed:", failed)
    return 1 if failed else 0


sys.exit(main())
