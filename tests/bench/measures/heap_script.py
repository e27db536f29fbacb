"""What 1,024 more scripts add that were called on each of 100 shards: counters, and the bit which says that
a script is known there."""
TITLE = "heap per script and shard, counters included"
YARDSTICK = None
UNIT = "bytes"
REACH, AIM = 80, 64
MORE = False


def run(bench):
    few, many = (bench.bytes_per_shard(100, "-n", str(scripts)) for scripts in (64, 1088))
    return (many - few) / 1024, None
