/* From an invocation to a queued request: find, check, route, render. Nothing here waits. What is
 * usual takes the way of quick.h. */
#include "scripts/engine/submit.h"
#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/aim.h"
#include "scripts/engine/queue.h"
#include "scripts/engine/quick.h"
#include "scripts/engine/spread.h"
#include "scripts/engine/state.h"

#include <stdio.h>

static evs_status not_found(const evs_client *client, const char *name, evs_error *err)
{
    const char *like[2];
    size_t count = evs_registry_similar(client->registry, name, like);
    evs_status status = evs__fail(err, EVS_E_NO_SCRIPT, "no script is called \"%s\"%s%s%s", name,
                                  count > 0 ? "; did you mean \"" : "", count > 0 ? like[0] : "",
                                  count > 0 ? "\"?" : "");
    if (err != NULL)
        snprintf(err->script, sizeof err->script, "%s", name);
    return status;
}

static __attribute__((noinline)) evs_status
find_by_name(const evs_script **out, const evs_client *client, const char *name, evs_error *err)
{
    if (name == NULL)
        return evs__fail(err, EVS_E_INVALID, "an invocation needs a script");
    *out = evs_script_find(client->registry, name);
    return *out == NULL ? not_found(client, name, err) : EVS_OK;
}

static inline evs_status find(const evs_script **out, const evs_client *client,
                              const evs_invocation *call, evs_error *err)
{
    *out = call->handle;
    if (*out == NULL)
        return find_by_name(out, client, call->script, err);
    if ((*out)->use.registry != client->registry)
        return evs__fail(err, EVS_E_INVALID, "script %s is of another registry than the client's",
                         (*out)->name);
    return EVS_OK;
}

/* Routing names the keys; the script is added here. */
static __attribute__((noinline)) evs_status not_routed(evs_status status, const evs_script *script,
                                                       evs_error *err)
{
    evs__subject subject = {script->name, {NULL, 0}, NULL};
    return err == NULL ? status : evs__explain_below(err, &subject);
}

static inline evs_status route(evs__target *out, const evs_shardmap *map, const evs_script *script,
                               const evs_invocation *call, evs_error *err)
{
    evs_status status = call->nkeys > 0
                            ? evs__route_keys(out, map, call->keys, call->nkeys, err)
                            : evs__route_no_keys(out, map, call->shard, call->pool, err);
    return status == EVS_OK ? status : not_routed(status, script, err);
}

/* To every shard of a pool: the target is the first of them. */
static int spread_out(evs__job *job, const evs_shardmap *map)
{
    const evs_invocation *call = job->invocation;
    const evs__pool *pool = NULL;
    if (call->nkeys == 0 && call->shard == NULL)
        pool = evs__route_spreads(map, call->pool);
    if (pool != NULL)
        job->target = (evs__target){pool->first_shard, (size_t)(pool - map->pools), EVS__ANY_SLOT,
                                    0};
    return pool != NULL;
}

/* How long a call without a time of its own may take. */
static unsigned longest(const evs__job *job, const evs_shardmap *map)
{
    const evs__pool *pool = &map->pools[job->target.pool];
    unsigned most = map->shards[job->target.shard].script_timeout_ms;
    for (size_t i = 0; job->spreads && i < pool->nshards; i++) {
        unsigned one = map->shards[pool->first_shard + i].script_timeout_ms;
        most = one > most ? one : most;
    }
    return most;
}

static inline evs_status allow(const evs_shardmap *map, const evs_script *script, size_t pool,
                               evs_error *err)
{
    if (!script->use.denied || map->pools[pool].audit != EVS__POOL_AUDIT_DENY)
        return EVS_OK;
    return evs__script_allowed(script, EVS_AUDIT_DENY, err);
}

/* The part that depends on the map. */
static evs_status place(evs__job *job, const evs_shardmap *map, uint64_t serial, evs_error *err)
{
    const evs_invocation *invocation = job->invocation;
    job->spreads = spread_out(job, map);
    if (!job->spreads) {
        evs__target target;
        evs_status status = route(&target, map, job->script, invocation, err);
        if (status != EVS_OK)
            return status;
        job->target = target;
    }
    job->map_serial = serial;
    job->timeout_ms = invocation->timeout_ms != 0 ? invocation->timeout_ms : longest(job, map);
    return allow(map, job->script, job->target.pool, err);
}

