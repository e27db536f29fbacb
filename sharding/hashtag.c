/* hashtag.c - keys of any length, and the rules of Codis and Jedis. */
#include "sharding/hashtag.h"

evs_bytes evs__hash_tag_any(evs_bytes key, char open, char close)
{
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

evs_bytes evs__hash_tag_codis(evs_bytes key)
{
    const char *start = key.len == 0 ? NULL : memchr(key.data, '{', key.len);
    if (start == NULL)
        return key;
    start++;
    const char *end = memchr(start, '}', key.len - (size_t)(start - key.data));
    return end == NULL ? key : (evs_bytes){start, (size_t)(end - start)};
}

/* What `.` does not match in a regular expression of Java: LF, CR, NEL, LS, PS in UTF-8. */
static int breaks_line(const char *at, size_t left)
{
    static const char *const breaks[] = {"\n", "\r", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        size_t len = strlen(breaks[i]);
        if (len <= left && memcmp(at, breaks[i], len) == 0)
            return 1;
    }
    return 0;
}

/* The end of the tag that begins at `start`: the first closing brace behind its first character;
 * NULL when a line ends before. */
static const char *end_of(const char *start, const char *end)
{
    for (const char *at = start; at < end; at++) {
        if (at > start && *at == '}')
            return at;
        if (breaks_line(at, (size_t)(end - at)))
            return NULL;
    }
    return NULL;
}

evs_bytes evs__hash_tag_jedis(evs_bytes key)
{
    const char *end = key.data + key.len;
    for (const char *at = key.data; at < end; at++) {
        const char *stop = *at == '{' ? end_of(at + 1, end) : NULL;
        if (stop != NULL)
            return (evs_bytes){at + 1, (size_t)(stop - at - 1)};
    }
    return key;
}
