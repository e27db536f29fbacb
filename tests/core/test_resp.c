/* The reply reader: what it builds, whatever the pieces; limits; what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/resp.h"
#include "tests/support/stream.h"

enum { ROOMY = 1 << 20, DEPTH = 8 };

static char *read_all(evs_bytes bytes, stream_limits limit)
{
    return stream_read(bytes, bytes.len, 1, limit);
}

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct {
    evs_bytes in;
    const char *out;
} good[] = {
    {BYTES("+OK\r\n"), "+OK\n"},
    {BYTES("+\r\n"), "+\n"},
    {BYTES("-ERR no\r\n"), "-ERR no\n"},
    {BYTES(":0\r\n"), "0\n"},
    {BYTES(":-1\r\n:+7\r\n:007\r\n"), "-1\n7\n7\n"},
    {BYTES(":9223372036854775807\r\n:-9223372036854775808\r\n"),
     "9223372036854775807\n-9223372036854775808\n"},
    {BYTES(":999999999999999999\r\n:1000000000000000000\r\n"),
     "999999999999999999\n1000000000000000000\n"},
    {BYTES("$0\r\n\r\n"), "\"\"\n"},
    {BYTES("$5\r\nhello\r\n"), "\"hello\"\n"},
    {BYTES("$6\r\na\r\nb\0c\r\n"), "\"a\\r\\nb\\x00c\"\n"},
    {BYTES("$-1\r\n*-1\r\n"), "nil\nnil\n"},
    {BYTES("*0\r\n"), "[]\n"},
    {BYTES("*1\r\n*0\r\n"), "[[]]\n"},
    {BYTES("*3\r\n:1\r\n$2\r\nab\r\n+OK\r\n"), "[1 \"ab\" +OK]\n"},
    {BYTES("*2\r\n*2\r\n:1\r\n*-1\r\n*1\r\n$-1\r\n"), "[[1 nil] [nil]]\n"},
    {BYTES("*3\r\n$1\r\na\r\n$-1\r\n$1\r\nb\r\n"), "[\"a\" nil \"b\"]\n"},
    {BYTES("*2\r\n-ERR in\r\n:1\r\n"), "[-ERR in 1]\n"},
    {BYTES("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:8\r\n"), "[[[[[[[[8]]]]]]]]\n"},
    {BYTES("*2\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$1\r\nc\r\n$1\r\nd\r\n:5\r\n"),
     "[[\"a\" \"b\"] [\"c\" \"d\"]]\n5\n"},
    /* Lone CR and LF belong to a line of text. */
    {BYTES("+a\rb\nc\r\r\n+\r\r\r\n:1\r\n"), "+a\\rb\\nc\\r\n+\\r\\r\n1\n"},
    {BYTES("-\n\r\n:1\r\n"), "-\\n\n1\n"},
};

static void replies_are_read_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char *text = read_all(good[i].in, (stream_limits){ROOMY, DEPTH});
        assert_string_equal(text, good[i].out);
        evs__free(text);
    }
}

static void replies_are_read_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char *text = stream_read(good[i].in, 1, 1, (stream_limits){ROOMY, DEPTH});
        assert_string_equal(text, good[i].out);
        evs__free(text);
    }
}

static void replies_may_be_split_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        for (size_t at = 1; at < good[i].in.len; at++) {
            char *text = stream_read(good[i].in, at, good[i].in.len, (stream_limits){ROOMY, DEPTH});
            assert_string_equal(text, good[i].out);
            evs__free(text);
        }
    }
}

static void many_replies_come_out_of_one_buffer(void **state)
{
    (void)state;
    evs__buf in = EVS__BUF_INIT, want = EVS__BUF_INIT;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        evs__buf_append(&in, good[i].in.data, good[i].in.len);
        evs__buf_text(&want, good[i].out);
    }
    for (size_t piece = 1; piece < 40; piece++) {
        char *text = stream_read((evs_bytes){in.data, in.len}, piece, piece,
                                 (stream_limits){ROOMY, DEPTH});
        assert_string_equal(text, want.data);
        evs__free(text);
    }
    evs__buf_free(&in);
    evs__buf_free(&want);
}

