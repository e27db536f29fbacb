/* one_at_a_time.c - Bob Jenkins' one-at-a-time. Check value: "a" gives ca2e9442. */
#include "sharding/hash.h"

static inline uint32_t mix(uint32_t v, uint32_t byte)
{
    v += byte;
    v += v << 10;
    return v ^ v >> 6;
}

static inline uint32_t finish(uint32_t v)
{
    v += v << 3;
    v ^= v >> 11;
    return v + (v << 15);
}

static uint64_t of_signed(evs_bytes data)
{
    uint32_t v = 0;
    for (size_t i = 0; i < data.len; i++)
        v = mix(v, evs__signed_byte(data.data[i]));
    return finish(v);
}

static uint64_t of_unsigned(evs_bytes data)
{
    uint32_t v = 0;
    for (size_t i = 0; i < data.len; i++)
        v = mix(v, evs__unsigned_byte(data.data[i]));
    return finish(v);
}

static const evs__key_hash twin = {.name = "one_at_a_time-unsigned", .of = of_unsigned};

const evs__key_hash evs__hash_one_at_a_time = {
    .name = "one_at_a_time", .of = of_signed, .unsigned_twin = &twin};
