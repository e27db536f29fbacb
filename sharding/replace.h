/*
 * replace.h - one map after another: what may not change silently. The verdict itself is public:
 * evs_shardmap_may_follow.
 */
#ifndef EVS_SHARDING_REPLACE_H
#define EVS_SHARDING_REPLACE_H

#include "sharding/shardmap.h"

/* Of how many of `count` made-up keys the shard changes. A shard is the same when pool and name
 * are, or address and db. The keys begin with the prefixes of the routes of both maps, in turn. */
size_t evs__moved_keys(const evs_shardmap *old, const evs_shardmap *next, size_t count);

#endif
