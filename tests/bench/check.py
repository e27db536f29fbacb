#!/usr/bin/env python3
"""check.py BUILD: what tools/bench promises of its output, with the measures that take no time. Says
nothing about how fast anything is."""
import json
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = sys.argv[1]


def run(*words):
    return subprocess.run([sys.executable, str(ROOT / "tests/bench/run.py"), BUILD, *words],
                          capture_output=True, text=True, timeout=250)


class Output(unittest.TestCase):
    def test_json_has_one_object_per_figure(self):
        done = run("heap-shard", "routing", "cpu-1000-shards-batch", "--json", "--rounds", "1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([row["name"] for row in rows],
                         ["heap-shard", "routing/3", "routing/10", "routing/100", "routing/1000",
                          "cpu-1000-shards-batch"])
        for row in rows:
            self.assertLessEqual({"name", "yardstick", "figure", "ratio", "machine"}, set(row))
            self.assertGreater(row["figure"], 0)
            self.assertRegex(row["date"], r"^\d{4}-\d\d-\d\d$")
            self.assertEqual(set(row["versions"]), {"evalshard", "hiredis", "redis", "compiler"})
            for part, version in row["versions"].items():
                self.assertRegex(version, r"\d\.\d", part)
            self.assertEqual(row["ratio"] is None, row["yardstick"] is None)
        last = rows[-1]
        self.assertAlmostEqual(last["ratio"], last["figure"] / last["yardstick_figure"], 2)

    def test_real_servers_are_started_and_ended(self):
        done = run("depth-1-tcp", "--rounds", "1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^depth-1-tcp +[0-9.,]+ calls/s +hiredis +[0-9.,]+ +ratio")

    def test_every_row_has_its_file(self):
        done = run("--list")
        names = [line.split()[0] for line in done.stdout.splitlines()]
        files = {path.stem.replace("_", "-") for path in (ROOT / "tests/bench/measures").glob("[a-z]*.py")}
        self.assertEqual(set(names), files)

    def test_an_unknown_measure_is_refused(self):
        done = run("nonsense")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no measure nonsense", done.stderr)


unittest.main(argv=sys.argv[:1])
