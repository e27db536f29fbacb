/* ES905 - the header block cannot be read. */
#include "scripts/audit/directive.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    const evs__remarks *blocks = &facts->directives->blocks;
    for (size_t i = 0; i < blocks->count; i++)
        evs__finding_add(out, blocks->items[i].at, "%s", blocks->items[i].message);
}

const evs__rule evs__rule_faulty_header_block = {
    .info =
        {
            .code = "ES905",
            .name = "faulty-header-block",
            .severity = EVS_SEVERITY_NOTE,
            .tier = EVS_TIER_B,
            .why = "The comment at the beginning says which keys and arguments a script takes. "
                   "evalshard refuses to register a script whose block it cannot read, and the "
                   "audit does not know what callers pass.",
            .bad = "--- Reads a value.\n-- @keys name\nreturn redis.call('GET', KEYS[1])",
            .good = "--- Reads a value.\n-- @key name\nreturn redis.call('GET', KEYS[1])",
            .exceptions = "",
            .false_positives = "Comments for other tools that look alike, such as LDoc's @param.",
            .server = "",
            .fix = "the tags are @key, @arg, @returns, @retry and @version",
            .companions = "",
            .target = "",
        },
    .check = check,
    .late = 1,
};
