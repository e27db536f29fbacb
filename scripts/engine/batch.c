/*
 * batch.c - calls that are sent together.
 *
 *   add (copies) --> pump: submit what fits --> each completion: keep the result, pump again
 *
 * With EVS_BATCH_STOP the calls of one shard form a chain, of which one is under way at a time. A
 * call that runs on every shard of its pool is in the chain of each: it waits for the calls before
 * it in all of them, and those behind it wait for it.
 */
#include "core/arena.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/reply.h"
#include "scripts/engine/client.h"
#include "scripts/engine/invocation.h"
#include "scripts/engine/submit.h"
#include "sharding/route.h"

#include <evalshard/batch.h>

typedef struct item item;

/* A call that comes directly behind another in a chain. */
typedef struct link {
    item *to;
    struct link *next;
} link;

struct item {
    evs_batch *batch;
    evs_invocation call; /* its texts are in the arena */
    evs_result result;
    evs_reply plain; /* a reply that needs no memory of its own */
    link *behind;    /* in the arena */
    size_t waits;    /* for so many calls that are directly before it */
    item *next;      /* in the line of those that are looked at */
    const item *why; /* the call whose failure kept it from being sent */
    int has_result;
};

typedef enum stage { FILLING, RUNNING, FINISHED } stage;

struct evs_batch {
    evs_client *client;
    evs_batch_error on_error;
    evs__arena arena; /* calls and results */
    item *items;      /* ours */
    size_t count, cap;
    size_t next; /* the first item that was not submitted */
    size_t open; /* items that were, and have no result */
    size_t results, failures;
    stage stage;
    int pumping;
    item *line, **last_in_line; /* of chains: to be submitted, or with a result */
    evs__gate gate;             /* of who waits */
    evs_batch_done_fn done;
    void *arg;
};

evs_status evs_batch_new(evs_batch **out, evs_client *client, const evs_batch_options *opts,
                         evs_error *err)
{
    evs_batch_error on_error = EVS_BATCH_GO_ON;
    if (opts != NULL && opts->struct_size > offsetof(evs_batch_options, on_error))
        on_error = opts->on_error;
    if ((unsigned)on_error > EVS_BATCH_STOP)
        return evs__fail(err, EVS_E_INVALID, "on_error has a value that it does not have");
    evs_batch *batch = evs__zalloc_array(1, sizeof *batch);
    if (batch == NULL)
        return evs__fail_nomem(err);
    batch->client = client;
    batch->on_error = on_error;
    *out = batch;
    return EVS_OK;
}

void evs_batch_clear(evs_batch *batch)
{
    evs__arena_recycle(&batch->arena);
    batch->count = batch->next = batch->open = batch->results = batch->failures = 0;
    batch->stage = FILLING;
}

void evs_batch_free(evs_batch *batch)
{
    if (batch == NULL)
        return;
    evs__arena_free(&batch->arena);
    evs__free(batch->items);
    evs__free(batch);
}

/* ---- adding ---- */

static int reserve(evs_batch *batch)
{
    if (batch->count < batch->cap)
        return 1;
    size_t cap = batch->cap == 0 ? 64 : batch->cap * 2;
    item *items = evs__realloc_array(batch->items, cap, sizeof *items);
    if (items == NULL)
        return 0;
    batch->items = items;
    batch->cap = cap;
    return 1;
}

evs_status evs_batch_add(evs_batch *batch, const evs_invocation *call, evs_error *err)
{
    if (batch->stage != FILLING)
        return evs__fail(err, EVS_E_STATE, "the batch %s; clear it before it is filled again",
                         batch->stage == RUNNING ? "is running" : "has run");
    if (!reserve(batch))
        return evs__fail_nomem(err);
    item *one = &batch->items[batch->count];
    *one = (item){.call = *call};
    if (!evs__invocation_keep(&batch->arena, &one->call))
        return evs__fail_nomem(err);
    batch->count++;
    return EVS_OK;
}

/* ---- results ---- */

