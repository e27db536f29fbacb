/*
 * hashtag.h - the part of a key that is hashed.
 *
 * The rule of Redis, and of twemproxy for any two characters: the bytes between the first opening
 * character and the first closing one behind it; the whole key when either is missing or nothing
 * stands between them. Codis and Jedis have rules of their own.
 */
#ifndef EVS_SHARDING_HASHTAG_H
#define EVS_SHARDING_HASHTAG_H

#include <evalshard/base.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>

/* Which of 16 to 32 bytes are that of `wanted`: a bit for each. */
static inline uint64_t evs__where(evs_bytes text, __m128i wanted)
{
    const char *last = text.data + text.len - 16;
    __m128i head = _mm_loadu_si128((const __m128i *)(const void *)text.data);
    __m128i tail = _mm_loadu_si128((const __m128i *)(const void *)last);
    uint64_t in_head = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(head, wanted));
    uint64_t in_tail = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(tail, wanted));
    return in_head | in_tail << (text.len - 16);
}

/* The tag of a key that is as long as most are, without calling memchr; each of the two characters
 * 16 times. */
static inline evs_bytes evs__hash_tag_short(evs_bytes key, __m128i open, __m128i close)
{
    uint64_t opens = evs__where(key, open);
    if (opens == 0)
        return key;
    unsigned start = (unsigned)__builtin_ctzll(opens) + 1;
    uint64_t closes = evs__where(key, close) >> start;
    if (closes == 0 || (closes & 1) != 0)
        return key;
    return (evs_bytes){key.data + start, (size_t)__builtin_ctzll(closes)};
}
#endif

evs_bytes evs__hash_tag_any(evs_bytes key, char open, char close); /* for evs__hash_tag */

/* Borrowed from `key`. `open` and `close` both NUL: there are no tags. */
static inline evs_bytes evs__hash_tag(evs_bytes key, char open, char close)
{
    if (key.len == 0 || (open == '\0' && close == '\0'))
        return key;
#ifdef __SSE2__
    if (key.len >= 16 && key.len <= 32)
        return evs__hash_tag_short(key, _mm_set1_epi8(open), _mm_set1_epi8(close));
#endif
    return evs__hash_tag_any(key, open, close);
}

/* Codis: between the first brace and the first closing one behind it, even when that is nothing. */
evs_bytes evs__hash_tag_codis(evs_bytes key);

/* Jedis: the first match of \{(.+?)\}, where `.` is any character but a line break. */
evs_bytes evs__hash_tag_jedis(evs_bytes key);

#endif
