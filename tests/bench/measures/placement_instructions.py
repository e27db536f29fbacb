"""What finding the shard of a key comes to with every distribution. `bench.route all` says how long that takes
and how many bytes it keeps."""
TITLE = "instructions to route one key of 20 bytes, by distribution and number of shards of weight 1"
YARDSTICK = None
UNIT = "instructions"
REACH, AIM = None, None
MORE = False

SIZES = (3, 10, 100, 1000, 4096)


def run(bench):
    return {f"{distribution}/{shards}": bench.instructions_to_route(distribution, shards)
            for distribution in bench.distributions() for shards in SIZES}
