/*
 * Replies of hiredis as ours, and back. Back goes through bytes and the reader of hiredis, so that
 * the result is made, and can be freed, exactly as hiredis makes its own.
 */
#include "scripts/hiredis/bound.h"

#include "core/arena.h"
#include "core/error.h"
#include "core/reply.h"

#include <hiredis/hiredis.h>

enum { DEEPEST = 1024 };

/* ---- from hiredis ---- */

typedef enum kind { NONE, NUMBER, TEXT, LIST, FORMATTED } kind;

static const struct row {
    unsigned char kind;
    unsigned char type;
} rows[] = {
    [REDIS_REPLY_STRING] = {TEXT, EVS_REPLY_STRING},
    [REDIS_REPLY_ARRAY] = {LIST, EVS_REPLY_ARRAY},
    [REDIS_REPLY_INTEGER] = {NUMBER, EVS_REPLY_INTEGER},
    [REDIS_REPLY_STATUS] = {TEXT, EVS_REPLY_STATUS},
    [REDIS_REPLY_ERROR] = {TEXT, EVS_REPLY_ERROR},
#ifdef REDIS_REPLY_VERB
    [REDIS_REPLY_DOUBLE] = {TEXT, EVS_REPLY_DOUBLE},
    [REDIS_REPLY_BOOL] = {NUMBER, EVS_REPLY_BOOL},
    [REDIS_REPLY_MAP] = {LIST, EVS_REPLY_MAP},
    [REDIS_REPLY_SET] = {LIST, EVS_REPLY_SET},
    [REDIS_REPLY_PUSH] = {LIST, EVS_REPLY_ARRAY},
    [REDIS_REPLY_BIGNUM] = {TEXT, EVS_REPLY_BIG_NUMBER},
    [REDIS_REPLY_VERB] = {FORMATTED, EVS_REPLY_VERBATIM},
#endif
};

static struct row row_of(int type)
{
    return type >= 0 && (size_t)type < sizeof rows / sizeof rows[0] ? rows[type]
                                                                    : (struct row){NONE, 0};
}

static evs_status take(evs_reply *into, evs__arena *arena, const redisReply *from, unsigned depth);

static evs_status take_text(evs_reply *into, evs__arena *arena, const redisReply *from)
{
    into->len = (size_t)from->len;
    into->as.text = evs__arena_text(arena, from->str, (size_t)from->len);
    return into->as.text == NULL ? EVS_E_NOMEM : EVS_OK;
}

/* The format stays in front of the text. */
static evs_status take_formatted(evs_reply *into, evs__arena *arena, const redisReply *from)
{
#ifdef REDIS_REPLY_VERB
    char *text = evs__arena_bytes(arena, EVS__REPLY_FORMAT + (size_t)from->len + 1);
    if (text == NULL)
        return EVS_E_NOMEM;
    memcpy(text, from->vtype, EVS__REPLY_FORMAT - 1);
    text[EVS__REPLY_FORMAT - 1] = ':';
    memcpy(text + EVS__REPLY_FORMAT, from->str, (size_t)from->len);
    text[EVS__REPLY_FORMAT + from->len] = '\0';
    into->len = (size_t)from->len;
    into->as.text = text + EVS__REPLY_FORMAT;
    return EVS_OK;
#else
    return take_text(into, arena, from);
#endif
}

static evs_status take_list(evs_reply *into, evs__arena *arena, const redisReply *from,
                            unsigned depth)
{
    evs_status status = EVS_OK;
    if (depth == DEEPEST)
        return EVS_E_REPLY_TOO_DEEP;
    into->len = from->elements;
    into->as.items = evs__arena_zalloc(arena, from->elements + 1, sizeof *into);
    if (into->as.items == NULL)
        return EVS_E_NOMEM;
    for (size_t i = 0; i < from->elements && status == EVS_OK; i++)
        status = take(&into->as.items[i], arena, from->element[i], depth + 1);
    return status;
}

static evs_status take(evs_reply *into, evs__arena *arena, const redisReply *from, unsigned depth)
{
    struct row row = row_of(from->type);
    into->type = row.type;
    switch (row.kind) {
    case NUMBER:
        into->as.integer = from->integer;
        return EVS_OK;
    case TEXT:
        return take_text(into, arena, from);
    case FORMATTED:
        return take_formatted(into, arena, from);
    case LIST:
        return take_list(into, arena, from, depth);
    default:
        into->type = EVS_REPLY_NIL;
        return EVS_OK;
    }
}

