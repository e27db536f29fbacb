#include "tests/support/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "core/mem.h"
#include "core/printable.h"

enum { ROOMY = 1 << 20, DEPTH = 16 };

static void show_items(evs__buf *buf, const evs_reply *reply, const char *brackets)
{
    evs__buf_char(buf, brackets[0]);
    for (size_t i = 0; i < evs_reply_count(reply); i++) {
        evs__buf_text(buf, i == 0 ? "" : " ");
        stream_show(buf, evs_reply_at(reply, i));
    }
    evs__buf_char(buf, brackets[1]);
}

void stream_show(evs__buf *buf, const evs_reply *reply)
{
    char text[512], format[8];
    evs__printable(text, sizeof text, evs_reply_bytes(reply));
    evs__printable(format, sizeof format, evs_reply_format(reply));
    switch (evs_reply_kind(reply)) {
    case EVS_REPLY_NIL:
        evs__buf_text(buf, "nil");
        break;
    case EVS_REPLY_STRING:
        evs__buf_format(buf, "\"%s\"", text);
        break;
    case EVS_REPLY_STATUS:
        evs__buf_format(buf, "+%s", text);
        break;
    case EVS_REPLY_ERROR:
        evs__buf_format(buf, "-%s", text);
        break;
    case EVS_REPLY_INTEGER:
        evs__buf_format(buf, "%lld", (long long)evs_reply_integer(reply));
        break;
    case EVS_REPLY_BOOL:
        evs__buf_text(buf, evs_reply_integer(reply) ? "true" : "false");
        break;
    case EVS_REPLY_DOUBLE:
        evs__buf_format(buf, ",%s", text);
        break;
    case EVS_REPLY_BIG_NUMBER:
        evs__buf_format(buf, "(%s", text);
        break;
    case EVS_REPLY_VERBATIM:
        evs__buf_format(buf, "%s:\"%s\"", format, text);
        break;
    case EVS_REPLY_ARRAY:
        show_items(buf, reply, "[]");
        break;
    case EVS_REPLY_SET:
        show_items(buf, reply, "<>");
        break;
    case EVS_REPLY_MAP:
        show_items(buf, reply, "{}");
        break;
    }
}

static void show_result(evs__buf *buf, const evs__resp *resp, evs__resp_got got,
                        const evs_reply *reply)
{
    static const char *const names[] = {
        [EVS__RESP_SKIPPED] = "SKIPPED",         [EVS__RESP_TOO_BIG] = "TOO_BIG",
        [EVS__RESP_TOO_DEEP] = "TOO_DEEP",       [EVS__RESP_NOMEM] = "NOMEM",
        [EVS__RESP_NOMEM_VALUE] = "NOMEM_VALUE",
    };
    if (got == EVS__RESP_PUSH)
        evs__buf_text(buf, reply == NULL ? "PUSH" : "PUSH ");
    if (got == EVS__RESP_PUSH && reply != NULL)
        stream_show(buf, reply);
    if (got == EVS__RESP_REPLY)
        stream_show(buf, reply);
    else if (got == EVS__RESP_BAD)
        evs__buf_format(buf, "BAD %s", evs__resp_problem(resp));
    else if (got != EVS__RESP_PUSH)
        evs__buf_text(buf, names[got]);
    evs__buf_char(buf, '\n');
    if (got != EVS__RESP_REPLY && got != EVS__RESP_PUSH)
        assert_null(reply);
}

int stream_feed(evs__buf *buf, evs__resp *resp, evs__arena *arena, evs_bytes bytes)
{
    const char *p = bytes.data, *end = p + bytes.len;
    while (p < end) {
        const evs_reply *reply;
        size_t used = 0;
        char *exact = malloc((size_t)(end - p)); /* so that reading past the end is noticed */
        assert_non_null(exact);
        memcpy(exact, p, (size_t)(end - p));
        evs__resp_got got = evs__resp_read(resp, exact, (size_t)(end - p), &used, &reply);
        free(exact);
        assert_true(used <= (size_t)(end - p));
        p += used;
        if (got == EVS__RESP_MORE) {
            assert_ptr_equal(p, end);
            return 1;
        }
        show_result(buf, resp, got, reply);
        if (got == EVS__RESP_BAD)
            return 0;
        evs__arena_reset(arena);
    }
    return 1;
}

