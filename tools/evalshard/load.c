/*
 * load.c - evalshard load: every script on every shard, whatever is there already. Loading again
 * matters: newer servers evict scripts that came by EVAL, and SCRIPT LOAD keeps them.
 */
#include "tools/evalshard/command.h"
#include "tools/evalshard/fleet.h"

enum { MAP, SCRIPTS, DRY_RUN, JSON };

static const opt_spec options[] = {
    [MAP] = OPT_MAP,
    [SCRIPTS] = OPT_SCRIPTS,
    [DRY_RUN] = {'n', "dry-run", OPT_FLAG, NULL, "only show what is there and what would change"},
    [JSON] = OPT_JSON,
};

static void dry_run(fleet *f)
{
    fleet_ask(f);
    for (size_t i = 0; i < f->nshards * f->nscripts; i++) {
        if (f->states[i] == FLEET_MISSING)
            f->states[i] = FLEET_WOULD_LOAD;
    }
}

static void load(fleet *f, const opts *given)
{
    if (opt_given(given, DRY_RUN))
        dry_run(f);
    else
        fleet_load(f);
}

static int run(const opts *given)
{
    static const fleet_command shared = {"load", MAP, SCRIPTS, JSON, load};
    return fleet_run(&shared, given);
}

const command command_load = {
    .name = "load",
    .usage = " [-m MAP] [-s FOLDER] [--dry-run] [--json]",
    .summary = "load every script on every shard",
    .details =
        "In a pipe, prints `script@version<TAB>pool<TAB>shard<TAB>state`; the state is loaded,\n"
        "would load, refused or unreachable. A shard that cannot be reached is reported and the\n"
        "others are loaded all the same.\n"
        "\n"
        "exit codes: 0 all loaded; 1 a shard refused; 2 wrong usage, or an unusable map or "
        "script;\n"
        "            3 a shard is unreachable\n",
    .options = options,
    .noptions = sizeof options / sizeof options[0],
    .run = run,
};
