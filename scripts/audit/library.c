/*
 * Arguments of register_function, as they stand in the text.
 */
#include "scripts/audit/passes.h"
#include "scripts/syntax/visit.h"

#include <string.h>

typedef struct walk {
    evs__flow *flow;
    evs__pool *pool;
} walk;

static void fault(const walk *w, evs__span at, const char *text)
{
    evs__library_fault *made = evs__pool_alloc(w->pool, 1, sizeof *made);
    w->pool->failed |= text == NULL;
    if (made == NULL || text == NULL)
        return;
    made->at = at;
    made->text = text;
    made->next = w->flow->faults;
    w->flow->faults = made;
}

static int is_one_of(evs_bytes text, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (strlen(words[i]) == text.len && memcmp(words[i], text.data, text.len) == 0)
            return 1;
    return 0;
}

static void check_flags(const walk *w, const evs__expr *flags)
{
    static const char *const known[] = {
        "no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys", NULL};
    flags = evs__bare(flags);
    if (flags->kind == EVS__EXPR_STRING)
        fault(w, flags->at, "flags must be a table of names");
    for (size_t i = 0; flags->kind == EVS__EXPR_TABLE && i < flags->as.table.count; i++) {
        const evs__expr *flag = evs__bare(flags->as.table.items[i].value);
        if (flag->kind == EVS__EXPR_STRING && !is_one_of(flag->as.string, known))
            fault(w, flag->at,
                  evs__arena_format(&w->pool->arena, "no server knows the flag '%.*s'",
                                    (int)flag->as.string.len, flag->as.string.data));
    }
}

static void check_name(const walk *w, const evs__expr *name)
{
    name = evs__bare(name);
    if (name->kind != EVS__EXPR_STRING)
        return;
    int good = name->as.string.len > 0;
    for (size_t i = 0; i < name->as.string.len; i++) {
        char c = name->as.string.data[i];
        good &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                c == '_';
    }
    if (!good)
        fault(w, name->at, "names of functions are made of letters, digits and underscores");
}

static void check_named(const walk *w, const evs__expr *call, const evs__table_expr *table)
{
    static const char *const known[] = {"function_name", "callback", "flags", "description", NULL};
    int has_name = 0, has_callback = 0, open = 0;
    for (size_t i = 0; i < table->count; i++) {
        const evs__item *item = &table->items[i];
        if (item->kind != EVS__ITEM_NAME) {
            open = 1;
            continue;
        }
        evs_bytes key = item->key->as.string;
        if (!is_one_of(key, known))
            fault(w, item->key->at, "register_function knows no such argument");
        const char *const flags[] = {"flags", NULL}, *const name[] = {"function_name", NULL},
                          *const callback[] = {"callback", NULL};
        if (is_one_of(key, flags))
            check_flags(w, item->value);
        if (is_one_of(key, name)) {
            has_name = 1;
            check_name(w, item->value);
        }
        has_callback |= is_one_of(key, callback);
    }
    if (!open && !(has_name && has_callback))
        fault(w, call->at, "register_function needs function_name and callback");
}

static void check_register(const walk *w, const evs__apiuse *use)
{
    if (!w->flow->is_library) {
        fault(w, use->at,
              "register_function is there only in a library, whose first line is "
              "#!lua name=...");
        return;
    }
    if (!use->loading) {
        fault(w, use->at, "functions are registered while the library is loaded, not later");
        return;
    }
    const evs__exprs *args = use->call->kind == EVS__EXPR_CALL ? &use->call->as.call.args : NULL;
    if (args == NULL || args->count == 0 || use->argument == NULL)
        return;
    const evs__expr *first = evs__bare(args->items[0]);
    if (args->count == 1 && first->kind == EVS__EXPR_TABLE)
        check_named(w, use->call, &first->as.table);
    else if (args->count == 1 && first->kind == EVS__EXPR_STRING)
        fault(w, use->at, "register_function needs a name and a function");
    else
        check_name(w, first);
}

void evs__find_faults(evs__flow *flow, evs__pool *pool)
{
    walk w = {flow, pool};
    for (const evs__apiuse *use = flow->apis; use != NULL; use = use->next)
        if (evs__is_api(use, "redis", "register_function"))
            check_register(&w, use);
    for (const evs__nameuse *use = flow->names; use != NULL; use = use->next) {
        if (use->kind == EVS__NAME_GIVEN)
            fault(&w, use->at,
                  evs__arena_format(&pool->arena,
                                    "a library has no %s: callbacks get keys and arguments as "
                                    "parameters",
                                    use->name));
        if (use->kind == EVS__NAME_LOADING)
            fault(&w, use->at,
                  evs__arena_format(&pool->arena, "%s is not there while a library is loaded",
                                    use->name));
    }
}
