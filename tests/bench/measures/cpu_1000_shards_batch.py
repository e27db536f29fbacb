"""A thousand connections to a server that costs next to nothing. Keys are placed by a remainder, so that
placement does not count."""
TITLE = "client CPU per call, depth 8,192 over 1,000 shards, batches"
YARDSTICK = "hiredis: redisAppendCommandArgv, every shard flushed, redisGetReply, freeReplyObject"
UNIT = "us"
REACH, AIM = 0.50, 0.43
MORE = False


def run(bench):
    return bench.cpu("batch", 400000, "-d", "8192", "-s", "1000", "-p", "modula")
