/*
 * everywhere.h - the servers that a pool, or the whole map, is made of.
 */
#ifndef EVS_SCRIPTS_ENGINE_EVERYWHERE_H
#define EVS_SCRIPTS_ENGINE_EVERYWHERE_H

#include "scripts/engine/client.h"

/* A target for each of `count` shards of the map there is, from number `first` on, in that order:
 * the shard, or every primary of a cluster, by the first slot that it serves; the whole cluster
 * while that is not known. Returns how many there are; `out` may be NULL. */
size_t evs__list_everywhere(evs__target *out, const evs_client *client, size_t first, size_t count);

/* Who is to run on every primary of a cluster that has not told them runs on none. */
evs_status evs__fail_untold(const evs__cluster *cluster, evs_error *err);

#endif
