/*
 * resp_quick.h - the quick ways through a reply: clean numbers and strings that are there as a
 * whole. Whatever these functions do not like, incomplete or wrong, takes the exact way in resp.c.
 */
#ifndef EVS_CORE_RESP_QUICK_H
#define EVS_CORE_RESP_QUICK_H

#include "core/resp_build.h"

static inline int evs__is_crlf(const char *p)
{
    return memcmp(p, "\r\n", 2) == 0;
}

/* Reads -?digits CRLF, at most 18 digits; NULL for anything else. */
static inline const char *evs__quick_number(int64_t *out, const char *p, const char *end)
{
    enum { DIGITS = 18 /* cannot overflow */ };
    if (end - p > 2 && (unsigned)*p - '0' <= 9 && evs__is_crlf(p + 1)) { /* most have one digit */
        *out = *p - '0';
        return p + 3;
    }
    int negative = p < end && *p == '-';
    p += negative;
    const char *first = p, *stop = end - p > DIGITS ? p + DIGITS : end;
    int64_t n = 0;
    for (unsigned digit; p < stop && (digit = (unsigned)*p - '0') <= 9; p++)
        n = n * 10 + digit;
    if (p == first || end - p < 2 || !evs__is_crlf(p))
        return NULL;
    *out = negative ? -n : n;
    return p + 2;
}

/* Reads a length of up to six digits that is not the very end of the bytes. */
static inline const char *evs__quick_length(size_t *out, const char *p, const char *end)
{
    size_t n = 0;
    const char *first = p, *stop = p + 6;
    if (end - p < 6 + 2)
        return NULL;
    for (unsigned digit; p < stop && (digit = (unsigned)*p - '0') <= 9; p++)
        n = n * 10 + digit;
    *out = n;
    return p > first && evs__is_crlf(p) ? p + 2 : NULL;
}

/* The bytes of a string that is there as a whole; NULL for anything else. */
static inline const char *evs__quick_string(evs_bytes *out, const char *p, const char *end)
{
    const char *q = evs__quick_length(&out->len, p + 1, end);
    if (q == NULL || (size_t)(end - q) < out->len + 2 || !evs__is_crlf(q + out->len))
        return NULL;
    out->data = q;
    return q + out->len + 2;
}

/* A number or a string that is there as a whole; NULL for anything else. */
static inline const char *evs__quick_value(evs__build *build, evs_reply *into, const char *p,
                                           const char *end)
{
    if (*p == ':') {
        *into = (evs_reply){EVS_REPLY_INTEGER, 0, {.integer = 0}};
        return evs__quick_number(&into->as.integer, p + 1, end);
    }
    evs_bytes bytes;
    const char *behind = *p == '$' ? evs__quick_string(&bytes, p, end) : NULL;
    if (behind == NULL || bytes.len >= build->left)
        return NULL;
    const char *text = evs__arena_text_within(build->arena, bytes.data, bytes.len,
                                              (size_t)(end - bytes.data));
    if (text == NULL)
        return NULL;
    build->left -= bytes.len + 1;
    *into = (evs_reply){EVS_REPLY_STRING, bytes.len, {.text = text}};
    return behind;
}

/* Fills the frame with such values; returns how far it came. */
const char *evs__quick_values(evs__build *build, const char *p, const char *end);

/* The same for values that are skipped; counts `*pending` down. */
const char *evs__quick_skip(uint64_t *pending, const char *p, const char *end);

#endif
