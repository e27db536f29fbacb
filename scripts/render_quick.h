/*
 * render_quick.h - an EVALSHA as nearly all are: few and short keys and arguments, where all
 * lengths have a text at hand and bytes are copied some more than needed, without a call.
 */
#ifndef EVS_SCRIPTS_RENDER_QUICK_H
#define EVS_SCRIPTS_RENDER_QUICK_H

#include "scripts/render.h"

enum {
    EVS__SHORT = 32,
    EVS__MOST_QUICK = 16, /* arguments */
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
    return at + 4 + (n >= 10);
}

/* As memcpy of fewer than EVS__SHORT bytes, without a call: two pieces that may overlap. */
static inline void evs__copy_short(char *to, const char *from, size_t len)
{
    if (__builtin_expect(len >= 16, 1)) {
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

/* Everything before the keys, of which there are fewer than 10, and fewer than 100 words. */
static inline char *evs__put_quick_head(char *at, const evs__head *head, size_t count, size_t nkeys)
{
    unsigned tens = 0;
    if (__builtin_expect(count >= 10, 0)) { /* "*12" instead of "*4" */
        tens = (unsigned)count / 10;
        at[0] = '*';
        at++;
    }
    memcpy(at, head->text, sizeof head->text);
    if (__builtin_expect(tens > 0, 0))
        at[0] = (char)('0' + tens);
    at[EVS__HEAD_COUNT_AT] = (char)('0' + (unsigned)count - 10 * tens);
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

/* How many bytes must be free for evs__render_quickly of so many keys and arguments. */
static inline size_t evs__quick_room(size_t nwords)
{
    enum { ROUGHLY = 64 }; /* a length, the bytes, CR LF, and what is copied beyond */
    return sizeof(evs__head) + (nwords + 1) * ROUGHLY;
}

/* Few enough keys and arguments. */
static inline int evs__quick_fits(const evs_invocation *call)
{
    return call->nkeys < 10 && call->nargs <= EVS__MOST_QUICK;
}

/* Puts the request at `begin`, where evs__quick_room bytes are free, and returns its length; 0 when
 * one of its strings is not short. */
static inline size_t evs__render_quickly(char *begin, const evs__head *head,
                                         const evs_invocation *call)
{
    size_t nkeys = call->nkeys, nargs = call->nargs;
    char *at = evs__put_quick_head(begin, head, 3 + nkeys + nargs, nkeys);
    at = evs__put_short_ones(at, call->keys, nkeys);
    if (at != NULL && nargs > 0)
        at = evs__put_short_ones(at, call->args, nargs);
    return at == NULL ? 0 : (size_t)(at - begin);
}

/* The same of a call with one key. */
static inline __attribute__((always_inline)) size_t
evs__render_one_key(char *begin, const evs__head *head, const evs_invocation *call)
{
    size_t nargs = call->nargs;
    if (call->keys[0].len >= EVS__SHORT)
        return 0;
    char *at = evs__put_quick_head(begin, head, 4 + nargs, 1);
    at = evs__put_short_argument(at, call->keys[0]);
    if (nargs > 0)
        at = evs__put_short_ones(at, call->args, nargs);
    return at == NULL ? 0 : (size_t)(at - begin);
}

#endif
