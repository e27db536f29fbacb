#include "scripts/audit/sight.h"

#include "scripts/audit/recorder.h"

#include <stdlib.h>
#include <string.h>

/* What sights are told apart by. */
typedef struct place {
    const void *node;
    size_t index;
    evs__sight_kind kind;
} place;

void evs__sights_init(evs__sights *sights, evs__pool *pool)
{
    memset(sights, 0, sizeof *sights);
    sights->pool = pool;
}

void evs__sights_free(evs__sights *sights)
{
    evs__table_free(&sights->index);
}

static int grow(evs__sights *sights)
{
    if (sights->count < sights->cap)
        return 1;
    size_t cap = sights->cap * 2 + 32;
    evs__sight **items = evs__pool_alloc(sights->pool, cap, sizeof *items);
    if (items == NULL)
        return 0;
    if (sights->count > 0)
        memcpy(items, sights->items, sights->count * sizeof *items);
    sights->items = items;
    sights->cap = cap;
    return 1;
}

static void join(evs__pool *pool, evs__sight *old, const evs__sight *more)
{
    old->a = evs__value_join(pool, old->a, more->a);
    old->b = evs__value_join(pool, old->b, more->b);
    old->doubtful |= more->doubtful;
}

void evs__sights_add(evs__sights *sights, const evs__sight *sight, const void *node)
{
    place probe;
    memset(&probe, 0, sizeof probe);
    probe.node = node;
    probe.index = sight->index;
    probe.kind = sight->kind;
    evs_bytes key = {(const char *)&probe, sizeof probe};
    evs__sight *old = evs__table_get(&sights->index, key);
    if (old != NULL) {
        join(sights->pool, old, sight);
        return;
    }
    evs__sight *copy = evs__pool_alloc(sights->pool, 1, sizeof *copy);
    place *kept = evs__pool_alloc(sights->pool, 1, sizeof *kept);
    if (copy == NULL || kept == NULL || !grow(sights))
        return;
    *copy = *sight;
    *kept = probe;
    key.data = (const char *)kept;
    sights->items[sights->count++] = copy;
    if (!evs__table_set(&sights->index, key, copy))
        sights->pool->failed = 1;
}

/* ---- facts ---- */

static int compare(const void *a, const void *b)
{
    const evs__sight *x = *(const evs__sight *const *)a, *y = *(const evs__sight *const *)b;
    if (x->span.start != y->span.start)
        return x->span.start < y->span.start ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

void evs__sight_facts(evs__facts *out, const evs__chunk *chunk, const evs__recorder *recorder)
{
    const evs__sights *sights = &recorder->sights;
    if (recorder->over || sights->count == 0)
        return;
    for (size_t i = 0; i < sights->count; i++) {
        evs__sight *sight = sights->items[i];
        sight->at = evs__span_public(chunk, sight->span);
        sight->doubtful |= recorder->ngaps > 0 && sight->in_function;
    }
    qsort(sights->items, sights->count, sizeof *sights->items, compare);
    out->sights = sights->items;
    out->nsights = sights->count;
}

/* ---- for rules ---- */

int evs__value_is_reply(const evs__value *value)
{
    for (size_t i = 0; i < value->natoms; i++)
        if (value->atoms[i]->kind != EVS__ATOM_REPLY)
            return 0;
    return value->natoms > 0 && value->ntables == 0 && value->ncalls == 0;
}

unsigned evs__value_forms(const evs__value *value)
{
    unsigned forms = 0;
    for (size_t i = 0; i < value->natoms; i++)
        forms |= evs__reply_forms(value, value->atoms[i]);
    return forms;
}

int evs__value_is_text(const evs__value *value)
{
    return (value->types & ~(unsigned)EVS__TYPE_FALSY) == EVS__TYPE_STRING;
}

int evs__value_is_number(const evs__value *value)
{
    return (value->types & ~(unsigned)EVS__TYPE_FALSY) == EVS__TYPE_NUMBER;
}

const char *evs__value_describe(evs__pool *pool, const evs__value *value)
{
    if (value->natoms > 0)
        return evs__atom_text(pool, value->atoms[0]);
    return evs__value_is_number(value) ? "a number" : "a value";
}

int evs__op_is_order(evs__binary_op op)
{
    return op == EVS__OP_LT || op == EVS__OP_LE || op == EVS__OP_GT || op == EVS__OP_GE;
}

static int compares_with_false(const evs__sight *sight, const evs__local *variable)
{
    if (sight->kind != EVS__SIGHT_COMPARE)
        return 0;
    return (sight->variables[0] == variable && sight->b->types == EVS__TYPE_FALSE) ||
           (sight->variables[1] == variable && sight->a->types == EVS__TYPE_FALSE);
}

int evs__is_tested(const evs__facts *facts, const evs__local *variable, const evs__sight *here)
{
    for (size_t i = 0; variable != NULL && i < facts->nsights; i++) {
        const evs__sight *sight = facts->sights[i];
        int condition = sight->kind == EVS__SIGHT_CONDITION && sight->variables[0] == variable &&
                        !sight->lengths[0];
        if (sight != here && (condition || compares_with_false(sight, variable)))
            return 1;
    }
    return 0;
}

int evs__is_measured(const evs__facts *facts, const evs__local *variable)
{
    for (size_t i = 0; variable != NULL && i < facts->nsights; i++) {
        const evs__sight *sight = facts->sights[i];
        if (sight->kind != EVS__SIGHT_COMPARE && sight->kind != EVS__SIGHT_CONDITION)
            continue;
        for (int side = 0; side < 2; side++)
            if (sight->lengths[side] && sight->variables[side] == variable)
                return 1;
    }
    return 0;
}
