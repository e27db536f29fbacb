"""After a thousand calls in flight: what 400 more shards add, divided by them."""
TITLE = "heap per idle shard connection"
YARDSTICK = None
UNIT = "bytes"
REACH, AIM = 2048, 1024
MORE = False


def run(bench):
    few, many = (bench.bytes_per_shard(shards) * shards for shards in (200, 600))
    return (many - few) / 400, None
