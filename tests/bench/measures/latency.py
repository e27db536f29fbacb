"""Calls are due at fixed times, whatever became of the ones before; a latency counts from when the call
was due. p50, p99 and p99.9, in microseconds."""
TITLE = "open-loop latency at half the load that hiredis reaches one at a time, by percentile"
YARDSTICK = "hiredis: one call after the other"
UNIT = "us"
REACH, AIM = None, None
MORE = False


def run(bench):
    with bench.servers(3) as addresses:
        rate = min(bench.rate_of("hiredis", "block", 5000, *addresses)
                   for _ in range(bench.rounds)) / 2
        return bench.latencies(rate, *addresses)
