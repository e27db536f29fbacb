"""What 1,024 more scripts add to each of 100 shards: that its server knows them, and the counters of those
that were called there."""
TITLE = "heap per script and shard: the mark that it is known; with counters, once it was called"
YARDSTICK = None
UNIT = "bytes"
REACH, AIM = 1, 0.125
MORE = False


def run(bench):
    def added(*options):
        few, many = (bench.bytes_per_shard(100, "-n", str(scripts), *options)
                     for scripts in (64, 1088))
        return (many - few) / 1024, None
    return {"mark": added("-l"), "called": added()}
