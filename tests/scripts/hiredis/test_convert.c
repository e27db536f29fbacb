/* Replies of hiredis as ours and back. */
#include "tests/support/stream.h"

#include "core/mem.h"
#include <evalshard/hiredis.h>

#include <hiredis/hiredis.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static redisReply *read_theirs(const char *bytes, size_t len)
{
    void *reply = NULL;
    redisReader *reader = redisReaderCreate();
    assert_int_equal(redisReaderFeed(reader, bytes, len), REDIS_OK);
    assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
    assert_non_null(reply);
    redisReaderFree(reader);
    return reply;
}

static evs_reply *read_ours(const char *bytes, size_t len)
{
    evs__arena arena = EVS__ARENA_INIT;
    evs__resp *resp = evs__resp_new(&arena, 1 << 20, 64);
    const evs_reply *reply = NULL;
    evs_reply *copy = NULL;
    size_t used;
    assert_int_equal(evs__resp_read(resp, bytes, len, &used, &reply), EVS__RESP_REPLY);
    assert_int_equal(evs_reply_copy(&copy, reply, NULL), EVS_OK);
    evs__resp_free(resp);
    evs__arena_free(&arena);
    return copy;
}

static void assert_shows(const evs_reply *reply, const char *expected)
{
    evs__buf text = EVS__BUF_INIT;
    stream_show(&text, reply);
    assert_string_equal(text.data, expected);
    evs__buf_free(&text);
}

#define BYTES(literal) literal, sizeof(literal) - 1

/* Of RESP2, so that every hiredis can read it: there and back it stays what it is. */
static const struct {
    const char *bytes;
    size_t len;
    const char *shown;
} both_ways[] = {
    {BYTES("$-1\r\n"), "nil"},
    {BYTES(":-7\r\n"), "-7"},
    {BYTES("+OK\r\n"), "+OK"},
    {BYTES("-ERR no\r\n"), "-ERR no"},
    {BYTES("$5\r\na\0\r\nb\r\n"), "\"a\\x00\\r\\nb\""},
    {BYTES("$0\r\n\r\n"), "\"\""},
    {BYTES("*0\r\n"), "[]"},
    {BYTES("*3\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n-ERR in\r\n"), "[1 [\"a\" nil] -ERR in]"},
    {BYTES("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:7\r\n"), "[[[[[[[7]]]]]]]"},
};

static void replies_go_there_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof both_ways / sizeof *both_ways; i++) {
        redisReply *theirs = read_theirs(both_ways[i].bytes, both_ways[i].len), *again = NULL;
        evs_reply *ours = NULL, *back = NULL;
        assert_int_equal(evs_reply_from_redis(&ours, theirs, NULL), EVS_OK);
        assert_shows(ours, both_ways[i].shown);
        assert_int_equal(evs_reply_to_redis(&again, ours, NULL), EVS_OK);
        assert_int_equal(again->type, theirs->type);
        assert_int_equal(evs_reply_from_redis(&back, again, NULL), EVS_OK);
        assert_shows(back, both_ways[i].shown);
        freeReplyObject(theirs);
        freeReplyObject(again);
        evs_reply_free(ours);
        evs_reply_free(back);
    }
}

/* hiredis 0.14 has no such types; 1.x has. */
static void types_of_resp3_become_what_hiredis_has(void **state)
{
    (void)state;
    static const char bytes[] = "*6\r\n,0.5\r\n#t\r\n(123\r\n=6\r\ntxt:hi\r\n%1\r\n+k\r\n:1\r\n"
                                "~1\r\n!7\r\nERR\r\nno\r\n";
    evs_reply *ours = read_ours(bytes, sizeof bytes - 1), *back = NULL;
    redisReply *theirs = NULL;
    assert_int_equal(evs_reply_to_redis(&theirs, ours, NULL), EVS_OK);
    assert_int_equal(evs_reply_from_redis(&back, theirs, NULL), EVS_OK);
#if HIREDIS_MAJOR >= 1
    assert_shows(back, "[,0.5 true (123 txt:\"hi\" {+k 1} <-ERR  no>]");
#else
    assert_shows(back, "[\"0.5\" 1 \"123\" \"hi\" [+k 1] [-ERR  no]]");
#endif
    freeReplyObject(theirs);
    evs_reply_free(ours);
    evs_reply_free(back);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    evs_error err;
    evs_reply *ours = NULL;
    redisReply *theirs = NULL;
    assert_int_equal(evs_reply_from_redis(&ours, NULL, &err), EVS_E_INVALID);
    assert_int_equal(evs_reply_to_redis(&theirs, NULL, &err), EVS_E_INVALID);
#if HIREDIS_MAJOR < 1
    static const char deep[] = "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:7\r\n";
    evs_reply *nested = read_ours(deep, sizeof deep - 1);
    assert_int_equal(evs_reply_to_redis(&theirs, nested, &err), EVS_E_REPLY_TOO_DEEP);
    evs_reply_free(nested);
#endif
    redisReply *fine = read_theirs(BYTES("*2\r\n$1\r\na\r\n:1\r\n"));
    for (size_t n = 1; n < 3; n++) {
        evs__mem_fail_at(n);
        assert_int_equal(evs_reply_from_redis(&ours, fine, &err), EVS_E_NOMEM);
        evs__mem_fail_at(0);
    }
    assert_null(ours);
    assert_null(theirs);
    freeReplyObject(fine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_go_there_and_back),
        cmocka_unit_test(types_of_resp3_become_what_hiredis_has),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
