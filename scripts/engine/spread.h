/*
 * spread.h - a call without keys where the map says `on_no_keys: all`: it runs on every shard of
 * the pool, and is one call for whoever made it.
 *
 *   start --> a part for each shard: calls like any other --> the last one is answered --> done
 *     |             ^
 *     +-- PING -----+   a cluster that has not told its primaries yet is met first
 *
 * A part that finds no room is held back while others are under way. What cannot be sent at all is
 * a part that failed; when all are, nothing was begun, and starting fails.
 */
#ifndef EVS_SCRIPTS_ENGINE_SPREAD_H
#define EVS_SCRIPTS_ENGINE_SPREAD_H

#include "scripts/engine/submit.h"

/* Starts a planned call that spreads. Its result is an array of replies in the order of the map's
 * shards, when all of them are fine; else the first failure, with what became of the whole as its
 * outcome. On failure nothing was queued: as a call fails, and with QUEUE_FULL when one of the
 * shards has no room. */
evs_status evs__spread_start(const evs__job *job, evs_error *err);

/* Is it the ticket of such a call? Those of others have a place among calls there; there are never
 * so many. */
static inline int evs__spread_has(evs_ticket ticket)
{
    return (uint32_t)ticket == UINT32_MAX;
}

/* As evs_cancel. */
evs_status evs__spread_cancel(evs_client *client, evs_ticket ticket, evs_error *err);

/* Frees those there are without completing them. */
void evs__spreads_free(evs_client *client);

#endif
