"""User and system time of the client, on three real servers over TCP."""
TITLE = "client CPU per call, depth 1,024 over 3 shards, batches"
YARDSTICK = "hiredis: redisAppendCommandArgv, every shard flushed, redisGetReply, freeReplyObject"
UNIT = "us"
REACH, AIM = 0.45, 0.38
MORE = False


def run(bench):
    with bench.servers(3) as addresses:
        return bench.cpu("batch", 1500000, "-d", "1024", *addresses)