/* Behind each of these a reply comes out right. 200 bytes, depth 2. */
static const struct {
    evs_bytes in;
    const char *out;
} limited[] = {
    {BYTES("$199\r\n1234567890123456789012345678901234567890123456789012345678901234567890123456789"
           "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345"
           "6789012345678901234567890123456789\r\n"),
     NULL},
    {BYTES("$200\r\n1234567890123456789012345678901234567890123456789012345678901234567890123456789"
           "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345"
           "67890123456789012345678901234567890\r\n"),
     "TOO_BIG\n"},
    {BYTES("+1234567890123456789012345678901234567890123456789012345678901234567890123456789"
           "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345"
           "6789012345678901234567890123456789\r\n"),
     NULL},
    {BYTES("+1234567890123456789012345678901234567890123456789012345678901234567890123456789"
           "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345"
           "67890123456789012345678901234567890\r\n"),
     "TOO_BIG\n"},
    {BYTES("*8\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n"), "[1 2 3 4 5 6 7 8]\n"},
    {BYTES("*9\r\n:1\r\n*1\r\n$3\r\nabc\r\n:3\r\n+x\r\n$-1\r\n*-1\r\n*0\r\n-e\r\n:9\r\n"),
     "TOO_BIG\n"},
    {BYTES("*2\r\n*5\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n*3\r\n:1\r\n:2\r\n:3\r\n"), "TOO_BIG\n"},
    {BYTES("*7\r\n$31\r\n1234567890123456789012345678901\r\n:2\r\n$1\r\na\r\n:4\r\n:5\r\n:6\r\n:"
           "7\r\n"),
     "TOO_BIG\n"},
    {BYTES("*7\r\n+1234567890123456789012345678901\r\n:2\r\n$1\r\na\r\n:4\r\n:5\r\n:6\r\n:7\r\n"),
     "TOO_BIG\n"},
    {BYTES("*1\r\n*1\r\n:1\r\n"), "[[1]]\n"},
    {BYTES("*1\r\n*1\r\n*1\r\n:1\r\n"), "TOO_DEEP\n"},
    {BYTES("*1\r\n*1\r\n*0\r\n"), "TOO_DEEP\n"},
    {BYTES("*2\r\n*2\r\n:1\r\n*2\r\n*1\r\n:1\r\n$1\r\na\r\n$1\r\nb\r\n"), "TOO_DEEP\n"},
    /* The first limit that was met is the one that is told. */
    {BYTES("*2\r\n*1\r\n*0\r\n*9\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n"),
     "TOO_DEEP\n"},
};

static void replies_over_a_limit_are_skipped_to_their_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof limited / sizeof *limited; i++) {
        evs__buf in = EVS__BUF_INIT;
        evs__buf_append(&in, limited[i].in.data, limited[i].in.len);
        evs__buf_text(&in, "*2\r\n$4\r\nnext\r\n:1\r\n");
        for (size_t piece = 1; piece <= in.len; piece++) {
            char *text = stream_read((evs_bytes){in.data, in.len}, piece, piece,
                                     (stream_limits){200, 2});
            const char *next = strstr(text, "[\"next\" 1]\n");
            assert_non_null(next);
            if (limited[i].out != NULL)
                assert_memory_equal(text, limited[i].out, strlen(limited[i].out));
            else
                assert_int_equal(next - text, 199 + (text[0] == '"' ? 2 : 1) + 1);
            evs__free(text);
        }
        evs__buf_free(&in);
    }
}

static void a_hostile_length_allocates_nothing(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "*1000000000\r\n",
        "*9223372036854775807\r\n",
        "$9999999999\r\n",
        "$9223372036854775807\r\n",
        "*3\r\n*9223372036854775807\r\n*9223372036854775800\r\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        evs__arena arena = EVS__ARENA_INIT;
        evs__resp *resp = evs__resp_new(&arena, 1 << 16, DEPTH);
        evs__buf buf = EVS__BUF_INIT;
        assert_true(stream_feed(&buf, resp, &arena, evs_text(rows[i])));
        assert_int_equal(buf.len, 0);
        assert_true(arena.used < 1024);
        for (int n = 0; n < 1000; n++)
            assert_true(stream_feed(&buf, resp, &arena, evs_text(":1\r\n")) || rows[i][0] == '$');
        evs__buf_free(&buf);
        evs__resp_free(resp);
        evs__arena_free(&arena);
    }
}

