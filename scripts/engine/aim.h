/*
 * aim.h - to which of several servers a call goes, and waiting until that is known.
 *
 * A cluster has nodes (cluster.h); a shard that sentinels watch has replicas, where they are read
 * from (followers.h). Any other call goes where it was submitted to, which all of this leaves so.
 */
#ifndef EVS_SCRIPTS_ENGINE_AIM_H
#define EVS_SCRIPTS_ENGINE_AIM_H

#include "scripts/engine/cluster.h"

/* May a replica serve a new call on this lane that only reads? */
int evs__aim_may_read(const evs__lane *lane);

/* Marks a new call, which only reads, and brings it to the lane that serves it. */
void evs__aim_read(evs__call *call);

/* Brings a call, which is on no connection, to the lane that serves it now. */
void evs__aim_choose(evs__call *call);

/* Is none known? */
static inline int evs__aim_is_lost(const evs__call *call)
{
    return call->state.looks || evs__lane_is_home(call->lane);
}

/* May one more call wait until one is? Fails at once where the map, or the client, says so, and
 * with QUEUE_FULL. */
evs_status evs__aim_admit(const evs__call *call, evs_error *err);

/* Before a call was started: brings it to where it will wait. Fails as evs__aim_admit does, and
 * with NOMEM. `why` may be NULL. */
evs_status evs__aim_keep(evs__call *call, const evs_error *why, evs_error *err);

/* The call, whose request is aside, waits for news. `why` may be NULL. */
void evs__aim_wait(evs__call *call, const evs_error *why);

/* Moves a call, which is on no connection, to the lane that serves it now. 0 when there is none,
 * and it waits or was finished. */
int evs__aim_call(evs__call *call);

/* Is it trouble with a connection that another server, or news, may cure? */
int evs__aim_may_help(const evs__call *call, evs_status status);

/* News are wanted: the lane's server does not do what was thought of it. */
void evs__aim_look(const evs__lane *lane);

/* A call got no reply in time: others are asked whether that server is still the one. */
void evs__aim_doubt(evs__lane *silent);

/* Why a call waited in vain. */
void evs__aim_explain(const evs__call *call, evs_error *err);

#endif
