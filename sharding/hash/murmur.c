/*
 * murmur.c - MurmurHash2, 32 bits (Austin Appleby, public domain), with libmemcached's seed of
 * 0xdeadbeef times the length. Check value: "a" gives 4b41757c.
 */
#include "sharding/hash.h"

static uint64_t of(evs_bytes data)
{
    const uint32_t m = 0x5bd1e995;
    const unsigned char *at = (const unsigned char *)data.data;
    size_t len = data.len;
    uint32_t h = 0xdeadbeefu * (uint32_t)len ^ (uint32_t)len;
    for (; len >= 4; len -= 4, at += 4) {
        uint32_t k = evs__le32(at) * m;
        k ^= k >> 24;
        h = h * m ^ k * m;
    }
    for (size_t i = len; i > 0; i--)
        h ^= (uint32_t)at[i - 1] << (8 * (i - 1));
    if (len > 0)
        h *= m;
    h ^= h >> 13;
    h *= m;
    return h ^ h >> 15;
}

const evs__key_hash evs__hash_murmur = {.name = "murmur", .of = of};