/* Out of memory, the call has the status that says so, and keeps its outcome. */
static void no_memory(item *one, evs_outcome outcome)
{
    static const evs_error none = {.status = EVS_E_NOMEM, .message = "out of memory"};
    one->result = (evs_result){EVS_E_NOMEM, outcome, NULL, &none};
}

static void keep_error(item *one, const evs_error *error)
{
    evs_error *copy = evs__arena_alloc(&one->batch->arena, 1, sizeof *copy);
    if (copy == NULL) {
        no_memory(one, error->outcome);
        return;
    }
    *copy = *error;
    one->result.error = copy;
}

static void keep_reply(item *one, const evs_reply *reply)
{
    if (!evs__reply_has_text(reply) && !evs__reply_has_items(reply)) {
        one->plain = *reply;
        one->result.reply = &one->plain;
        return;
    }
    one->result.reply = evs__reply_copy_to(&one->batch->arena, reply);
    if (one->result.reply == NULL)
        no_memory(one, one->result.outcome);
}

static void keep(item *one, const evs_result *result)
{
    evs_batch *batch = one->batch;
    one->result = (evs_result){result->status, result->outcome, NULL, NULL};
    if (result->error != NULL)
        keep_error(one, result->error);
    if (result->reply != NULL)
        keep_reply(one, result->reply);
    one->has_result = 1;
    batch->results++;
    batch->failures += one->result.status != EVS_OK;
}

static void refuse(item *one, const evs_error *err)
{
    evs_result result = {err->status, EVS_NOT_EXECUTED, NULL, err};
    keep(one, &result);
}

/* ---- sending ---- */

static void pump(evs_batch *batch);
static int submit(item *one);

static void line_up(item *one)
{
    evs_batch *batch = one->batch;
    one->next = NULL;
    *batch->last_in_line = one;
    batch->last_in_line = &one->next;
}

static item *take_first(evs_batch *batch)
{
    item *first = batch->line;
    batch->line = first->next;
    if (batch->line == NULL)
        batch->last_in_line = &batch->line;
    return first;
}

/* The calls behind a failure are not sent. */
static void cancel_next(item *one, const item *failed)
{
    evs_error err;
    one->why = failed->why != NULL ? failed->why : failed;
    evs__fail(&err, EVS_E_CANCELED, "not sent: a call before it on the same shard failed (%s)",
              evs_status_name(one->why->result.status));
    err.outcome = EVS_NOT_EXECUTED;
    refuse(one, &err);
    line_up(one);
}

/* What the result of a call means for those directly behind it. */
static void settle(item *one)
{
    for (const link *at = one->behind; at != NULL; at = at->next) {
        item *next = at->to;
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
        item *one = take_first(batch);
        if (one->has_result || submit(one) == 0)
            settle(one);
    }
    batch->pumping = 0;
}

static void go_on(item *one)
{
    evs_batch *batch = one->batch;
    if (batch->on_error == EVS_BATCH_STOP) {
        line_up(one);
        if (batch->pumping)
            return;
        walk_chains(batch);
    }
    pump(batch);
}

static void answered(void *arg, const evs_result *result)
{
    item *one = arg;
    one->batch->open--;
    keep(one, result);
    go_on(one);
}

/* 1 when the call is under way, 0 when it has a result, -1 when there is no room for it now. */
static int submit(item *one)
{
    evs_error err;
    evs_batch *batch = one->batch;
    evs_status status = evs__submit_part(batch->client, &one->call, answered, one, &err);
    if (status == EVS_OK) {
        batch->open++;
        return 1;
    }
    if (status == EVS_E_QUEUE_FULL && batch->open > 0 && batch->on_error == EVS_BATCH_GO_ON)
        return -1; /* tried again when one of ours is answered */
    refuse(one, &err);
    return 0;
}

static void finish(evs_batch *batch)
{
    evs__thread *thread = batch->client->thread;
    batch->stage = FINISHED;
    if (batch->done == NULL) {
        evs__gate_open(&batch->gate);
        return;
    }
    batch->done(batch->arg, batch);
    evs__thread_forget(thread);
}

