/*
 * murmur64a.c - MurmurHash64A (Austin Appleby, public domain), with the seeds of those who use it.
 *
 * Check value: the key "a" gives 6ee2d45a1217e2fd with Jedis' seed, 454ddee488c1ed6b with Envoy's.
 */
#include "sharding/hash/murmur64a.h"

#include "sharding/hash.h"

static inline uint64_t block(const unsigned char *at)
{
    return (uint64_t)evs__le32(at) | (uint64_t)evs__le32(at + 4) << 32;
}

uint64_t evs__murmur64a(evs_bytes data, uint64_t seed)
{
    const uint64_t m = 0xc6a4a7935bd1e995u;
    const unsigned char *at = (const unsigned char *)data.data;
    size_t len = data.len;
    uint64_t h = seed ^ (len * m);
    for (; len >= 8; len -= 8, at += 8) {
        uint64_t k = block(at) * m;
        k ^= k >> 47;
        h = (h ^ k * m) * m;
    }
    for (size_t i = len; i > 0; i--)
        h ^= (uint64_t)at[i - 1] << (8 * (i - 1));
    if (len > 0)
        h *= m;
    h ^= h >> 47;
    h *= m;
    return h ^ h >> 47;
}

/* The seed of libstdc++'s std::hash. */
static uint64_t envoy(evs_bytes data)
{
    return evs__murmur64a(data, 0xc70f6907u);
}

static uint64_t jedis(evs_bytes data)
{
    return evs__murmur64a(data, 0x1234abcdu);
}

static uint64_t mcrouter(evs_bytes data)
{
    return evs__murmur64a(data, 4193360111u);
}

const evs__key_hash evs__hash_murmur64a_envoy = {.name = "murmur64a-envoy", .of = envoy};
const evs__key_hash evs__hash_murmur64a_jedis = {.name = "murmur64a-jedis", .of = jedis};
const evs__key_hash evs__hash_murmur64a_mcrouter = {.name = "murmur64a-mcrouter", .of = mcrouter};
