#!/usr/bin/env python3
"""examples.py BUILD COMPILER: installs BUILD into a temporary folder, builds examples/ against it as
a user would, and runs every program on scratch servers."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from scratch import Servers, ask  # noqa: E402

BUILD, COMPILER = sys.argv[1:3]


def must(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}")


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.area = tempfile.TemporaryDirectory(prefix="evs-", dir="/tmp")
        cls.addClassCleanup(cls.area.cleanup)
        cls.folder = cls.area.name
        prefix, cls.bin = cls.folder + "/prefix", cls.folder + "/build"
        must("cmake", "--install", BUILD, "--prefix", prefix)
        must("cmake", "-G", "Ninja", "-S", str(ROOT / "examples"), "-B", cls.bin, "-DCMAKE_C_FLAGS=-Werror",
             f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_COMPILER={COMPILER}")
        must("cmake", "--build", cls.bin)
        servers = Servers(cls.folder, "a", "b")
        cls.servers = servers.__enter__()
        cls.addClassCleanup(servers.__exit__)
        cls.map = cls.folder + "/shards.yaml"
        cls.write_map(cls.map, cls.servers["a"].path, cls.servers["b"].path)

    @staticmethod
    def write_map(path, a, b):
        pathlib.Path(path).write_text(
            "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\n"
            f'shards:\n  a: "unix:{a}"\n  b: "unix:{b}"\n')

    def run_example(self, name, *args):
        done = subprocess.run([os.path.join(self.bin, name), *args], capture_output=True, text=True,
                              timeout=60)
        return done.returncode, done.stdout, done.stderr

    def setUp(self):
        for server in self.servers.values():
            ask(server.path, "FLUSHALL")

    def test_first_call_posts_for_a_user_that_exists(self):
        for server in self.servers.values():  # wherever {user:7} lives
            ask(server.path, "HSET", "{user:7}", "login", "ann")
        self.assertEqual(self.run_example("first_call", self.map, "7", "hello"),
                         (0, "posted 1\n", ""))
        self.assertEqual(self.run_example("first_call", self.map, "8", "hello"),
                         (0, "there is no such user\n", ""))

    def test_first_call_says_that_nothing_ran_without_a_server(self):
        nowhere = self.folder + "/nowhere.yaml"
        self.write_map(nowhere, self.folder + "/no.sock", self.folder + "/no.sock2")
        code, out, err = self.run_example("first_call", nowhere, "7", "hello")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("EVS_E_CONNECT", err)
        self.assertIn("not executed", err)

    def test_pipelined_takes_every_lock_once_in_few_writes(self):
        code, out, err = self.run_example("pipelined", self.map, "10000")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("10000 taken, 0 held, 0 failed, 0 unsure", out)
        self.assertLess(int(out.split()[-2]), 1000)
        _, out, _ = self.run_example("pipelined", self.map, "10000")
        self.assertIn("0 taken, 10000 held, 0 failed, 0 unsure", out)

    def test_on_hiredis_counts_words_in_a_transaction(self):
        server = self.servers["a"].path
        self.assertEqual(self.run_example("on_hiredis", server, "a", "b", "a"),
                         (0, "a 1\nb 1\na 2\n", ""))
        ask(server, "SET", "word:b", "text")
        code, out, err = self.run_example("on_hiredis", server, "a", "b")
        self.assertEqual((code, out), (1, "a 3\n"))
        self.assertIn("executed", err)

    def test_audit_gate_passes_declared_keys_only(self):
        fine = str(ROOT / "scripts/lib/lock/release.lua")
        bad = str(ROOT / "scripts/lib/book/create_status.lua")
        code, out, _ = self.run_example("audit_gate", fine)
        self.assertEqual((code, out), (0, f"{fine}: declared\n"))
        code, out, _ = self.run_example("audit_gate", fine, bad)
        self.assertEqual(code, 1)
        self.assertIn(f"{bad}: undeclared\n", out)
        self.assertIn(" ES103: ", out)


unittest.main(argv=sys.argv[:1])
