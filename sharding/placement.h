/*
 * placement.h - a placement is one const struct in one file below placement/ and a row in
 * placements.def. It is a frozen recipe: a better idea gets a new name.
 */
#ifndef EVS_SHARDING_PLACEMENT_H
#define EVS_SHARDING_PLACEMENT_H

#include "core/arena.h"
#include <evalshard/base.h>
#include <stdint.h>

/* One shard as placement sees it. */
typedef struct evs__place {
    const char *name; /* the ring name */
    unsigned weight;
} evs__place;

typedef struct evs__placement {
    const char *name; /* as in the map: "rendezvous" */
    const char *hash; /* the key's hash it works with: "xxh64" */

    /* Prepares look-ups over `places`; the result lives in `arena`. NULL when out of memory. */
    void *(*build)(evs__arena *arena, const evs__place *places, size_t count);

    /* The index of the shard for a key whose tag hashes to `hash`. */
    size_t (*find)(const void *built, uint64_t hash);
} evs__placement;

/* By name; NULL when there is none. Static. */
const evs__placement *evs__placement_find(const char *name);

#endif