evs_status evs__job_plan_by(evs__job *job, const evs_shardmap *map, uint64_t serial, evs_error *err)
{
    const evs_client *client = job->client;
    const evs_invocation *invocation = job->invocation;
    evs_status status = find(&job->script, client, invocation, err);
    if (status != EVS_OK)
        return status;
    if (!evs__script_takes(job->script, invocation->nkeys, invocation->nargs))
        return evs_script_check_arity(job->script, invocation->nkeys, invocation->nargs, err);
    return place(job, map, serial, err);
}

evs_status evs__job_aim(evs__job *job, const evs__target *target, evs_error *err)
{
    const evs_invocation *invocation = job->invocation;
    evs_status status = find(&job->script, job->client, invocation, err);
    if (status != EVS_OK)
        return status;
    if (!evs__script_takes(job->script, invocation->nkeys, invocation->nargs))
        return evs_script_check_arity(job->script, invocation->nkeys, invocation->nargs, err);
    const evs_shardmap *map = job->client->map;
    job->target = *target;
    job->map_serial = job->client->map_serial;
    job->timeout_ms = invocation->timeout_ms != 0 ? invocation->timeout_ms
                                                  : map->shards[target->shard].script_timeout_ms;
    return allow(map, job->script, target->pool, err);
}

evs_status evs__job_plan(evs__job *job, evs_error *err)
{
    return evs__job_plan_by(job, job->client->map, job->client->map_serial, err);
}

evs_status evs__job_plan_elsewhere(evs__job *job, evs_error *err)
{
    evs__view view = evs__maps_look(&job->client->maps);
    evs_status status = evs__job_plan_by(job, view.map, view.serial, err);
    evs__view_end(&view);
    return status;
}

/* Puts script, key and shard into an error of something that does not know them. */
static evs_status blame(evs_error *err, evs_status status, const evs_script *script,
                        const evs_invocation *invocation)
{
    if (err == NULL || err->script[0] != '\0')
        return status;
    evs__subject subject = {script->name, {NULL, 0}, NULL};
    if (invocation->nkeys > 0)
        subject.key = invocation->keys[0];
    return evs__explain_below(err, &subject);
}

static evs_status queue(evs__call *call, const evs_invocation *invocation, evs_error *err)
{
    evs__buf *out;
    evs_status status = evs__state_take_script(call->lane->at, call->script, err);
    if (status == EVS_OK)
        status = evs__queue_begin(&out, call, err);
    if (status != EVS_OK)
        return blame(err, status, call->script, invocation);
    if (call->state.reads)
        evs__render_evalsha_ro(out, call->script->sha1, invocation);
    else
        evs__render_evalsha(out, &call->script->use.head, invocation);
    return evs__queue_end(call, err);
}

evs_status evs__job_send(const evs__job *self, evs_error *err)
{
    evs_client *client = self->client;
    evs__call *call = evs__client_call(client, &self->target, self->script);
    if (call == NULL)
        return evs__fail_nomem(err);
    call->done = self->done;
    call->arg = self->arg;
    call->state.retry = (unsigned char)self->script->retry;
    if (self->script->use.reads && evs__aim_may_read(call->lane))
        evs__aim_read(call);
    evs__call_set_time(client, call, self->timeout_ms);
    evs_status status = queue(call, self->invocation, err);
    if (status != EVS_OK) {
        evs__queue_drop(call);
        return status;
    }
    evs__call_start(client, call);
    if (self->invocation->ticket != NULL)
        *self->invocation->ticket = evs__call_ticket(call);
    if (self->target.mixed_tags)
        client->stats.mixed_tags++;
    return EVS_OK;
}

static inline evs_status submit(const evs__job *job, evs_error *err)
{
    return job->spreads ? evs__spread_start(job, err) : evs__job_send(job, err);
}

/* The map was replaced since the call was planned. */
static __attribute__((noinline)) evs_status submit_anew(const evs__job *job, evs_error *err)
{
    evs__job again = *job;
    evs_status status = place(&again, job->client->map, job->client->map_serial, err);
    return status == EVS_OK ? submit(&again, err) : status;
}

