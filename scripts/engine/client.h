/*
 * client.h - what is inside a client.
 *
 *   client --- lanes (one per shard) --- conn --- requests: calls, loads, heals
 *      |                                             ^
 *      +--- wheel: the deadlines of what is pending -+
 *
 * Everything runs on the thread that drives the client. Freeing is put off while completions run.
 * Map and lanes are replaced together (reload.c); other threads see the map through maps.h.
 */
#ifndef EVS_SCRIPTS_ENGINE_CLIENT_H
#define EVS_SCRIPTS_ENGINE_CLIENT_H

#include "core/net/clock.h"
#include "core/net/fork_mark.h"
#include "scripts/engine/call.h"
#include "scripts/engine/cluster.h"
#include "scripts/engine/follow.h"
#include "scripts/engine/lane.h"
#include "scripts/engine/maps.h"
#include "scripts/engine/sentinels.h"
#include "scripts/engine/thread.h"
#include "sharding/conns.h"
#include "sharding/route.h"

/* When the calls of a client that is being closed come to an end. */
typedef enum evs__end { EVS__ENDS_NOT, EVS__ENDS_DRAINED, EVS__ENDS_NOW } evs__end;

/* Who waits for that; see close.c. */
typedef struct evs__closer evs__closer;

struct evs_client {
    /* what every call touches */
    const evs__pool *usual;       /* the only pool of the map, for quick.h; NULL: takes no calls */
    const evs_registry *registry; /* the caller's */
    evs__lane **lanes;            /* one per shard of the map; they stay where they are */
    evs__fork_mark *fork_mark;    /* ours, like all below */
    evs__thread *thread;          /* NULL when the client is driven */
    uint64_t map_serial;          /* how many maps there were before this one */
    evs_shardmap *map;            /* our reference; for the client's thread only */

    /* what every call changes, in cache lines of their own: other threads look at those above */
    evs__calls calls;
    size_t pending;    /* submitted and not finished */
    uint64_t sweep_at; /* when the sweep is due; UINT64_MAX: not set */
    evs__clock clock;  /* from when deadlines count */
    evs_client_stats stats;
    evs__ring spreads; /* calls that run on every shard of a pool; ours */

    evs__maps maps; /* the same map for other threads */
    evs__loop *loop;
    evs__conns *conns;
    size_t nlanes;
    evs__lane *retired;         /* lanes of no shard, with calls that are not finished */
    evs__timer *retiring;       /* looks after those */
    evs__sentinels *sentinels;  /* groups; held by lanes */
    evs__follow *follow;        /* NULL: no file is followed */
    evs__timer *sweep;          /* of the wheel */
    evs_client_options options; /* complete */
    uint64_t random;            /* state of the jitter */
    int running;                /* inside a loop run or a completion */
    int closing;                /* freed, as far as the caller is concerned */
    int shut;                   /* takes no more calls */
    int ending;                 /* the calls there are get cut off */
    evs__end ends;              /* what is due as soon as no completion runs */
    evs__closer *closer;        /* NULL: nobody */
    evs__timer *cut_off;        /* the longest that a drain may take */
    evs__wheel wheel;
    evs_error *refusal; /* why the last map was refused; ours; NULL: it was taken */
};

/* Somebody who blocks until one call is finished. */
typedef struct evs__waiter {
    evs__gate gate;
    evs_status status;
    evs_reply **reply; /* where a copy of the reply goes */
    evs_error *err;    /* may be NULL */
} evs__waiter;

/* The completion that releases an evs__waiter. */
void evs__waiter_done(void *waiter, const evs_result *result);

evs_status evs__client_refuse(const evs_client *client, evs_error *err);

/* Fails with STATE in a forked child, while closing, and with `driving` inside a completion. */
static inline evs_status evs__client_check(const evs_client *client, int driving, evs_error *err)
{
    if (evs__fork_mark_is_child(client->fork_mark) || client->closing || client->shut ||
        (driving && client->running))
        return evs__client_refuse(client, err);
    return EVS_OK;
}

/* Around everything that runs completions; leave frees a client that is closing. */
void evs__client_enter(evs_client *client);
void evs__client_leave(evs_client *client);

/* Sees to it that a deadline before `sweep_at` is noticed. */
void evs__client_watch(evs_client *client, uint64_t deadline);

/* A call on a lane, not queued; the rest is for the caller to set. NULL when out of memory. */
static inline evs__call *evs__lane_call(evs__lane *lane, unsigned slot, const evs_script *script)
{
    evs_client *client = lane->client;
    evs__call *call = evs__call_new(&client->calls);
    if (call == NULL)
        return NULL;
    call->lane = lane;
    call->script = script;
    call->slot = (uint16_t)slot;
    call->state.patience = lane->patience;
    return call;
}

