/* ES113 - what a shebang asks of slots. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

#include <string.h>

/* The first line, or the name of a library, which is a comment by now. */
static evs_span first_line(const evs__facts *facts)
{
    const evs__chunk *chunk = facts->chunk;
    const char *end = memchr(chunk->source.data, '\n', chunk->source.len);
    size_t len = end == NULL ? chunk->source.len : (size_t)(end - chunk->source.data);
    evs_span at = {1, 1, 1, (int)len + 1};
    return at;
}

static void check_uses(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->nuses; i++) {
        const evs__keyuse *use = &facts->uses[i];
        if (use->verdict == EVS_VERDICT_UNDECLARED || use->verdict == EVS_VERDICT_DERIVED)
            evs__finding_add(out, use->at,
                             "with a shebang, the key of %s must be in the slot of those declared",
                             use->command);
    }
}

static void check(const evs__facts *facts, evs__findings *out)
{
    const unsigned lax = EVS__SHEBANG_ALLOW_CROSS_SLOT | EVS__SHEBANG_NO_CLUSTER;
    if (facts->shebang & EVS__SHEBANG_ALLOW_CROSS_SLOT) {
        evs_finding *note = evs__finding_add(
            out, first_line(facts),
            "allow-cross-slot-keys: the keys of one command, and all keys of another node, still "
            "fail");
        if (note != NULL)
            note->severity = EVS_SEVERITY_NOTE;
    } else if ((facts->shebang != 0 && (facts->shebang & lax) == 0) || facts->has_functions) {
        check_uses(facts, out);
    }
}

const evs__rule evs__rule_shebang_slot_rules = {
    .info =
        {
            .code = "ES113",
            .name = "shebang-slot-rules",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_B,
            .why = "A script with #!lua, and every function, may use one slot only, "
                   "also where an older script could use all slots of its node. "
                   "Adding the line to a script that works makes it fail. The flag "
                   "allow-cross-slot-keys takes that back and no more: keys of other "
                   "nodes are refused as before.",
            .bad = "#!lua\n"
                   "redis.call('SET', KEYS[1], '1')\n"
                   "return redis.call('SET', 'other', '1')",
            .good = "#!lua\n"
                    "redis.call('SET', KEYS[1], '1')\n"
                    "return redis.call('SET', KEYS[2], '1')",
            .exceptions = "",
            .false_positives = "None: whether the slots are equal is up to the caller.",
            .server = "ERR Script attempted to access keys that do not hash to the same "
                      "slot",
            .fix = "pass every key in KEYS",
            .companions = "ES101",
            .target = "",
        },
    .check = check,
};
