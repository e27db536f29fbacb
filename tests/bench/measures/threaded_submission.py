"""What it costs to hand calls over: a client with a thread of its own, called from another one, next to the
same client driven by its caller."""
TITLE = "CPU per call that is submitted to a client's own thread, depth 1,024 over 3 shards"
YARDSTICK = "evalshard: a client that its caller drives"
UNIT = "us"
REACH = AIM = None
MORE = False


def run(bench):
    def cpu(*options):
        return bench.number(r"([\d.]+) us CPU per call", "bench.calls", "evs", "batch", "400000",
                            "-d", "1024", *options)
    return bench.turns_of(lambda: cpu("-t"), cpu)
