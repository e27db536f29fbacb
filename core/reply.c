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
#include "core/number.h"
#include "core/reply.h"

static int has_text(const evs_reply *reply)
{
    return reply->type == EVS_REPLY_STRING || reply->type == EVS_REPLY_STATUS ||
           reply->type == EVS_REPLY_ERROR;
}

evs_reply_type evs_reply_kind(const evs_reply *reply)
{
    return reply == NULL ? EVS_REPLY_NIL : reply->type;
}

evs_bytes evs_reply_bytes(const evs_reply *reply)
{
    if (reply == NULL || !has_text(reply))
        return (evs_bytes){"", 0};
    return (evs_bytes){reply->as.text, reply->len};
}

int64_t evs_reply_integer(const evs_reply *reply)
{
    if (reply == NULL)
        return 0;
    if (reply->type == EVS_REPLY_INTEGER)
        return reply->as.integer;
    int64_t n = 0;
    if (reply->type == EVS_REPLY_STRING)
        evs__number(&n, (evs_bytes){reply->as.text, reply->len});
    return n;
}

size_t evs_reply_count(const evs_reply *reply)
{
    return reply != NULL && reply->type == EVS_REPLY_ARRAY ? reply->len : 0;
}

const evs_reply *evs_reply_at(const evs_reply *reply, size_t index)
{
    return index < evs_reply_count(reply) ? &reply->as.items[index] : NULL;
}

static void measure(const evs_reply *reply, size_t *elements, size_t *bytes)
{
    *elements += 1;
    if (has_text(reply))
        *bytes += reply->len + 1;
    for (size_t i = 0; i < evs_reply_count(reply); i++)
        measure(&reply->as.items[i], elements, bytes);
}

static char *keep_text(evs_reply *reply, char *room)
{
    memcpy(room, reply->as.text, reply->len);
    room[reply->len] = '\0';
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
    char *room = (char *)(copy + elements);
    evs_reply *end = copy + 1;
    *copy = *reply;
    for (evs_reply *at = copy; at < end; at++) {
        if (has_text(at))
            room = keep_text(at, room);
        if (at->type == EVS_REPLY_ARRAY)
            end = keep_items(at, end);
    }
    *out = copy;
    return EVS_OK;
}

void evs_reply_free(evs_reply *reply)
{
    evs__free(reply);
}
