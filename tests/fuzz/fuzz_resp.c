/*
 * Any bytes to the reply reader: whole and in pieces they give the same, within the limits.
 *
 * The first two bytes choose the limits and the pieces, the rest is the stream.
 */
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>

#include "core/resp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct outcome {
    unsigned counts[EVS__RESP_NOMEM_VALUE + 1];
    size_t elements, bytes;
} outcome;

/* Reads everything that a reply points to. */
static void visit(outcome *o, const evs_reply *reply, unsigned depth)
{
    evs_bytes text = evs_reply_bytes(reply), format = evs_reply_format(reply);
    int64_t whole = 0;
    double number = 0;
    assert(depth <= EVS__RESP_DEEPEST);
    assert(text.data[text.len] == '\0');
    for (size_t i = 0; i < text.len; i++)
        o->bytes += 1 + (unsigned char)text.data[i];
    assert(format.len == 0 || (format.len == 3 && text.data - format.data == 4));
    if (evs_reply_int(&whole, reply, NULL) == EVS_OK)
        o->bytes += (size_t)whole;
    if (evs_reply_double(&number, reply, NULL) == EVS_OK && number > 0 && number < 1e9)
        o->bytes += (size_t)number;
    o->bytes += evs_reply_map_get(reply, text) != NULL;
    o->elements++;
    for (size_t i = 0; i < evs_reply_count(reply); i++)
        visit(o, evs_reply_at(reply, i), depth + 1);
}

/* A copy is the same. */
static void copy(const evs_reply *reply)
{
    evs_reply *mine = NULL;
    outcome again = {{0}, 0, 0}, now = {{0}, 0, 0};
    if (evs_reply_copy(&mine, reply, NULL) != EVS_OK)
        return;
    visit(&again, mine, 0);
    visit(&now, reply, 0);
    assert(again.elements == now.elements && again.bytes == now.bytes);
    evs_reply_free(mine);
}

static outcome run(const uint8_t *data, size_t size, size_t piece, size_t max_bytes, unsigned depth)
{
    outcome o = {{0}, 0, 0};
    evs__arena arena = EVS__ARENA_INIT;
    evs__resp *resp = evs__resp_new(&arena, max_bytes, depth);
    assert(resp != NULL);
    size_t at = 0;
    evs__resp_got got = EVS__RESP_MORE;
    while (at < size && got != EVS__RESP_BAD) {
        size_t n = piece < size - at ? piece : size - at, used = 0;
        char *exact = malloc(n);
        const evs_reply *reply;
        assert(exact != NULL);
        memcpy(exact, data + at, n);
        got = evs__resp_read(resp, exact, n, &used, &reply);
        free(exact);
        assert(used <= n && (got != EVS__RESP_MORE || used == n));
        assert(got == EVS__RESP_PUSH || (got == EVS__RESP_REPLY) == (reply != NULL));
        at += used;
        if (got == EVS__RESP_MORE)
            continue;
        o.counts[got]++;
        if (reply != NULL) {
            visit(&o, reply, 0);
            copy(reply);
        }
        evs__arena_reset(&arena);
    }
    evs__resp_free(resp);
    evs__arena_free(&arena);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t max_bytes = (size_t)16 << (data[0] & 15);
    unsigned depth = data[0] >> 4;
    size_t piece = 1 + data[1] % 64;
    outcome whole = run(data + 2, size - 2, size, max_bytes, depth);
    outcome parts = run(data + 2, size - 2, piece, max_bytes, depth);
    assert(memcmp(&whole, &parts, sizeof whole) == 0);
    return 0;
}
