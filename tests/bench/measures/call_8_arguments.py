"""instructions per pipelined call with 8 arguments."""
TITLE = "instructions per pipelined call with 8 arguments"
YARDSTICK = "hiredis: redisAppendCommandArgv, every shard flushed, redisGetReply, freeReplyObject"
UNIT = "instructions"
REACH, AIM = 0.18, 0.13
MORE = False


def run(bench):
    return bench.instructions(20000, 60000, "-a", "8")
