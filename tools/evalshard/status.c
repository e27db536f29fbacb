/*
 * status.c - evalshard status: which scripts are where, and how many are there that nobody here
 * knows.
 */
#include "tools/evalshard/command.h"
#include "tools/evalshard/fleet.h"

enum { MAP, SCRIPTS, JSON };

static const opt_spec options[] = {
    [MAP] = OPT_MAP,
    [SCRIPTS] = OPT_SCRIPTS,
    [JSON] = OPT_JSON,
};

static void ask(fleet *f, const opts *given)
{
    (void)given;
    fleet_ask(f);
    fleet_count_others(f);
}

static int run(const opts *given)
{
    static const fleet_command shared = {"status", MAP, SCRIPTS, JSON, ask};
    return fleet_run(&shared, given);
}

const command command_status = {
    .name = "status",
    .usage = " [-m MAP] [-s FOLDER] [--json]",
    .summary = "show which scripts are loaded on which shard",
    .details =
        "In a pipe, prints `script@version<TAB>pool<TAB>shard<TAB>state`; the state is loaded,\n"
        "missing, refused or unreachable. Rows of the script \"(not ours)\" have in its place the\n"
        "number of scripts cached on the shard that are not in FOLDER. A missing script is no\n"
        "trouble for a client, which loads it with its first call.\n"
        "\n"
        "exit codes: 0 all loaded; 1 something is missing; 2 wrong usage, or an unusable map or\n"
        "            script; 3 a shard is unreachable\n",
    .options = options,
    .noptions = sizeof options / sizeof options[0],
    .run = run,
};
