/*
 * lane.h - one shard of a client: its connection, and what its server knows of our scripts.
 *
 * A script is unknown, loading, known or broken (does not compile there). The marks belong to the
 * connection's epoch and die with it. Known is a bit per script; the others are rare, and cost
 * nothing while nothing is loading and nothing was refused.
 *
 * A lane belongs to one server. It outlives the map that it was made for when the next map has the
 * same shard at the same address; else it is retired: it takes no new calls, and is gone when its
 * last one is finished.
 */
#ifndef EVS_SCRIPTS_ENGINE_LANE_H
#define EVS_SCRIPTS_ENGINE_LANE_H

#include "core/bits.h"
#include "core/net/conn.h"
#include "scripts/engine/refusal.h"
#include "scripts/engine/tally.h"
#include "scripts/script.h"
#include "sharding/shardmap.h"
#include <evalshard/client.h>

typedef struct evs__lane evs__lane;
typedef struct evs__cluster evs__cluster;
typedef struct evs__call evs__call;
typedef struct evs__lease evs__lease;
typedef struct evs__primary evs__primary;

typedef enum evs__mark {
    EVS__MARK_UNKNOWN,
    EVS__MARK_LOADING, /* SCRIPT LOAD is on its way; requests behind it may use the SHA */
    EVS__MARK_KNOWN,
    EVS__MARK_BROKEN /* SCRIPT LOAD answered that it does not compile */
} evs__mark;

struct evs__lane {
    /* what every call touches: one cache line */
    evs_client *client;
    evs__cluster *cluster;  /* that the lane belongs to; NULL: none */
    evs__conn *conn;        /* NULL until first used; the client's conns own it */
    uint64_t epoch;         /* of the connection, that the marks belong to */
    uint64_t *known;        /* a bit per script id; `few`, or ours */
    uint64_t few;           /* for the first 64 scripts */
    evs__tallies *tallies;  /* held */
    uint32_t nwords;        /* of `known` and `loading`; scripts beyond are unknown */
    unsigned char watched;  /* there is something to do when a call is finished */
    unsigned char patience; /* EVS__MAY_..., of its calls */
    unsigned char attempts; /* the map's, for calls to this shard */
    unsigned char careful;  /* a new call is looked at: strict order, or a state of the shard */

    evs_shardmap *map;       /* our reference; NULL: that of home */
    const evs__shard *at;    /* the map's, or of a node of a cluster */
    evs__lane *home;         /* whose turns count: itself, or that of the whole cluster */
    evs__primary *primary;   /* where it is, of a shard that sentinels watch; else NULL. Ours, or of
                              * the lane that a lease is for */
    uint64_t *loading;       /* as `known`; NULL while no SCRIPT LOAD is under way; ours */
    evs__refusal *refusals;  /* ours: what was refused in this epoch */
    evs__ring loads;         /* SCRIPT LOADs under way; ours */
    uint32_t npreloads;      /* of those, that no call asked for */
    unsigned char preloaded; /* every script was loaded in this epoch */
    unsigned char reads;     /* it is an evs__replica's */
    evs__ring heals;         /* open ones; ours */
    evs__ring execs;         /* MULTI...EXECs under way; ours */
    evs__lease *leases;      /* private connections to the same shard; ours */

    /* park.c */
    evs__ring waiting; /* calls that wait for their turn */
    evs__call *turn;   /* the one that the others wait for, with strict order */
    size_t parked;     /* calls that wait or rest */
    size_t parked_bytes;
    unsigned char passing;    /* the turn is being passed on */
    unsigned char wants_room; /* somebody was refused and is to be told */

    /* reload.c */
    unsigned char kept; /* by the map that is about to come */
    unsigned char retired;
    unsigned char inherited; /* another lane goes on with the counters of a retired one */
    unsigned char busy;      /* it has calls, as far as a retired one was looked at */
    evs__lane *next;         /* among those that are retired */
};

/* Makes zeroed memory a lane to the server `at`, which is borrowed. `heir_of`, which may be NULL,
 * is another lane of the shard: its counters are shared. 0 when out of memory; clear it then, too.
 */
int evs__lane_init(evs__lane *lane, evs_client *client, const evs__shard *at,
                   const evs__lane *heir_of);

/* A lane of shard number `shard`. NULL when out of memory. */
evs__lane *evs__lane_new(evs_client *client, evs_shardmap *map, size_t shard,
                         const evs__lane *heir_of);

/* Gives a lane the same shard of another map. */
void evs__lane_set_map(evs__lane *lane, evs_shardmap *map, size_t shard);

/* What `at`, of a node, says is of another map now, which does not change how to connect. */
void evs__lane_renew(evs__lane *lane, evs_shardmap *map);

static inline const char *evs__lane_pool(const evs__lane *lane)
{
    return lane->home->map->pools[lane->at->pool].name;
}

/* A connection to the lane's server. Fails with NOMEM. */
evs_status evs__lane_connect(evs__lane *lane, evs_error *err);

/* Makes the connection usable for queueing and forgets what an older epoch knew. Does what
 * evs__conn_await does, and without an `until` (0) what evs__conn_prepare does. */
evs_status evs__lane_prepare(evs__lane *lane, uint64_t until, evs_error *err);

/* The same for a call that was taken before: it may be queued again however full the queue is. */
evs_status evs__lane_readmit(evs__lane *lane, uint64_t until, evs_error *err);

/* Where the map says `preload: all`: loads what the connection does not know yet, once. The lane
 * was prepared. Without memory some scripts come later, with their first calls. */
void evs__lane_preload(evs__lane *lane);

static inline int evs__lane_knows(const evs__lane *lane, const evs_script *script)
{
    return evs__bits_have(lane->known, lane->nwords, script->id);
}

evs__mark evs__lane_mark(const evs__lane *lane, const evs_script *script);

/* Out of memory, the script stays unknown, which is always safe. */
void evs__lane_set_known(evs__lane *lane, const evs_script *script);

/* It was answered NOSCRIPT. */
void evs__lane_set_unknown(evs__lane *lane, const evs_script *script);

/* The server answered SCRIPT LOAD with the error `text`. */
void evs__lane_refuse(evs__lane *lane, const evs_script *script, evs_bytes text);

/* Queues SCRIPT LOAD, marks the script as loading, forgets an older refusal. 0 when out of memory.
 */
int evs__lane_load(evs__lane *lane, const evs_script *script);

/* Of a retired one: it is not busy any more; is it, or one of its leases taken? */
void evs__lane_forget_calls(evs__lane *lane);
int evs__lane_is_in_use(const evs__lane *lane);

/* Closes its connections, those of leases too. */
void evs__lane_close(evs__lane *lane);

/* Frees what the lane owns; its connection was freed before. */
void evs__lane_clear(evs__lane *lane);

/* The same with the lane itself. Accepts NULL. */
void evs__lane_free(evs__lane *lane);

#endif
