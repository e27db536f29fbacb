"""blocking calls per second, one at a time, TCP."""
TITLE = "blocking calls per second, one at a time, TCP"
YARDSTICK = "hiredis: one call after the other"
UNIT = "calls/s"
REACH, AIM = 0.97, 1.0
MORE = True


def run(bench):
    with bench.servers(3) as addresses:
        return bench.rate("block", 20000, *addresses)
