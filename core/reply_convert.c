/*
 * What a reply is worth as a number, a truth, a text; and what is in a map. Each function says in
 * one place which types it takes; everything else is refused by name.
 */
#include <evalshard/reply.h>

#include "core/error.h"
#include "core/number.h"
#include "core/printable.h"
#include "core/reply.h"

#include <inttypes.h>
#include <stdio.h>

enum { QUOTED = 120, LONGEST_INTEGER = 24 };

/* "the reply is ..., not a number" */
static evs_status refuse(evs_error *err, const evs_reply *reply, const char *wanted)
{
    char text[QUOTED];
    evs_reply_type type = evs_reply_kind(reply);
    const char *name = evs_reply_kind_name(type);
    if (reply == NULL || !evs__reply_has_text(reply)) {
        const char *article = type == EVS_REPLY_NIL ? "" : "a ";
        if (type == EVS_REPLY_INTEGER || type == EVS_REPLY_ARRAY)
            article = "an ";
        return evs__fail(err, EVS_E_INVALID, "the reply is %s%s, not %s", article, name, wanted);
    }
    evs__printable(text, sizeof text, evs_reply_bytes(reply));
    return evs__fail(err, EVS_E_INVALID, "the reply is the %s \"%s\", not %s", name, text, wanted);
}

static int is_number_or_string(const evs_reply *reply)
{
    evs_reply_type type = evs_reply_kind(reply);
    return type == EVS_REPLY_STRING || type == EVS_REPLY_DOUBLE || type == EVS_REPLY_BIG_NUMBER;
}

static inline int has_integer(const evs_reply *reply)
{
    evs_reply_type type = evs__reply_type(reply);
    return type == EVS_REPLY_INTEGER || type == EVS_REPLY_BOOL;
}

/* Without a message; 0 when there is no such number. */
static int whole(int64_t *out, const evs_reply *reply)
{
    if (has_integer(reply))
        *out = reply->as.integer;
    else if (!is_number_or_string(reply) || !evs__number(out, evs_reply_bytes(reply)))
        return 0;
    return 1;
}

int64_t evs_reply_integer(const evs_reply *reply)
{
    int64_t n = 0;
    if (reply != NULL && reply->type == EVS_REPLY_INTEGER)
        return reply->as.integer;
    whole(&n, reply);
    return n;
}

evs_status evs_reply_int(int64_t *out, const evs_reply *reply, evs_error *err)
{
    if (whole(out, reply))
        return EVS_OK;
    if (is_number_or_string(reply) && evs__is_whole(evs_reply_bytes(reply)))
        return refuse(err, reply, "within 64 bits");
    return refuse(err, reply, "a whole number");
}

evs_status evs_reply_double(double *out, const evs_reply *reply, evs_error *err)
{
    if (evs_reply_kind(reply) == EVS_REPLY_INTEGER) {
        *out = (double)reply->as.integer;
        return EVS_OK;
    }
    if (!is_number_or_string(reply) || !evs__is_double(evs_reply_bytes(reply)))
        return refuse(err, reply, "a number");
    if (!evs__double(out, evs_reply_bytes(reply)))
        return refuse(err, reply, "within the range of a double");
    return EVS_OK;
}

evs_status evs_reply_bool(int *out, const evs_reply *reply, evs_error *err)
{
    if (evs_reply_kind(reply) == EVS_REPLY_NIL) {
        *out = 0;
        return EVS_OK;
    }
    if (!has_integer(reply))
        return refuse(err, reply, "true or false");
    if (reply->as.integer != 0 && reply->as.integer != 1)
        return evs__fail(err, EVS_E_INVALID,
                         "the reply is the integer %" PRId64 ", not true or false",
                         reply->as.integer);
    *out = (int)reply->as.integer;
    return EVS_OK;
}

evs_status evs_reply_str(evs_bytes *out, const evs_reply *reply, evs_error *err)
{
    if (reply == NULL || !evs__reply_has_text(reply) || reply->type == EVS_REPLY_ERROR)
        return refuse(err, reply, "a string");
    *out = evs_reply_bytes(reply);
    return EVS_OK;
}

static int is_key(const evs_reply *reply, evs_bytes key)
{
    char digits[LONGEST_INTEGER];
    evs_bytes text = evs_reply_bytes(reply);
    if (reply->type == EVS_REPLY_INTEGER) {
        int len = snprintf(digits, sizeof digits, "%" PRId64, reply->as.integer);
        text = (evs_bytes){digits, (size_t)len};
    } else if (!evs__reply_has_text(reply)) {
        return 0;
    }
    return text.len == key.len && (key.len == 0 || memcmp(text.data, key.data, key.len) == 0);
}

const evs_reply *evs_reply_map_get(const evs_reply *reply, evs_bytes key)
{
    evs_reply_type type = evs_reply_kind(reply);
    if (type != EVS_REPLY_MAP && type != EVS_REPLY_ARRAY)
        return NULL;
    for (size_t i = 0; i + 1 < evs_reply_count(reply); i += 2)
        if (is_key(evs_reply_at(reply, i), key))
            return evs_reply_at(reply, i + 1);
    return NULL;
}
