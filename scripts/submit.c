/* From an invocation to a queued request: find, check, route, render. Nothing here waits. */
#include "core/error.h"
#include "core/mem.h"
#include "scripts/client.h"
#include "sharding/route.h"

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

static evs_status find_by_name(const evs_script **out, const evs_client *client, const char *name,
                               evs_error *err)
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
static evs_status route(evs__target *out, const evs_client *client, const evs_script *script,
                        const evs_invocation *call, evs_error *err)
{
    evs_status status = call->nkeys > 0
                            ? evs__route_keys(out, client->map, call->keys, call->nkeys, err)
                            : evs__route_no_keys(out, client->map, call->shard, call->pool, err);
    if (status == EVS_OK || err == NULL)
        return status;
    evs__subject subject = {script->name, {NULL, 0}, NULL};
    return evs__explain_below(err, &subject);
}

static inline evs_status allow(const evs_client *client, const evs_script *script, size_t pool,
                               evs_error *err)
{
    if (!script->use.denied || client->map->pools[pool].audit != EVS__POOL_AUDIT_DENY)
        return EVS_OK;
    return evs__script_allowed(script, EVS_AUDIT_DENY, err);
}

/* Makes sure that the server will know the script when the request arrives. */
static evs_status introduce(evs__lane *lane, const evs_script *script, evs_error *err)
{
    evs__mark mark = evs__lane_mark(lane, script);
    if (mark == EVS__MARK_BROKEN) {
        evs__subject subject = {
            script->name, {NULL, 0}, lane->client->map->shards[lane->shard].name};
        return evs__explain_refusal(err, &subject, evs__lane_refusal(lane, script));
    }
    if (mark == EVS__MARK_UNKNOWN && !evs__lane_load(lane, script))
        return evs__fail_nomem(err);
    return EVS_OK;
}

/* Everything that can be refused without asking a server. */
static inline evs_status plan(const evs_script **script, evs__target *target,
                              const evs_client *client, const evs_invocation *invocation,
                              evs_error *err)
{
    evs_status status = find(script, client, invocation, err);
    if (status != EVS_OK)
        return status;
    if (!evs__script_takes(*script, invocation->nkeys, invocation->nargs))
        return evs_script_check_arity(*script, invocation->nkeys, invocation->nargs, err);
    status = route(target, client, *script, invocation, err);
    if (status == EVS_OK)
        status = allow(client, *script, target->pool, err);
    return status;
}

/* Puts script, key and shard into an error of something that does not know them. */
static evs_status blame(evs_error *err, evs_status status, const evs_script *script,
                        const evs_invocation *invocation)
{
    if (err == NULL)
        return status;
    evs__subject subject = {script->name, {NULL, 0}, NULL};
    if (invocation->nkeys > 0)
        subject.key = invocation->keys[0];
    return evs__explain_below(err, &subject);
}

/* The usual case costs one look: the connection works, and the server knows the script. */
static evs_status place(evs__buf **out, evs__call *call, const evs_invocation *invocation,
                        evs_error *err)
{
    evs__lane *lane = call->lane;
    const evs_script *script = call->script;
    evs_status status = evs__client_lane(lane, err);
    if (status != EVS_OK)
        return blame(err, status, script, invocation);
    call->state.unsure = !evs__lane_knows(lane, script);
    if (call->state.unsure)
        status = introduce(lane, script, err);
    if (status == EVS_OK)
        *out = evs__conn_begin(lane->conn, &call->request);
    return status;
}

static inline evs_status queue(evs__call *call, const evs_invocation *invocation, evs_error *err)
{
    evs__lane *lane = call->lane;
    const evs_script *script = call->script;
    evs__buf *out = NULL;
    if (evs__lane_knows(lane, script)) /* so it has a connection */
        out = evs__conn_try(lane->conn, &call->request, lane->epoch, lane->client->max_in_flight);
    if (out == NULL) {
        evs_status status = place(&out, call, invocation, err);
        if (status != EVS_OK)
            return status;
    }
    evs__render_evalsha(out, &script->use.head, invocation);
    if (!evs__conn_end(lane->conn, &call->request))
        return evs__fail_nomem(err);
    call->state.retry = (unsigned char)script->retry;
    return EVS_OK;
}

evs_status evs_submit(evs_client *client, const evs_invocation *invocation, evs_done_fn done,
                      void *arg, evs_error *err)
{
    const evs_script *script;
    evs__target target;
    evs_status status = evs__client_check(client, 0, err);
    if (status != EVS_OK)
        return status;
    if (done == NULL)
        return evs__fail(err, EVS_E_INVALID, "a submitted call needs a completion");
    status = plan(&script, &target, client, invocation, err);
    if (status != EVS_OK)
        return status;
    evs__call *call = evs__call_new(&client->calls);
    if (call == NULL)
        return evs__fail_nomem(err);
    call->lane = &client->lanes[target.shard];
    call->script = script;
    call->done = done;
    call->arg = arg;
    status = queue(call, invocation, err);
    if (status != EVS_OK) {
        evs__call_drop(call);
        return status;
    }
    unsigned timeout_ms = invocation->timeout_ms;
    if (timeout_ms == 0)
        timeout_ms = client->map->shards[target.shard].script_timeout_ms;
    evs__call_start(client, call, timeout_ms);
    client->stats.mixed_tags += (uint64_t)(target.mixed_tags != 0);
    return EVS_OK;
}

evs_status evs_call(evs_reply **out, evs_client *client, const evs_invocation *invocation,
                    evs_error *err)
{
    evs__waiter waiter = {0, EVS_OK, out, err};
    evs_status status = evs__client_check(client, 1, err);
    if (status == EVS_OK)
        status = evs_submit(client, invocation, evs__waiter_done, &waiter, err);
    if (status != EVS_OK)
        return status;
    evs__client_drive(client, &waiter.finished);
    return waiter.status;
}
