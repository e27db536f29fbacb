#include "scripts/render_quick.h"

#include <stdio.h>

enum {
    LENGTH_ROOM = 24 /* '$' or '*', 20 digits, CR LF */
};

#define ONE(d)    "$" #d "\r\n\0\0\0"
#define TWO(d, e) "$" #d #e "\r\n\0\0"
#define TEN(d)                                                                              \
    TWO(d, 0), TWO(d, 1), TWO(d, 2), TWO(d, 3), TWO(d, 4), TWO(d, 5), TWO(d, 6), TWO(d, 7), \
        TWO(d, 8), TWO(d, 9)
const char evs__lengths[EVS__LENGTHS][8] = {ONE(0), ONE(1), ONE(2), ONE(3), ONE(4), ONE(5), ONE(6),
                                            ONE(7), ONE(8), ONE(9), TEN(1), TEN(2), TEN(3), TEN(4),
                                            TEN(5), TEN(6), TEN(7), TEN(8), TEN(9)};

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

/* Writes `mark`, the decimal `n`, CR LF; returns the byte behind. */
static char *put_number(char *at, char mark, size_t n)
{
    *at = mark;
    return evs__put_crlf(put_digits(at + 1, n));
}

static inline char *put_argument(char *at, evs_bytes argument)
{
    if (argument.len < EVS__SHORT)
        return evs__put_short_argument(at, argument);
    at = argument.len < EVS__LENGTHS ? evs__put_length(at, argument.len)
                                     : put_number(at, '$', argument.len);
    memcpy(at, argument.data, argument.len);
    return evs__put_crlf(at + argument.len);
}

static inline char *put_arguments(char *at, const evs_bytes *args, size_t count)
{
    for (size_t i = 0; i < count; i++)
        at = put_argument(at, args[i]);
    return at;
}

/* All bytes of arguments and `room`; SIZE_MAX, which nobody has, when it is more than that. */
static inline size_t add_lengths(size_t room, const evs_bytes *args, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (__builtin_add_overflow(room, args[i].len, &room))
            return SIZE_MAX;
    return room;
}

/* What so many arguments take besides their bytes, and the head. No overflow: they are in memory.
 */
static inline size_t room_around(size_t count)
{
    return sizeof(evs__head) + (3 + count) * (LENGTH_ROOM + 2);
}

void evs__head_render(evs__head *head, const char *sha1)
{
    memset(head, 0, sizeof *head);
    snprintf(head->text, sizeof head->text, "*4\r\n$7\r\nEVALSHA\r\n$40\r\n%s\r\n$1\r\n1\r\n",
             sha1);
}

static char *put_head(char *at, const evs__head *head, size_t count, size_t nkeys)
{
    if (count < 100 && nkeys < 10)
        return evs__put_quick_head(at, head, count, nkeys);
    char digits[EVS__SHORT]; /* 20 would do, if compilers saw it */
    size_t len = (size_t)(put_digits(digits, nkeys) - digits);
    at = put_number(at, '*', count);
    memcpy(at, head->text + EVS__HEAD_FIXED_AT, EVS__HEAD_FIXED_LEN);
    return put_argument(at + EVS__HEAD_FIXED_LEN, (evs_bytes){digits, len});
}

static __attribute__((noinline)) void render_any(evs__buf *buf, const evs__head *head,
                                                 const evs_invocation *call)
{
    size_t room = add_lengths(room_around(call->nkeys + call->nargs), call->keys, call->nkeys);
    char *begin = evs__buf_reserve(buf, add_lengths(room, call->args, call->nargs));
    if (begin == NULL)
        return;
    char *at = put_head(begin, head, 3 + call->nkeys + call->nargs, call->nkeys);
    at = put_arguments(at, call->keys, call->nkeys);
    at = put_arguments(at, call->args, call->nargs);
    buf->len += (size_t)(at - begin);
}

/* Few and short arguments and room for them are the usual case, which calls no function. */
void evs__render_evalsha(evs__buf *buf, const evs__head *head, const evs_invocation *call)
{
    size_t len = 0;
    if (evs__quick_fits(call) && buf->cap - buf->len > evs__quick_room(call->nkeys + call->nargs) &&
        !buf->failed)
        len = evs__render_quickly(buf->data + buf->len, head, call);
    if (len > 0)
        buf->len += len;
    else
        render_any(buf, head, call);
}

void evs__render_evalsha_ro(evs__buf *buf, const char *sha1, const evs_invocation *call)
{
    char digits[20];
    evs_bytes first[] = {evs_text("EVALSHA_RO"), evs_text(sha1), {digits, 0}};
    first[2].len = (size_t)(put_digits(digits, call->nkeys) - digits);
    size_t room = add_lengths(room_around(call->nkeys + call->nargs), call->keys, call->nkeys);
    char *begin = evs__buf_reserve(buf, add_lengths(room, call->args, call->nargs));
    if (begin == NULL)
        return;
    char *at = put_number(begin, '*', 3 + call->nkeys + call->nargs);
    at = put_arguments(at, first, 3);
    at = put_arguments(at, call->keys, call->nkeys);
    at = put_arguments(at, call->args, call->nargs);
    buf->len += (size_t)(at - begin);
}

void evs__render_command(evs__buf *buf, const evs_bytes *args, size_t nargs)
{
    char *begin = evs__buf_reserve(buf, add_lengths(room_around(nargs), args, nargs));
    if (begin == NULL)
        return;
    char *at = put_number(begin, '*', nargs);
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
