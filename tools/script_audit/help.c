#include "tools/script_audit/options.h"

#include <stdio.h>

static const char text[] =
    "usage: script-audit [options] PATH...\n"
    "\n"
    "Proves for each Redis call of Lua scripts that its keys come from KEYS, or says where\n"
    "they come from. PATH is a file, a folder (all *.lua below it) or - for standard input.\n"
    "\n"
    "what is audited\n"
    "  --extract              programs too: the scripts in string literals of .py, .js, .ts,\n"
    "                         .go, .java, .rb, .php, .c, .cpp files and their kin\n"
    "  --stdin-filename PATH  what standard input is called in reports and for settings\n"
    "\n"
    "what is audited for\n"
    "  --target SERVER:VERSION[..[VERSION]],...\n"
    "                         the servers it has to run on, as in redis:6.2..7.4 or\n"
    "                         valkey:8.0 (redis:7.0.., unless the profile says more)\n"
    "  --profile NAME         the kind of place: cluster (the default), standalone, valkey,\n"
    "                         elasticache-serverless, aliyun, dragonfly, kvrocks-strict\n"
    "  --select CODES         only these rules, as codes or their beginnings: ES1,ES306\n"
    "  --extend-select CODES  these rules too\n"
    "  --ignore CODES         not these rules\n"
    "  --severity CODE=S,...  how much findings weigh: ES306=note,ES1=warning\n"
    "\n"
    "what is shown\n"
    "  --format FORMAT        text (the default), concise, json, jsonl, sarif, github, gitlab,\n"
    "                         junit\n"
    "  --emit sha-list        a line per script: SHA-1, verdict, path\n"
    "  --output FILE          write there, not to standard output\n"
    "  --show SEVERITY        the least that people see: error, warning (the default), note\n"
    "  --quiet                findings only, in text\n"
    "  --color WHEN           auto (on a terminal, without NO_COLOR), always, never\n"
    "\n"
    "the exit code\n"
    "  --fail-on LIMIT        what makes it 1: error (the default), unproven (errors, and what\n"
    "                         could not be followed), derived (unproven, and derived keys),\n"
    "                         warning, note, never\n"
    "  --exit-zero            0 also for findings\n"
    "\n"
    "about rules\n"
    "  --explain [RULE]       what a rule is about; without RULE, or as --list-rules, all of\n"
    "                         them\n"
    "  --help, --version\n"
    "\n"
    "Exit code: 0 nothing to complain about, 1 findings, 2 wrong usage or settings, 3 something\n"
    "could not be read.\n";

void options_help(void)
{
    fputs(text, stdout);
}
