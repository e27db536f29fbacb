/*
 * placement_conf.h - the keys of a pool that say how keys of data are placed in it.
 */
#ifndef EVS_CONF_PLACEMENT_CONF_H
#define EVS_CONF_PLACEMENT_CONF_H

#include "conf/building.h"
#include "conf/compat.h"

/* The values as they stand in the file; NULL: not there. */
typedef struct evs__placement_conf {
    const evs__yaml *compat, *distribution, *hash, *hash_tag, *tag_style, *points, *ring_size,
        *ring_hash, *table_size, *slots_total, *ring_names, *fingerprint;
} evs__placement_conf;

/* What has no meaning in a pool that is a real cluster; ends with NULL. */
extern const char *const evs__keys_of_placement[];

/* Decides placement, hash, tags and sizes of the pool being read. 0 after complaining. */
int evs__placement_resolve(evs__reading *r, const evs__placement_conf *conf, evs__pool *pool,
                           evs__place_rules *rules);

/* What can only be judged when the pool's shards are known. */
void evs__placement_check(evs__building *b, const evs__placement_conf *conf, evs__pool *pool,
                          const evs__yaml *shards);

#endif
