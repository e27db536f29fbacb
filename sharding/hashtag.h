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

/* Borrowed from `key`. `open` and `close` both NUL: there are no tags. */
static inline evs_bytes evs__hash_tag(evs_bytes key, char open, char close)
{
    if (key.len == 0 || (open == '\0' && close == '\0'))
        return key;
    const char *start = memchr(key.data, open, key.len);
    if (start == NULL)
        return key;
    start++;
    size_t rest = key.len - (size_t)(start - key.data);
    const char *end = memchr(start, close, rest);
    if (end == NULL || end == start)
        return key;
    return (evs_bytes){start, (size_t)(end - start)};
}

/* Codis: between the first brace and the first closing one behind it, even when that is nothing. */
evs_bytes evs__hash_tag_codis(evs_bytes key);

/* Jedis: the first match of \{(.+?)\}, where `.` is any character but a line break. */
evs_bytes evs__hash_tag_jedis(evs_bytes key);

#endif
