/*
 * place.h - the steps of routing that every key takes: its pool's tag rule, then whose the tag is.
 * Inline, so that a call can take them without a detour.
 */
#ifndef EVS_SHARDING_PLACE_H
#define EVS_SHARDING_PLACE_H

#include "sharding/hashtag.h"
#include "sharding/shardmap.h"

evs_bytes evs__tag_by_style(const evs__pool *pool, evs_bytes key); /* for evs__tag_of */

/* The part of the key that is hashed; borrowed. */
static inline evs_bytes evs__tag_of(const evs__pool *pool, evs_bytes key)
{
#ifdef __SSE2__
    if (__builtin_expect(pool->brackets && key.len >= 16 && key.len <= 32, 1))
        return evs__hash_tag_short(key, _mm_loadu_si128((const void *)pool->opens),
                                   _mm_loadu_si128((const void *)pool->closes));
#endif
    return evs__tag_by_style(pool, key);
}

/* The number of the shard in its pool, which is no cluster. */
static inline size_t evs__find_tag(const evs__pool *pool, evs_bytes tag)
{
    const evs__placement *by = pool->placement;
    return by->find_tag != NULL ? by->find_tag(pool->placed, tag)
                                : by->find(pool->placed, pool->layout.hash->of(tag));
}

/* The number of the shard in the map; of a cluster, which is one there, the slot says the rest. */
static inline size_t evs__place_tag(const evs__pool *pool, evs_bytes tag)
{
    if (pool->cluster != NULL)
        return pool->first_shard;
    return pool->first_shard + evs__find_tag(pool, tag);
}

/* The slot of a tag in a cluster; what stands for it elsewhere. */
static inline unsigned evs__slot_of(const evs__pool *pool, evs_bytes tag)
{
    if (pool->cluster == NULL)
        return EVS__ANY_SLOT;
    return (unsigned)pool->layout.hash->of(tag) & (EVS__SLOTS - 1);
}

#endif
