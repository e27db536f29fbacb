/*
 * hash64.h - the one caller of xxhash.
 */
#ifndef EVS_CORE_HASH64_H
#define EVS_CORE_HASH64_H

#include <evalshard/base.h>
#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define EVS__FROM_LITTLE_64(x) __builtin_bswap64(x)
#define EVS__FROM_LITTLE_32(x) __builtin_bswap32(x)
#else
#define EVS__FROM_LITTLE_64(x) (x)
#define EVS__FROM_LITTLE_32(x) (x)
#endif

/* XXH64: placement. Frozen for ever. */
uint64_t evs__xxh64(evs_bytes data, uint64_t seed);

enum { EVS__XXH64_STRIPE = 32 };

#define EVS__XXH64_1 0x9e3779b185ebca87u
#define EVS__XXH64_2 0xc2b2ae3d27d4eb4fu
#define EVS__XXH64_3 0x165667b19e3779f9u
#define EVS__XXH64_4 0x85ebca77c2b2ae63u
#define EVS__XXH64_5 0x27d4eb2f165667c5u

static inline uint64_t evs__rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static inline uint64_t evs__xxh64_eight(uint64_t h, const char *at)
{
    uint64_t eight;
    memcpy(&eight, at, sizeof eight);
    h ^= evs__rotate(EVS__FROM_LITTLE_64(eight) * EVS__XXH64_2, 31) * EVS__XXH64_1;
    return evs__rotate(h, 27) * EVS__XXH64_1 + EVS__XXH64_4;
}

static inline uint64_t evs__xxh64_one(uint64_t h, char c)
{
    return evs__rotate(h ^ (unsigned char)c * EVS__XXH64_5, 11) * EVS__XXH64_1;
}

static inline uint64_t evs__xxh64_end(uint64_t h)
{
    h = (h ^ h >> 33) * EVS__XXH64_2;
    h = (h ^ h >> 29) * EVS__XXH64_3;
    return h ^ h >> 32;
}

/* The same of fewer than 32 bytes with seed 0, which is what most tags are: without a call, and
 * without what only long ones need. Check value: "abc" gives 44bc2cf5ad770999. */
static inline uint64_t evs__xxh64_short(evs_bytes data)
{
    const char *at = data.data;
    size_t left = data.len;
    uint64_t h = EVS__XXH64_5 + left;
    uint32_t four;
    if (left & 16) {
        h = evs__xxh64_eight(evs__xxh64_eight(h, at), at + 8);
        at += 16;
    }
    if (left & 8) {
        h = evs__xxh64_eight(h, at);
        at += 8;
    }
    if (left & 4) {
        memcpy(&four, at, sizeof four);
        h ^= EVS__FROM_LITTLE_32(four) * EVS__XXH64_1;
        h = evs__rotate(h, 23) * EVS__XXH64_2 + EVS__XXH64_3;
        at += 4;
    }
    if (left & 2)
        h = evs__xxh64_one(evs__xxh64_one(h, at[0]), at[1]);
    if (left & 1)
        h = evs__xxh64_one(h, at[left & 2]);
    return evs__xxh64_end(h);
}

/* The same of any length, with seed 0. */
static inline uint64_t evs__xxh64_plain(evs_bytes data)
{
    return data.len < EVS__XXH64_STRIPE ? evs__xxh64_short(data) : evs__xxh64(data, 0);
}

/* XXH3: internal tables. May change between versions. */
uint64_t evs__hash(evs_bytes data);

#endif
