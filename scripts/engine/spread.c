#include "scripts/engine/spread.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/aim.h"
#include "scripts/engine/everywhere.h"
#include "scripts/engine/invocation.h"
#include "scripts/engine/queue.h"
#include "scripts/engine/spread_inner.h"

/* ---- life ---- */

static void drop(evs__spread *self)
{
    evs__arena_free(&self->arena);
    evs__free(self);
}

static evs__spread *make(const evs__job *job)
{
    evs__spread *self = evs__zalloc_array(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->client = job->client;
    self->call = *job->invocation;
    self->script = job->script;
    self->target = job->target;
    self->map_serial = job->map_serial;
    self->begun = evs__clock_next_ms();
    self->serial = ++job->client->calls.serial;
    self->done = job->done;
    self->arg = job->arg;
    self->first.whole = self;
    if (evs__invocation_keep(&self->arena, &self->call))
        return self;
    drop(self);
    return NULL;
}

/* It is one pending call, however many it is made of. */
static void enter(evs__spread *self)
{
    evs__ring_append(&self->client->spreads, &self->ring);
    self->client->pending++;
}

static void leave(evs__spread *self)
{
    evs__ring_remove(&self->ring);
    self->client->pending--;
}

void evs__spreads_free(evs_client *client)
{
    while (!evs__ring_empty(&client->spreads)) {
        evs__spread *self = (evs__spread *)client->spreads.next;
        leave(self);
        drop(self);
    }
}

static void complete(evs__spread *self, const evs_result *result)
{
    leave(self);
    self->done(self->arg, result);
    drop(self);
}

static void finish(evs__spread *self)
{
    evs_error err;
    evs_reply *all = self->why.status == EVS_OK ? evs__spread_gather(self) : NULL;
    evs_result result = {EVS_OK, EVS_EXECUTED, all, NULL};
    if (all == NULL) {
        evs_status status = evs__spread_explain(self, &err);
        const evs_reply *reply = status == EVS_E_SCRIPT ? self->error : NULL;
        result = (evs_result){status, err.outcome, reply, &err};
    }
    complete(self, &result);
}

/* ---- sending ---- */

/* What is not sent any more, and why. */
static int is_over(const evs__spread *self, evs_error *err)
{
    const evs_client *client = self->client;
    if (client->ending || client->closing)
        evs__fail(err, EVS_E_CANCELED, "not sent: the client was closed meanwhile");
    else if (self->map_serial != client->map_serial)
        evs__fail(err, EVS_E_CANCELED, "not sent: the shard map was replaced meanwhile");
    else
        return 0;
    return 1;
}

/* What is left of the time that a call to that shard has; 0: none. */
static unsigned time_left(const evs__spread *self, const evs__target *target)
{
    unsigned all = self->call.timeout_ms;
    uint64_t now = evs__loop_now_ms(self->client->loop);
    uint64_t gone = now > self->begun ? now - self->begun : 0;
    if (all == 0)
        all = self->client->map->shards[target->shard].script_timeout_ms;
    return gone < all ? all - (unsigned)gone : 0;
}

static void go_on(evs__spread *self);

/* The parts are no pending calls of their own. */
static void answered(void *arg, const evs_result *result)
{
    evs__spread_part *one = arg;
    evs__spread *self = one->whole;
    self->client->pending++;
    self->open--;
    evs__spread_tell(one, result);
    go_on(self);
}

static evs_status send(evs__spread_part *one, unsigned timeout_ms, evs_error *err)
{
    evs__spread *self = one->whole;
    evs_invocation call = self->call;
    call.ticket = &one->ticket;
    evs__job job = {.client = self->client,
                    .invocation = &call,
                    .script = self->script,
                    .target = one->target,
                    .map_serial = self->map_serial,
                    .timeout_ms = timeout_ms,
                    .done = answered,
                    .arg = one};
    return evs__job_send(&job, err);
}

/* 0 when there is no room for it now. */
static int submit(evs__spread_part *one)
{
    evs_error err;
    evs__spread *self = one->whole;
    if (is_over(self, &err)) {
        evs__spread_refuse(one, &err);
        return 1;
    }
    unsigned timeout_ms = time_left(self, &one->target);
    evs_status status = timeout_ms == 0
                            ? evs__fail(&err, EVS_E_TIMEOUT, "no room before the deadline")
                            : send(one, timeout_ms, &err);
    if (status == EVS_OK) {
        self->open++;
        self->client->pending--;
        return 1;
    }
    if (status == EVS_E_QUEUE_FULL && self->open > 0)
        return 0;
    evs__spread_refuse(one, &err);
    return 1;
}

static void pump(evs__spread *self)
{
    self->busy = 1;
    while (self->next < self->count && submit(&self->parts[self->next]))
        self->next++;
    self->busy = 0;
}

static void go_on(evs__spread *self)
{
    if (self->busy)
        return;
    pump(self);
    if (self->told == self->count)
        finish(self);
}

/* ---- starting ---- */

static const evs__pool *pool_of(const evs__spread *self)
{
    return &self->client->map->pools[self->target.pool];
}

static int list(evs__spread *self)
{
    const evs__pool *pool = pool_of(self);
    size_t first = pool->first_shard, count = pool->nshards;
    self->count = evs__list_everywhere(NULL, self->client, first, count);
    evs__target *targets = evs__arena_alloc(&self->arena, self->count, sizeof *targets);
    self->parts = evs__arena_zalloc(&self->arena, self->count, sizeof *self->parts);
    if (targets == NULL || self->parts == NULL)
        return 0;
    evs__list_everywhere(targets, self->client, first, count);
    for (size_t i = 0; i < self->count; i++) {
        self->parts[i].whole = self;
        self->parts[i].target = targets[i];
    }
    return 1;
}

/* All of them or none: who has no room is asked before anything is sent. */
static evs_status find_room(evs__spread *self, evs_error *err)
{
    evs_status status = EVS_OK;
    for (size_t i = 0; status == EVS_OK && i < self->count; i++) {
        evs__lane *lane = evs__client_target(self->client, &self->parts[i].target);
        if (!self->script->use.reads || !evs__aim_may_read(lane))
            status = evs__client_room(lane, err);
    }
    return status;
}

static evs_status begin(evs__spread *self, evs_error *err)
{
    if (!list(self))
        return evs__fail_nomem(err);
    evs_status status = find_room(self, err);
    if (status != EVS_OK)
        return status;
    pump(self);
    return self->told == self->count ? evs__spread_explain(self, err) : EVS_OK;
}

static evs__cluster *cluster_of(const evs__spread *self)
{
    return self->client->lanes[self->target.shard]->cluster;
}

/* By the map that came while a cluster was asked. */
static evs_status plan_anew(evs__spread *self, evs_error *err)
{
    evs__job job = {.client = self->client, .invocation = &self->call};
    evs_status status = evs__job_plan(&job, err);
    if (status != EVS_OK || !job.spreads) {
        is_over(self, err);
        return EVS_E_CANCELED;
    }
    self->target = job.target;
    self->map_serial = job.map_serial;
    return EVS_OK;
}

static evs_status begin_late(evs__spread *self, const evs_result *met, evs_error *err)
{
    evs_status status = EVS_OK;
    if (self->client->ending || self->client->closing)
        status = evs__fail_with(err, met->error);
    else if (self->map_serial != self->client->map_serial)
        status = plan_anew(self, err);
    if (status != EVS_OK)
        return status;
    if (cluster_of(self) == NULL || cluster_of(self)->known)
        return begin(self, err);
    return met->status == EVS_OK ? evs__fail_untold(cluster_of(self), err)
                                 : evs__fail_with(err, met->error);
}

/* The cluster told its primaries, or could not. */
static void met(void *arg, const evs_result *result)
{
    evs_error err;
    evs__spread *self = ((evs__spread_part *)arg)->whole;
    self->client->pending++;
    if (self->busy)
        return; /* canceled */
    evs_status status = begin_late(self, result, &err);
    if (status != EVS_OK && self->told == 0)
        self->why = err;
    if (status != EVS_OK)
        finish(self);
}

/* Whatever a node answers, its cluster is known by then. */
static evs_status meet(evs__spread *self, evs_error *err)
{
    evs_client *client = self->client;
    evs__buf *out;
    evs_bytes ping = evs_text("PING");
    evs__call *call = evs__client_call(client, &self->target, NULL);
    if (call == NULL)
        return evs__fail_nomem(err);
    call->done = met;
    call->arg = &self->first;
    call->state.retry = EVS_RETRY_READ_ONLY;
    evs__call_set_time(client, call, time_left(self, &self->target));
    evs_status status = evs__queue_begin(&out, call, err);
    if (status == EVS_OK) {
        evs__render_command(out, &ping, 1);
        status = evs__queue_end(call, err);
    }
    if (status != EVS_OK) {
        evs__queue_drop(call);
        return status;
    }
    evs__call_start(client, call);
    self->first.ticket = evs__call_ticket(call);
    client->pending--;
    return EVS_OK;
}

evs_status evs__spread_start(const evs__job *job, evs_error *err)
{
    evs__spread *self = make(job);
    if (self == NULL)
        return evs__fail_nomem(err);
    enter(self);
    int asks = cluster_of(self) != NULL && !cluster_of(self)->known;
    evs_status status = asks ? meet(self, err) : begin(self, err);
    if (status == EVS_OK) {
        if (job->invocation->ticket != NULL)
            *job->invocation->ticket = (evs_ticket)self->serial << 32 | UINT32_MAX;
        return EVS_OK;
    }
    leave(self);
    drop(self);
    return status;
}

/* ---- canceling ---- */

static evs__spread *find(const evs_client *client, evs_ticket ticket)
{
    for (evs__ring *at = client->spreads.next; at != &client->spreads; at = at->next) {
        evs__spread *self = (evs__spread *)at;
        if (self->serial == (uint32_t)(ticket >> 32) && !self->busy)
            return self;
    }
    return NULL;
}

static void release(const evs__spread_part *one)
{
    evs_client *client = one->whole->client;
    evs__call *call = one->ticket == 0 ? NULL : evs__calls_find(&client->calls, one->ticket);
    if (call != NULL)
        evs__call_release(call, EVS_E_CANCELED);
}

evs_status evs__spread_cancel(evs_client *client, evs_ticket ticket, evs_error *err)
{
    evs__spread *self = find(client, ticket);
    if (self == NULL)
        return evs__fail(err, EVS_E_STATE, "the call has completed already");
    evs__subject subject = {self->script->name, {NULL, 0}, NULL};
    evs__explain(&self->why, &subject, EVS_E_CANCELED, "canceled by the caller");
    self->busy = 1;
    release(&self->first);
    for (size_t i = 0; i < self->next; i++)
        release(&self->parts[i]);
    self->told = self->count; /* those that were held back did not run */
    finish(self);
    return EVS_OK;
}
