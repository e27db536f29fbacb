/*
 * hash.h - a hash of keys is one const struct in one file below hash/. It is frozen: what other
 * software calls by the same name and computes differently is a struct of its own.
 *
 * Placements name the hashes they work with (placement.h). The family that twemproxy and
 * libmemcached share is 32 bits wide and gives 0 for an empty key.
 */
#ifndef EVS_SHARDING_HASH_H
#define EVS_SHARDING_HASH_H

#include <evalshard/base.h>
#include <stdint.h>

typedef struct evs__key_hash evs__key_hash;

struct evs__key_hash {
    const char *name; /* unique: it enters the fingerprint */
    uint64_t (*of)(evs_bytes data);
    const evs__key_hash *unsigned_twin; /* what machines with unsigned chars compute; NULL: same */
};

#define EVS_HASH(name) extern const evs__key_hash evs__hash_##name;
#include "sharding/hashes.def"
#undef EVS_HASH

/* Bytes as C's plain char shows them: signed on x86, unsigned on ARM. */
static inline uint32_t evs__signed_byte(char c)
{
    return (uint32_t)(int32_t)(signed char)c;
}

static inline uint32_t evs__unsigned_byte(char c)
{
    return (unsigned char)c;
}

/* Four bytes as a little-endian number, on any machine. */
static inline uint32_t evs__le32(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

#endif
