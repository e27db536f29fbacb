"""instructions per call whose reply has 1,000 strings of 10 bytes."""
TITLE = "instructions per call whose reply has 1,000 strings of 10 bytes"
YARDSTICK = "hiredis: redisAppendCommandArgv, every shard flushed, redisGetReply, freeReplyObject"
UNIT = "instructions"
REACH, AIM = 0.10, 0.07
MORE = False


def run(bench):
    return bench.instructions(300, 900, "-e", "1000")
