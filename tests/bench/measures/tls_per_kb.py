"""A script that returns its argument of 16 KB, on a real server over TCP: TLS next to the clear."""
TITLE = "client CPU per KB sent or received by TLS"
YARDSTICK = "evalshard in the clear"
UNIT = "us"
REACH = AIM = None
MORE = False


def run(bench):
    def cpu(*where):
        return bench.number(r"([\d.]+) us CPU per KB", "bench.tls", "16384", "4000", *where)
    with bench.both_ways() as (plain, secure, ca_file):
        return bench.turns_of(lambda: cpu(secure, ca_file), lambda: cpu(plain))