evs_status evs_reply_from_redis(evs_reply **out, const struct redisReply *reply, evs_error *err)
{
    evs_reply root = {EVS_REPLY_NIL, 0, {0}};
    evs__arena arena = EVS__ARENA_INIT;
    if (reply == NULL)
        return evs__fail(err, EVS_E_INVALID, "there is no reply");
    evs_status status = take(&root, &arena, reply, 0);
    if (status == EVS_OK)
        status = evs_reply_copy(out, &root, err);
    else
        evs__fail(err, status, "%s", evs_status_text(status));
    evs__arena_free(&arena);
    return status;
}

/* ---- to hiredis ---- */

#if HIREDIS_MAJOR >= 1
#define RESP3(type, type2) type
#else
#define RESP3(type, type2) type2
#endif

static void put(evs__buf *buf, const evs_reply *reply, unsigned depth);

static void put_long(evs__buf *buf, char type, evs_bytes text)
{
    evs__buf_format(buf, "%c%zu\r\n", type, text.len);
    evs__buf_append(buf, text.data, text.len);
    evs__buf_text(buf, "\r\n");
}

/* The readers of hiredis know no error with a line end in it: that becomes a blank. */
static void put_line(evs__buf *buf, char type, evs_bytes text)
{
    evs__buf_char(buf, type);
    for (size_t i = 0; i < text.len; i++)
        evs__buf_char(buf, text.data[i] == '\r' || text.data[i] == '\n' ? ' ' : text.data[i]);
    evs__buf_text(buf, "\r\n");
}

static void put_list(evs__buf *buf, char type, const evs_reply *reply, unsigned depth)
{
    size_t count = evs_reply_count(reply);
    evs__buf_format(buf, "%c%zu\r\n", type, type == '%' ? count / 2 : count);
    for (size_t i = 0; i < count; i++)
        put(buf, evs_reply_at(reply, i), depth + 1);
}

static void put_formatted(evs__buf *buf, evs_bytes text)
{
#if HIREDIS_MAJOR >= 1
    put_long(buf, '=', (evs_bytes){text.data - EVS__REPLY_FORMAT, text.len + EVS__REPLY_FORMAT});
#else
    put_long(buf, '$', text);
#endif
}

/* Depth is bounded by whoever made the reply. */
static void put(evs__buf *buf, const evs_reply *reply, unsigned depth)
{
    evs_bytes text = evs_reply_bytes(reply);
    long long number = evs_reply_integer(reply);
    switch (evs_reply_kind(reply)) {
    case EVS_REPLY_NIL:
        evs__buf_text(buf, "$-1\r\n");
        return;
    case EVS_REPLY_STRING:
        put_long(buf, '$', text);
        return;
    case EVS_REPLY_STATUS:
        put_line(buf, '+', text);
        return;
    case EVS_REPLY_ERROR:
        put_line(buf, '-', text);
        return;
    case EVS_REPLY_INTEGER:
        evs__buf_format(buf, ":%lld\r\n", number);
        return;
    case EVS_REPLY_BOOL:
        evs__buf_text(buf, number ? RESP3("#t\r\n", ":1\r\n") : RESP3("#f\r\n", ":0\r\n"));
        return;
    case EVS_REPLY_DOUBLE:
        if (RESP3(1, 0))
            put_line(buf, ',', text);
        else
            put_long(buf, '$', text);
        return;
    case EVS_REPLY_BIG_NUMBER:
        if (RESP3(1, 0))
            put_line(buf, '(', text);
        else
            put_long(buf, '$', text);
        return;
    case EVS_REPLY_VERBATIM:
        put_formatted(buf, text);
        return;
    case EVS_REPLY_ARRAY:
        put_list(buf, '*', reply, depth);
        return;
    case EVS_REPLY_SET:
        put_list(buf, RESP3('~', '*'), reply, depth);
        return;
    case EVS_REPLY_MAP:
        put_list(buf, RESP3('%', '*'), reply, depth);
        return;
    }
}

evs_status evs_reply_to_redis(struct redisReply **out, const evs_reply *reply, evs_error *err)
{
    evs__buf bytes = EVS__BUF_INIT;
    void *made = NULL;
    if (reply == NULL)
        return evs__fail(err, EVS_E_INVALID, "there is no reply");
    put(&bytes, reply, 0);
    redisReader *reader = redisReaderCreate();
    evs_status status = EVS_OK;
    if (!evs__buf_ok(&bytes) || reader == NULL ||
        redisReaderFeed(reader, bytes.data, bytes.len) != REDIS_OK)
        status = evs__fail_nomem(err);
    else if (redisReaderGetReply(reader, &made) != REDIS_OK || made == NULL)
        status = evs__fail(err, reader->err == REDIS_ERR_OOM ? EVS_E_NOMEM : EVS_E_REPLY_TOO_DEEP,
                           "%s", reader->errstr);
    if (reader != NULL)
        redisReaderFree(reader);
    evs__buf_free(&bytes);
    if (status == EVS_OK)
        *out = made;
    return status;
}
