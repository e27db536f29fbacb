"""client CPU per call, depth 8,192 over 1,000 shards, closed loop."""
TITLE = "client CPU per call, depth 8,192 over 1,000 shards, closed loop"
YARDSTICK = "hiredis: redisAppendCommandArgv, every shard flushed, redisGetReply, freeReplyObject"
UNIT = "us"
REACH, AIM = 0.90, 0.75
MORE = False


def run(bench):
    return bench.cpu("loop", 400000, "-d", "8192", "-s", "1000", "-p", "modula")
