"""The figure that is judged is the first one, of three shards."""
TITLE = "routing one key of 20 bytes with rendezvous, by number of shards"
YARDSTICK = None
UNIT = "ns"
REACH, AIM = 30, 20
MORE = False


def run(bench):
    return {shards: bench.median("bench.route", str(shards), str(300000 if shards > 10 else 3000000),
                                 pattern=r"([\d.]+) ns per key") for shards in (3, 10, 100, 1000)}
