/* ES506 - what redis.pcall gave is used although it may be an error. */
#include "scripts/audit/rule.h"

enum { REPORTED_MAX = 128 };

/* Calls that were reported: one finding for each. */
typedef struct reported {
    size_t calls[REPORTED_MAX]; /* where they start */
    size_t count;
} reported;

static int add(reported *known, size_t call)
{
    for (size_t i = 0; i < known->count; i++)
        if (known->calls[i] == call)
            return 0;
    if (known->count == REPORTED_MAX)
        return 0;
    known->calls[known->count++] = call;
    return 1;
}

static int is_plain_test(const evs__sight *sight, const evs__value *other)
{
    return sight->kind == EVS__SIGHT_COMPARE && !evs__op_is_order(sight->op) &&
           (other->types & ~(unsigned)EVS__TYPE_FALSY) == 0;
}

/* Is the field err of the variable read anywhere? */
static int is_asked(const evs__facts *facts, const evs__local *variable)
{
    for (size_t i = 0; variable != NULL && i < facts->nsights; i++) {
        const evs__sight *sight = facts->sights[i];
        const evs__atom *key = sight->kind == EVS__SIGHT_INDEX ? evs__value_single(sight->b) : NULL;
        if (key != NULL && sight->variables[0] == variable && key->text.len == 3 &&
            memcmp(key->text.data, "err", 3) == 0)
            return 1;
    }
    return 0;
}

/* Does the place take `value` for something else than an error? */
static int is_use(const evs__facts *facts, const evs__sight *sight)
{
    switch (sight->kind) {
    case EVS__SIGHT_ARITHMETIC:
    case EVS__SIGHT_CONCAT:
    case EVS__SIGHT_READ:
        return 1;
    case EVS__SIGHT_COMPARE:
        return !is_plain_test(sight, sight->b) && !is_plain_test(sight, sight->a);
    case EVS__SIGHT_INDEX:
        return evs__value_is_number(sight->b);
    case EVS__SIGHT_CONDITION:
        return !is_asked(facts, sight->variables[0]);
    case EVS__SIGHT_RETURNED:
        return sight->depth > 0;
    default:
        return 0;
    }
}

static void look(evs__findings *out, const evs__sight *sight, const evs__value *value,
                 reported *known)
{
    for (size_t i = 0; value != NULL && i < value->natoms; i++) {
        const evs__atom *atom = value->atoms[i];
        unsigned forms = evs__reply_forms(value, atom);
        int other = (forms & ~(unsigned)(EVS__FORM_ERROR | EVS__FORM_FALSE | EVS__FORM_NIL)) != 0;
        if ((forms & EVS__FORM_ERROR) && other && add(known, atom->enters.start))
            evs__finding_add(out, sight->at,
                             "what redis.pcall gave for %.*s is used without looking at its field "
                             "err: an error is a table here",
                             (int)atom->text.len, atom->text.data);
    }
}

static void check(const evs__facts *facts, evs__findings *out)
{
    reported known = {.count = 0};
    for (size_t i = 0; i < facts->nsights; i++) {
        const evs__sight *sight = facts->sights[i];
        if (sight->doubtful || !is_use(facts, sight))
            continue;
        look(out, sight, sight->a, &known);
        look(out, sight, sight->b, &known);
    }
}

const evs__rule evs__rule_unchecked_pcall = {
    .info =
        {
            .code = "ES506",
            .name = "unchecked-pcall",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "An error is a table, and true: the script goes on with it, computes "
                   "nonsense or fails later, after more writes.",
            .bad = "local r = redis.pcall('INCR', KEYS[1])\n"
                   "return r + 1",
            .good = "local r = redis.pcall('INCR', KEYS[1])\n"
                    "if type(r) == 'table' and r.err then return r end\n"
                    "return r + 1",
            .exceptions = "Results that nothing is done with; returning the result as it is, which "
                          "hands the error on.",
            .false_positives =
                "When another test makes sure that it is no error. One finding for each "
                "call.",
            .server = "",
            .fix = "look first: `if type(r) == 'table' and r.err then return r end`",
            .companions = "",
            .target = "",
        },
    .check = check,
};
