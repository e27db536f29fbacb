/*
 * reader.h - a lane to a replica, for calls that only read (`read_from`).
 *
 * What replicas there are, and of whom, is known to a cluster (replicas.h) or to sentinels
 * (followers.h); what both do with them is here. They are chosen in turn. One that is lost, or says
 * that it cannot now, is left alone for as long as the map has `retry_after`; what it had goes
 * elsewhere, which is harmless for a call that only reads.
 */
#ifndef EVS_SCRIPTS_ENGINE_READER_H
#define EVS_SCRIPTS_ENGINE_READER_H

#include "scripts/engine/lane.h"

typedef struct evs__reader {
    evs__lane lane;      /* first; shows its counters with those of another lane */
    evs__shard shard;    /* what the lane needs to know of a shard */
    uint64_t away_until; /* left alone; in the loop's milliseconds */
} evs__reader;

static inline evs__reader *evs__lane_reader(evs__lane *lane)
{
    return (evs__reader *)lane;
}

/* Makes zeroed memory a reader whose counters are those of `heir_of`; `shard` was filled in. 0 when
 * out of memory; clear the lane then, too. */
int evs__reader_init(evs__reader *reader, const evs__lane *heir_of);

/* Whose rule holds for calls on this lane. */
evs__read_rule evs__reader_rule(const evs__lane *lane);

/* Is it left alone at the moment? */
int evs__reader_is_away(const evs__reader *reader);

/* The lane cannot serve its calls. 1 when it is a reader, which is left alone for a while then. */
int evs__reader_leave(evs__lane *lane);

/* The same if `status` is that of a connection that did not come about; else 0. */
int evs__reader_refuse(evs__lane *lane, evs_status status);

/* Of whom one is chosen. */
typedef struct evs__candidates {
    const void *set;
    size_t count;
    int (*serves)(const void *set, size_t i);
} evs__candidates;

int evs__candidates_serve(const evs__candidates *all);

/* The next one in turn, which moves on; `count` when nobody serves. */
size_t evs__candidates_next(const evs__candidates *all, size_t *turn);

#endif
