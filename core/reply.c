/*
 * Reading and copying replies.
 *
 * A copy is one block: the root, then all other elements level by level, then all text. Elements
 * are copied breadth first with the copy itself as the queue, so that pass needs no stack.
 * Counting recurses; the reader bounds the depth (EVS__RESP_DEEPEST).
 */
#include <evalshard/reply.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/reply.h"

evs_reply_type evs_reply_kind(const evs_reply *reply)
{
    return evs__reply_type(reply);
}

evs_bytes evs_reply_bytes(const evs_reply *reply)
{
    if (reply == NULL || !evs__reply_has_text(reply))
        return (evs_bytes){"", 0};
    return (evs_bytes){reply->as.text, reply->len};
}

evs_bytes evs_reply_format(const evs_reply *reply)
{
    if (evs_reply_kind(reply) != EVS_REPLY_VERBATIM)
        return (evs_bytes){"", 0};
    return (evs_bytes){reply->as.text - EVS__REPLY_FORMAT, EVS__REPLY_FORMAT - 1};
}

const char *evs_reply_kind_name(evs_reply_type type)
{
    static const char *const names[] = {
        [EVS_REPLY_NIL] = "nil",
        [EVS_REPLY_STRING] = "string",
        [EVS_REPLY_STATUS] = "status",
        [EVS_REPLY_ERROR] = "error",
        [EVS_REPLY_INTEGER] = "integer",
        [EVS_REPLY_ARRAY] = "array",
        [EVS_REPLY_DOUBLE] = "double",
        [EVS_REPLY_BOOL] = "bool",
        [EVS_REPLY_BIG_NUMBER] = "big number",
        [EVS_REPLY_VERBATIM] = "verbatim string",
        [EVS_REPLY_MAP] = "map",
        [EVS_REPLY_SET] = "set",
    };
    return (size_t)type < sizeof names / sizeof names[0] ? names[type] : "unknown";
}

size_t evs_reply_count(const evs_reply *reply)
{
    return reply != NULL && evs__reply_has_items(reply) ? reply->len : 0;
}

const evs_reply *evs_reply_at(const evs_reply *reply, size_t index)
{
    return index < evs_reply_count(reply) ? &reply->as.items[index] : NULL;
}

static size_t format_len(const evs_reply *reply)
{
    return reply->type == EVS_REPLY_VERBATIM ? EVS__REPLY_FORMAT : 0;
}

static void measure(const evs_reply *reply, size_t *elements, size_t *bytes)
{
    *elements += 1;
    if (evs__reply_has_text(reply))
        *bytes += format_len(reply) + reply->len + 1;
    for (size_t i = 0; i < evs_reply_count(reply); i++)
        measure(&reply->as.items[i], elements, bytes);
}

static char *keep_text(evs_reply *reply, char *room)
{
    size_t before = format_len(reply);
    memcpy(room, reply->as.text - before, before + reply->len + 1);
    room += before;
    reply->as.text = room;
    return room + reply->len + 1;
}

/* Moves the items of `reply` to the end of the queue. */
static evs_reply *keep_items(evs_reply *reply, evs_reply *end)
{
    if (reply->len > 0)
        memcpy(end, reply->as.items, reply->len * sizeof *end);
    reply->as.items = end;
    return end + reply->len;
}

/* Fills a block that has room for the elements and the texts behind them. */
static void copy_into(evs_reply *copy, const evs_reply *reply, size_t elements)
{
    char *room = (char *)(copy + elements);
    evs_reply *end = copy + 1;
    *copy = *reply;
    for (evs_reply *at = copy; at < end; at++) {
        if (evs__reply_has_text(at))
            room = keep_text(at, room);
        if (evs__reply_has_items(at))
            end = keep_items(at, end);
    }
}

evs_status evs_reply_copy(evs_reply **out, const evs_reply *reply, evs_error *err)
{
    static const evs_reply nil = {EVS_REPLY_NIL, 0, {0}};
    size_t elements = 0, bytes = 0;
    if (reply == NULL)
        reply = &nil;
    measure(reply, &elements, &bytes);

    evs_reply *copy = evs__alloc_array(1, elements * sizeof *copy + bytes);
    if (copy == NULL)
        return evs__fail_nomem(err);
    copy_into(copy, reply, elements);
    *out = copy;
    return EVS_OK;
}

evs_reply *evs__reply_copy_to(evs__arena *arena, const evs_reply *reply)
{
    size_t elements = 0, bytes = 0;
    measure(reply, &elements, &bytes);
    evs_reply *copy = evs__arena_alloc(arena, 1, elements * sizeof *copy + bytes);
    if (copy != NULL)
        copy_into(copy, reply, elements);
    return copy;
}

void evs_reply_free(evs_reply *reply)
{
    evs__free(reply);
}
