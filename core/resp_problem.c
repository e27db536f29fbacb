/* What is said of bytes that are no reply. */
#include "core/resp_inner.h"

#include "core/printable.h"

#include <stdio.h>

enum { QUOTED = 64 /* characters of the stream in a complaint */ };

const char *evs__resp_lose(evs__resp *resp, const char *what, const char *p, const char *end)
{
    char byte[8], around[QUOTED];
    evs__printable(byte, sizeof byte, (evs_bytes){p, 1});
    evs__printable(around, sizeof around, (evs_bytes){p, (size_t)(end - p)});
    snprintf(resp->problem, sizeof resp->problem, "expected %s, got '%s' (%s)", what, byte, around);
    resp->phase = EVS__LOST;
    return p;
}

static const char *expected(unsigned char type)
{
    switch (type) {
    case ':':
        return "a number";
    case ',':
        return "a double";
    case '(':
        return "a big number";
    case '#':
        return "t or f";
    case '_':
        return "nothing";
    case '=':
        return "the length of a string with a format";
    case '$':
    case '!':
        return "the length of a string";
    case '%':
    case '|':
        return "the number of pairs";
    default:
        return "the length of an array";
    }
}

const char *evs__resp_lose_line(evs__resp *resp, evs_bytes line, const char *p)
{
    char quoted[QUOTED];
    int streamed = line.len > 0 && line.data[0] == '?';
    evs__printable(quoted, sizeof quoted, line);
    if (streamed && evs__resp_rows[resp->type].shape >= EVS__SHAPE_BYTES)
        snprintf(resp->problem, sizeof resp->problem,
                 "streamed replies are not supported, got '%c?'", resp->type);
    else
        snprintf(resp->problem, sizeof resp->problem, "expected %s behind '%c', got '%s'",
                 expected(resp->type), resp->type, quoted);
    resp->phase = EVS__LOST;
    return p;
}

const char *evs__resp_lose_number(evs__resp *resp, int64_t n, const char *p)
{
    char digits[EVS__RESP_HEAD];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)n);
    return evs__resp_lose_line(resp, (evs_bytes){digits, (size_t)len}, p);
}
