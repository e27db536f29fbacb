/*
 * murmur64a.h - MurmurHash64A for placements that hash more than keys.
 */
#ifndef EVS_SHARDING_HASH_MURMUR64A_H
#define EVS_SHARDING_HASH_MURMUR64A_H

#include <evalshard/base.h>
#include <stdint.h>

uint64_t evs__murmur64a(evs_bytes data, uint64_t seed);

#endif
