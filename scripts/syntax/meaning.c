#include "scripts/syntax/meaning.h"

#include "scripts/syntax/visit.h"

#include <string.h>

enum { CHAIN_MAX = 8 };

typedef struct reading {
    evs__meanings *meanings;
    int failed;
} reading;

static void declare(reading *r, const evs__local *local, evs__expr *value)
{
    if (local->assignments > 0)
        return;
    const evs__local **kept = evs__arena_alloc(r->meanings->arena, 1, sizeof *kept);
    if (kept == NULL) {
        r->failed = 1;
        return;
    }
    *kept = local;
    evs_bytes key = {(const char *)kept, sizeof *kept};
    r->failed |= !evs__table_set(&r->meanings->initials, key, value);
}

static void read_stat(void *context, const evs__stat *stat)
{
    reading *r = context;
    if (stat->kind != EVS__STAT_LOCAL)
        return;
    const evs__local_stat *local = &stat->as.local;
    for (size_t i = 0; i < local->nnames && i < local->values.count; i++)
        declare(r, local->names[i], local->values.items[i]);
}

int evs__meanings_read(evs__meanings *meanings, evs__arena *arena, const evs__function *main)
{
    memset(meanings, 0, sizeof *meanings);
    meanings->arena = arena;
    reading r = {meanings, 0};
    evs__visitor visitor = {.context = &r, .stat = read_stat};
    evs__visit_block(&visitor, &main->body);
    return !r.failed;
}

void evs__meanings_free(evs__meanings *meanings)
{
    evs__table_free(&meanings->initials);
}

const evs__expr *evs__meaning(const evs__meanings *meanings, const evs__expr *expr)
{
    expr = evs__bare(expr);
    for (int i = 0; i < CHAIN_MAX && expr != NULL; i++) {
        if (expr->kind != EVS__EXPR_NAME || expr->as.name.local == NULL)
            return expr;
        const evs__local *local = expr->as.name.local;
        evs_bytes key = {(const char *)&local, sizeof local};
        const evs__expr *value = evs__table_get(&meanings->initials, key);
        if (value == NULL)
            return expr;
        expr = evs__bare(value);
    }
    return expr;
}

int evs__means_field(const evs__meanings *meanings, const evs__expr *expr, const char *object,
                     const char *name)
{
    expr = evs__meaning(meanings, expr);
    if (expr == NULL || expr->kind != EVS__EXPR_INDEX)
        return 0;
    const evs__expr *key = evs__meaning(meanings, expr->as.index.key);
    return evs__is_global_name(evs__meaning(meanings, expr->as.index.object), object) &&
           key->kind == EVS__EXPR_STRING && key->as.string.len == strlen(name) &&
           memcmp(key->as.string.data, name, strlen(name)) == 0;
}
