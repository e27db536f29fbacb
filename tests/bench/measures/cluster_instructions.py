"""As call-instructions, in a cluster: the slot of the key, and the node that has it. hiredis knows no clusters:
it has one connection, to one node, for everything."""
TITLE = "instructions per pipelined call, cluster of 3 nodes, depth 128"
YARDSTICK = "hiredis on one node: redisAppendCommandArgv, flushed, redisGetReply, freeReplyObject"
UNIT = "instructions"
REACH, AIM = 0.20, 0.15
MORE = False


def run(bench):
    return bench.instructions(20000, 60000, "-c", "3")
