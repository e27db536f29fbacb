"""Calls per second of 64 threads that block, on three real servers over TCP: one client with a
thread of its own, next to 64 times 3 connections."""
TITLE = "calls per second of 64 blocking threads over 3 shards"
YARDSTICK = "hiredis: a connection per thread and shard"
UNIT = "calls/s"
REACH, AIM = 2.0, 2.4
MORE = True


def run(bench):
    with bench.servers(3) as addresses:
        return bench.turns(lambda peer: bench.number(
            r"([\d.]+) calls/s", "bench.threads", peer, "64", "2000", *addresses))
