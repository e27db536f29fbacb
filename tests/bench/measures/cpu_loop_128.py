"""Each reply starts the next call, which hiredis cannot do: its side is in batches. Three real servers
over TCP."""
TITLE = "client CPU per call, depth 128 over 3 shards, closed loop"
YARDSTICK = "hiredis: redisAppendCommandArgv, every shard flushed, redisGetReply, freeReplyObject"
UNIT = "us"
REACH, AIM = 0.95, 0.85
MORE = False


def run(bench):
    with bench.servers(3) as addresses:
        return bench.cpu("loop", 600000, "-d", "128", *addresses)
