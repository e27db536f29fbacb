/*
 * sentinels_inner.h - a group of sentinels as the files that make it up see it.
 *
 *   sentinels.c         life, rounds and when they begin, connections
 *   sentinels_listen.c  subscriptions, and what is heard there
 */
#ifndef EVS_SCRIPTS_ENGINE_SENTINELS_INNER_H
#define EVS_SCRIPTS_ENGINE_SENTINELS_INNER_H

#include "scripts/engine/primary.h"
#include "scripts/engine/sentinels.h"

static inline evs__primary *evs__sentinels_primary(evs__ring *ring)
{
    return (evs__primary *)((char *)ring - offsetof(evs__primary, ring));
}

/* sentinels.c */

/* Stopped, or its client is about to end. */
int evs__sentinels_are_over(const evs__sentinels *group);

/* All primaries, one after the other. */
void evs__sentinels_each(evs__sentinels *group, void (*each)(evs__primary *primary));

/* Behind group->busy++: frees the group when it was to be freed meanwhile. */
void evs__sentinels_leave(evs__sentinels *group);

/* Begins a round of all primaries as soon as none is under way. */
void evs__sentinels_ask_at_once(evs__sentinels *group);

/* `conn` is one of the sentinel's two. Fails as evs__conn_prepare does, and with NOMEM. */
evs_status evs__sentinel_open(evs__sentinel *sentinel, evs__conn **conn, evs_error *err);

/* sentinels_listen.c */

/* Once for each connection; when it cannot be had now, the next round tries again. */
void evs__sentinel_listen(evs__sentinel *sentinel);

/* A message, to an evs__sentinel. */
void evs__sentinel_hear(void *owner, const evs_reply *reply);

#endif
