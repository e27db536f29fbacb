"""The script `return 1` with one key of 20 bytes with a tag, everything included: routing, the look whether
the script is known, the deadline, the completion, the counters."""
TITLE = "instructions per pipelined call, 3 shards, depth 128"
YARDSTICK = "hiredis: redisAppendCommandArgv, every shard flushed, redisGetReply, freeReplyObject"
UNIT = "instructions"
REACH, AIM = 0.18, 0.13
MORE = False


def run(bench):
    return bench.instructions(20000, 60000)