static const struct {
    evs_bytes in;
    const char *problem;
} bad[] = {
    {BYTES("HTTP/1.1 400 Bad Request\r\n"),
     "expected a reply type, got 'H' (HTTP/1.1 400 Bad Request\\r\\n)"},
    {BYTES("\r\n"), "expected a reply type, got '\\r' (\\r\\n)"},
    {BYTES("\x16\x03\x01"), "expected a reply type, got '\\x16' (\\x16\\x03\\x01)"},
    {BYTES("@1\r\n"), "expected a reply type, got '@' (@1\\r\\n)"},
    {BYTES(":\r\n"), "expected a number behind ':', got '\\r'"},
    {BYTES(":-\r\n"), "expected a number behind ':', got '-\\r'"},
    {BYTES(":1x\r\n"), "expected a number behind ':', got '1x\\r'"},
    {BYTES(": 1\r\n"), "expected a number behind ':', got ' 1\\r'"},
    {BYTES(":1\n"), "expected a number behind ':', got '1'"},
    {BYTES(":1\r2\r\n"), "expected a number behind ':', got '1\\r2\\r'"},
    {BYTES(":9223372036854775808\r\n"),
     "expected a number behind ':', got '9223372036854775808\\r'"},
    {BYTES(":-9223372036854775809\r\n"),
     "expected a number behind ':', got '-9223372036854775809\\r'"},
    {BYTES(":1234567890123456789012345678901234567890"),
     "expected a number behind ':', got '123456789012345678901234'"},
    {BYTES("$-2\r\n"), "expected the length of a string behind '$', got '-2'"},
    {BYTES("$abc\r\n"), "expected the length of a string behind '$', got 'abc\\r'"},
    {BYTES("*-2\r\n"), "expected the length of an array behind '*', got '-2'"},
    {BYTES("*99999999999999999999\r\n"),
     "expected the length of an array behind '*', got '99999999999999999999\\r'"},
    {BYTES("$3\r\nabcde\r\n"), "expected CRLF behind a string, got 'd' (de\\r\\n)"},
    {BYTES("$3\r\nabc\rx"), "expected CRLF behind a string, got 'x' (x)"},
    {BYTES("*2\r\n:1\r\nx"), "expected a reply type, got 'x' (x)"},
    {BYTES("*2\r\n$1\r\nabc"), "expected CRLF behind a string, got 'b' (bc)"},
};

static void nonsense_is_refused_and_quoted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char want[256];
        snprintf(want, sizeof want, "BAD %s\n", bad[i].problem);
        char *text = read_all(bad[i].in, (stream_limits){ROOMY, DEPTH});
        assert_string_equal(text, want);
        evs__free(text);
        for (size_t first = 1; first < bad[i].in.len; first++) {
            text = stream_read(bad[i].in, first, 1, (stream_limits){ROOMY, DEPTH});
            assert_memory_equal(text, "BAD expected ", 13);
            evs__free(text);
        }
    }
}

static void more_skipped_elements_than_can_be_counted_are_refused(void **state)
{
    (void)state;
    char *text = read_all(evs_text("*9223372036854775807\r\n*9223372036854775807\r\n"
                                   "*9223372036854775807\r\n"),
                          (stream_limits){ROOMY, DEPTH});
    assert_string_equal(
        text, "BAD expected the length of an array behind '*', got '9223372036854775807'\n");
    evs__free(text);
}

static void a_lost_stream_stays_lost_until_reset(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    evs__resp *resp = evs__resp_new(&arena, ROOMY, DEPTH);
    const evs_reply *reply;
    size_t used;
    assert_int_equal(evs__resp_read(resp, "x", 1, &used, &reply), EVS__RESP_BAD);
    assert_int_equal(evs__resp_read(resp, ":1\r\n", 4, &used, &reply), EVS__RESP_BAD);
    assert_int_equal(used, 0);
    evs__resp_reset(resp);
    assert_int_equal(evs__resp_read(resp, ":1\r\n", 4, &used, &reply), EVS__RESP_REPLY);
    assert_int_equal(evs_reply_integer(reply), 1);
    evs__resp_free(resp);
    evs__arena_free(&arena);
}

