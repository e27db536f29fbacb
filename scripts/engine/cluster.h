/*
 * cluster.h - a pool that is a real cluster: its nodes, who serves which slot, and calls that wait
 * until that is known.
 *
 *   call, slot --> owner[slot] --> node --> lane --> conn
 *                      ^  |
 *                      |  +-- nobody, or nothing known yet: the call waits at home
 *                      |
 *      topology (discover.c): asked of a node at first, after MOVED, when a node is lost, and now
 * and then; one question at a time, never more often than every 25 ms
 *
 * Home is the lane of the one shard that stands for the cluster in the map. It has no connection.
 * Each node has a lane of its own, which goes on as any lane does: what a server knows of our
 * scripts is a matter of its connection, so a promoted replica gets them by the usual way.
 */
#ifndef EVS_SCRIPTS_ENGINE_CLUSTER_H
#define EVS_SCRIPTS_ENGINE_CLUSTER_H

#include "core/net/loop.h"
#include "scripts/engine/call.h"
#include "scripts/engine/lane.h"
#include "sharding/shardmap.h"

typedef struct evs__replica evs__replica;

typedef struct evs__node {
    evs__lane lane;
    evs__shard shard; /* what a lane needs to know of a shard; text is ours */
    char *host;
    char *name; /* host:port, or [v6]:port */
    int primary;
    int listed; /* in the newest topology */
    int seed;
    struct evs__node *follows; /* the primary that it is a replica of, and has caught up with */
    size_t turn;               /* of calls that its replicas serve */
    evs__replica *reader;      /* ours; NULL until first used */
} evs__node;

struct evs__cluster {
    evs_client *client;
    evs__lane *home;
    const evs__cluster_plan *plan;
    evs__node **nodes; /* ours; their order does not change */
    size_t nnodes;
    uint16_t owner[EVS__SLOTS]; /* numbers of nodes, or EVS__NOBODY */
    int known;                  /* there was a usable topology */
    size_t turn;                /* of calls that any node can serve */
    evs__ring waiting;          /* calls; by their request's ring */

    /* discover.c */
    evs__ring probes;  /* questions that are not answered, late ones included; ours */
    evs__ring *asking; /* the one that is waited for; NULL: none */
    evs__timer *timer; /* of a question, or until the next one */
    size_t candidate;  /* number of the node that is asked, or will be first */
    size_t left;       /* nodes that were not asked in this round */
    uint64_t round_end;
    unsigned rounds; /* in a row that did not help those who wait */
    int again;       /* somebody wanted a newer answer while one was under way */
    int stopped;
    evs__buf reasons;   /* why each node did not tell, in this round */
    evs_error *trouble; /* ours: why calls wait */
};

/* Nothing is asked yet. `before`, which may be NULL, is the same pool's cluster of the map before:
 * its nodes' counters go on. NULL when out of memory. */
evs__cluster *evs__cluster_new(evs__lane *home, const evs__pool *pool, const evs__cluster *before);

/* Ends all that is timed; connections are freed behind that, then the rest. */
void evs__cluster_stop(evs__cluster *cluster);
void evs__cluster_free(evs__cluster *cluster);

/* The lane that serves a slot, or any (EVS__ANY_SLOT); home when none is known. */
evs__lane *evs__cluster_lane(evs__cluster *cluster, unsigned slot);

/* The node of this address, which is added when it is new; NULL when out of memory. */
evs__node *evs__cluster_node(evs__cluster *cluster, evs_bytes host, int port);
size_t evs__cluster_number(const evs__cluster *cluster, const evs__node *node);

/* What a map says of the cluster's shard holds for a node, whose address stays. */
void evs__node_describe(evs__node *node, evs_shardmap *map, size_t shard);

static inline int evs__lane_is_home(const evs__lane *lane)
{
    return lane->cluster != NULL && lane->home == lane;
}

/* The node of a lane that is not home. */
evs__node *evs__lane_node(evs__lane *lane);

/* ---- another map (cluster_map.c) ---- */

/* Can it go on, with its nodes, as shard number `shard` of another map, where that is a cluster? */
int evs__cluster_stays(const evs__cluster *cluster, const evs_shardmap *map, size_t shard);

/* Makes nodes of the seeds that map has. 0 when out of memory. */
int evs__cluster_expect(evs__cluster *cluster, const evs_shardmap *map, size_t shard);

/* It stays, and the map, which was expected, is its map now. */
void evs__cluster_set_map(evs__cluster *cluster, evs_shardmap *map, size_t shard);

/* The nodes of a retired one: no lane is busy; is one? Then: stops, and closes connections. */
void evs__cluster_forget_calls(evs__cluster *cluster);
int evs__cluster_is_in_use(const evs__cluster *cluster);
void evs__cluster_close(evs__cluster *cluster);

/* ---- calls ---- */

/* Does the map say that calls fail while no node can be reached, and is that so? */
int evs__cluster_is_down(const evs__cluster *cluster);

/* May one more call wait? Fails as the last question did where the map has fail_fast and no node
 * can be reached, with CONNECT where that holds for the replicas that alone may serve it, with
 * QUEUE_FULL, and with CLUSTER when the map says that slots without a node are not waited for. */
evs_status evs__cluster_admit(const evs__call *call, evs_error *err);

/* The call, whose request is aside, waits for a newer topology. `why` may be NULL. */
void evs__cluster_wait(evs__call *call, const evs_error *why);

/* Before a call was started: brings it home, where it will wait. Fails as evs__cluster_admit does,
 * and with NOMEM. */
evs_status evs__cluster_keep(evs__call *call, const evs_error *why, evs_error *err);

/* Calls to a node that is down fail where the map says so; a new owner of their slots has a lane of
 * its own. */
int evs__cluster_gives_up(const evs__lane *lane);

/* A call to a node got no reply in time: others are asked whether that node is still the one. */
void evs__cluster_doubt(evs__lane *silent);

/* Why a call waited in vain. */
void evs__cluster_explain(const evs__call *call, evs_error *err);

#endif