static int queue_planned(const evs__job *job)
{
    const evs_invocation *invocation = job->invocation;
    evs__lane *lane = job->client->lanes[job->target.shard];
    if (invocation->nkeys != 1 || invocation->nargs > EVS__MOST_QUICK)
        return 0;
    if (job->script->use.reads && evs__aim_may_read(lane))
        return 0;
    if (lane->cluster != NULL)
        lane = evs__cluster_lane(lane->cluster, job->target.slot);
    evs__found found = {job->client, lane, job->script, job->target.slot};
    return evs__queue_quickly(found, invocation, job->done, job->arg);
}

evs_status evs__job_submit(const evs__job *job, evs_error *err)
{
    evs_status status = evs__client_check(job->client, 0, err);
    if (status != EVS_OK)
        return status;
    if (job->map_serial != job->client->map_serial)
        return submit_anew(job, err);
    return queue_planned(job) ? EVS_OK : submit(job, err);
}

static evs_status start(void *job, evs_error *err)
{
    return evs__job_submit(job, err);
}

static evs_status plan_here(evs__job *self, evs_error *err)
{
    evs_status status = evs__client_check(self->client, 0, err);
    return status == EVS_OK ? evs__job_plan(self, err) : status;
}

static evs_status submit_planned(evs__job *self, evs_error *err)
{
    evs_client *client = self->client;
    evs_status status = submit(self, err);
    if (status == EVS_E_QUEUE_FULL && client->options.on_full == EVS_FULL_BLOCK)
        status = evs__client_insist(client, self->timeout_ms, start, self, err);
    return status;
}

static evs_status submit_any(evs__job *self, evs_error *err)
{
    evs_client *client = self->client;
    if (self->done == NULL)
        return evs__fail(err, EVS_E_INVALID, "a submitted call needs a completion");
    if (evs__client_is_elsewhere(client))
        return evs__thread_submit(client, self->invocation, self->done, self->arg, err);
    evs_status status = plan_here(self, err);
    if (status != EVS_OK)
        return status;
    return client->thread == NULL ? submit_planned(self, err) : evs__thread_submit_here(self, err);
}

evs_status evs__submit_part(evs_client *client, const evs_invocation *invocation, evs_done_fn done,
                            void *arg, evs_error *err)
{
    evs__job self = {.client = client, .invocation = invocation, .done = done, .arg = arg};
    if (client->thread == NULL)
        return evs_submit(client, invocation, done, arg, err);
    evs_status status = plan_here(&self, err);
    return status == EVS_OK ? submit_planned(&self, err) : status;
}

static __attribute__((noinline)) evs_status submit_with_care(evs_client *client,
                                                             const evs_invocation *invocation,
                                                             evs_done_fn done, void *arg,
                                                             evs_error *err)
{
    evs__job self = {.client = client, .invocation = invocation, .done = done, .arg = arg};
    return submit_any(&self, err);
}

evs_status evs_submit(evs_client *client, const evs_invocation *invocation, evs_done_fn done,
                      void *arg, evs_error *err)
{
    if (client->thread == NULL && done != NULL &&
        evs__submit_quickly(client, invocation, done, arg))
        return EVS_OK;
    return submit_with_care(client, invocation, done, arg, err);
}

static inline evs_status plan_to_wait(evs__job *job, evs_error *err)
{
    if (evs__client_is_elsewhere(job->client))
        return evs__job_plan_elsewhere(job, err);
    evs_status status = evs__client_check(job->client, 1, err);
    return status == EVS_OK ? evs__job_plan(job, err) : status;
}

evs_status evs_call(evs_reply **out, evs_client *client, const evs_invocation *invocation,
                    evs_error *err)
{
    evs__waiter waiter = {.reply = out, .err = err};
    evs__job self = {
        .client = client, .invocation = invocation, .done = evs__waiter_done, .arg = &waiter};
    evs__start what = {.start = start, .job = &self, .gate = &waiter.gate};
    evs_status status = plan_to_wait(&self, err);
    if (status != EVS_OK)
        return status;
    what.timeout_ms = self.timeout_ms;
    status = evs__client_await(client, &what, err);
    return status == EVS_OK ? waiter.status : status;
}
