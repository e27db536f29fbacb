/* Requests as bytes. */
#include "scripts/render.h"

#include "core/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const char sha[] = "0123456789abcdef0123456789abcdef01234567";

static void evalsha_is_rendered_exactly(void **state)
{
    (void)state;
    evs__buf buf = EVS__BUF_INIT;
    evs__head head = {0};
    evs_bytes keys[] = {evs_text("{a}1"), {"\0\r\n", 3}};
    evs_bytes args[] = {evs_text(""), evs_text("x")};
    evs__head_render(&head, sha);
    evs_invocation call = {.keys = keys, .nkeys = 2, .args = args, .nargs = 2};
    evs__render_evalsha(&buf, &head, &call);

    static const char want[] = "*7\r\n$7\r\nEVALSHA\r\n$40\r\n"
                               "0123456789abcdef0123456789abcdef01234567\r\n$1\r\n2\r\n"
                               "$4\r\n{a}1\r\n$3\r\n\0\r\n\r\n$0\r\n\r\n$1\r\nx\r\n";
    assert_int_equal(buf.len, sizeof want - 1);
    assert_memory_equal(buf.data, want, sizeof want - 1);
    evs__buf_free(&buf);
}

/* Heads are kept ready; commands are rendered word by word. */
static void evalsha_is_rendered_as_the_command_it_is(void **state)
{
    (void)state;
    enum { MOST = 13 };
    char count[4];
    evs_bytes words[3 + 2 * MOST] = {evs_text("EVALSHA"), evs_text(sha), {count, 0}};
    evs__head head;
    evs__head_render(&head, sha);
    for (size_t i = 3; i < 3 + 2 * MOST; i++)
        words[i] = (evs_bytes){"abcdefghijklmnopqrstuvwxyz0123456789", i};
    for (size_t nkeys = 0; nkeys <= MOST; nkeys++) {
        words[2].len = (size_t)snprintf(count, sizeof count, "%zu", nkeys);
        for (size_t nargs = 0; nargs <= MOST; nargs++) {
            evs__buf got = EVS__BUF_INIT, want = EVS__BUF_INIT;
            evs_invocation call = {
                .keys = words + 3, .nkeys = nkeys, .args = words + 3 + nkeys, .nargs = nargs};
            evs__render_evalsha(&got, &head, &call);
            evs__render_command(&want, words, 3 + nkeys + nargs);
            assert_int_equal(got.len, want.len);
            assert_memory_equal(got.data, want.data, want.len);
            evs__buf_free(&got);
            evs__buf_free(&want);
        }
    }
}

static void many_keys_have_a_longer_count(void **state)
{
    (void)state;
    enum { COUNT = 12345 };
    static evs_bytes keys[COUNT];
    evs__buf buf = EVS__BUF_INIT;
    evs__head head = {0};
    evs__head_render(&head, sha);
    evs_invocation call = {.keys = keys, .nkeys = COUNT};
    evs__render_evalsha(&buf, &head, &call);
    static const char want[] = "*12348\r\n$7\r\nEVALSHA\r\n$40\r\n"
                               "0123456789abcdef0123456789abcdef01234567\r\n$5\r\n12345\r\n$0\r\n";
    assert_memory_equal(buf.data, want, sizeof want - 1);
    evs__buf_free(&buf);
}

static void arguments_of_every_length_are_rendered_exactly(void **state)
{
    (void)state;
    enum { LONGEST = 1200 };
    static char text[LONGEST];
    evs__buf buf = EVS__BUF_INIT;
    for (size_t i = 0; i < LONGEST; i++)
        text[i] = (char)('a' + i % 26);
    for (size_t len = 0; len < LONGEST; len++) {
        char mark[24];
        evs_bytes arg = {text, len};
        int digits = snprintf(mark, sizeof mark, "*1\r\n$%zu\r\n", len);
        evs__buf_clear(&buf);
        evs__render_command(&buf, &arg, 1);
        assert_int_equal(buf.len, (size_t)digits + len + 2);
        assert_memory_equal(buf.data, mark, (size_t)digits);
        assert_memory_equal(buf.data + digits, text, len);
        assert_memory_equal(buf.data + digits + len, "\r\n", 2);
    }
    evs__buf_free(&buf);
}

static void arguments_are_read_back(void **state)
{
    (void)state;
    evs__buf buf = EVS__BUF_INIT;
    evs_bytes args[] = {evs_text("SET"), {"a\0b", 3}, evs_text("")};
    evs__render_command(&buf, args, 3);
    evs_bytes request = {buf.data, buf.len};
    assert_int_equal(evs__rendered_argument(request, 0).len, 3);
    assert_memory_equal(evs__rendered_argument(request, 1).data, "a\0b", 3);
    assert_int_equal(evs__rendered_argument(request, 2).len, 0);
    assert_null(evs__rendered_argument(request, 3).data);
    evs_bytes nothing = {NULL, 0};
    assert_null(evs__rendered_argument(nothing, 0).data);
    evs__buf_free(&buf);
}

static void impossible_sizes_fail_the_buffer(void **state)
{
    (void)state;
    evs__buf buf = EVS__BUF_INIT;
    evs_bytes huge = {"x", SIZE_MAX / 2};
    evs__render_command(&buf, &huge, 1);
    assert_false(evs__buf_ok(&buf));
    evs__buf_free(&buf);
}

static void out_of_memory_fails_the_buffer(void **state)
{
    (void)state;
    evs__buf buf = EVS__BUF_INIT;
    evs_bytes word = evs_text("PING");
    evs__mem_fail_at(1);
    evs__render_command(&buf, &word, 1);
    evs__mem_fail_at(0);
    assert_false(evs__buf_ok(&buf));
    evs__buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evalsha_is_rendered_exactly),
        cmocka_unit_test(evalsha_is_rendered_as_the_command_it_is),
        cmocka_unit_test(many_keys_have_a_longer_count),
        cmocka_unit_test(arguments_of_every_length_are_rendered_exactly),
        cmocka_unit_test(arguments_are_read_back),
        cmocka_unit_test(impossible_sizes_fail_the_buffer),
        cmocka_unit_test(out_of_memory_fails_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
