/*
 * batch.c - calls that are sent together.
 *
 *   add (copies) --> pump: submit what fits --> each completion: keep the result, pump again
 */
#include "scripts/engine/batch_inner.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/invocation.h"
#include "scripts/engine/submit.h"

evs_status evs_batch_new(evs_batch **out, evs_client *client, const evs_batch_options *opts,
                         evs_error *err)
{
    evs_batch_error on_error = EVS_BATCH_GO_ON;
    if (opts != NULL && opts->struct_size == 0)
        return evs__fail(err, EVS_E_INVALID, "options without EVS_BATCH_OPTIONS_INIT");
    if (opts != NULL && opts->struct_size > offsetof(evs_batch_options, on_error))
        on_error = opts->on_error;
    if ((unsigned)on_error > EVS_BATCH_STOP)
        return evs__fail(err, EVS_E_INVALID,
                         "on_error is %u, which there is not; the last one is %u",
                         (unsigned)on_error, (unsigned)EVS_BATCH_STOP);
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
    batch->stage = EVS__BATCH_FILLING;
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
    evs__batch_item *items = evs__realloc_array(batch->items, cap, sizeof *items);
    if (items == NULL)
        return 0;
    batch->items = items;
    batch->cap = cap;
    return 1;
}

evs_status evs_batch_add(evs_batch *batch, const evs_invocation *call, evs_error *err)
{
    if (batch->stage != EVS__BATCH_FILLING)
        return evs__fail(err, EVS_E_STATE, "the batch %s; clear it before it is filled again",
                         batch->stage == EVS__BATCH_RUNNING ? "is running" : "has run");
    if (!reserve(batch))
        return evs__fail_nomem(err);
    evs__batch_item *one = &batch->items[batch->count];
    *one = (evs__batch_item){.call = *call};
    if (!evs__invocation_keep(&batch->arena, &one->call))
        return evs__fail_nomem(err);
    batch->count++;
    return EVS_OK;
}

/* ---- results ---- */

/* Out of memory, the call has the status that says so, and keeps its outcome. */
static void no_memory(evs__batch_item *one, evs_outcome outcome)
{
    static const evs_error none = {.status = EVS_E_NOMEM, .message = "out of memory"};
    one->result = (evs_result){EVS_E_NOMEM, outcome, NULL, &none};
}

static void keep_error(evs__batch_item *one, const evs_error *error)
{
    evs_error *copy = evs__arena_alloc(&one->batch->arena, 1, sizeof *copy);
    if (copy == NULL) {
        no_memory(one, error->outcome);
        return;
    }
    *copy = *error;
    one->result.error = copy;
}

static void keep_reply(evs__batch_item *one, const evs_reply *reply)
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

static void keep(evs__batch_item *one, const evs_result *result)
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

void evs__batch_refuse(evs__batch_item *one, const evs_error *err)
{
    evs_result result = {err->status, EVS_NOT_EXECUTED, NULL, err};
    keep(one, &result);
}

/* ---- sending ---- */

static void pump(evs_batch *batch);

static void go_on(evs__batch_item *one)
{
    if (one->batch->on_error == EVS_BATCH_GO_ON || evs__batch_follow(one))
        pump(one->batch);
}

static void answered(void *arg, const evs_result *result)
{
    evs__batch_item *one = arg;
    one->batch->open--;
    keep(one, result);
    go_on(one);
}

int evs__batch_send(evs__batch_item *one)
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
    evs__batch_refuse(one, &err);
    return 0;
}

static void finish(evs_batch *batch)
{
    evs__thread *thread = batch->client->thread;
    batch->stage = EVS__BATCH_FINISHED;
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
        while (batch->next < batch->count && evs__batch_send(&batch->items[batch->next]) >= 0)
            batch->next++;
        batch->pumping = 0;
    }
    if (batch->stage == EVS__BATCH_RUNNING && batch->results == batch->count && !batch->pumping)
        finish(batch);
}

/* ---- running ---- */

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
    if (batch->stage != EVS__BATCH_FILLING)
        return evs__fail(err, EVS_E_STATE, "the batch %s",
                         batch->stage == EVS__BATCH_RUNNING ? "is running"
                                                            : "has run; clear it first");
    batch->done = self->done;
    batch->arg = self->arg;
    for (size_t i = 0; i < batch->count; i++)
        batch->items[i].batch = batch;
    batch->stage = EVS__BATCH_RUNNING;
    if (batch->on_error == EVS_BATCH_STOP)
        status = evs__batch_start_chains(batch, err);
    if (status != EVS_OK) {
        batch->stage = EVS__BATCH_FILLING;
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
