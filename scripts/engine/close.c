/*
 * close.c - the end of what a client does, in one way whoever asks for it.
 *
 * To close is to say when the calls there are come to an end: now, or when they all are completed,
 * which a timer may turn into now. Whoever runs completions sees to it that this happens, outside
 * of any: who drives the client (evs__client_leave), or its thread, at the top of each turn. Who
 * closed waits at a gate, like for a call; in a completion it does not.
 */
#include "scripts/engine/client.h"

#include "core/error.h"

struct evs__closer {
    evs_client *client;
    evs_close how;
    int timeout_ms;
    int waits;
    evs__gate gate;
    size_t left; /* calls that were cut off */
};

static void end_now(void *owner)
{
    ((evs_client *)owner)->ends = EVS__ENDS_NOW;
}

evs__timer *evs__client_new_cut_off(evs_client *client)
{
    return evs__timer_new(client->loop, end_now, client);
}

static void shut(evs_client *client)
{
    client->shut = 1;
    client->usual = NULL;
    if (client->thread != NULL)
        evs__thread_shut(client->thread);
}

/* Of two who close at once, both may have been let in. */
static evs_status begin(void *job, evs_error *err)
{
    evs__closer *self = job;
    evs_client *client = self->client;
    evs_status status = evs__client_check(client, 0, err);
    if (status != EVS_OK)
        return status;
    shut(client);
    int drains = self->how == EVS_CLOSE_DRAIN && self->timeout_ms != 0;
    client->ends = drains ? EVS__ENDS_DRAINED : EVS__ENDS_NOW;
    client->closer = self->waits ? self : NULL;
    if (drains && self->timeout_ms > 0)
        evs__timer_start(client->cut_off, (uint64_t)self->timeout_ms);
    return EVS_OK;
}

/* Who closed may be gone, or the client, once the gate is open. */
static void tell(evs_client *client, size_t left)
{
    evs__closer *closer = client->closer;
    client->closer = NULL;
    if (closer == NULL)
        return;
    closer->left = left;
    evs__gate_open(&closer->gate);
}

/* Freeing the connections completes what is on them; heals are requests too, so nothing is left. */
void evs__client_end_calls(evs_client *client)
{
    if (client->conns == NULL)
        return;
    size_t left = client->pending;
    client->running++;
    client->ending = 1;
    evs__calls_abort_parked(&client->calls);
    evs__client_keep_counts(client);
    evs__conns_free(client->conns);
    client->conns = NULL;
    client->running--;
    tell(client, left);
}

void evs__client_end_if_due(evs_client *client)
{
    if (client->ends == EVS__ENDS_NOT || (client->ends == EVS__ENDS_DRAINED && client->pending > 0))
        return;
    client->ends = EVS__ENDS_NOT;
    evs__timer_stop(client->cut_off);
    evs__client_end_calls(client);
}

evs_status evs_client_close(evs_client *client, evs_close how, int timeout_ms, evs_error *err)
{
    if ((unsigned)how > EVS_CLOSE_DRAIN)
        return evs__fail(err, EVS_E_INVALID, "how is %u, which there is not; the last one is %u",
                         (unsigned)how, (unsigned)EVS_CLOSE_DRAIN);
    evs__closer self = {.client = client, .how = how, .timeout_ms = timeout_ms};
    evs__start what = {.start = begin, .job = &self, .gate = &self.gate};
    if (!evs__client_is_elsewhere(client) && client->running)
        return begin(&self, err);
    self.waits = 1;
    evs_status status = evs__client_await(client, &what, err);
    if (status == EVS_OK && how == EVS_CLOSE_DRAIN && self.left > 0)
        return evs__fail(err, EVS_E_TIMEOUT, "%zu calls were not answered in time", self.left);
    return status;
}
