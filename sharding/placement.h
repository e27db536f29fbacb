/*
 * placement.h - a placement is one const struct in one file below placement/ and a row in
 * placements.def. It is a frozen recipe: a better idea gets a new name.
 *
 * A key is hashed once (hash.h), whatever the placement; find then says whose the hash is.
 */
#ifndef EVS_SHARDING_PLACEMENT_H
#define EVS_SHARDING_PLACEMENT_H

#include "core/arena.h"
#include "sharding/hash.h"

/* Slots `first` to `last`. */
typedef struct evs__slot_range {
    unsigned first, last;
} evs__slot_range;

/* One shard as placement sees it. */
typedef struct evs__place {
    const char *name; /* the ring name */
    unsigned weight;
    unsigned index;               /* of a numbered layout: 0 .. count - 1, each once */
    const evs__slot_range *slots; /* of `slots` */
    size_t nslots;
} evs__place;

/* How the names of points are made (jedis). */
typedef enum evs__point_names {
    EVS__POINT_NAMES,        /* name*n, since Jedis 2.10 */
    EVS__POINT_NAMES_WEIGHED /* name*WEIGHTn, up to Jedis 2.9 */
} evs__point_names;

/* The shards of a pool and what the pool says of their placement; every number has its value. */
typedef struct evs__layout {
    const evs__place *places;
    size_t count;
    int numbered;                   /* the places have an index */
    unsigned points;                /* of each place, on average */
    unsigned size;                  /* of the table or the ring; the number of slots */
    const evs__key_hash *hash;      /* of keys */
    const evs__key_hash *ring_hash; /* of points */
    evs__point_names point_names;
} evs__layout;

/* A hash that goes with a placement, under the name that a map gives it. */
typedef struct evs__hash_choice {
    const char *name;
    const evs__key_hash *hash;
} evs__hash_choice;

enum {
    EVS__TAKES_WEIGHTS = 1,
    EVS__TAKES_POINTS = 2,    /* points_per_shard */
    EVS__TAKES_INDEX = 4,     /* shards may be numbered */
    EVS__NEEDS_INDEX = 8,     /* shards must be numbered */
    EVS__TAKES_SLOTS = 16,    /* slots, slots_total */
    EVS__TAKES_RING = 32,     /* ring_size, ring_hash */
    EVS__TAKES_TABLE = 64,    /* table_size */
    EVS__COSTS_WEIGHTS = 128, /* a look-up takes one step per unit of weight */
    EVS__TAKES_OLD_NAMES = 256
};

typedef struct evs__placement {
    const char *name;                     /* as in the map: "rendezvous" */
    const evs__hash_choice *hashes;       /* of keys, the default first; ends with a NULL name */
    const evs__hash_choice *point_hashes; /* the same of points; NULL: there is no choice */
    unsigned takes;                       /* EVS__TAKES_... */
    unsigned points, size;                /* defaults */

    /* Prepares look-ups; the result lives in `arena`. NULL when out of memory. */
    void *(*build)(evs__arena *arena, const evs__layout *layout);

    /* The number in layout->places of the shard for a key of this hash. */
    size_t (*find)(const void *built, uint64_t hash);

    /* Hashing and finding in one, where that saves something; NULL: there is no such thing. Only
     * of a placement with one hash. */
    size_t (*find_tag)(const void *built, evs_bytes tag);
} evs__placement;

/* By name; NULL when there is none. Static. */
const evs__placement *evs__placement_find(const char *name);

/* The hash that a map calls `name` with this placement; NULL when it does not go with it. */
const evs__key_hash *evs__hash_choice_find(const evs__hash_choice *choices, const char *name);

/* How many points ketama gives a shard; 0 is possible with a very small share of the weight. */
unsigned evs__ketama_points(unsigned per_shard, unsigned weight, unsigned total, size_t count);

#endif
