/* ES312 - a write in a script that says it writes nothing. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        const unsigned changing = EVS__COMMAND_WRITE | EVS__COMMAND_MAY_REPLICATE;
        int readonly = (facts->shebang & EVS__SHEBANG_NO_WRITES) != 0 ||
                       facts->setting->expected.readonly;
        if (readonly && call->kind == EVS__CALL_KNOWN && (call->command->flags & changing) != 0)
            evs__finding_add(out, call->at, "%s is not allowed in a script that writes nothing",
                             call->command->name);
    }
}

const evs__rule evs__rule_write_in_read_only_script = {
    .info =
        {
            .code = "ES312",
            .name = "write-in-read-only-script",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "A script with the flag no-writes, or called with EVALSHA_RO, is "
                   "refused whatever may write. That includes PUBLISH, SPUBLISH, "
                   "PFCOUNT, GETEX, and SORT, GEORADIUS and BITFIELD, which have a "
                   "form that ends in _RO.",
            .bad = "#!lua flags=no-writes\n"
                   "return redis.call('PFCOUNT', KEYS[1])",
            .good = "#!lua flags=no-writes\n"
                    "return redis.call('SCARD', KEYS[1])",
            .exceptions = "",
            .false_positives = "None.",
            .server = "ERR Write commands are not allowed from read-only scripts.",
            .fix = "use the form that ends in _RO, or take the flag away",
            .companions = "",
            .target = "",
        },
    .check = check,
};
