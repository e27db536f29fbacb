/*
 * jenkins.c - lookup3's hashlittle (Bob Jenkins, public domain) with initial value 13, as
 * libmemcached calls it. Check value: "a" gives e0a38690.
 */
#include "sharding/hash.h"

typedef struct state {
    uint32_t a, b, c;
} state;

static inline uint32_t rotate(uint32_t x, int k)
{
    return x << k | x >> (32 - k);
}

static inline state mix(state s)
{
    s.a = (s.a - s.c) ^ rotate(s.c, 4), s.c += s.b;
    s.b = (s.b - s.a) ^ rotate(s.a, 6), s.a += s.c;
    s.c = (s.c - s.b) ^ rotate(s.b, 8), s.b += s.a;
    s.a = (s.a - s.c) ^ rotate(s.c, 16), s.c += s.b;
    s.b = (s.b - s.a) ^ rotate(s.a, 19), s.a += s.c;
    s.c = (s.c - s.b) ^ rotate(s.b, 4), s.b += s.a;
    return s;
}

static inline uint32_t finish(state s)
{
    s.c = (s.c ^ s.b) - rotate(s.b, 14);
    s.a = (s.a ^ s.c) - rotate(s.c, 11);
    s.b = (s.b ^ s.a) - rotate(s.a, 25);
    s.c = (s.c ^ s.b) - rotate(s.b, 16);
    s.a = (s.a ^ s.c) - rotate(s.c, 4);
    s.b = (s.b ^ s.a) - rotate(s.a, 14);
    return (s.c ^ s.b) - rotate(s.b, 24);
}

static inline state add(state s, const unsigned char *at)
{
    return (state){s.a + evs__le32(at), s.b + evs__le32(at + 4), s.c + evs__le32(at + 8)};
}

static uint64_t of(evs_bytes data)
{
    const unsigned char *at = (const unsigned char *)data.data;
    size_t len = data.len;
    unsigned char last[12] = {0};
    uint32_t start = 0xdeadbeefu + (uint32_t)len + 13;
    state s = {start, start, start};
    if (len == 0)
        return 0;
    for (; len > 12; len -= 12, at += 12)
        s = mix(add(s, at));
    memcpy(last, at, len);
    return finish(add(s, last));
}

const evs__key_hash evs__hash_jenkins = {.name = "jenkins", .of = of};
