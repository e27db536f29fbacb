/*
 * thread_submit.c - calls of other threads that nobody waits for, and their completions: on the I/O
 * thread, or queued (thread_queue.c).
 */
#include "scripts/engine/thread_inner.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/submit.h"

/* One such call: everything about it, in one block. */
typedef struct evs__sent {
    evs__post post; /* first; to the I/O thread, later in the queue */
    evs__thread *thread;
    evs__job job;
    union {
        evs_invocation call; /* until it is submitted */
        struct {
            evs_result result; /* in the queue */
            evs_reply *reply;  /* of the result; ours */
            evs_error *error;  /* the same; NULL when it needs none, or there was no memory */
        };
    };
} evs__sent;

/* ---- completing ---- */

static void give_back(evs__sent *sent)
{
    evs__slabs_give(&sent->thread->slabs, sent);
}

/* What the completion borrows must last until it runs. */
static int keep_reply(evs__sent *sent, const evs_result *result)
{
    if (result->reply == NULL)
        return 1;
    if (evs_reply_copy(&sent->reply, result->reply, NULL) != EVS_OK)
        return 0;
    sent->result.reply = sent->reply;
    return 1;
}

static int keep_error(evs__sent *sent, const evs_result *result)
{
    if (result->error == NULL)
        return 1;
    sent->error = evs__alloc_array(1, sizeof *sent->error);
    if (sent->error == NULL)
        return 0;
    *sent->error = *result->error;
    sent->result.error = sent->error;
    return 1;
}

static void keep_result(evs__sent *sent, const evs_result *result)
{
    static const evs_error no_memory[] = {
        {EVS_E_NOMEM, EVS_NOT_EXECUTED, 0, 0, "", "", "out of memory"},
        {EVS_E_NOMEM, EVS_EXECUTED, 0, 0, "", "", "out of memory"},
        {EVS_E_NOMEM, EVS_MAYBE_EXECUTED, 0, 0, "", "", "out of memory"},
    };
    sent->reply = NULL;
    sent->error = NULL;
    sent->result = (evs_result){result->status, result->outcome, NULL, NULL};
    if (keep_reply(sent, result) && keep_error(sent, result))
        return;
    sent->result = (evs_result){EVS_E_NOMEM, result->outcome, NULL, &no_memory[result->outcome]};
}

/* By whoever takes completions from the queue. */
static void finish(evs__post *post)
{
    evs__sent *sent = (evs__sent *)post;
    evs__thread_forget(sent->thread);
    sent->job.done(sent->job.arg, &sent->result);
    evs_reply_free(sent->reply);
    evs__free(sent->error);
    give_back(sent);
}

static void complete(evs__sent *sent, const evs_result *result)
{
    evs__thread *thread = sent->thread;
    if (thread->queue_fd >= 0) {
        keep_result(sent, result);
        sent->post.run = finish;
        evs__thread_queue(thread, &sent->post);
        return;
    }
    sent->job.done(sent->job.arg, result);
    evs__thread_forget(thread);
    give_back(sent);
}

static void answered(void *arg, const evs_result *result)
{
    complete(arg, result);
}

/* ---- submitting ---- */

/* On the I/O thread; the completion comes by way of us. */
static evs_status submit_it(evs__sent *sent, evs_error *err)
{
    evs__job job = sent->job;
    job.done = answered;
    job.arg = sent;
    return evs__job_submit(&job, err);
}

/* Nobody waits: what is wrong goes to the completion. */
static void submit(evs__post *post)
{
    evs_error err;
    evs__sent *sent = (evs__sent *)post;
    evs_status status = submit_it(sent, &err);
    if (status == EVS_OK)
        return;
    evs_result refused = {status, EVS_NOT_EXECUTED, NULL, &err};
    complete(sent, &refused);
}

/* Somebody waits until the I/O thread has the call: for its ticket, or for room. */
static evs_status submit_now(void *job, evs_error *err)
{
    return submit_it(job, err);
}

static size_t size_of(const evs_bytes *values, size_t count)
{
    size_t size = count * sizeof *values;
    for (size_t i = 0; i < count; i++)
        size += values[i].len;
    return size;
}

static const evs_bytes *copy_values(evs_bytes *list, char **room, const evs_bytes *values,
                                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        list[i] = (evs_bytes){*room, values[i].len};
        if (values[i].len > 0)
            memcpy(*room, values[i].data, values[i].len);
        *room += values[i].len;
    }
    return list;
}

static size_t name_size(const char *name)
{
    return name == NULL ? 0 : strlen(name) + 1;
}

