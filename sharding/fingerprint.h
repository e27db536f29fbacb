/*
 * fingerprint.h - one number for everything that decides where keys go.
 */
#ifndef EVS_SHARDING_FINGERPRINT_H
#define EVS_SHARDING_FINGERPRINT_H

#include "sharding/shardmap.h"

/* Sets map->fingerprint and that of each pool. 0 when out of memory. */
int evs__fingerprint(evs_shardmap *map);

#endif