/* The lane where `target` leads, which is of the map there is; home while no node is known. */
static inline evs__lane *evs__client_target(evs_client *client, const evs__target *target)
{
    evs__lane *lane = client->lanes[target->shard];
    return lane->cluster == NULL ? lane : evs__cluster_lane(lane->cluster, target->slot);
}

/* A call there. */
static inline evs__call *evs__client_call(evs_client *client, const evs__target *target,
                                          const evs_script *script)
{
    evs__lane *lane = evs__client_target(client, target);
    return evs__lane_call(lane, target->slot, script);
}

/* Before a call is queued: how long it may take. */
static inline void evs__call_set_time(evs_client *client, evs__call *call, unsigned timeout_ms)
{
    call->due.at = evs__clock_soon_ms(&client->clock) + timeout_ms;
}

/* The call is queued, or waits: from now on it is pending and has its deadline. */
static inline void evs__call_start(evs_client *client, evs__call *call)
{
    evs__wheel_add(&client->wheel, &call->due);
    client->pending++;
    if (call->due.at < client->sweep_at)
        evs__client_watch(client, call->due.at);
}

/* Makes the lane usable for one more request, which waits for a connection `until` then; 0: it
 * does not. Fails as evs__conn_prepare or evs__conn_await do, or with QUEUE_FULL. */
evs_status evs__client_lane(evs__lane *lane, uint64_t until, evs_error *err);

/* A new call was refused, which is `status`. Who finds a queue full may be told when it has room.
 */
evs_status evs__client_refused(evs__lane *lane, evs_status status);

/* Has a lane that was used before room for one more request, as far as that can be said without a
 * connection? Fails with QUEUE_FULL. */
evs_status evs__client_room(evs__lane *lane, evs_error *err);

/* With EVS_FULL_BLOCK: submits again after QUEUE_FULL, driving the client in between, until it
 * works or the time is over. */
evs_status evs__client_insist(evs_client *client, unsigned timeout_ms, evs__start_fn *submit,
                              void *job, evs_error *err);

/* Has the client a thread of its own, and is this another one? Then nothing in the client may be
 * touched but what never changes. */
static inline int evs__client_is_elsewhere(const evs_client *client)
{
    return client->thread != NULL && evs__thread_is_other(client->thread);
}

/* May this thread wait for a call? Fails with STATE inside a completion, in a forked child, and
 * after closing. */
static inline evs_status evs__client_may_wait(const evs_client *client, evs_error *err)
{
    return evs__client_is_elsewhere(client) ? EVS_OK : evs__client_check(client, 1, err);
}

/* The map, for this thread, until evs__view_end. What was found by it on another thread holds only
 * if the client's map_serial is still that of the view when it is used. */
static inline evs__view evs__client_view(evs_client *client)
{
    if (evs__client_is_elsewhere(client))
        return evs__maps_look(&client->maps);
    return (evs__view){client->map, client->map_serial, NULL};
}

/* A call of a retired lane is finished. */
void evs__client_retire_soon(evs_client *client);

/* Takes a reference to the first map, or the next one. On failure nothing has changed. Fails with
 * NOMEM. */
evs_status evs__client_set_map(evs_client *client, evs_shardmap *map, evs_error *err);

/* evs_client_reload on the client's thread. `name` says where the map came from; "": the caller has
 * it. */
evs_status evs__client_reload(evs_client *client, evs_shardmap *map, const char *name,
                              evs_error *err);

/* Counts and logs that there is no new map, because of `why`. Fails with that. */
evs_status evs__client_refuse_map(evs_client *client, const char *name, const evs_error *why,
                                  evs_error *err);

/* Frees what the lanes are, when their connections are gone. */
void evs__client_free_lanes(evs_client *client);

/* Starts something where the client's work is done, and waits until its gate opens (or, without
 * one, no longer). Returns what starting returned. Fails with STATE inside a completion. */
evs_status evs__client_await(evs_client *client, const evs__start *what, evs_error *err);

/* Looks at something that only the thread of the client may look at; also when it is closed. */
evs_status evs__client_look(const evs_client *client, evs__start_fn *look, void *job,
                            evs_error *err);

/* Completes every call there is, and releases who closed. */
void evs__client_end_calls(evs_client *client);

/* The same when that is due. Not inside a completion. */
void evs__client_end_if_due(evs_client *client);

/* NULL when out of memory. */
evs__timer *evs__client_new_cut_off(evs_client *client);

/* The connections go; what they counted stays. */
void evs__client_keep_counts(evs_client *client);

/* Frees everything; on the thread that may touch it. */
void evs__client_destroy(evs_client *client);

#endif