static void no_bytes_are_no_news(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    evs__resp *resp = evs__resp_new(&arena, ROOMY, DEPTH);
    const evs_reply *reply;
    size_t used = 9;
    assert_int_equal(evs__resp_read(resp, "", 0, &used, &reply), EVS__RESP_MORE);
    assert_int_equal(used, 0);
    evs__resp_free(resp);
    evs__arena_free(&arena);
    evs__resp_free(NULL);
}

static const char long_reply[] = "*4\r\n$6\r\nstring\r\n+status\r\n*2\r\n:17\r\n$-1\r\n-error\r\n";

static void a_reply_can_be_skipped_from_any_byte_on(void **state)
{
    (void)state;
    stream_skip_anywhere((evs_bytes){long_reply, sizeof long_reply - 1});
}

static void skipping_ends_with_its_reply(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    evs__buf buf = EVS__BUF_INIT;
    evs__resp *resp = evs__resp_new(&arena, ROOMY, DEPTH);
    evs__resp_skip(resp);
    evs__resp_skip(resp);
    stream_feed(&buf, resp, &arena, evs_text("+a\r\n+b\r\n"));
    evs__resp_skip(resp);
    evs__resp_reset(resp);
    stream_feed(&buf, resp, &arena, evs_text("+c\r\n*2\r\n:1\r\n"));
    evs__resp_reset(resp);
    stream_feed(&buf, resp, &arena, evs_text("+d\r\n+half"));
    evs__resp_reset(resp);
    stream_feed(&buf, resp, &arena, evs_text("+e\r\n"));
    assert_string_equal(buf.data, "SKIPPED\n+b\n+c\n+d\n+e\n");
    evs__buf_free(&buf);
    evs__resp_free(resp);
    evs__arena_free(&arena);
}

static void a_deep_reply_within_the_limit_is_built(void **state)
{
    (void)state;
    evs__buf in = EVS__BUF_INIT;
    for (int i = 0; i < EVS__RESP_DEEPEST; i++)
        evs__buf_text(&in, "*1\r\n");
    evs__buf_text(&in, ":7\r\n");
    char *text = read_all((evs_bytes){in.data, in.len}, (stream_limits){ROOMY, 100000});
    assert_int_equal(strspn(text, "["), EVS__RESP_DEEPEST);
    evs__free(text);
    evs__buf_clear(&in);
    for (int i = 0; i < 100000; i++)
        evs__buf_text(&in, "*2\r\n:1\r\n");
    evs__buf_text(&in, ":7\r\n:8\r\n");
    text = read_all((evs_bytes){in.data, in.len}, (stream_limits){ROOMY, 100000});
    assert_string_equal(text, "TOO_DEEP\n8\n");
    evs__free(text);
    evs__buf_free(&in);
}

static void running_out_of_memory_costs_one_reply(void **state)
{
    (void)state;
    stream_lack_memory(
        "*2\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n$3\r\nabc\r\n+a long status\r\n");
    stream_lack_memory("-ERR an error\r\n");
    stream_lack_memory("*1\r\n-ERR an element\r\n");
    stream_lack_memory("*-1\r\n");
    evs__mem_fail_at(1);
    assert_null(evs__resp_new(NULL, ROOMY, DEPTH));
    evs__mem_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_read_whole),
        cmocka_unit_test(replies_are_read_byte_by_byte),
        cmocka_unit_test(replies_may_be_split_anywhere),
        cmocka_unit_test(many_replies_come_out_of_one_buffer),
        cmocka_unit_test(replies_over_a_limit_are_skipped_to_their_end),
        cmocka_unit_test(a_hostile_length_allocates_nothing),
        cmocka_unit_test(nonsense_is_refused_and_quoted),
        cmocka_unit_test(more_skipped_elements_than_can_be_counted_are_refused),
        cmocka_unit_test(a_lost_stream_stays_lost_until_reset),
        cmocka_unit_test(no_bytes_are_no_news),
        cmocka_unit_test(a_reply_can_be_skipped_from_any_byte_on),
        cmocka_unit_test(skipping_ends_with_its_reply),
        cmocka_unit_test(a_deep_reply_within_the_limit_is_built),
        cmocka_unit_test(running_out_of_memory_costs_one_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
