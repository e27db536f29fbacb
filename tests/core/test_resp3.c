/* The reply reader on the types of RESP3: whole and in pieces; pushes and attributes; limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "core/mem.h"
#include "tests/support/stream.h"

enum { ROOMY = 1 << 20, DEPTH = 8 };

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct {
    evs_bytes in;
    const char *out;
} good[] = {
    {BYTES("_\r\n"), "nil\n"},
    {BYTES("#t\r\n#f\r\n"), "true\nfalse\n"},
    {BYTES(",3.25\r\n,-0\r\n,1e300\r\n,.5\r\n,5.\r\n"), ",3.25\n,-0\n,1e300\n,.5\n,5.\n"},
    {BYTES(",inf\r\n,-inf\r\n,nan\r\n,-nan\r\n"), ",inf\n,-inf\n,nan\n,-nan\n"},
    {BYTES("(3492890328409238509324850943850943825024385\r\n(-1\r\n"),
     "(3492890328409238509324850943850943825024385\n(-1\n"},
    {BYTES("!8\r\nERR a\r\nb\r\n"), "-ERR a\\r\\nb\n"},
    {BYTES("=6\r\ntxt:hi\r\n=4\r\nmkd:\r\n"), "txt:\"hi\"\nmkd:\"\"\n"},
    {BYTES("%2\r\n$1\r\na\r\n:1\r\n:2\r\n_\r\n"), "{\"a\" 1 2 nil}\n"},
    {BYTES("%0\r\n~0\r\n"), "{}\n<>\n"},
    {BYTES("~3\r\n$1\r\nx\r\n#t\r\n*1\r\n:1\r\n"), "<\"x\" true [1]>\n"},
    {BYTES("*2\r\n%1\r\n+k\r\n~1\r\n,1\r\n:9\r\n"), "[{+k <,1>} 9]\n"},
    /* Pushes stand between replies. */
    {BYTES(">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n:1\r\n"), "PUSH [+invalidate [\"k\"]]\n1\n"},
    {BYTES(":1\r\n>0\r\n>1\r\n>"), "1\nPUSH []\nBAD expected a reply type, got '>' (>)\n"},
    /* Attributes belong to what follows and are passed over. */
    {BYTES("|1\r\n+ttl\r\n:3600\r\n:5\r\n"), "5\n"},
    {BYTES("|0\r\n:5\r\n"), "5\n"},
    {BYTES("*2\r\n:1\r\n|2\r\n+a\r\n%1\r\n:1\r\n*2\r\n:1\r\n:2\r\n+b\r\n$3\r\nxyz\r\n:2\r\n"),
     "[1 2]\n"},
    {BYTES("|1\r\n|1\r\n+inner\r\n:1\r\n+outer\r\n=5\r\ntxt:1\r\n$1\r\na\r\n"), "\"a\"\n"},
    {BYTES("*1\r\n|1\r\n+x\r\n+y\r\n|1\r\n,1\r\n(2\r\n#t\r\n"), "[true]\n"},
    {BYTES("|1\r\n+of the push\r\n:1\r\n>1\r\n+p\r\n+r\r\n"), "PUSH [+p]\n+r\n"},
};

static void values_are_read_whole_and_in_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        for (size_t first = 1; first <= good[i].in.len; first++) {
            char *text = stream_read(good[i].in, first, good[i].in.len,
                                     (stream_limits){ROOMY, DEPTH});
            assert_string_equal(text, good[i].out);
            evs__free(text);
            text = stream_read(good[i].in, first, first, (stream_limits){ROOMY, DEPTH});
            assert_string_equal(text, good[i].out);
            evs__free(text);
        }
    }
}

