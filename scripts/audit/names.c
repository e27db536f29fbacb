/*
 * A walk over the text, without values. Functions that are never called count too: what they name
 * is missing for them as for others.
 *
 * Something that only newer servers have is guarded when the script asks for the version, or for
 * that very thing, in a condition: reading an unknown field gives nil. Reading an unknown global is
 * an error even there.
 */
#include "scripts/audit/passes.h"

#include "scripts/audit/api.h"
#include "scripts/audit/builtins/builtin.h"
#include "scripts/syntax/visit.h"

#include <string.h>

enum { ASKED_MAX = 64, SIMILAR_MAX = 100 };

typedef struct walk {
    evs__flow *flow;
    evs__pool *pool;
    const evs__meanings *meanings;
    const evs__chunk *chunk;
    evs__table written;               /* names of globals */
    const evs__stat *assigning;       /* whose targets come next */
    const evs__api *asked[ASKED_MAX]; /* in conditions */
    size_t nasked;
    int asks_version;
    int depth;       /* functions around */
    size_t nsimilar; /* names that others were compared with; after many it is not worth it */
} walk;

/* ---- noting ---- */

static evs__nameuse *note(walk *w, evs__name_kind kind, evs__span at, evs_bytes table,
                          evs_bytes name)
{
    evs__nameuse *use = evs__pool_alloc(w->pool, 1, sizeof *use);
    size_t dot = table.len > 0;
    char *text = evs__pool_room(w->pool, 1, table.len + dot + name.len + 1);
    if (use == NULL || text == NULL)
        return NULL;
    if (dot) {
        memcpy(text, table.data, table.len);
        text[table.len] = '.';
    }
    memcpy(text + table.len + dot, name.data, name.len);
    text[table.len + dot + name.len] = '\0';
    memset(use, 0, sizeof *use);
    use->kind = kind;
    use->at = at;
    use->name = text;
    use->next = w->flow->names;
    w->flow->names = use;
    return use;
}

static const char *similar(walk *w, evs_bytes table, evs_bytes name)
{
    return w->nsimilar++ < SIMILAR_MAX ? evs__builtins_similar(w->pool, table, name) : NULL;
}

static int is_written(const walk *w, evs_bytes name)
{
    return evs__table_get(&w->written, name) != NULL;
}

static int is_asked(const walk *w, const evs__api *api)
{
    for (size_t i = 0; i < w->nasked; i++)
        if (w->asked[i] == api)
            return 1;
    return 0;
}

static void note_api(walk *w, const evs__api *api, evs__span at, evs_bytes table, evs_bytes name)
{
    evs__nameuse *use = note(w, EVS__NAME_API, at, table, name);
    if (use == NULL)
        return;
    use->api = api;
    use->guarded = w->asks_version || (table.len > 0 && is_asked(w, api));
}

/* ---- what is named ---- */

static int is(evs_bytes bytes, const char *text)
{
    return bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}

/* The global table and the constant name of table.name; 0 when it is no such thing. */
static int field_of(const walk *w, const evs__expr *expr, evs_bytes *table, evs_bytes *name)
{
    if (expr->kind != EVS__EXPR_INDEX)
        return 0;
    const evs__expr *object = evs__meaning(w->meanings, expr->as.index.object);
    const evs__expr *key = evs__meaning(w->meanings, expr->as.index.key);
    if (object->kind != EVS__EXPR_NAME || object->as.name.local != NULL ||
        key->kind != EVS__EXPR_STRING)
        return 0;
    *table = is(object->as.name.text, "server") ? evs_text("redis") : object->as.name.text;
    *name = key->as.string;
    return 1;
}

static int is_target(const walk *w, const evs__expr *expr)
{
    if (w->assigning == NULL)
        return 0;
    if (w->assigning->kind == EVS__STAT_FUNCTION)
        return w->assigning->as.function.target == expr;
    for (size_t i = 0; i < w->assigning->as.assign.targets.count; i++)
        if (w->assigning->as.assign.targets.items[i] == expr)
            return 1;
    return 0;
}

/* ---- the first walk: what is asked for, what is written ---- */

