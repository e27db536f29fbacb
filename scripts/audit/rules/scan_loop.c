/* ES406 - a cursor is followed to its end inside a script. */
#include "scripts/audit/rule.h"

#include <string.h>

static int follows_cursor(const evs__commanduse *use)
{
    size_t place = strcmp(use->command->name, "SCAN") == 0 ? 1 : 2;
    if (use->args.none || use->args.count <= place)
        return 0;
    const evs__value *cursor = use->args.items[place].value;
    for (size_t i = 0; i < cursor->natoms; i++) {
        const evs__atom *atom = cursor->atoms[i];
        if (atom->kind == EVS__ATOM_REPLY ||
            (atom->kind == EVS__ATOM_DATA && (atom->sources & EVS__SOURCE_REPLY)))
            return use->looped;
    }
    return 0;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__commanduse *use = facts->flow->commands; use != NULL; use = use->next)
        if (evs__work_of(use->command->name) == EVS__WORK_SCAN && follows_cursor(use) &&
            !evs__key_is_small(facts, evs__key_of(use)))
            evs__finding_add(
                out, evs__span_public(facts->chunk, use->at),
                "%s goes on from a cursor that it gave itself: the whole scan runs in one script",
                use->command->name);
}

const evs__rule evs__rule_scan_loop = {
    .info =
        {
            .code = "ES406",
            .name = "scan-loop",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "SCAN exists to give others their turn between its steps. In a script there "
                   "are no others: the whole keyspace or collection is gone through at once, "
                   "and how many rounds that takes nothing says.",
            .bad = "local c = '0'\n"
                   "repeat\n"
                   "  local r = redis.call('SCAN', c)\n"
                   "  c = r[1]\n"
                   "until c == '0'\n"
                   "return 1",
            .good = "-- run the cursor loop in the client; one script call per batch\n"
                    "return redis.call('SCAN', ARGV[1], 'COUNT', 100)",
            .exceptions = "",
            .false_positives =
                "SSCAN, HSCAN and ZSCAN of a collection that is known to be small: say so "
                "with small=KEYS[1] in a comment.",
            .server = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or "
                      "SHUTDOWN NOSAVE.",
            .fix = "follow the cursor in the client",
            .companions = "ES109",
            .target = "",
        },
    .check = check,
};
