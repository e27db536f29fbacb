/*
 * listen.c - may a user listen to channels of a server? It is tried, on a connection of its own:
 * one that has subscribed is of no use for anything else.
 *
 * All of a try is on the stack of who waits for it, and is over when the connection is closed.
 */
#include "core/error.h"
#include "core/mem.h"
#include "core/printable.h"
#include "scripts/engine/client.h"
#include "scripts/render.h"

enum { QUOTED = 300, MOST_CHANNELS = 64 };

typedef struct trial {
    evs__request request; /* first */
    evs_client *client;
    const char *shard; /* as the caller names it */
    const evs_bytes *words;
    size_t nwords;
    evs_shardmap *map; /* that the login is of; our reference */
    const evs__shard *at;
    evs__conn *conn;
    evs__timer *timer; /* of the deadline */
    int late;
    evs__gate gate;
    evs_status status;
    evs_error *err;
} trial;

static const evs__conn_limits limits = {.max_reply_bytes = 64UL * 1024,
                                        .max_reply_depth = 8,
                                        .max_queued_bytes = 64UL * 1024,
                                        .protocol = 2};

static evs_status fail(const trial *self, evs_status status, const char *text)
{
    const evs__login *login = &self->at->login;
    return evs__fail(self->err, status, "%s %s at %s: %s",
                     login->noun == NULL ? "shard" : login->noun, login->name, login->endpoint.text,
                     text);
}

/* Of several replies to SUBSCRIBE, one per channel, the first will do: none or all are allowed. */
static evs_status judge(const trial *self, const evs__answer *answer)
{
    char text[QUOTED];
    if (self->late)
        return fail(self, EVS_E_TIMEOUT, "no answer before the deadline");
    if (answer->got == EVS__GOT_LOST)
        return evs__fail_with(self->err, answer->why);
    if (answer->got != EVS__GOT_REPLY)
        return fail(self, EVS_E_REPLY_TOO_BIG, "the answer is over a limit of replies");
    if (evs_reply_kind(answer->reply) != EVS_REPLY_ERROR)
        return EVS_OK;
    evs__printable(text, sizeof text, evs_reply_bytes(answer->reply));
    return fail(self, EVS_E_DENIED, text);
}

/* One that is lost because it was closed cannot be closed. */
static void answered(evs__request *request, const evs__answer *answer)
{
    trial *self = (trial *)request;
    int closed = answer->got == EVS__GOT_LOST && answer->why->status == EVS_E_CANCELED;
    self->status = judge(self, answer);
    evs__timer_free(self->timer);
    if (!closed)
        evs__conns_close(self->client->conns, self->conn);
    evs_shardmap_free(self->map);
    self->client->pending--;
    evs__gate_open(&self->gate);
}

/* Closing answers the request. */
static void expire(void *owner)
{
    trial *self = owner;
    self->late = 1;
    evs__conns_close(self->client->conns, self->conn);
}

/* ---- the beginning ---- */

static evs_status find(trial *self, evs_error *err)
{
    evs__target target;
    evs_client *client = self->client;
    evs_status status = evs__client_check(client, 0, err);
    if (status == EVS_OK)
        status = evs__route_no_keys(&target, client->map, self->shard, NULL, err);
    if (status != EVS_OK)
        return status;
    self->at = &client->map->shards[target.shard];
    if (self->at->sentinel != NULL || client->map->pools[target.pool].cluster != NULL)
        return evs__fail(err, EVS_E_INVALID, "shard %s is not one server with an address",
                         self->shard);
    return EVS_OK;
}

static evs_status ask(trial *self, evs_error *err)
{
    evs_client *client = self->client;
    evs_status status = evs__conns_make_with(&self->conn, client->conns, &self->at->login, &limits,
                                             err);
    if (status == EVS_OK)
        status = evs__conn_prepare(self->conn, err);
    if (status != EVS_OK)
        return status;
    self->request.done = answered;
    evs__render_command(evs__conn_begin(self->conn, &self->request), self->words, self->nwords);
    return evs__conn_end(self->conn, &self->request) ? EVS_OK : evs__fail_nomem(err);
}

static evs_status start(void *job, evs_error *err)
{
    trial *self = job;
    evs_status status = find(self, err);
    if (status != EVS_OK)
        return status;
    self->map = evs_shardmap_ref(self->client->map);
    self->timer = evs__timer_new(self->client->loop, expire, self);
    status = self->timer == NULL ? evs__fail_nomem(err) : ask(self, err);
    if (status == EVS_OK) {
        evs__timer_start(self->timer, self->at->command_timeout_ms);
        self->client->pending++;
        return EVS_OK;
    }
    if (self->conn != NULL)
        evs__conns_close(self->client->conns, self->conn);
    evs__timer_free(self->timer);
    evs_shardmap_free(self->map);
    return status;
}

evs_status evs_may_listen(evs_client *client, const char *shard, const evs_bytes *channels,
                          size_t nchannels, evs_error *err)
{
    evs_bytes words[MOST_CHANNELS + 1] = {evs_text("SUBSCRIBE")};
    trial self = {
        .client = client, .shard = shard, .words = words, .nwords = nchannels + 1, .err = err};
    evs__start what = {.start = start, .job = &self, .gate = &self.gate};
    evs_status status = evs__client_may_wait(client, err);
    if (status != EVS_OK)
        return status;
    if (nchannels == 0 || nchannels > MOST_CHANNELS)
        return evs__fail(err, EVS_E_INVALID, "%zu channels; 1 to %d can be tried", nchannels,
                         MOST_CHANNELS);
    for (size_t i = 0; i < nchannels; i++)
        words[i + 1] = channels[i];
    status = evs__client_await(client, &what, err);
    return status == EVS_OK ? self.status : status;
}