static void ask(void *context, const evs__expr *expr)
{
    walk *w = context;
    evs_bytes table, name;
    if (!field_of(w, expr, &table, &name))
        return;
    if (is(name, "REDIS_VERSION") || is(name, "REDIS_VERSION_NUM") || is(name, "SERVER_NAME") ||
        is(name, "VALKEY_VERSION") || is(name, "VALKEY_VERSION_NUM") ||
        is(name, "SERVER_VERSION") || is(name, "SERVER_VERSION_NUM"))
        w->asks_version = 1;
    const evs__api *api = evs__api_find(table, name);
    if (api != NULL && w->nasked < ASKED_MAX)
        w->asked[w->nasked++] = api;
}

static void ask_in(walk *w, const evs__expr *condition)
{
    evs__visitor visitor = {.context = w, .expr = ask};
    evs__visit_expr(&visitor, condition);
}

static void first_stat(void *context, const evs__stat *stat)
{
    walk *w = context;
    evs_bytes none = {"", 0};
    if (stat->kind == EVS__STAT_IF)
        for (size_t i = 0; i < stat->as.branch.narms; i++)
            ask_in(w, stat->as.branch.arms[i].condition);
    if (stat->kind == EVS__STAT_FUNCTION) {
        const evs__expr *target = stat->as.function.target;
        if (target->kind == EVS__EXPR_NAME && target->as.name.local == NULL)
            note(w, EVS__NAME_WRITE, target->at, none, target->as.name.text);
    }
    for (size_t i = 0; stat->kind == EVS__STAT_ASSIGN && i < stat->as.assign.targets.count; i++) {
        const evs__expr *target = stat->as.assign.targets.items[i];
        if (target->kind == EVS__EXPR_NAME && target->as.name.local == NULL)
            note(w, EVS__NAME_WRITE, target->at, none, target->as.name.text);
    }
}

/* a and b, a or b: a is a condition. */
static void first_expr(void *context, const evs__expr *expr)
{
    if (expr->kind == EVS__EXPR_BINARY &&
        (expr->as.binary.op == EVS__OP_AND || expr->as.binary.op == EVS__OP_OR))
        ask_in(context, expr->as.binary.left);
}

/* ---- the second walk ---- */

static void see_global(walk *w, const evs__expr *expr)
{
    evs_bytes name = expr->as.name.text, none = {"", 0};
    const evs__api *api = evs__api_find(none, name);
    int is_given = is(name, "KEYS") || is(name, "ARGV");
    if (is_target(w, expr) || is_written(w, name) || evs__chunk_hole(w->chunk, expr->at) != NULL)
        return;
    if (w->flow->is_library && w->depth == 0 && !is(name, "redis") && !is(name, "server")) {
        note(w, EVS__NAME_LOADING, expr->at, none, name);
        return;
    }
    if (api != NULL) {
        note_api(w, api, expr->at, none, name);
        return;
    }
    if (is_given && w->flow->is_library)
        note(w, EVS__NAME_GIVEN, expr->at, none, name);
    if (evs__builtins_has_global(name))
        return;
    evs__nameuse *use = note(w, EVS__NAME_READ, expr->at, none, name);
    if (use != NULL)
        use->similar = similar(w, none, name);
}

/* What redis holds while a library is loaded. */
static int is_there_loading(evs_bytes name)
{
    return is(name, "register_function") || is(name, "log") || is(name, "REDIS_VERSION") ||
           is(name, "REDIS_VERSION_NUM") || (name.len > 4 && memcmp(name.data, "LOG_", 4) == 0) ||
           (name.len > 7 && memcmp(name.data, "SERVER_", 7) == 0) ||
           (name.len > 7 && memcmp(name.data, "VALKEY_", 7) == 0);
}

