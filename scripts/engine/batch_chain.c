/*
 * batch_chain.c - calls of a batch that wait for each other.
 *
 * The calls of one shard form a chain, of which one is under way at a time. A call that runs on
 * every shard of its pool is in the chain of each: it waits for the calls before it in all of them,
 * and those behind it wait for it.
 */
#include "scripts/engine/batch_inner.h"

#include "core/error.h"
#include "sharding/route.h"

static void line_up(evs__batch_item *one)
{
    evs_batch *batch = one->batch;
    one->next = NULL;
    *batch->last_in_line = one;
    batch->last_in_line = &one->next;
}

static evs__batch_item *take_first(evs_batch *batch)
{
    evs__batch_item *first = batch->line;
    batch->line = first->next;
    if (batch->line == NULL)
        batch->last_in_line = &batch->line;
    return first;
}

/* The calls behind a failure are not sent. */
static void cancel_next(evs__batch_item *one, const evs__batch_item *failed)
{
    evs_error err;
    one->why = failed->why != NULL ? failed->why : failed;
    evs__fail(&err, EVS_E_CANCELED, "not sent: a call before it on the same shard failed (%s)",
              evs_status_name(one->why->result.status));
    err.outcome = EVS_NOT_EXECUTED;
    evs__batch_refuse(one, &err);
    line_up(one);
}

/* What the result of a call means for those directly behind it. */
static void settle(evs__batch_item *one)
{
    for (const evs__batch_link *at = one->behind; at != NULL; at = at->next) {
        evs__batch_item *next = at->to;
        next->waits--;
        if (next->has_result)
            continue;
        if (one->result.status != EVS_OK)
            cancel_next(next, one);
        else if (next->waits == 0)
            line_up(next);
    }
}

/* A call gets its result here or later; each is looked at when it is its turn and once more with a
 * result. */
static void walk_chains(evs_batch *batch)
{
    batch->pumping = 1;
    while (batch->line != NULL) {
        evs__batch_item *one = take_first(batch);
        if (one->has_result || evs__batch_send(one) == 0)
            settle(one);
    }
    batch->pumping = 0;
}

int evs__batch_follow(evs__batch_item *one)
{
    evs_batch *batch = one->batch;
    line_up(one);
    if (batch->pumping)
        return 0;
    walk_chains(batch);
    return 1;
}

/* ---- making them ---- */

/* The shards of the map whose chains a call is in. */
typedef struct range {
    size_t first, count;
} range;

static evs_status route(range *out, const evs_shardmap *map, const evs_invocation *call,
                        evs_error *err)
{
    evs__target target;
    const evs__pool *all = NULL;
    if (call->nkeys == 0 && call->shard == NULL)
        all = evs__route_spreads(map, call->pool);
    if (all != NULL) {
        *out = (range){all->first_shard, all->nshards};
        return EVS_OK;
    }
    evs_status status = call->nkeys > 0
                            ? evs__route_keys(&target, map, call->keys, call->nkeys, err)
                            : evs__route_no_keys(&target, map, call->shard, call->pool, err);
    if (status == EVS_OK)
        *out = (range){target.shard, 1};
    return status;
}

/* Puts a call behind another; once, however many chains they share. 0 when out of memory. */
static int put_behind(evs__batch_item *before, evs__batch_item *one)
{
    if (before->behind != NULL && before->behind->to == one)
        return 1;
    evs__batch_link *added = evs__arena_alloc(&one->batch->arena, 1, sizeof *added);
    if (added == NULL)
        return 0;
    *added = (evs__batch_link){one, before->behind};
    before->behind = added;
    one->waits++;
    return 1;
}

/* 0 when out of memory. */
static int add_to_chains(evs__batch_item *one, evs__batch_item **tails, const range *shards)
{
    for (size_t i = shards->first; i < shards->first + shards->count; i++) {
        if (tails[i] != NULL && !put_behind(tails[i], one))
            return 0;
        tails[i] = one;
    }
    return 1;
}

/* Links the calls of each shard; those with none before them are lined up. 0 when out of memory. */
static int make_chains(evs_batch *batch)
{
    const evs_shardmap *map = batch->client->map;
    evs__batch_item **tails = evs__arena_zalloc(&batch->arena, evs_shardmap_count(map),
                                                sizeof(evs__batch_item *));
    for (size_t i = 0; tails != NULL && i < batch->count; i++) {
        evs_error err;
        range shards;
        evs__batch_item *one = &batch->items[i];
        if (route(&shards, map, &one->call, &err) != EVS_OK)
            evs__batch_refuse(one, &err);
        else if (!add_to_chains(one, tails, &shards))
            return 0;
        else if (one->waits == 0)
            line_up(one);
    }
    return tails != NULL;
}

static void forget_chains(evs_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        batch->items[i].has_result = 0;
        batch->items[i].behind = NULL;
        batch->items[i].waits = 0;
    }
    batch->results = batch->failures = 0;
}

evs_status evs__batch_start_chains(evs_batch *batch, evs_error *err)
{
    batch->line = NULL;
    batch->last_in_line = &batch->line;
    if (make_chains(batch)) {
        walk_chains(batch);
        return EVS_OK;
    }
    forget_chains(batch);
    return evs__fail_nomem(err);
}
