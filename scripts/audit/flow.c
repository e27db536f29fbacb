#include "scripts/audit/flow.h"

#include "scripts/audit/loops.h"
#include "scripts/audit/passes.h"

#include <string.h>

evs__flow *evs__flow_new(evs__pool *pool, const evs__chunk *chunk)
{
    evs__flow *flow = evs__pool_alloc(pool, 1, sizeof *flow);
    if (flow == NULL)
        return NULL;
    memset(flow, 0, sizeof *flow);
    flow->is_library = chunk->is_library;
    return flow;
}

void evs__flow_finish(evs__pool *pool, evs__flow *flow, const evs__chunk *chunk)
{
    evs__meanings meanings;
    if (flow == NULL)
        return;
    if (evs__meanings_read(&meanings, &pool->arena, chunk->main)) {
        evs__rank_loops(flow, pool, chunk, &meanings);
        evs__find_names(flow, pool, chunk, &meanings);
        evs__find_order(flow, pool, chunk, &meanings);
        evs__find_sizes(flow, pool, chunk, &meanings);
        evs__find_late_failures(flow, pool, chunk, &meanings);
        evs__find_error_texts(flow, pool);
        evs__find_faults(flow, pool);
        evs__find_placeholders(flow, pool, chunk);
    } else {
        pool->failed = 1;
    }
    evs__meanings_free(&meanings);
}

int evs__key_of(const evs__commanduse *use)
{
    if (use->args.none || use->args.count < 2)
        return 0;
    const evs__value *key = use->args.items[1].value;
    return key->natoms == 1 && key->atoms[0]->kind == EVS__ATOM_KEY ? key->atoms[0]->index : 0;
}

int evs__is_api(const evs__apiuse *use, const char *table, const char *name)
{
    return strcmp(use->table, table) == 0 && strcmp(use->name, name) == 0;
}

int evs__happened(const evs__value *before)
{
    return before != NULL && before->natoms > 0;
}

int evs__surely_happened(const evs__value *before)
{
    return evs__happened(before) && (before->types & EVS__TYPE_NIL) == 0;
}
