#include "scripts/render.h"

#include <stdio.h>

enum { LENGTH_ROOM = 24 }; /* '$' or '*', 20 digits, CR LF */
#define MOST_ROOM (SIZE_MAX / 4)

static const char pairs[] = "0001020304050607080910111213141516171819"
                            "2021222324252627282930313233343536373839"
                            "4041424344454647484950515253545556575859"
                            "6061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

static inline char *put_crlf(char *at)
{
    memcpy(at, "\r\n", 2);
    return at + 2;
}

static char *put_digits(char *at, size_t n)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

/* Writes `mark`, the decimal `n`, CR LF; returns the byte behind. Most numbers are short. */
static inline char *put_length(char *at, char mark, size_t n)
{
    *at++ = mark;
    if (n < 10) {
        *at++ = (char)('0' + n);
    } else if (n < 100) {
        memcpy(at, &pairs[2 * n], 2);
        at += 2;
    } else {
        at = put_digits(at, n);
    }
    return put_crlf(at);
}

/* As memcpy; what is short is copied without a call, in two pieces that may overlap. */
static inline void copy(char *to, const char *from, size_t len)
{
    if (len > 32) {
        memcpy(to, from, len);
    } else if (len >= 16) {
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

static inline char *put_argument(char *at, evs_bytes argument)
{
    at = put_length(at, '$', argument.len);
    copy(at, argument.data, argument.len);
    return put_crlf(at + argument.len);
}

static inline char *put_arguments(char *at, const evs_bytes *args, size_t count)
{
    for (size_t i = 0; i < count; i++)
        at = put_argument(at, args[i]);
    return at;
}

/* An upper bound of the bytes that arguments take, added to `room`; MOST_ROOM or more when that is
 * too much: a length of MOST_ROOM cannot make the sum overflow before it is seen. */
static inline size_t room_for(size_t room, const evs_bytes *args, size_t count)
{
    for (size_t i = 0; i < count && room < MOST_ROOM; i++)
        room += (args[i].len < MOST_ROOM ? args[i].len : MOST_ROOM) + LENGTH_ROOM + 2;
    return room;
}

void evs__head_render(evs__head *head, const char *sha1)
{
    memset(head, 0, sizeof *head);
    snprintf(head->text, sizeof head->text, "$7\r\nEVALSHA\r\n$40\r\n%s\r\n", sha1);
}

/* The number of keys is an argument too. */
static inline char *put_count(char *at, size_t n)
{
    if (n < 10) {
        at = put_length(at, '$', 1);
        *at++ = (char)('0' + n);
        return put_crlf(at);
    }
    char digits[20];
    size_t len = (size_t)(put_digits(digits, n) - digits);
    return put_argument(at, (evs_bytes){digits, len});
}

void evs__render_evalsha(evs__buf *buf, const evs__head *head, const evs_invocation *call)
{
    size_t room = room_for(sizeof head->text + 3 * LENGTH_ROOM, call->keys, call->nkeys);
    room = room_for(room, call->args, call->nargs);
    char *begin = room < MOST_ROOM ? evs__buf_reserve(buf, room) : NULL;
    if (begin == NULL) {
        buf->failed = 1;
        return;
    }
    char *at = put_length(begin, '*', 3 + call->nkeys + call->nargs);
    memcpy(at, head->text, sizeof head->text);
    at = put_count(at + EVS__HEAD_LEN, call->nkeys);
    at = put_arguments(at, call->keys, call->nkeys);
    at = put_arguments(at, call->args, call->nargs);
    buf->len += (size_t)(at - begin);
}

void evs__render_command(evs__buf *buf, const evs_bytes *args, size_t nargs)
{
    size_t room = room_for(LENGTH_ROOM, args, nargs);
    char *begin = room < MOST_ROOM ? evs__buf_reserve(buf, room) : NULL;
    if (begin == NULL) {
        buf->failed = 1;
        return;
    }
    char *at = put_length(begin, '*', nargs);
    buf->len += (size_t)(put_arguments(at, args, nargs) - begin);
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
