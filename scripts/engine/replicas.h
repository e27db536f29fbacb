/*
 * replicas.h - replicas of a cluster that are read from (reader.h).
 *
 *   call that reads --> its lane still serves it? --> a replica of the slot's owner, in turn
 *                                                     --> none: the owner (prefer_replica),
 *                                                         or it waits at home (replica)
 *
 * A reader is a replica's second lane, whose connection says READONLY: what writes never goes
 * there, so that a replica answers it with MOVED, which proves that it did not run.
 */
#ifndef EVS_SCRIPTS_ENGINE_REPLICAS_H
#define EVS_SCRIPTS_ENGINE_REPLICAS_H

#include "scripts/engine/cluster.h"
#include "scripts/engine/reader.h"

struct evs__replica {
    evs__reader reader; /* first */
    evs__node *node;
};

static inline evs__replica *evs__lane_replica(evs__lane *lane)
{
    return (evs__replica *)lane;
}

/* Accepts NULL. Connections were freed before. */
void evs__replica_free(evs__replica *replica);

/* Takes what the map says of its node, again. */
void evs__replica_describe(evs__replica *replica, evs_shardmap *map);

/* The lane that serves a marked call now; home when it has to wait. */
evs__lane *evs__replicas_lane(const evs__call *call);

/* Is the call marked for replicas alone, and its slot's owner known? Then one that waits waits for
 * a replica, also when one that was left alone may be tried again by now. */
int evs__replicas_want(const evs__call *call);

/* The same, and is there none that may serve it? */
int evs__replicas_lack(const evs__call *call);

#endif
