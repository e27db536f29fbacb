"""What 1,024 more scripts add that every one of 100 shards knows."""
TITLE = "heap per script and shard"
YARDSTICK = None
UNIT = "bytes"
REACH, AIM = 1, 0.125
MORE = False


def run(bench):
    few, many = (bench.bytes_per_shard(100, "-n", str(scripts)) for scripts in (64, 1088))
    return (many - few) / 1024, None