char *stream_read(evs_bytes bytes, size_t first, size_t piece, stream_limits limit)
{
    evs__arena arena = EVS__ARENA_INIT;
    evs__buf buf = EVS__BUF_INIT;
    evs__resp *resp = evs__resp_new(&arena, limit.bytes, limit.depth);
    assert_non_null(resp);
    size_t at = 0, n = first < bytes.len ? first : bytes.len;
    int alive = 1;
    while (alive && at < bytes.len) {
        alive = stream_feed(&buf, resp, &arena, (evs_bytes){bytes.data + at, n});
        at += n;
        n = piece < bytes.len - at ? piece : bytes.len - at;
    }
    evs__resp_free(resp);
    evs__arena_free(&arena);
    char *text = evs__buf_take(&buf);
    assert_non_null(text);
    return text;
}

static void skip_from(evs_bytes reply, size_t at)
{
    evs__arena arena = EVS__ARENA_INIT;
    evs__buf buf = EVS__BUF_INIT;
    evs__resp *resp = evs__resp_new(&arena, ROOMY, DEPTH);
    for (size_t i = 0; i < reply.len; i++) {
        if (i == at) {
            evs__resp_skip(resp);
            evs__arena_free(&arena);
        }
        stream_feed(&buf, resp, &arena, (evs_bytes){reply.data + i, 1});
    }
    assert_int_equal(arena.used, 0);
    stream_feed(&buf, resp, &arena, evs_text(":5\r\n"));
    assert_string_equal(buf.data, "SKIPPED\n5\n");
    evs__buf_free(&buf);
    evs__resp_free(resp);
    evs__arena_free(&arena);
}

void stream_skip_anywhere(evs_bytes reply)
{
    for (size_t at = 0; at < reply.len; at++)
        skip_from(reply, at);
}

static int is_error(evs_bytes in)
{
    evs__arena arena = EVS__ARENA_INIT;
    evs__resp *resp = evs__resp_new(&arena, ROOMY, DEPTH);
    const evs_reply *reply;
    size_t used;
    assert_int_equal(evs__resp_read(resp, in.data, in.len, &used, &reply), EVS__RESP_REPLY);
    int error = evs_reply_kind(reply) == EVS_REPLY_ERROR;
    evs__resp_free(resp);
    evs__arena_free(&arena);
    return error;
}

/* What is no error is known to be none, unless there is an attribute in front. */
static void check_lack(evs_bytes in, evs__resp_got got)
{
    if (got == EVS__RESP_NOMEM_VALUE)
        assert_false(is_error(in));
    else if (got == EVS__RESP_NOMEM)
        assert_true(in.data[0] == '|' || is_error(in));
    else
        assert_int_equal(got, EVS__RESP_REPLY);
}

/* 1 when memory ran out. */
static int read_without_memory(evs_bytes in, size_t piece, size_t fail_at)
{
    evs__arena arena = EVS__ARENA_INIT;
    evs__resp *resp = evs__resp_new(&arena, ROOMY, DEPTH);
    const evs_reply *reply;
    size_t used, at = 0;
    evs__resp_got got = EVS__RESP_MORE;
    evs__mem_fail_at(fail_at);
    for (; got == EVS__RESP_MORE; at += used)
        got = evs__resp_read(resp, in.data + at, piece, &used, &reply);
    evs__mem_fail_at(0);
    assert_int_equal(at, in.len);
    check_lack(in, got);
    evs__arena_reset(&arena);
    assert_int_equal(evs__resp_read(resp, ":1\r\n", 4, &used, &reply), EVS__RESP_REPLY);
    evs__resp_free(resp);
    evs__arena_free(&arena);
    return got != EVS__RESP_REPLY;
}

void stream_lack_memory(const char *reply)
{
    int failures = 0;
    evs_bytes in = evs_text(reply);
    for (size_t n = 1; n < 40; n++) {
        failures += read_without_memory(in, 1, n);
        failures += read_without_memory(in, in.len, n);
    }
    assert_true(failures > 1);
}
