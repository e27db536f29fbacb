/*
 * md5.h - MD5 for rings, whose points are made of it.
 */
#ifndef EVS_SHARDING_HASH_MD5_H
#define EVS_SHARDING_HASH_MD5_H

#include <evalshard/base.h>
#include <stdint.h>

/* The digest as four little-endian numbers. */
void evs__md5(uint32_t out[4], evs_bytes data);

#endif
