/*
 * scatter.c - one script over many groups of keys, or on every shard; results go to a fold.
 *
 * Calls are submitted until a queue is full, and each answer makes room for more.
 */
#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/client.h"
#include "scripts/engine/everywhere.h"
#include "scripts/engine/submit.h"

#include <evalshard/batch.h>

#include <stdio.h>

typedef struct scattering scattering;

/* One call under way. */
typedef struct part {
    scattering *all;
    size_t index; /* for the fold */
    size_t place; /* among groups or targets */
} part;

/* Submits call number `index` of those that there are. */
typedef evs_status submit_one(part *one, evs_error *err);

struct scattering {
    evs_client *client;
    const evs_invocation *common;
    const evs_key_group *groups; /* of a scatter */
    evs__target *targets;        /* of a broadcast; ours */
    uint64_t map_serial;         /* of the map that they are of */
    submit_one *submit;
    evs_fold_fn fold;
    void *arg;
    part *parts; /* ours */
    size_t count, next, open, results;
    evs_status status; /* of the first that failed */
    evs_error *err;    /* its error; may be NULL */
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
    evs_status status = all->submit(one, &err);
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
    evs_client *client = all->client;
    evs_status status = evs__client_check(client, 0, err);
    if (status != EVS_OK)
        return status;
    evs__client_enter(client); /* the fold may free the client */
    pump(all);                 /* who waits for all of it may be gone now */
    evs__client_leave(client);
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
        all->parts[i] = (part){all, all->targets == NULL ? i : all->targets[i].shard, i};
    status = evs__client_await(all->client, &what, err);
    evs__free(all->parts);
    return status == EVS_OK ? all->status : status;
}

static evs_status submit_group(part *one, evs_error *err)
{
    scattering *all = one->all;
    evs_invocation call = *all->common;
    call.keys = all->groups[one->place].keys;
    call.nkeys = all->groups[one->place].nkeys;
    return evs__submit_part(all->client, &call, answered, one, err);
}

evs_status evs_scatter(evs_client *client, const evs_invocation *call, const evs_key_group *groups,
                       size_t ngroups, evs_fold_fn fold, void *arg, evs_error *err)
{
    scattering all = {.client = client,
                      .common = call,
                      .groups = groups,
                      .submit = submit_group,
                      .fold = fold,
                      .arg = arg,
                      .count = ngroups,
                      .err = err};
    if (fold == NULL)
        return evs__fail(err, EVS_E_INVALID, "results need a fold to go to");
    return run(&all, err);
}

/* ---- every shard ---- */

static evs_status fail_untold(const evs__lane *lane, evs_error *err)
{
    evs__subject subject = {.shard = lane->at->name};
    evs_status status = evs__fail_untold(lane->cluster, err);
    evs__explain_below(err, &subject);
    return status;
}

static evs_status submit_target(part *one, evs_error *err)
{
    scattering *all = one->all;
    if (all->map_serial != all->client->map_serial)
        return evs__fail(err, EVS_E_CANCELED, "not sent: the shard map was replaced meanwhile");
    const evs__target *target = &all->targets[one->place];
    const evs__lane *lane = all->client->lanes[target->shard];
    if (lane->cluster != NULL && target->slot == EVS__ANY_SLOT)
        return fail_untold(lane, err);
    evs__job job = {.client = all->client, .invocation = all->common, .done = answered, .arg = one};
    evs_status status = evs__job_aim(&job, target, err);
    return status == EVS_OK ? evs__job_submit(&job, err) : status;
}

typedef struct listing {
    scattering *all;
    const char *pool;    /* NULL: all pools */
    evs_shardmap *map;   /* ours */
    size_t first, count; /* shards of the map */
} listing;

/* The shards of the pool, or all. */
static evs_status choose(listing *self, const evs_shardmap *map, evs_error *err)
{
    const char *pool = self->pool;
    self->first = 0;
    self->count = map->nshards;
    if (pool == NULL)
        return EVS_OK;
    for (size_t i = 0; i < map->npools; i++) {
        if (strcmp(map->pools[i].name, pool) != 0)
            continue;
        self->first = map->pools[i].first_shard;
        self->count = map->pools[i].nshards;
        return EVS_OK;
    }
    return evs__fail(err, EVS_E_INVALID, "there is no pool \"%s\" in the map", pool);
}

static evs_status list_targets(void *job, evs_error *err)
{
    listing *self = job;
    evs_client *client = self->all->client;
    evs_status status = self->map == client->map ? EVS_OK : choose(self, client->map, err);
    if (status != EVS_OK)
        return status;
    self->all->map_serial = client->map_serial;
    self->all->count = evs__list_everywhere(NULL, client, self->first, self->count);
    self->all->targets = evs__alloc_array(self->all->count, sizeof *self->all->targets);
    if (self->all->targets == NULL)
        return evs__fail_nomem(err);
    evs__list_everywhere(self->all->targets, client, self->first, self->count);
    return EVS_OK;
}

/* Clusters tell their primaries. When one cannot, the broadcast will say so in its place. */
static void meet_clusters(const listing *self, unsigned timeout_ms)
{
    evs_client *client = self->all->client;
    const evs_shardmap *map = self->map;
    for (size_t i = self->first; i < self->first + self->count; i++) {
        const evs__pool *pool = &map->pools[map->shards[i].pool];
        evs_reply *reply = NULL;
        char name[160];
        if (pool->cluster == NULL)
            continue;
        evs_bytes ping = evs_text("PING");
        snprintf(name, sizeof name, "%s/%s", pool->name, map->shards[i].name);
        evs_plain_command cmd = {
            .args = &ping, .nargs = 1, .shard = name, .timeout_ms = timeout_ms};
        evs_command(&reply, client, &cmd, NULL);
        evs_reply_free(reply);
    }
}

evs_status evs_broadcast(evs_client *client, const evs_invocation *call, evs_fold_fn fold,
                         void *arg, evs_error *err)
{
    scattering all = {.client = client,
                      .common = call,
                      .submit = submit_target,
                      .fold = fold,
                      .arg = arg,
                      .err = err};
    listing shards = {.all = &all, .pool = call->pool};
    if (fold == NULL)
        return evs__fail(err, EVS_E_INVALID, "results need a fold to go to");
    if (call->nkeys > 0 || call->shard != NULL)
        return evs__fail(err, EVS_E_INVALID,
                         "a broadcast goes to every shard: it has no keys and names no shard");
    evs_status status = evs__client_may_wait(client, err);
    if (status != EVS_OK)
        return status;
    shards.map = evs_client_map(client);
    status = choose(&shards, shards.map, err);
    if (status == EVS_OK) {
        meet_clusters(&shards, call->timeout_ms);
        status = evs__client_look(client, list_targets, &shards, err);
    }
    if (status == EVS_OK)
        status = run(&all, err);
    evs__free(all.targets);
    evs_shardmap_free(shards.map);
    return status;
}