static const char *copy_name(const char *name, char **room)
{
    size_t size = name_size(name);
    char *copy = *room;
    if (size == 0)
        return NULL;
    memcpy(copy, name, size);
    *room += size;
    return copy;
}

/* Keys and arguments behind the call, lists first; then the names that a call without keys needs.
 * NULL when out of memory. */
static evs__sent *copy(const evs__job *job)
{
    const evs_invocation *call = job->invocation;
    evs__thread *thread = job->client->thread;
    size_t values = size_of(call->keys, call->nkeys) + size_of(call->args, call->nargs);
    size_t names = name_size(call->shard) + name_size(call->pool);
    evs__sent *sent = evs__slabs_take(&thread->slabs, sizeof *sent + values + names);
    if (sent == NULL)
        return NULL;
    evs_bytes *list = (evs_bytes *)(sent + 1);
    char *room = (char *)(list + call->nkeys + call->nargs);
    sent->post.run = submit;
    sent->thread = thread;
    sent->job = *job;
    sent->job.invocation = &sent->call;
    sent->call = *call;
    sent->call.keys = copy_values(list, &room, call->keys, call->nkeys);
    sent->call.args = copy_values(list + call->nkeys, &room, call->args, call->nargs);
    sent->call.script = NULL;
    sent->call.shard = copy_name(call->shard, &room);
    sent->call.pool = copy_name(call->pool, &room);
    return sent;
}

/* Is there a place behind so many that were begun before? What has ended is looked at anew only
 * when it matters, since whoever completes changes it all the time. Both numbers begin anew some
 * time; more have ended than were begun before when others, begun later, were faster. */
static int has_place(evs__thread *thread, size_t before)
{
    size_t most = atomic_load_explicit(&thread->most, memory_order_relaxed);
    size_t ended = atomic_load_explicit(&thread->ended_once, memory_order_relaxed);
    if (before - ended < most)
        return 1;
    ended = atomic_load_explicit(&thread->ended, memory_order_relaxed);
    atomic_store_explicit(&thread->ended_once, ended, memory_order_relaxed);
    return before - ended < most || before - ended > SIZE_MAX / 2;
}

/* Reserves a place among the pending calls; the bound keeps posts from piling up. */
static evs_status reserve(evs__thread *thread, evs_error *err)
{
    const evs_client *client = thread->client;
    size_t before = atomic_fetch_add_explicit(&thread->begun, 1, memory_order_relaxed);
    if (client->options.on_full == EVS_FULL_BLOCK || has_place(thread, before))
        return EVS_OK;
    size_t most = atomic_load_explicit(&thread->most, memory_order_relaxed);
    evs__thread_withdraw(thread);
    evs__thread_want_room(thread);
    return evs__fail(err, EVS_E_QUEUE_FULL, "%zu calls are pending already", most);
}

static evs_status send(evs__sent *sent, evs_error *err)
{
    evs_client *client = sent->job.client;
    if (sent->call.ticket == NULL && client->options.on_full != EVS_FULL_BLOCK) {
        evs__thread_post(client->thread, &sent->post);
        return EVS_OK;
    }
    evs__start now = {.start = submit_now, .job = sent, .timeout_ms = sent->job.timeout_ms};
    evs_status status = evs__thread_run_always(client, &now, err);
    if (status != EVS_OK) {
        evs__thread_withdraw(client->thread);
        give_back(sent);
    }
    return status;
}

evs_status evs__thread_submit(evs_client *client, const evs_invocation *invocation,
                              evs_done_fn done, void *arg, evs_error *err)
{
    evs__thread *thread = client->thread;
    evs__job job = {.client = client, .invocation = invocation, .done = done, .arg = arg};
    evs_status status = evs__thread_check(client, err);
    if (status == EVS_OK)
        status = evs__job_plan_elsewhere(&job, err);
    if (status != EVS_OK)
        return status;
    status = reserve(thread, err);
    if (status != EVS_OK)
        return status;
    evs__sent *sent = copy(&job);
    if (sent == NULL) {
        evs__thread_withdraw(thread);
        return evs__fail_nomem(err);
    }
    return send(sent, err);
}

/* As many as there is room for on their lanes: who submits in a completion makes no posts. */
evs_status evs__thread_submit_here(const evs__job *job, evs_error *err)
{
    evs__thread *thread = job->client->thread;
    evs__sent *sent = evs__slabs_take(&thread->slabs, sizeof *sent);
    if (sent == NULL)
        return evs__fail_nomem(err);
    sent->thread = thread;
    sent->job = *job;
    evs__thread_count(thread);
    evs_status status = submit_it(sent, err);
    if (status != EVS_OK) {
        evs__thread_withdraw(thread);
        give_back(sent);
    }
    return status;
}
