"""What the gates over C text share: which files there are, and their text without comments and
literals. Lines keep their numbers."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = ["core", "sharding", "conf", "scripts", "tools", "include"]
ALL = SHIPPED + ["tests", "examples"]

HIDDEN = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""", re.S | re.X)


def files(folders, suffixes=(".c", ".h")):
    """Paths below `folders`, relative to the root, in order of name."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path.relative_to(ROOT).as_posix()


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def code(name):
    """The text with every comment and literal blanked out."""
    return HIDDEN.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text(name))


def line_of(body, offset):
    return body.count("\n", 0, offset) + 1
