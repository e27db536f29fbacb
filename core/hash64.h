/*
 * hash64.h - the one caller of xxhash.
 */
#ifndef EVS_CORE_HASH64_H
#define EVS_CORE_HASH64_H

#include <evalshard/base.h>
#include <stdint.h>

/* XXH64: placement. Frozen for ever. */
uint64_t evs__xxh64(evs_bytes data, uint64_t seed);

/* XXH3: internal tables. May change between versions. */
uint64_t evs__hash(evs_bytes data);

#endif