static void see_index(walk *w, const evs__expr *expr)
{
    evs_bytes table, name, none = {"", 0};
    const evs__expr *object = evs__meaning(w->meanings, expr->as.index.object);
    if (evs__is_global_name(object, "_G") &&
        evs__meaning(w->meanings, expr->as.index.key)->kind != EVS__EXPR_STRING)
        note(w, EVS__NAME_CODE, expr->at, none, evs_text("_G"));
    if (!field_of(w, expr, &table, &name) || is_target(w, expr))
        return;
    if (w->flow->is_library && w->depth == 0 && is(table, "redis") && !is_there_loading(name)) {
        note(w, EVS__NAME_LOADING, expr->at, table, name);
        return;
    }
    const evs__api *api = evs__api_find(table, name);
    if (api != NULL)
        note_api(w, api, expr->at, table, name);
}

/* Does the script put it there? That fails, and ES608 says so. */
static int is_put(const walk *w, evs_bytes table, evs_bytes name)
{
    for (const evs__intrusion *use = w->flow->intrusions; use != NULL; use = use->next)
        if (use->field != NULL && is(table, use->table) && is(name, use->field))
            return 1;
    return 0;
}

/* table.name(...), where table is known and name is not in it. */
static void see_call(walk *w, const evs__expr *expr)
{
    evs_bytes table, name;
    const evs__expr *callee = evs__bare(expr->as.call.callee);
    if (!field_of(w, callee, &table, &name) || !evs__builtins_has_table(table) ||
        evs__builtins_has(table, name) || evs__api_find(table, name) != NULL ||
        is_put(w, table, name))
        return;
    evs__nameuse *use = note(w, EVS__NAME_MISSING, callee->at, table, name);
    if (use != NULL)
        use->similar = similar(w, table, name);
}

static void second_expr(void *context, const evs__expr *expr)
{
    walk *w = context;
    if (expr->kind == EVS__EXPR_NAME && expr->as.name.local == NULL)
        see_global(w, expr);
    if (expr->kind == EVS__EXPR_INDEX)
        see_index(w, expr);
    if (expr->kind == EVS__EXPR_CALL)
        see_call(w, expr);
}

/* local KEYS = KEYS is another word for the same; local KEYS = {'a'} is not. */
static void see_local(walk *w, const evs__local *local, const evs__expr *value)
{
    static const char *const hidden[] = {"KEYS",   "ARGV",  "redis", "server", "cjson",
                                         "struct", "table", "math",  "string", "cmsgpack",
                                         "bit",    "_G",    NULL};
    evs_bytes none = {"", 0};
    for (size_t i = 0; hidden[i] != NULL; i++)
        if (is(local->name, hidden[i]) &&
            !evs__is_global_name(evs__meaning(w->meanings, value), hidden[i]))
            note(w, EVS__NAME_SHADOW, local->at, none, local->name);
}

static void second_stat(void *context, const evs__stat *stat)
{
    walk *w = context;
    w->assigning = stat->kind == EVS__STAT_ASSIGN || stat->kind == EVS__STAT_FUNCTION ? stat : NULL;
    if (stat->kind == EVS__STAT_LOCAL_FUNCTION)
        see_local(w, stat->as.local_function.name, stat->as.local_function.function);
    if (stat->kind != EVS__STAT_LOCAL)
        return;
    const evs__local_stat *local = &stat->as.local;
    for (size_t i = 0; i < local->nnames && i < local->values.count; i++)
        see_local(w, local->names[i], local->values.items[i]);
}

static void enter(void *context, const evs__function *function)
{
    walk *w = context;
    (void)function;
    w->depth++;
}

static void leave(void *context, const evs__function *function)
{
    walk *w = context;
    (void)function;
    w->depth--;
}

void evs__find_names(evs__flow *flow, evs__pool *pool, const evs__chunk *chunk,
                     const evs__meanings *meanings)
{
    walk w = {.flow = flow, .pool = pool, .meanings = meanings, .chunk = chunk};
    evs__visitor first = {.context = &w, .stat = first_stat, .expr = first_expr};
    evs__visitor second = {
        .context = &w, .stat = second_stat, .expr = second_expr, .enter = enter, .leave = leave};
    evs__visit_block(&first, &chunk->main->body);
    for (evs__nameuse *use = flow->names; use != NULL; use = use->next)
        pool->failed |= !evs__table_set(&w.written, evs_text(use->name), use);
    evs__visit_block(&second, &chunk->main->body);
    evs__table_free(&w.written);
}