static const struct {
    evs_bytes in;
    const char *problem;
} bad[] = {
    {BYTES("$?\r\n;4\r\n"), "streamed replies are not supported, got '$?'"},
    {BYTES("*?\r\n:1\r\n.\r\n"), "streamed replies are not supported, got '*?'"},
    {BYTES("%?\r\n"), "streamed replies are not supported, got '%?'"},
    {BYTES("~?\r\n"), "streamed replies are not supported, got '~?'"},
    {BYTES("_x\r\n"), "expected nothing behind '_', got 'x\\r'"},
    {BYTES("_1\r\n"), "expected nothing behind '_', got '1\\r'"},
    {BYTES("#\r\n"), "expected t or f behind '#', got '\\r'"},
    {BYTES("#1\r\n"), "expected t or f behind '#', got '1\\r'"},
    {BYTES("#true\r\n"), "expected t or f behind '#', got 'true\\r'"},
    {BYTES(",\r\n"), "expected a double behind ',', got ''"},
    {BYTES(",1,5\r\n"), "expected a double behind ',', got '1,5'"},
    {BYTES(",0x10\r\n"), "expected a double behind ',', got '0x10'"},
    {BYTES(",infinity\r\n"), "expected a double behind ',', got 'infinity'"},
    {BYTES("(12.5\r\n"), "expected a big number behind '(', got '12.5'"},
    {BYTES("(\r\n"), "expected a big number behind '(', got ''"},
    {BYTES("=3\r\ntxt\r\n"), "expected the length of a string with a format behind '=', got '3'"},
    {BYTES("=5\r\ntext:\r\n"), "expected a format and ':' in a string, got 't' (text:)"},
    {BYTES("=-1\r\n"), "expected the length of a string with a format behind '=', got '-1'"},
    {BYTES("!-1\r\n"), "expected the length of a string behind '!', got '-1'"},
    {BYTES("~-1\r\n"), "expected the length of an array behind '~', got '-1'"},
    {BYTES("%-1\r\n"), "expected the number of pairs behind '%', got '-1'"},
    {BYTES("|-1\r\n"), "expected the number of pairs behind '|', got '-1'"},
    {BYTES("%4611686018427387904\r\n"),
     "expected the number of pairs behind '%', got '4611686018427387904'"},
    {BYTES("|9223372036854775807\r\n"),
     "expected the number of pairs behind '|', got '9223372036854775807'"},
    {BYTES("*1\r\n>1\r\n+a\r\n"), "expected a reply type, got '>' (>1\\r\\n+a\\r\\n)"},
    {BYTES("|1\r\n>0\r\n"), "expected a reply type, got '>' (>0\\r\\n)"},
    {BYTES(".\r\n"), "expected a reply type, got '.' (.\\r\\n)"},
};

static void nonsense_is_refused_and_quoted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char want[256];
        snprintf(want, sizeof want, "BAD %s\n", bad[i].problem);
        char *text = stream_read(bad[i].in, bad[i].in.len, 1, (stream_limits){ROOMY, DEPTH});
        assert_string_equal(text, want);
        evs__free(text);
        text = stream_read(bad[i].in, 1, 1, (stream_limits){ROOMY, DEPTH});
        assert_memory_equal(text, "BAD ", 4);
        evs__free(text);
    }
}

/* 200 bytes, depth 2; behind each a reply comes out right. */
static const struct {
    evs_bytes in;
    const char *out;
} limited[] = {
    {BYTES("%5\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n"), "TOO_BIG\n"},
    {BYTES("~9\r\n_\r\n#t\r\n,1\r\n(2\r\n=4\r\ntxt:\r\n!1\r\nE\r\n%1\r\n:1\r\n:2\r\n~1\r\n:1\r\n"
           "|1\r\n+a\r\n+b\r\n:9\r\n"),
     "TOO_BIG\n"},
    {BYTES("%1\r\n+k\r\n%1\r\n+k\r\n~1\r\n:1\r\n"), "TOO_DEEP\n"},
    {BYTES("~1\r\n%1\r\n+k\r\n~0\r\n"), "TOO_DEEP\n"},
    {BYTES(">9\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n:9\r\n"), "PUSH\n"},
    {BYTES(">1\r\n*1\r\n*1\r\n:1\r\n"), "PUSH\n"},
    /* What is passed over needs no memory and may be as deep as it likes. */
    {BYTES("|1\r\n+a\r\n*9\r\n:1\r\n:2\r\n*1\r\n*1\r\n*1\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n"
           ":9\r\n+fine\r\n"),
     "+fine\n"},
};

static void over_a_limit_the_reply_is_skipped_to_its_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof limited / sizeof *limited; i++) {
        evs__buf in = EVS__BUF_INIT;
        char want[64];
        evs__buf_append(&in, limited[i].in.data, limited[i].in.len);
        evs__buf_text(&in, "%1\r\n$4\r\nnext\r\n:1\r\n");
        snprintf(want, sizeof want, "%s{\"next\" 1}\n", limited[i].out);
        for (size_t piece = 1; piece <= in.len; piece++) {
            char *text = stream_read((evs_bytes){in.data, in.len}, piece, piece,
                                     (stream_limits){200, 2});
            assert_string_equal(text, want);
            evs__free(text);
        }
        evs__buf_free(&in);
    }
}

