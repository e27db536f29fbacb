/*
 * hsieh.c - SuperFastHash (Paul Hsieh) begun with 0 instead of the length, as twemproxy does.
 * Check value: "a" gives 93642e87.
 */
#include "sharding/hash.h"

static inline uint32_t get16(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static inline uint32_t finish(uint32_t h)
{
    h ^= h << 3;
    h += h >> 5;
    h ^= h << 4;
    h += h >> 17;
    h ^= h << 25;
    return h + (h >> 6);
}

/* The one to three bytes behind the last group of four; `third` is the third as plain char. */
static inline uint32_t tail(uint32_t h, const unsigned char *at, size_t len, uint32_t third)
{
    if (len == 3) {
        h += get16(at);
        h ^= h << 16;
        h ^= third << 18;
        return h + (h >> 11);
    }
    if (len == 2) {
        h += get16(at);
        h ^= h << 11;
        return h + (h >> 17);
    }
    h += at[0];
    h ^= h << 10;
    return h + (h >> 1);
}

static inline uint32_t groups(evs_bytes data)
{
    const unsigned char *at = (const unsigned char *)data.data;
    uint32_t h = 0;
    for (size_t i = 0; i < data.len / 4; i++, at += 4) {
        h += get16(at);
        h = h << 16 ^ (get16(at + 2) << 11 ^ h);
        h += h >> 11;
    }
    return h;
}

static inline uint64_t hash(evs_bytes data, uint32_t third)
{
    size_t rest = data.len % 4;
    uint32_t h = groups(data);
    if (rest > 0)
        h = tail(h, (const unsigned char *)data.data + data.len - rest, rest, third);
    return finish(h);
}

static uint64_t of_signed(evs_bytes data)
{
    return data.len == 0 ? 0 : hash(data, evs__signed_byte(data.data[data.len - 1]));
}

static uint64_t of_unsigned(evs_bytes data)
{
    return data.len == 0 ? 0 : hash(data, evs__unsigned_byte(data.data[data.len - 1]));
}

static const evs__key_hash twin = {.name = "hsieh-unsigned", .of = of_unsigned};

const evs__key_hash evs__hash_hsieh = {.name = "hsieh", .of = of_signed, .unsigned_twin = &twin};
