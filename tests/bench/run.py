#!/usr/bin/env python3
"""run.py BUILD [MEASURE...]: see tools/bench --help."""
import argparse
import contextlib
import functools
import importlib
import json
import os
import pathlib
import platform
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "tests/bench")]
from measures import ROWS  # noqa: E402
from scratch import die_with_parent, program  # noqa: E402

PEERS = ("evs", "hiredis")
CPU = r"([\d.]+) us CPU per call"
RATE = r"([\d.]+) calls/s"
ROUND = 1 << 16  # keys, in bench.route


held = []


def free_port():
    """Nobody else gets it while we live: a server says SO_REUSEADDR as well, and so shares it."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    held.append(holder)
    return holder.getsockname()[1]


class Bench:
    """What measures are made of. Peers take turns, and a ratio is the median of those of the rounds:
    a machine that does something else meanwhile does it to both."""

    def __init__(self, build, rounds):
        self.build, self.rounds = build, rounds

    def output(self, *command):
        done = subprocess.run([os.path.join(self.build, "tests", command[0]), *command[1:]],
                              capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: {done.stderr or done.stdout}")
        return done.stdout

    def number(self, pattern, *command):
        return float(re.search(pattern, self.output(*command)).group(1))

    def median(self, *command, pattern):
        return statistics.median(self.number(pattern, *command) for _ in range(self.rounds))

    def turns(self, one, often=1):
        """(ours, theirs) such that their ratio is the median of the ratios of the rounds, which are
        `often` times as many as usual."""
        rounds = [tuple(one(peer) for peer in PEERS) for _ in range(often * self.rounds)]
        theirs = statistics.median(r[1] for r in rounds)
        return theirs * statistics.median(r[0] / r[1] for r in rounds), theirs

    def turns_of(self, ours, theirs):
        """The same of two ways to run a program, for what is not compared with hiredis."""
        rounds = [(ours(), theirs()) for _ in range(self.rounds)]
        beside = statistics.median(r[1] for r in rounds)
        return beside * statistics.median(r[0] / r[1] for r in rounds), beside

    def cpu(self, mode, count, *options):
        """Runs of half a second, whose ratios differ by a tenth either way: so there are more."""
        return self.turns(lambda peer: self.number(
            CPU, "bench.calls", peer, mode if peer == "evs" else "batch", str(count), *options), 3)

    def rate_of(self, peer, mode, count, *options):
        return self.number(RATE, "bench.calls", peer, mode, str(count), *options)

    def rate(self, mode, count, *options):
        return self.turns(lambda peer: self.rate_of(peer, mode, count, *options))

    def bytes_per_shard(self, shards, *options):
        return self.number(r"([\d.]+) bytes of heap", "bench.calls", "evs", "idle", "1", "-s",
                           str(shards), *options)

    def instructions(self, few, many, *options):
        """Of one call: the difference of two run lengths, which leaves out what starting costs."""
        return tuple((self.count(peer, many, options) - self.count(peer, few, options)) /
                     (many - few) for peer in PEERS)

    def instructions_in(self, file, few, many):
        """Those that come from one source file, inlined or not."""
        with tempfile.TemporaryDirectory(prefix="evs-bench-") as folder:
            counts = []
            for calls in (few, many):
                self.count("evs", calls, (), f"{folder}/{calls}")
                told = subprocess.run(["callgrind_annotate", "--threshold=100", "--auto=no",
                                       f"{folder}/{calls}"], capture_output=True, text=True,
                                      timeout=600).stdout
                counts.append(sum(int(n.replace(",", "")) for n in re.findall(
                    rf"^ *([\d,]+) \([^)]*\) +(?:\S*/)?{re.escape(file)}:", told, re.M)))
        if counts[0] == 0:
            sys.exit(f"callgrind knows no instructions of {file}")
        return (counts[1] - counts[0]) / (many - few)

    def count(self, peer, calls, options, profile="/dev/null"):
        return self.counted(profile, "bench.calls", peer, "batch", str(calls), *options)

    def counted(self, profile, program_name, *words):
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}",
             os.path.join(self.build, "tests", program_name), *words],
            capture_output=True, text=True, timeout=600)
        found = re.search(r"Collected : (\d+)", done.stderr)
        if done.returncode != 0 or not found:
            sys.exit(f"valgrind {program_name}: {done.stderr}")
        return int(found.group(1))

    def distributions(self):
        return self.output("bench.route", "names").split()

    def instructions_to_route(self, distribution, shards):
        """Without any round of keys, and with one of each kind."""
        none, one = (self.counted("/dev/null", "bench.route", str(shards), count, distribution)
                     for count in ("0", "1"))
        return (one - none) / (2 * ROUND)

    def latencies(self, rate, *addresses):
        rounds = [[self.latency(peer, rate, addresses) for peer in PEERS]
                  for _ in range(self.rounds)]
        return {name: tuple(statistics.median(r[peer][i] for r in rounds) for peer in (0, 1))
                for i, name in enumerate(("p50", "p99", "p99.9"))}

    def latency(self, peer, rate, addresses):
        said = self.output("bench.latency", peer, str(int(rate)), "3", *addresses)
        return [float(n) for n in re.findall(r"p[\d.]+ ([\d.]+) us", said)]

    @contextlib.contextmanager
    def both_ways(self):
        """A real server that takes TLS at one port and others at another: (address in the clear,
        address for TLS, file of the authority)."""
        with tempfile.TemporaryDirectory(prefix="evs-bench-") as folder:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                            "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                            f"{folder}/key.pem", "-out", f"{folder}/cert.pem"], check=True,
                           capture_output=True)
            secure = free_port()
            files = ["--tls-port", str(secure), "--tls-auth-clients", "no", "--tls-cert-file",
                     f"{folder}/cert.pem", "--tls-key-file", f"{folder}/key.pem"]
            with self.servers(1, *files) as addresses:
                yield addresses[0], f"127.0.0.1:{secure}", f"{folder}/cert.pem"

    @contextlib.contextmanager
    def servers(self, count, *options):
        """Real servers of our own on free ports of the loopback, gone with us."""
        with tempfile.TemporaryDirectory(prefix="evs-bench-") as folder:
            running, addresses = [], []
            try:
                for _ in range(count):
                    port = free_port()
                    running.append(subprocess.Popen(
                        [program(), "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                         "--dir", folder, *options], stdout=subprocess.DEVNULL, preexec_fn=die_with_parent))
                    await_answer(port, running[-1])
                    addresses.append(f"127.0.0.1:{port}")
                yield addresses
            finally:
                for server in running:
                    server.terminate()
                    server.wait()


def await_answer(port, server):
    deadline = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as s:
                s.sendall(b"PING\r\n")
                if s.recv(7) == b"+PONG\r\n":
                    return
        except OSError:
            time.sleep(0.01)
    sys.exit("a scratch server did not start")


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return (f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} cores, "
            f"Linux {platform.release().split('-')[0]}")


def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.split("\n")[0]
    except OSError:
        return ""


@functools.cache
def versions(build):
    """Of what is measured and what it is made with: {"evalshard": "0.1.0", ...}."""
    cache = pathlib.Path(build, "CMakeCache.txt").read_text()
    value = dict(re.findall(r"^(\w+):\w+=(.*)$", cache, re.M))
    compiler = value["CMAKE_C_COMPILER"]
    return {
        "evalshard": value["CMAKE_PROJECT_VERSION"],
        "hiredis": first_line("pkg-config", "--modversion", "hiredis"),
        "redis": re.search(r"v=(\S+)|$", first_line(program(), "--version")).group(1),
        "compiler": first_line(compiler, "--version"),
    }


def rows_of(name, module, result, build):
    """One object per figure."""
    if not isinstance(result, dict):
        result = {None: result}
    for size, pair in result.items():
        figure, yardstick = pair if isinstance(pair, tuple) else (pair, None)
        first = size is None or size == next(iter(result))
        yield {
            "name": name if size is None else f"{name}/{size}",
            "title": module.TITLE,
            "yardstick": module.YARDSTICK,
            "figure": round(figure, 3),
            "yardstick_figure": None if yardstick is None else round(yardstick, 3),
            "ratio": None if yardstick is None else round(figure / yardstick, 3),
            "unit": module.UNIT,
            "reach": module.REACH if first else None,
            "aim": module.AIM if first else None,
            "more_is_better": module.MORE,
            "machine": machine(),
            "versions": versions(build),
            "date": time.strftime("%Y-%m-%d"),
        }


def judge(row):
    if row["reach"] is None:
        return ""
    value = row["figure"] if row["ratio"] is None else row["ratio"]
    better = (lambda limit: value >= limit) if row["more_is_better"] else (
        lambda limit: value <= limit)
    return "aim" if better(row["aim"]) else "reached" if better(row["reach"]) else "MISSED"


def show(row):
    beside = ""
    if row["ratio"] is not None:
        other = re.match(r"\w+", row["yardstick"]).group()
        other = "beside" if other == "evalshard" else other
        beside = f"{other} {row['yardstick_figure']:>12,.2f}   ratio {row['ratio']:.3f}"
    limits = "" if row["reach"] is None else f"   reach {row['reach']}, aim {row['aim']}"
    print(f"{row['name']:<24}{row['figure']:>14,.3f} {row['unit']:<13}{beside:<38}{limits}"
          f"   {judge(row)}".rstrip(), flush=True)


def rounded(figure):
    """Three digits, or all before the point."""
    digits = 0 if figure >= 100 else 1 if figure >= 10 else 3
    return f"{figure:,.{digits}f}"


def table(path):
    """The results of --json as docs/benchmarks.md shows them."""
    print("| measure | evalshard | beside it | ratio | reach, aim |\n|---|---:|---:|---:|---|")
    for row in map(json.loads, pathlib.Path(path).read_text().splitlines()):
        beside = "" if row["ratio"] is None else rounded(row["yardstick_figure"])
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.3f}"
        limits = "" if row["reach"] is None else f"{row['reach']:g}, {row['aim']:g}"
        print(f"| `{row['name']}` | {rounded(row['figure'])} {row['unit']} | {beside} | {ratio} | "
              f"{limits} |")


def load(name):
    return importlib.import_module("measures." + name.replace("-", "_"))


def main():
    parser = argparse.ArgumentParser(prog="tools/bench")
    parser.add_argument("build")
    parser.add_argument("measures", nargs="*")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--table", metavar="FILE")
    given = parser.parse_intermixed_args()
    if given.table:
        table(given.table)
        return
    unknown = [name for name in given.measures if name not in ROWS]
    if unknown:
        parser.error(f"no measure {unknown[0]}; --list shows all")
    if given.list:
        for name in ROWS:
            print(f"{name:<24}{load(name).TITLE}")
        return
    bench = Bench(given.build, max(1, given.rounds))
    for name in given.measures or ROWS:
        module = load(name)
        for row in rows_of(name, module, module.run(bench), given.build):
            print(json.dumps(row), flush=True) if given.json else show(row)


try:
    main()
except KeyboardInterrupt:
    sys.exit(130)
