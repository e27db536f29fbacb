/*
 * scatter.c - one script over many groups of keys, or on every shard; results go to a fold.
 *
 * Calls are submitted until a queue is full, and each answer makes room for more.
 */
#include "core/error.h"
#include "core/mem.h"
#include "scripts/client.h"

#include <evalshard/batch.h>

#include <stdio.h>

typedef struct scattering scattering;

/* One call under way. */
typedef struct part {
    scattering *all;
    size_t index;
} part;

/* Makes call number `index` out of the common one. */
typedef void make_call(scattering *all, size_t index, evs_invocation *call);

enum { SHARD_NAME_ROOM = 200 };

struct scattering {
    evs_client *client;
    const evs_invocation *common;
    const evs_key_group *groups; /* of a scatter */
    size_t first;                /* shard of a broadcast */
    make_call *make;
    evs_fold_fn fold;
    void *arg;
    part *parts; /* ours */
    size_t count, next, open, results;
    evs_status status; /* of the first that failed */
    evs_error *err;    /* its error; may be NULL */
    char shard[SHARD_NAME_ROOM];
    int pumping;
    evs__gate gate;
};

static void take(part *one, const evs_result *result)
{
    scattering *all = one->all;
    if (result->status != EVS_OK && all->status == EVS_OK) {
        all->status = result->status;
        if (result->error != NULL)
            evs__fail_with(all->err, result->error);
    }
    all->results++;
    all->fold(all->arg, one->index, result);
}

static void pump(scattering *all);

static void answered(void *arg, const evs_result *result)
{
    part *one = arg;
    one->all->open--;
    take(one, result);
    pump(one->all);
}

/* 0 when there is no room for it now. */
static int submit(scattering *all, part *one)
{
    evs_error err;
    evs_invocation call = *all->common;
    all->make(all, one->index, &call);
    evs_status status = evs_submit(all->client, &call, answered, one, &err);
    if (status == EVS_OK) {
        all->open++;
        return 1;
    }
    if (status == EVS_E_QUEUE_FULL && all->open > 0)
        return 0;
    evs_result refused = {status, EVS_NOT_EXECUTED, NULL, &err};
    take(one, &refused);
    return 1;
}

static void pump(scattering *all)
{
    if (all->pumping)
        return;
    all->pumping = 1;
    while (all->next < all->count && submit(all, &all->parts[all->next]))
        all->next++;
    all->pumping = 0;
    if (all->results == all->count)
        evs__gate_open(&all->gate);
}

static evs_status start(void *job, evs_error *err)
{
    scattering *all = job;
    evs_status status = evs__client_check(all->client, 0, err);
    if (status != EVS_OK)
        return status;
    evs__client_enter(all->client); /* the fold may free the client */
    pump(all);
    evs__client_leave(all->client);
    return EVS_OK;
}

static evs_status run(scattering *all, evs_error *err)
{
    evs__start what = {.start = start, .job = all, .gate = &all->gate};
    evs_status status = evs__client_may_wait(all->client, err);
    if (status != EVS_OK || all->count == 0)
        return status;
    all->parts = evs__alloc_array(all->count, sizeof *all->parts);
    if (all->parts == NULL)
        return evs__fail_nomem(err);
    for (size_t i = 0; i < all->count; i++)
        all->parts[i] = (part){all, all->first + i};
    status = evs__client_await(all->client, &what, err);
    evs__free(all->parts);
    return status == EVS_OK ? all->status : status;
}

static void take_group(scattering *all, size_t index, evs_invocation *call)
{
    call->keys = all->groups[index].keys;
    call->nkeys = all->groups[index].nkeys;
}

evs_status evs_scatter(evs_client *client, const evs_invocation *call, const evs_key_group *groups,
                       size_t ngroups, evs_fold_fn fold, void *arg, evs_error *err)
{
    scattering all = {.client = client,
                      .common = call,
                      .groups = groups,
                      .make = take_group,
                      .fold = fold,
                      .arg = arg,
                      .count = ngroups,
                      .err = err};
    if (fold == NULL)
        return evs__fail(err, EVS_E_INVALID, "results need a fold to go to");
    return run(&all, err);
}

/* A name with its pool is unambiguous. It is rendered into the one buffer there is: a submitted
 * call does not need it any more. */
static void take_shard(scattering *all, size_t index, evs_invocation *call)
{
    const evs__shard *shard = &all->client->map->shards[index];
    snprintf(all->shard, sizeof all->shard, "%s/%s", all->client->map->pools[shard->pool].name,
             shard->name);
    call->shard = all->shard;
    call->pool = NULL;
}

/* The shards of the pool, or all. */
static evs_status choose(scattering *all, const char *pool, evs_error *err)
{
    const evs_shardmap *map = all->client->map;
    all->count = map->nshards;
    if (pool == NULL)
        return EVS_OK;
    for (size_t i = 0; i < map->npools; i++) {
        if (strcmp(map->pools[i].name, pool) != 0)
            continue;
        all->first = map->pools[i].first_shard;
        all->count = map->pools[i].nshards;
        return EVS_OK;
    }
    return evs__fail(err, EVS_E_INVALID, "there is no pool \"%s\" in the map", pool);
}

evs_status evs_broadcast(evs_client *client, const evs_invocation *call, evs_fold_fn fold,
                         void *arg, evs_error *err)
{
    scattering all = {
        .client = client, .common = call, .make = take_shard, .fold = fold, .arg = arg, .err = err};
    if (fold == NULL)
        return evs__fail(err, EVS_E_INVALID, "results need a fold to go to");
    if (call->nkeys > 0 || call->shard != NULL)
        return evs__fail(err, EVS_E_INVALID,
                         "a broadcast goes to every shard: it has no keys and names no shard");
    evs_status status = choose(&all, call->pool, err);
    return status == EVS_OK ? run(&all, err) : status;
}
