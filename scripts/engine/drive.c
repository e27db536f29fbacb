/*
 * drive.c - who waits for something drives the client meanwhile, or lets its thread do so.
 */
#include "scripts/engine/client.h"

#include "core/error.h"

#include <limits.h>

void evs__client_enter(evs_client *client)
{
    client->running++;
    evs__clock_forget(&client->clock);
}

/* Ends: every call has a deadline. */
static void end(evs_client *client)
{
    client->running++;
    while (client->ends == EVS__ENDS_DRAINED && client->pending > 0 && !client->closing)
        evs__loop_run(client->loop, -1);
    if (!client->closing)
        evs__client_end_if_due(client);
    client->running--;
}

void evs__client_leave(evs_client *client)
{
    client->running--;
    evs__clock_forget(&client->clock);
    if (client->ends != EVS__ENDS_NOT && client->running == 0)
        end(client);
    if (client->closing && client->running == 0)
        evs__client_destroy(client);
}

/* Ends: every call has a deadline. */
static void drive(evs_client *client, const evs__gate *gate)
{
    evs__client_enter(client);
    while (!gate->open && !client->closing && client->ends == EVS__ENDS_NOT)
        if (client->pending > 1 || !evs__loop_run_alone(client->loop))
            evs__loop_run(client->loop, -1);
    evs__client_leave(client);
}

/* Who only ever waits for calls to a shard that is down has to find out that it is up again. */
static void go_on(evs_client *client)
{
    evs__client_enter(client);
    evs__loop_run(client->loop, 0);
    evs__client_leave(client);
}

evs_status evs__client_look(const evs_client *client, evs__start_fn *look, void *job,
                            evs_error *err)
{
    if (!evs__client_is_elsewhere(client) || evs__fork_mark_is_child(client->fork_mark))
        return look(job, err);
    evs__start what = {.start = look, .job = job};
    return evs__thread_run_always((evs_client *)(uintptr_t)client, &what, err);
}

evs_status evs__client_insist(evs_client *client, unsigned timeout_ms, evs__start_fn *submit,
                              void *job, evs_error *err)
{
    evs_status status = submit(job, err);
    if (status != EVS_E_QUEUE_FULL || client->options.on_full != EVS_FULL_BLOCK || client->running)
        return status;
    uint64_t now = evs__loop_now_ms(client->loop), deadline = evs__clock_next_ms() + timeout_ms;
    evs__client_enter(client);
    while (status == EVS_E_QUEUE_FULL && now < deadline) {
        uint64_t left = deadline - now;
        evs__loop_run(client->loop, left > INT_MAX ? INT_MAX : (int)left);
        status = submit(job, err);
        now = evs__loop_now_ms(client->loop);
    }
    evs__client_leave(client);
    return status;
}

evs_status evs__client_await(evs_client *client, const evs__start *what, evs_error *err)
{
    if (evs__client_is_elsewhere(client))
        return evs__thread_run(client, what, err);
    evs_status status = evs__client_check(client, 1, err);
    if (status != EVS_OK)
        return status;
    if (what->gate != NULL)
        *what->gate = (evs__gate){0, NULL};
    status = evs__client_insist(client, what->timeout_ms, what->start, what->job, err);
    if (status == EVS_OK && what->gate != NULL && !what->gate->open)
        drive(client, what->gate);
    if (status == EVS_OK && what->gate != NULL && !what->gate->open)
        return evs__fail(err, EVS_E_STATE, "the client was freed in a child of its process");
    if (status == EVS_E_CONNECT)
        go_on(client);
    return status;
}

static void keep_result(evs__waiter *waiter, const evs_result *result)
{
    waiter->status = result->status;
    if (result->error != NULL)
        evs__fail_with(waiter->err, result->error);
    if (result->reply == NULL)
        return;
    evs_status copied = evs_reply_copy(waiter->reply, result->reply, waiter->err);
    if (copied == EVS_OK)
        return;
    waiter->status = copied;
    if (waiter->err != NULL)
        waiter->err->outcome = result->outcome;
}

void evs__waiter_done(void *arg, const evs_result *result)
{
    evs__waiter *waiter = arg;
    keep_result(waiter, result);
    evs__gate_open(&waiter->gate);
}

evs_status evs_client_process(evs_client *client, int timeout_ms, evs_error *err)
{
    if (evs__client_is_elsewhere(client))
        return evs__thread_process(client, timeout_ms, err);
    evs_status status = evs__client_check(client, 1, err);
    if (status != EVS_OK)
        return status;
    evs__client_enter(client);
    evs__loop_run(client->loop, client->pending == 0 ? 0 : timeout_ms);
    evs__client_leave(client);
    return EVS_OK;
}

evs_status evs_client_fd(int *out, evs_client *client, evs_error *err)
{
    if (evs__client_is_elsewhere(client))
        return evs__thread_fd(out, client, err);
    evs_status status = evs__client_check(client, 0, err);
    return status == EVS_OK ? evs__loop_fd(out, client->loop, err) : status;
}
