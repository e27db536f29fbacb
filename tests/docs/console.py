#!/usr/bin/env python3
"""console.py BUILD PAGE...: runs what the manual tells people to type, and compares what it shows.

A ```console block has commands, each after "$ " (it goes on in the next line while a backslash ends
the line or a single quote is open), and below each what it prints. "..." stands for anything, within a line or as a line of its own
for any lines. A command must exit 0. All blocks of a page run in one shell, on a terminal of 100
columns, in an empty temporary folder with links to the folders of the source tree and BUILD/tools
first in PATH. Wherever a page says /tmp/evalshard-tour, that folder is meant. Maps of servers there get
time limits for a busy machine.

Links to files, and paths of source files that a page names, must exist.

Comments before a block:
    <!-- file: NAME -->        the block, of any language, is written to NAME
    <!-- not run: REASON -->   a console block that cannot run here
Servers that a page starts on sockets in its folder are shut down at the end, whatever happened.
"""
import os
import pathlib
import pty
import re
import subprocess
import sys
import tempfile
import termios

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from scratch import ask, die_with_parent  # noqa: E402

TOUR = "/tmp/evalshard-tour"
BLOCK = re.compile(r"(?:^<!--\s*(file|not run):\s*(.*?)\s*-->\n+)?^```(\w*)\n(.*?)^```$", re.S | re.M)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
PATH = re.compile(r"(?<![\w./<-])((?:core|sharding|conf|scripts|include|tools|tests|docs|examples|"
                  r"cmake)/[\w./-]*\w\.(?:c|h|py|md|def))\b")
END = "<<<end of command>>> "
LANGUAGES = {"console", "yaml", "lua", "python", "c", "cmake", "text", "json", "csv", ""}


class Step:
    """A file to write or a command to run, with the line of the page it comes from."""

    def __init__(self, line, command=None, expected="", path=None, text=""):
        self.line, self.command, self.expected = line, command, expected
        self.path, self.text = path, text


def commands(body, line):
    steps = []
    more = False
    for offset, row in enumerate(body.splitlines()):
        if more:
            steps[-1].command += "\n" + row
        elif row.startswith("$ "):
            steps.append(Step(line + offset, command=row[2:]))
        elif steps:
            steps[-1].expected += row + "\n"
        else:
            raise SystemExit(f"line {line + offset}: output before the first command")
        more = (more or row.startswith("$ ")) and (
            row.endswith("\\") or steps[-1].command.count("'") % 2 == 1)
    return steps


def read_page(page):
    text = page.read_text()
    steps = []
    for found in BLOCK.finditer(text):
        kind, value, language, body = found.groups()
        line = text.count("\n", 0, found.start(4)) + 1
        if language not in LANGUAGES:
            raise SystemExit(f"{page}:{line}: a block of {language}: commands go into console")
        if kind == "file" and (ROOT / value.split("/")[0]).exists():
            raise SystemExit(f"{page}:{line}: {value} would land in the source tree")
        if kind == "file":
            steps.append(Step(line, path=value, text=body))
        elif language == "console" and kind != "not run":
            steps += commands(body, line)
    return steps


def dead_links(page):
    """What the page points to and is not there. Output of commands may show any path."""
    text = page.read_text()
    prose = re.sub(r"^```(?:console|yaml)\n.*?^```$", "", text, flags=re.S | re.M)
    targets = {page.parent / link: link for link in LINK.findall(text)}
    targets |= {ROOT / path: path for path in PATH.findall(prose)}
    return [f"{page.relative_to(ROOT)}: there is no {name}"
            for path, name in targets.items() if not path.exists()]


def patient(text):
    """The text of a file; a map of the page's servers gets time limits that hold on a busy machine."""
    if not text.startswith("evalshard: 1\n") or TOUR not in text:
        return text
    limits = "defaults: {connect_timeout: 60s, command_timeout: 60s}\n"
    return re.sub(r"^(?=shards:|pools:)", limits, text, count=1, flags=re.M)


def script_of(steps, folder):
    """One shell script for the page; after each command a line with END and its exit code."""
    rows = ["cd " + folder]
    for step in steps:
        if step.path:
            quoted = patient(step.text).replace(TOUR, folder)
            rows.append(f"cat >'{step.path}' <<'END OF FILE'\n{quoted}END OF FILE")
        else:
            rows.append(step.command.replace(TOUR, folder))
        rows.append(f"printf '\\n{END}%d\\n' $?")
    return "\n".join(rows) + "\n"


def run_on_terminal(script, env):
    """What the script prints on a terminal that leaves line ends alone."""
    master, slave = pty.openpty()
    modes = termios.tcgetattr(slave)
    modes[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, modes)
    termios.tcsetwinsize(slave, (50, 100))
    shell = subprocess.Popen(["bash", "-c", script], stdin=subprocess.DEVNULL, stdout=slave,
                             stderr=slave, env=env, preexec_fn=die_with_parent)
    os.close(slave)
    output = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the last writer is gone
            break
        output += piece
    shell.wait()
    os.close(master)
    return output.decode(errors="replace")


def pattern_of(expected):
    rows = []
    for row in expected.splitlines():
        if row.strip() == "...":
            rows.append(r"(?:[^\n]*\n)*")
        else:
            rows.append(re.escape(row.rstrip()).replace(r"\.\.\.", r"[^\n]*?") + r"[ \t]*\n")
    return "".join(rows)


def compare(page, steps, output, folder):
    problems = []
    parts = re.split(r"\n?" + re.escape(END) + r"(\d+)\n", output.replace(folder, TOUR))
    for number, step in enumerate(steps):
        printed, code = (parts + ["", "none", "", "none"])[2 * number:2 * number + 2] \
            if 2 * number + 1 < len(parts) else ("", "none")
        if printed and not printed.endswith("\n"):
            printed += "\n"
        if code != "0":
            problems.append(f"{page}:{step.line}: exit code {code}: {step.command}\n{printed}")
        elif step.command and not re.fullmatch(pattern_of(step.expected), printed):
            problems.append(f"{page}:{step.line}: {step.command}\n--- the page says\n"
                            f"{step.expected}--- it prints\n{printed}")
    return problems


def run_page(build, page):
    steps = read_page(page)
    if not steps:
        return 0, []
    with tempfile.TemporaryDirectory(prefix="evs-", dir="/tmp") as folder:
        for path in ROOT.iterdir():
            if path.name[0] != "." and not path.name.startswith("build"):
                os.symlink(path, os.path.join(folder, path.name))
        os.symlink(build, os.path.join(folder, "build"))
        env = {"PATH": f"{build}/tools:{os.environ['PATH']}", "HOME": folder, "TERM": "dumb",
               "NO_COLOR": "1", "LC_ALL": "C.UTF-8", "COLUMNS": "100"}
        try:
            output = run_on_terminal(script_of(steps, folder), env)
        finally:
            for path in pathlib.Path(folder).rglob("*.sock"):
                try:
                    ask(str(path), "SHUTDOWN", "NOSAVE")
                except OSError:
                    pass
        return len(steps), compare(page.relative_to(ROOT), steps, output, folder)


def main():
    build = os.path.realpath(sys.argv[1])
    failed = False
    for name in sys.argv[2:]:
        page = pathlib.Path(name).resolve()
        count, problems = run_page(build, page)
        problems += dead_links(page)
        print("\n".join(problems) or f"{name}: {count} steps as the page says")
        failed = failed or bool(problems)
    return 1 if failed else 0


sys.exit(main())
