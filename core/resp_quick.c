#include "core/resp_quick.h"

/* A short string is copied with room behind it, at a fixed size, which costs two instructions. */
enum {
    AT_ONCE = 32,
    LONGEST_HEAD = 5, /* $12 CR LF */
    MANY = 4          /* so many values are worth looking for a run of short strings */
};

/* The head of a string of at most 31 bytes: $1 CR LF or $12 CR LF, all of which may be read.
 * Returns behind it; NULL for anything else. */
static inline const char *short_head(size_t *len, const char *p)
{
    unsigned one = (unsigned)p[1] - '0', two = (unsigned)p[2] - '0';
    if (p[0] != '$' || one > 9)
        return NULL;
    if (two > 9) {
        *len = one;
        return evs__is_crlf(p + 2) ? p + 4 : NULL;
    }
    *len = one * 10 + two;
    return *len < AT_ONCE && evs__is_crlf(p + 3) ? p + 5 : NULL;
}

/* Fills the frame with short strings, as long as bytes, arena and limit have room to spare: then
 * nothing has to be counted for each. */
static const char *short_strings(evs__build *build, const char *p, const char *end)
{
    evs__build_frame *into = &build->stack[build->top];
    size_t room = evs__arena_room(build->arena);
    if (room > build->left)
        room = build->left;
    if (room <= AT_ONCE || end - p <= LONGEST_HEAD + AT_ONCE)
        return p;
    char *from = build->arena->at, *at = from;
    const char *full = from + (room - AT_ONCE), *last = end - LONGEST_HEAD - AT_ONCE;
    evs_reply *next = into->next;
    while (next < into->end && p < last && at < full) {
        size_t len;
        const char *text = short_head(&len, p);
        if (text == NULL || !evs__is_crlf(text + len))
            break;
        memcpy(at, text, AT_ONCE);
        at[len] = '\0';
        *next++ = (evs_reply){EVS_REPLY_STRING, len, {.text = at}};
        at += len + 1;
        p = text + len + 2;
    }
    into->next = next;
    build->left -= (size_t)(at - from);
    evs__arena_take(build->arena, (size_t)(at - from));
    return p;
}

const char *evs__quick_values(evs__build *build, const char *p, const char *end)
{
    evs__build_frame *into = &build->stack[build->top];
    while (into->next < into->end && p < end) {
        const char *from = p;
        if (*p == '$' && into->end - into->next >= MANY)
            p = short_strings(build, p, end);
        if (p > from)
            continue;
        const char *behind = evs__quick_value(build, into->next, p, end);
        if (behind == NULL)
            break;
        p = behind;
        into->next++;
    }
    return p;
}

const char *evs__quick_skip(uint64_t *pending, const char *p, const char *end)
{
    int64_t number;
    evs_bytes bytes;
    for (; *pending > 0 && p < end; --*pending) {
        const char *behind = NULL;
        if (*p == '$')
            behind = evs__quick_string(&bytes, p, end);
        if (*p == ':')
            behind = evs__quick_number(&number, p + 1, end);
        if (behind == NULL)
            break;
        p = behind;
    }
    return p;
}