static const char long_reply[] =
    "%2\r\n=8\r\ntxt:abcd\r\n|1\r\n+a\r\n*2\r\n:1\r\n$2\r\nxy\r\n,1.5\r\n"
    "#t\r\n~2\r\n_\r\n!3\r\nERR\r\n";

/* At every byte, attributes included. */
static void a_reply_can_be_skipped_from_any_byte_on(void **state)
{
    (void)state;
    stream_skip_anywhere((evs_bytes){long_reply, sizeof long_reply - 1});
}

/* Told to skip before or inside a push, the reader skips the reply behind it. */
static void a_push_does_not_use_up_a_skip(void **state)
{
    (void)state;
    static const char bytes[] = ">2\r\n+p\r\n:1\r\n";
    for (size_t at = 0; at < sizeof bytes; at++) {
        evs__arena arena = EVS__ARENA_INIT;
        evs__buf buf = EVS__BUF_INIT;
        evs__resp *resp = evs__resp_new(&arena, ROOMY, DEPTH);
        for (size_t i = 0; i < sizeof bytes - 1; i++) {
            if (i == at)
                evs__resp_skip(resp);
            stream_feed(&buf, resp, &arena, (evs_bytes){bytes + i, 1});
            assert_int_equal(evs__resp_owes_nothing(resp), i + 2 < sizeof bytes);
        }
        if (at == sizeof bytes - 1)
            evs__resp_skip(resp);
        stream_feed(&buf, resp, &arena, evs_text(">0\r\n*1\r\n+skipped\r\n+read\r\n"));
        assert_string_equal(buf.data, "PUSH [+p 1]\nPUSH []\nSKIPPED\n+read\n");
        evs__buf_free(&buf);
        evs__resp_free(resp);
        evs__arena_free(&arena);
    }
}

static void running_out_of_memory_costs_one_reply(void **state)
{
    (void)state;
    stream_lack_memory("|1\r\n+a\r\n+b\r\n%1\r\n~1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"
                       "=7\r\ntxt:abc\r\n(1234567890123456789012345678901234567890\r\n");
    stream_lack_memory("!9\r\nERR a bad\r\n");
    stream_lack_memory("|2\r\n+a\r\n+b\r\n*1\r\n:1\r\n|1\r\n:1\r\n:2\r\n:3\r\n-ERR an error\r\n");
    stream_lack_memory("|1\r\n|1\r\n:1\r\n:2\r\n+a\r\n-b\r\n|1\r\n-a\r\n:1\r\n-ERR an error\r\n");
    stream_lack_memory("|1\r\n-a\r\n-b\r\n+a status\r\n");
    stream_lack_memory("|0\r\n-ERR an error\r\n");
}

/* Runs of short strings are copied in a way of their own; every length, at every place of the end
 * of the bytes. */
static void runs_of_strings_are_right_wherever_the_bytes_end(void **state)
{
    (void)state;
    evs__buf in = EVS__BUF_INIT, want = EVS__BUF_INIT;
    evs__buf_text(&in, "*42\r\n");
    evs__buf_char(&want, '[');
    for (int len = 0; len < 42; len++) {
        evs__buf_format(&in, "$%d\r\n%.*s\r\n", len, len,
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
        evs__buf_format(&want, "%s\"%.*s\"", len == 0 ? "" : " ", len,
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    }
    evs__buf_text(&want, "]\n");
    for (size_t first = 1; first <= in.len; first++) {
        char *text = stream_read((evs_bytes){in.data, in.len}, first, in.len,
                                 (stream_limits){ROOMY, DEPTH});
        assert_string_equal(text, want.data);
        evs__free(text);
    }
    for (size_t limit = 42 * sizeof(void *) * 3; limit < 3000; limit++) {
        char *text = stream_read((evs_bytes){in.data, in.len}, in.len, 1,
                                 (stream_limits){limit, DEPTH});
        size_t needed = 42 * 24 + 42 + 41 * 42 / 2;
        assert_string_equal(text, limit < needed ? "TOO_BIG\n" : want.data);
        evs__free(text);
    }
    evs__buf_free(&in);
    evs__buf_free(&want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_whole_and_in_pieces),
        cmocka_unit_test(nonsense_is_refused_and_quoted),
        cmocka_unit_test(over_a_limit_the_reply_is_skipped_to_its_end),
        cmocka_unit_test(a_reply_can_be_skipped_from_any_byte_on),
        cmocka_unit_test(a_push_does_not_use_up_a_skip),
        cmocka_unit_test(running_out_of_memory_costs_one_reply),
        cmocka_unit_test(runs_of_strings_are_right_wherever_the_bytes_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
