"""What counting calls and bytes by script and shard takes of each call; part of call-instructions."""
TITLE = "instructions per call for the counters by script and shard"
YARDSTICK = None
UNIT = "instructions"
REACH = AIM = None
MORE = False


def run(bench):
    return bench.instructions_in("scripts/engine/tally.h", 20000, 60000), None
