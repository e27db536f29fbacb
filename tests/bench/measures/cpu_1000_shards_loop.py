"""A thousand connections to a server that costs next to nothing. What placing keys takes is not part of it."""
TITLE = "client CPU per call, depth 8,192 over 1,000 shards, closed loop; placing keys left out"
YARDSTICK = "hiredis: redisAppendCommandArgv, every shard flushed, redisGetReply, freeReplyObject"
UNIT = "us"
REACH, AIM = 0.90, 0.75
MORE = False


def run(bench):
    return bench.cpu("loop", 800000, "-d", "8192", "-s", "1000", "-p", "modula", "-o")
