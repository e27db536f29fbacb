/*
 * quick.h - the way of nearly every call: a script by its handle, one key, few and short arguments,
 * a connection with something in flight, a server that knows the script, a lane without rules.
 *
 * Everything is looked at before anything is changed. What is not as usual is not decided here: it
 * takes the other way, in submit.c, from the beginning.
 */
#ifndef EVS_SCRIPTS_ENGINE_QUICK_H
#define EVS_SCRIPTS_ENGINE_QUICK_H

#include "core/net/conn_body.h"
#include "scripts/engine/client.h"
#include "scripts/render_quick.h"
#include "sharding/place.h"

static inline int evs__quick_may(const evs_client *client, const evs_script *script,
                                 const evs_invocation *invocation)
{
    size_t nargs = invocation->nargs;
    return client->usual != NULL && script != NULL && invocation->nkeys == 1 &&
           script->use.registry == client->registry && script->use.one_key &&
           nargs <= EVS__MOST_QUICK && nargs >= script->use.min_args &&
           nargs <= script->use.max_args && !evs__fork_mark_is_child(client->fork_mark);
}

static inline evs__lane *evs__quick_lane(const evs_client *client, evs_bytes key, unsigned *slot)
{
    const evs__pool *pool = client->usual;
    evs_bytes tag = evs__tag_of(pool, key);
    *slot = EVS__ANY_SLOT;
    if (__builtin_expect(pool->cluster == NULL, 1))
        return client->lanes[evs__find_tag(pool, tag)]; /* the first pool has the first shards */
    *slot = evs__slot_of(pool, tag);
    return evs__cluster_lane(client->lanes[0]->cluster, *slot);
}

/* A call whose bytes are on its connection. */
static inline evs__call *evs__quick_call(evs__lane *lane, const evs_script *script, unsigned slot)
{
    evs__call *call = evs__lane_call(lane, slot, script);
    call->state.retry = (unsigned char)script->retry;
    call->state.held = EVS__HELD_BY_CONN;
    return call;
}

/* What was found out of a call. */
typedef struct evs__found {
    evs_client *client;
    evs__lane *lane;
    const evs_script *script;
    unsigned slot;
} evs__found;

/* A call with one key and at most EVS__MOST_QUICK arguments, which may go to the lane. 0 when it is
 * not of that kind; then nothing has happened. */
static inline __attribute__((always_inline)) int
evs__queue_quickly(evs__found found, const evs_invocation *invocation, evs_done_fn done, void *arg)
{
    evs_client *client = found.client;
    evs__lane *lane = found.lane;
    const evs_script *script = found.script;
    evs__conn *conn = lane->conn;
    if (!evs__calls_have(&client->calls) || !evs__lane_knows(lane, script) || lane->careful ||
        !evs__conn_takes(conn, lane->epoch, client->options.max_in_flight,
                         evs__quick_room(1 + invocation->nargs)))
        return 0;
    char *text = conn->out.data + conn->out.len;
    size_t len = evs__render_one_key(text, &script->use.head, invocation);
    if (len == 0)
        return 0;
    evs__fetch_soon(text + len + EVS__LINE); /* for the next one of this shard */

    evs__call *call = evs__quick_call(lane, script, found.slot);
    call->done = done;
    call->arg = arg;
    call->request.start = evs__conn_tail(conn);
    conn->out.len += len;
    evs__conn_append(conn, &call->request, lane, lane->tallies);
    unsigned timeout_ms = invocation->timeout_ms;
    evs__call_set_time(client, call, timeout_ms != 0 ? timeout_ms : lane->at->script_timeout_ms);
    evs__call_start(client, call);
    if (invocation->ticket != NULL)
        *invocation->ticket = evs__call_ticket(call);
    return 1;
}

/* The same with all that comes before. */
static inline __attribute__((always_inline)) int
evs__submit_quickly(evs_client *client, const evs_invocation *invocation, evs_done_fn done,
                    void *arg)
{
    unsigned slot;
    const evs_script *script = invocation->handle;
    if (!evs__quick_may(client, script, invocation))
        return 0;
    evs__lane *lane = evs__quick_lane(client, invocation->keys[0], &slot);
    evs__found found = {client, lane, script, slot};
    return evs__queue_quickly(found, invocation, done, arg);
}

#endif
