#!/usr/bin/env python3
"""Every code that docs/shard-map.md explains is shown by a test: by a map in tests/conf/bad, whose
first line states places and codes, or, where a map alone cannot get it, by the test named below.
And every code of the page is said somewhere in the sources."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE = re.compile(r"\b[EWN]\d{3}\b")

ELSEWHERE = {
    "E100": "tests/scripts/engine/test_follow.c",
    "E107": "tests/conf/test_shardmap_load.c",
    "E110": "tests/sharding/test_replace.c",
    "E111": "tests/sharding/test_replace.c",
    "W342": "tests/conf/test_shardmap_load.c",
    "E290": "tests/conf/test_import.c",
    "E291": "tests/conf/test_import.c",
    "W390": "tests/conf/test_import.c",
}
SERVERS = "tests/live/test_check_online.c"  # E5.., W5.., N5.. up to 520
SENTINELS = "tests/live/test_check_sentinels.c"  # up to 529
RIGHTS = "tests/live/test_check_sentinel_rights.c"  # up to 533
REPLICAS = "tests/live/test_check_sentinel_replicas.c"  # the others of these
UP_TO = (("520", SERVERS), ("529", SENTINELS), ("533", RIGHTS), ("599", REPLICAS))


def page_codes():
    found = set()
    for row in re.findall(r"^\| ([EWN]\d{3}.*?) \|", (ROOT / "docs/shard-map.md").read_text(), re.M):
        found |= set(CODE.findall(row))
    return found


def place_of(code):
    if code[1] != "5":
        return ELSEWHERE.get(code)
    return next(place for last, place in UP_TO if code[1:] <= last)


def bad_codes():
    found = {}
    for path in sorted((ROOT / "tests/conf/bad").glob("*.yaml")):
        first = path.read_bytes().split(b"\n", 1)[0].decode(errors="replace")
        for code in re.findall(r"\d+:\d+ ([EWN]\d{3})", first):
            found.setdefault(code, path.name)
    return found


def main():
    page, bad, problems = page_codes(), bad_codes(), []
    sources = "".join(path.read_text() for folder in ("conf", "sharding", "tools/evalshard")
                      for path in (ROOT / folder).glob("*.c"))
    for code in sorted(page):
        place = place_of(code)
        if place is None and code not in bad:
            problems.append(f"{code}: no map in tests/conf/bad gets it")
        if place is not None and code not in (ROOT / place).read_text():
            problems.append(f"{code}: {place} does not show it")
        if code not in sources:
            problems.append(f"{code}: explained, but never said")
    for code in sorted(set(bad) - page):
        problems.append(f"{code}: {bad[code]} gets it, and docs/shard-map.md does not explain it")
    for code in sorted(set(ELSEWHERE) & set(bad)):
        problems.append(f"{code}: {bad[code]} gets it, so it need not be shown elsewhere")
    print("\n".join(problems) or f"{len(page)} codes, {len(page & set(bad))} of them in "
          "tests/conf/bad, the others in tests of their own")
    return 1 if problems else 0


sys.exit(main())
