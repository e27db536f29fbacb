"""What tools/bench measures: a row here, and a file of the same name with _ for -.

A file says TITLE, YARDSTICK (None: none), UNIT, REACH and AIM (of the ratio, or of the figure when
there is no yardstick; None: only reported), MORE (whether more is better), and has run(bench), which
gives (figure, figure of the yardstick or None) or, for a figure per size, a dictionary of those."""

ROWS = [
    "call-instructions",
    "call-8-arguments",
    "cluster-instructions",
    "reply-1000-elements",
    "cpu-batch-1024",
    "cpu-loop-128",
    "depth-1-tcp",
    "blocking-threads-64",
    "cpu-1000-shards-batch",
    "cpu-1000-shards-loop",
    "routing",
    "placement-instructions",
    "heap-shard",
    "heap-script",
    "counters",
    "threaded-submission",
    "tls-per-kb",
    "latency",
]
