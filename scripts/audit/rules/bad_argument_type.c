/* ES308 - an argument that no command takes. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

enum { TAKEN = EVS__TYPE_STRING | EVS__TYPE_NUMBER };

static const char *described(unsigned types)
{
    if ((types & ~(unsigned)EVS__TYPE_NIL) == 0)
        return "nil";
    if ((types & ~(unsigned)EVS__TYPE_BOOLEAN) == 0)
        return "a boolean";
    if (types == EVS__TYPE_TABLE)
        return "a table";
    return types == EVS__TYPE_FUNCTION ? "a function" : "no string and no number";
}

static int is_something(const evs__value *value)
{
    return value != NULL && value->types != 0 && (value->types & TAKEN) == 0;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 0; i < facts->ncalls; i++) {
        const evs__callfact *call = &facts->calls[i];
        for (size_t k = 1; k < call->args.count && !call->doubtful; k++)
            if (evs__call_has(call, k) && is_something(call->args.items[k].value))
                evs__finding_add(out, evs__call_span(facts, call, k), "argument %zu of %s is %s", k,
                                 call->name, described(call->args.items[k].value->types));
    }
}

const evs__rule evs__rule_bad_argument_type = {
    .info =
        {
            .code = "ES308",
            .name = "bad-argument-type",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "Commands take strings and numbers. Anything else fails the script "
                   "where it stands, and what it wrote before stays.",
            .bad = "local job = cjson.decode(ARGV[1])\n"
                   "return redis.call('SET', KEYS[1], job.opts == nil)",
            .good = "return redis.call('SET', KEYS[1], ARGV[1])",
            .exceptions = "what may be nil, but need not be",
            .false_positives = "None: only what is never a string and never a number is reported.",
            .server = "ERR Lua redis lib command arguments must be strings or integers",
            .fix = "make it a string",
            .companions = "",
            .target = "",
        },
    .check = check,
};
