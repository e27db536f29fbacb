/*
 * park.h - calls that are on no connection for the moment.
 *
 * One waits for its turn: in a client with strict order a call leaves when the one before it to the
 * same shard is settled. Another rests: the server said that it cannot now, and is asked again
 * later, after 10 ms, then twice as long each time up to 500 ms, a quarter more or less, but no
 * longer than leaves time for the answer. A third looks for a server that serves it (aim.h). All
 * count for the limits of their shard.
 */
#ifndef EVS_SCRIPTS_ENGINE_PARK_H
#define EVS_SCRIPTS_ENGINE_PARK_H

#include "scripts/engine/call.h"
#include "scripts/engine/lane.h"

/* 1 when a call to the lane has to wait for others. */
int evs__park_must_wait(const evs__lane *lane);

/* Lets a call wait whose request was rendered into its aside. */
void evs__park_wait(evs__call *call);

/* Lets a call rest that `reply` refused and whose bytes are still on its connection. 0 when there
 * is no time left, or no memory: then nothing has happened. */
int evs__park_rest(evs__call *call, const evs_reply *reply);

/* What of a rest, in ms, leaves as much time again until the deadline, for the answer; 0 when that
 * is less than a quarter of it. For of a call that is in flight at its deadline nobody knows
 * whether it ran, while one that was refused did not. */
static inline uint64_t evs__park_fit(uint64_t rest, uint64_t now, uint64_t deadline)
{
    uint64_t half = now < deadline ? (deadline - now) / 2 : 0;
    if (half >= rest)
        return rest;
    return half * 4 >= rest ? half : 0;
}

/* Lets a call look for a server, `with` others; sends all of them again. */
void evs__park_look(evs__call *call, evs__ring *with);
void evs__park_release(evs__ring *all);

/* The time of a resting call has come: sends it again, or fails it with the last refusal when its
 * deadline passed meanwhile. It has left the wheel. */
void evs__park_wake(evs__call *call);

/* Takes a call away from where it is parked. */
void evs__park_leave(evs__call *call);

/* A call of a watched lane is finished: the next may leave, and who waits for room is told. */
void evs__park_settled(evs__lane *lane, const evs__call *call);

#endif
