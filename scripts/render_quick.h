/*
 * render_quick.h - an EVALSHA as nearly all are: few and short keys and arguments, where all
 * lengths have a text at hand and bytes are copied some more than needed, without a call.
 */
#ifndef EVS_SCRIPTS_RENDER_QUICK_H
#define EVS_SCRIPTS_RENDER_QUICK_H

#include "scripts/render.h"

enum {
    EVS__SHORT = 32,     /* a power of two */
    EVS__MOST_QUICK = 6, /* keys and arguments: with the three words before, one digit */
    EVS__QUICK_ROOM = (int)sizeof(evs__head) + (EVS__MOST_QUICK + 1) * (EVS__SHORT + 8),
    EVS__LENGTHS = 100,
    /* in the head of an EVALSHA */
    EVS__HEAD_COUNT_AT = 1, /* the digit of the number of arguments */
    EVS__HEAD_FIXED_AT = 4, /* the command and the SHA, whatever their number */
    EVS__HEAD_FIXED_LEN = 60,
    /* the digit of the number of keys */
    EVS__HEAD_NKEYS_AT = EVS__HEAD_FIXED_AT + EVS__HEAD_FIXED_LEN + 4,
    EVS__HEAD_LEN = EVS__HEAD_NKEYS_AT + 3
};

/* The lengths of short strings, ready to be copied eight bytes at a time. */
extern const char evs__lengths[EVS__LENGTHS][8];

static inline char *evs__put_crlf(char *at)
{
    memcpy(at, "\r\n", 2);
    return at + 2;
}

/* The length of a string, below EVS__LENGTHS; eight bytes are written in any case. */
static inline char *evs__put_length(char *at, size_t n)
{
    memcpy(at, evs__lengths[n], sizeof evs__lengths[0]);
    return at + (n < 10 ? 4 : 5);
}

/* As memcpy of fewer than EVS__SHORT bytes, without a call: two pieces that may overlap. */
static inline void evs__copy_short(char *to, const char *from, size_t len)
{
    if (len >= 16) {
        memcpy(to, from, 16);
        memcpy(to + len - 16, from + len - 16, 16);
    } else if (len >= 8) {
        memcpy(to, from, 8);
        memcpy(to + len - 8, from + len - 8, 8);
    } else {
        for (size_t i = 0; i < len; i++)
            to[i] = from[i];
    }
}

static inline char *evs__put_short_argument(char *at, evs_bytes argument)
{
    at = evs__put_length(at, argument.len);
    evs__copy_short(at, argument.data, argument.len);
    return evs__put_crlf(at + argument.len);
}

/* Everything before the keys, when all numbers have one digit. */
static inline char *evs__put_quick_head(char *at, const evs__head *head, size_t count, size_t nkeys)
{
    memcpy(at, head->text, sizeof head->text);
    at[EVS__HEAD_COUNT_AT] = (char)('0' + count);
    at[EVS__HEAD_NKEYS_AT] = (char)('0' + nkeys);
    return at + EVS__HEAD_LEN;
}

/* NULL when one of them is not short. */
static inline char *evs__put_short_ones(char *at, const evs_bytes *args, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (args[i].len >= EVS__SHORT)
            return NULL;
        at = evs__put_short_argument(at, args[i]);
    }
    return at;
}

/* Puts the request at `begin`, where EVS__QUICK_ROOM bytes are free, and returns its length; 0 when
 * it is not of that kind. */
static inline size_t evs__render_quickly(char *begin, const evs__head *head,
                                         const evs_invocation *call)
{
    size_t nkeys = call->nkeys, nargs = call->nargs;
    if (nkeys + nargs > EVS__MOST_QUICK)
        return 0;
    char *at = evs__put_quick_head(begin, head, 3 + nkeys + nargs, nkeys);
    at = evs__put_short_ones(at, call->keys, nkeys);
    if (at != NULL && nargs > 0)
        at = evs__put_short_ones(at, call->args, nargs);
    return at == NULL ? 0 : (size_t)(at - begin);
}

#endif
