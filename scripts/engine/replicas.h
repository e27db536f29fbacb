/*
 * replicas.h - calls that only read, where the map lets replicas serve them (`read_from`).
 *
 *   call that reads --> its lane still serves it? --> a replica of the slot's owner, in turn
 *                                                     --> none: the owner (prefer_replica),
 *                                                         or it waits at home (replica)
 *
 * A reader is a replica's second lane, whose connection says READONLY: what writes never goes
 * there, so that a replica answers it with MOVED, which proves that it did not run. A reader that
 * is lost, or says that it cannot now, is left alone for as long as the map has `retry_after`; what
 * it had goes elsewhere, which is harmless for a call that only reads.
 */
#ifndef EVS_SCRIPTS_ENGINE_REPLICAS_H
#define EVS_SCRIPTS_ENGINE_REPLICAS_H

#include "scripts/engine/cluster.h"

struct evs__replica {
    evs__lane lane; /* first; shows its counters with those of the node */
    evs__shard shard;
    evs__node *node;
    uint64_t away_until; /* in the loop's milliseconds */
};

static inline evs__replica *evs__lane_replica(evs__lane *lane)
{
    return (evs__replica *)lane;
}

/* Accepts NULL. Connections were freed before. */
void evs__replica_free(evs__replica *reader);

/* Takes what the map says of its node, again. */
void evs__replica_describe(evs__replica *reader, evs_shardmap *map);

/* May a replica serve a new call on this lane that only reads? */
int evs__replicas_may(const evs__lane *lane);

/* Marks a new call, which only reads, and brings it to the lane that serves it. */
void evs__replicas_take(evs__call *call);

/* The lane that serves a marked call now; home when it has to wait. */
evs__lane *evs__replicas_lane(const evs__call *call);

/* Is the call marked, its slot's owner known, and nobody there who may serve it? */
int evs__replicas_lack(const evs__call *call);

/* The lane cannot serve its calls. 1 when it is a reader, which is left alone for a while then. */
int evs__replicas_leave(evs__lane *lane);

/* The same if `status` is that of a connection that did not come about; else 0. */
int evs__replicas_refuse(evs__lane *lane, evs_status status);

#endif
