/* ES609 - a function of redis is called with the wrong arguments. */
#include "scripts/audit/rule.h"

#include <string.h>

/* How many arguments a function takes. */
static const struct {
    const char *name;
    size_t least, most;
    const char *text;
} arities[] = {
    {"sha1hex", 1, 1, "redis.sha1hex takes one argument"},
    {"log", 2, (size_t)-1, "redis.log takes a level and a text"},
    {"error_reply", 1, 1, "redis.error_reply takes one string"},
    {"status_reply", 1, 1, "redis.status_reply takes one string"},
    {"setresp", 1, 1, "redis.setresp takes one argument, 2 or 3"},
    {"set_repl", 1, 1, "redis.set_repl takes one argument, redis.REPL_..."},
    {"acl_check_cmd", 1, (size_t)-1, "redis.acl_check_cmd takes a command"},
    {"call", 1, (size_t)-1, "redis.call takes a command"},
    {"pcall", 1, (size_t)-1, "redis.pcall takes a command"},
};

static const char *wrong_count(const evs__apiuse *use)
{
    for (size_t i = 0; i < sizeof arities / sizeof *arities; i++)
        if (strcmp(arities[i].name, use->name) == 0 &&
            (use->args.least > arities[i].most ||
             (use->args.rest == NULL && use->args.count < arities[i].least)))
            return arities[i].text;
    return NULL;
}

static int is_outside(const evs__value *value, double least, double most)
{
    const evs__atom *atom = evs__value_single(value);
    return atom != NULL && atom->kind == EVS__ATOM_NUMBER &&
           (atom->number < least || atom->number > most);
}

static const char *complaint(const evs__apiuse *use)
{
    if (use->args.none)
        return NULL;
    if (use->method)
        return "with a colon, the table redis itself becomes the first argument";
    const char *count = wrong_count(use);
    if (count != NULL || use->args.count == 0)
        return count;
    const evs__value *first = use->args.items[0].value;
    int is_reply = evs__is_api(use, "redis", "error_reply") ||
                   evs__is_api(use, "redis", "status_reply");
    if (is_reply && first->types != 0 && (first->types & EVS__TYPE_STRING) == 0)
        return "error_reply and status_reply take a string";
    if (evs__is_api(use, "redis", "log") &&
        ((first->types != 0 && (first->types & EVS__TYPE_KEYABLE) == 0) || is_outside(first, 0, 3)))
        return "the level of redis.log is one of redis.LOG_DEBUG to redis.LOG_WARNING";
    if (evs__is_api(use, "redis", "setresp") && is_outside(first, 2, 3))
        return "redis.setresp takes 2 or 3";
    if (evs__is_api(use, "redis", "set_repl") && is_outside(first, 0, 3))
        return "redis.set_repl takes one of redis.REPL_NONE, REPL_AOF, REPL_REPLICA and REPL_ALL";
    return NULL;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__apiuse *use = facts->flow->apis; use != NULL; use = use->next) {
        const char *text = strcmp(use->table, "redis") == 0 ? complaint(use) : NULL;
        if (text != NULL)
            evs__finding_add(out, evs__span_public(facts->chunk, use->at), "%s", text);
    }
    for (const evs__nameuse *use = facts->flow->names; use != NULL; use = use->next) {
        if (use->kind != EVS__NAME_MISSING || strncmp(use->name, "redis.", 6) != 0)
            continue;
        evs__finding_add(out, evs__span_public(facts->chunk, use->at),
                         use->similar == NULL ? "there is no %s"
                                              : "there is no %s; did you mean %s?",
                         use->name, use->similar);
    }
}

const evs__rule evs__rule_bad_api_call = {
    .info =
        {
            .code = "ES609",
            .name = "bad-api-call",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_B,
            .why = "The functions of redis check their arguments when they are called; "
                   "error_reply and status_reply do not even fail, they return another error "
                   "than the one that was meant.",
            .bad = "return redis:call('GET', KEYS[1])",
            .good = "return redis.call('GET', KEYS[1])",
            .exceptions = "",
            .false_positives = "None.",
            .server = "ERR Lua redis lib command arguments must be strings or integers",
            .fix = "redis.call with a dot, and the arguments that the function takes",
            .companions = "ES107",
            .target = "",
        },
    .check = check,
};
