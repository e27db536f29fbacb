/* From an invocation to a queued request: find, check, route, render. Nothing here waits. */
#include "core/error.h"
#include "core/mem.h"
#include "scripts/client.h"
#include "sharding/route.h"

#include <stdio.h>

static evs_status find(const evs_script **out, const evs_client *client, const evs_invocation *call,
                       evs_error *err)
{
    *out = call->handle;
    if (*out == NULL && call->script == NULL)
        return evs__fail(err, EVS_E_INVALID, "an invocation needs a script");
    if (*out != NULL && evs_registry_at(client->registry, (*out)->id) != *out)
        return evs__fail(err, EVS_E_INVALID, "script %s is of another registry than the client's",
                         (*out)->name);
    if (*out == NULL)
        *out = evs_script_find(client->registry, call->script);
    if (*out != NULL)
        return EVS_OK;

    const char *like[2];
    size_t count = evs_registry_similar(client->registry, call->script, like);
    evs_status status = evs__fail(err, EVS_E_NO_SCRIPT, "no script is called \"%s\"%s%s%s",
                                  call->script, count > 0 ? "; did you mean \"" : "",
                                  count > 0 ? like[0] : "", count > 0 ? "\"?" : "");
    if (err != NULL)
        snprintf(err->script, sizeof err->script, "%s", call->script);
    return status;
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

static evs_status allow(const evs_client *client, const evs_script *script, size_t pool,
                        evs_error *err)
{
    if (client->map->pools[pool].audit != EVS__POOL_AUDIT_DENY)
        return EVS_OK;
    return evs__script_allowed(script, EVS_AUDIT_DENY, err);
}

/* The rendered head of the script for this number of keys; NULL when out of memory. */
static const evs__head *head_of(evs_client *client, const evs_script *script, size_t nkeys)
{
    if (script->id >= client->nheads) {
        size_t count = evs_registry_count(client->registry);
        evs__head *heads = evs__realloc_array(client->heads, count, sizeof *heads);
        if (heads == NULL)
            return NULL;
        memset(heads + client->nheads, 0, (count - client->nheads) * sizeof *heads);
        client->heads = heads;
        client->nheads = count;
    }
    evs__head *head = &client->heads[script->id];
    if (head->len == 0 || head->nkeys != nkeys)
        evs__head_render(head, script->sha1, nkeys);
    return head;
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

static evs_status queue(evs_client *client, evs__call *call, const evs_invocation *invocation,
                        unsigned timeout_ms)
{
    const evs__head *head = head_of(client, call->script, invocation->nkeys);
    if (head == NULL)
        return EVS_E_NOMEM;
    evs__buf *out = evs__conn_begin(call->lane->conn, &call->request);
    evs__render_evalsha(out, head, invocation->keys, invocation->args, invocation->nargs);
    if (!evs__conn_end(call->lane->conn, &call->request))
        return EVS_E_NOMEM;
    call->held = EVS__HELD_BY_CONN;
    call->retry = (unsigned char)call->script->retry;
    call->deadline = evs__loop_now_ms(client->loop) + timeout_ms;
    evs__client_watch(client, call->deadline);
    return EVS_OK;
}

/* Everything that can be refused without asking a server. */
static evs_status plan(const evs_script **script, evs__target *target, const evs_client *client,
                       const evs_invocation *invocation, evs_error *err)
{
    evs_status status = find(script, client, invocation, err);
    if (status != EVS_OK)
        return status;
    status = evs_script_check_arity(*script, invocation->nkeys, invocation->nargs, err);
    if (status == EVS_OK)
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

static evs_status submit(evs_client *client, const evs_script *script, const evs__target *target,
                         const evs_invocation *invocation, evs__call **out, evs_error *err)
{
    evs__lane *lane;
    evs_status status = evs__client_lane(&lane, client, target->shard, err);
    if (status != EVS_OK)
        return blame(err, status, script, invocation);
    status = introduce(lane, script, err);
    if (status != EVS_OK)
        return status;

    evs__call *call = evs__call_new(lane, script, NULL, NULL);
    if (call == NULL)
        return evs__fail_nomem(err);
    unsigned timeout_ms = invocation->timeout_ms;
    if (timeout_ms == 0)
        timeout_ms = client->map->shards[target->shard].script_timeout_ms;
    if (queue(client, call, invocation, timeout_ms) != EVS_OK) {
        evs__call_drop(call);
        return evs__fail_nomem(err);
    }
    client->stats.mixed_tags += (uint64_t)(target->mixed_tags != 0);
    *out = call;
    return EVS_OK;
}

evs_status evs_submit(evs_client *client, const evs_invocation *invocation, evs_done_fn done,
                      void *arg, evs_error *err)
{
    const evs_script *script;
    evs__target target;
    evs__call *call = NULL;
    evs_status status = evs__client_check(client, 0, err);
    if (status != EVS_OK)
        return status;
    if (done == NULL)
        return evs__fail(err, EVS_E_INVALID, "a submitted call needs a completion");
    status = plan(&script, &target, client, invocation, err);
    if (status != EVS_OK)
        return status;
    status = submit(client, script, &target, invocation, &call, err);
    if (status != EVS_OK)
        return status;
    call->done = done;
    call->arg = arg;
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