static void pump(evs_batch *batch)
{
    if (batch->on_error == EVS_BATCH_GO_ON && !batch->pumping) {
        batch->pumping = 1;
        while (batch->next < batch->count && submit(&batch->items[batch->next]) >= 0)
            batch->next++;
        batch->pumping = 0;
    }
    if (batch->stage == RUNNING && batch->results == batch->count && !batch->pumping)
        finish(batch);
}

/* ---- chains ---- */

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
static int put_behind(item *before, item *one)
{
    if (before->behind != NULL && before->behind->to == one)
        return 1;
    link *added = evs__arena_alloc(&one->batch->arena, 1, sizeof *added);
    if (added == NULL)
        return 0;
    *added = (link){one, before->behind};
    before->behind = added;
    one->waits++;
    return 1;
}

/* 0 when out of memory. */
static int add_to_chains(item *one, item **tails, const range *shards)
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
    item **tails = evs__arena_zalloc(&batch->arena, evs_shardmap_count(map), sizeof(item *));
    for (size_t i = 0; tails != NULL && i < batch->count; i++) {
        evs_error err;
        range shards;
        item *one = &batch->items[i];
        if (route(&shards, map, &one->call, &err) != EVS_OK)
            refuse(one, &err);
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

static evs_status start_chains(evs_batch *batch, evs_error *err)
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

/* What is to become of a batch. It has that only once it runs. */
typedef struct starting {
    evs_batch *batch;
    evs_batch_done_fn done;
    void *arg;
} starting;

static evs_status start(const starting *self, evs_error *err)
{
    evs_batch *batch = self->batch;
    evs_status status = EVS_OK;
    if (batch->stage != FILLING)
        return evs__fail(err, EVS_E_STATE, "the batch %s",
                         batch->stage == RUNNING ? "is running" : "has run; clear it first");
    batch->done = self->done;
    batch->arg = self->arg;
    for (size_t i = 0; i < batch->count; i++)
        batch->items[i].batch = batch;
    batch->stage = RUNNING;
    if (batch->on_error == EVS_BATCH_STOP)
        status = start_chains(batch, err);
    if (status != EVS_OK) {
        batch->stage = FILLING;
        return status;
    }
    pump(batch);
    return EVS_OK;
}

static evs_status start_job(void *job, evs_error *err)
{
    evs_client *client = ((const starting *)job)->batch->client;
    evs_status status = evs__client_check(client, 0, err);
    if (status != EVS_OK)
        return status;
    evs__client_enter(client); /* the completion may free client and batch */
    status = start(job, err);
    evs__client_leave(client);
    return status;
}

evs_status evs_batch_run(evs_batch *batch, evs_error *err)
{
    starting self = {batch, NULL, NULL};
    evs__start what = {.start = start_job, .job = &self, .gate = &batch->gate};
    return evs__client_await(batch->client, &what, err);
}

evs_status evs_batch_submit(evs_batch *batch, evs_batch_done_fn done, void *arg, evs_error *err)
{
    starting self = {batch, done, arg};
    evs__start what = {.start = start_job, .job = &self};
    if (done == NULL)
        return evs__fail(err, EVS_E_INVALID, "a submitted batch needs a completion");
    evs__thread *thread = batch->client->thread;
    evs__thread_count(thread);
    evs_status status = evs__client_is_elsewhere(batch->client)
                            ? evs__thread_run(batch->client, &what, err)
                            : start_job(&self, err);
    if (status != EVS_OK)
        evs__thread_forget(thread);
    return status;
}

size_t evs_batch_count(const evs_batch *batch)
{
    return batch->count;
}

size_t evs_batch_failures(const evs_batch *batch)
{
    return batch->failures;
}

const evs_result *evs_batch_result(const evs_batch *batch, size_t index)
{
    if (index >= batch->count || !batch->items[index].has_result)
        return NULL;
    return &batch->items[index].result;
}
