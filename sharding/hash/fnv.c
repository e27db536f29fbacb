/*
 * fnv.c - the four FNV hashes of twemproxy and libmemcached.
 *
 * `fnv1a_64` keeps 32 bits of state, so it is not the FNV-1a that others know; `fnv1_64` keeps 64
 * and gives the low half. Bytes from 0x80 on are extended by their sign, as plain char is on x86.
 * Check values for "a": fnv1_64 8601b7be, fnv1a_64 8601ec8c, fnv1_32 050c5d7e, fnv1a_32 e40c292c.
 */
#include "sharding/hash.h"

static const uint64_t prime_64 = 0x100000001b3u;
static const uint32_t prime_32 = 16777619u, start_32 = 2166136261u;

/* One hash, as machines with signed and with unsigned chars compute it. Each byte waits for the one
 * before, so the loop takes four at a time, to do little else meanwhile. */
#define FUNCTION(id, type, start, char_of, step)          \
    static inline type id##_byte(type h, char c)          \
    {                                                     \
        uint32_t byte = char_of(c);                       \
        return step;                                      \
    }                                                     \
    static uint64_t id(evs_bytes data)                    \
    {                                                     \
        type h = start;                                   \
        const char *at = data.data, *end = at + data.len; \
        for (; end - at >= 4; at += 4) {                  \
            h = id##_byte(id##_byte(h, at[0]), at[1]);    \
            h = id##_byte(id##_byte(h, at[2]), at[3]);    \
        }                                                 \
        for (; at < end; at++)                            \
            h = id##_byte(h, *at);                        \
        return data.len == 0 ? 0 : (uint32_t)h;           \
    }

#define HASH(id, type, start, step)                                                \
    FUNCTION(id, type, start, evs__signed_byte, step)                              \
    FUNCTION(id##_unsigned, type, start, evs__unsigned_byte, step)                 \
    static const evs__key_hash id##_twin = {#id "-unsigned", id##_unsigned, NULL}; \
    const evs__key_hash evs__hash_##id = {#id, id, &id##_twin};

HASH(fnv1_64, uint64_t, 0xcbf29ce484222325u, (prime_64 * h) ^ (uint64_t)(int64_t)(int32_t)byte)
HASH(fnv1a_64, uint32_t, 0x84222325u, (h ^ byte) * (uint32_t)prime_64)
HASH(fnv1_32, uint32_t, start_32, (prime_32 * h) ^ byte)
HASH(fnv1a_32, uint32_t, start_32, (h ^ byte) * prime_32)
