#include "scripts/render.h"

#include <stdio.h>

enum { LENGTH_ROOM = 24 }; /* '$' or '*', 20 digits, CR LF */

/* Writes `mark`, the decimal `n`, CR LF; returns the byte behind. */
static char *put_length(char *at, char mark, size_t n)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);

    *at++ = mark;
    while (count > 0)
        *at++ = digits[--count];
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

static char *put_argument(char *at, evs_bytes argument)
{
    at = put_length(at, '$', argument.len);
    if (argument.len > 0)
        memcpy(at, argument.data, argument.len);
    at += argument.len;
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

/* An upper bound of the bytes that `count` arguments take; SIZE_MAX when that overflows. */
static size_t room_for(const evs_bytes *args, size_t count)
{
    size_t room = 0;
    for (size_t i = 0; i < count; i++) {
        size_t next = room + args[i].len + LENGTH_ROOM + 2;
        if (next < room || args[i].len > SIZE_MAX / 4)
            return SIZE_MAX;
        room = next;
    }
    return room;
}

void evs__head_render(evs__head *head, const char *sha1, size_t nkeys)
{
    char count[24];
    int digits = snprintf(count, sizeof count, "%zu", nkeys);
    int len = snprintf(head->text, sizeof head->text,
                       "\r\n$7\r\nEVALSHA\r\n$40\r\n%s\r\n$%d\r\n%s\r\n", sha1, digits, count);
    head->nkeys = nkeys;
    head->len = (size_t)len;
}

void evs__render_evalsha(evs__buf *buf, const evs__head *head, const evs_bytes *keys,
                         const evs_bytes *args, size_t nargs)
{
    size_t of_keys = room_for(keys, head->nkeys), of_args = room_for(args, nargs);
    if (of_keys >= SIZE_MAX / 4 || of_args >= SIZE_MAX / 4) {
        buf->failed = 1;
        return;
    }
    char *begin = evs__buf_reserve(buf, LENGTH_ROOM + head->len + of_keys + of_args);
    if (begin == NULL)
        return;

    char *at = put_length(begin, '*', 3 + head->nkeys + nargs) - 2; /* the head begins with CR LF */
    memcpy(at, head->text, head->len);
    at += head->len;
    for (size_t i = 0; i < head->nkeys; i++)
        at = put_argument(at, keys[i]);
    for (size_t i = 0; i < nargs; i++)
        at = put_argument(at, args[i]);
    buf->len += (size_t)(at - begin);
}

void evs__render_command(evs__buf *buf, const evs_bytes *args, size_t nargs)
{
    size_t room = room_for(args, nargs);
    char *begin = room >= SIZE_MAX / 4 ? NULL : evs__buf_reserve(buf, LENGTH_ROOM + room);
    if (begin == NULL) {
        buf->failed = 1;
        return;
    }
    char *at = put_length(begin, '*', nargs);
    for (size_t i = 0; i < nargs; i++)
        at = put_argument(at, args[i]);
    buf->len += (size_t)(at - begin);
}

/* Reads "$12\r\n" or "*3\r\n" at `*at`; the request is ours, so it is well-formed. */
static size_t take_length(const char **at)
{
    size_t n = 0;
    for ((*at)++; **at != '\r'; (*at)++)
        n = n * 10 + (size_t)(**at - '0');
    *at += 2;
    return n;
}

evs_bytes evs__rendered_argument(evs_bytes request, size_t index)
{
    evs_bytes none = {NULL, 0};
    if (request.len == 0)
        return none;
    const char *at = request.data;
    if (index >= take_length(&at))
        return none;
    for (;; index--) { /* at most as many rounds as the request has arguments */
        evs_bytes argument;
        argument.len = take_length(&at);
        argument.data = at;
        if (index == 0)
            return argument;
        at += argument.len + 2;
    }
}
