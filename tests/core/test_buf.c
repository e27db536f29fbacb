/* Buffers: growth, termination, sticky failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "core/buf.h"
#include "core/mem.h"

static void what_is_appended_is_there_and_terminated(void **state)
{
    (void)state;
    evs__buf buf = EVS__BUF_INIT;
    evs__buf_text(&buf, "ab");
    evs__buf_char(&buf, 'c');
    evs__buf_append(&buf, "\0d", 2);
    evs__buf_append(&buf, NULL, 0);
    evs__buf_format(&buf, "%d-%s", 42, "x");
    assert_true(evs__buf_ok(&buf));
    assert_int_equal(buf.len, 9);
    assert_memory_equal(buf.data, "abc\0d42-x", 10);
    evs__buf_free(&buf);
}

static void it_grows_as_needed(void **state)
{
    (void)state;
    evs__buf buf = EVS__BUF_INIT;
    for (unsigned i = 0; i < 100000; i++) {
        evs__buf_char(&buf, (char)('a' + i % 26));
        assert_true(buf.cap > buf.len);
    }
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(buf.data[i], 'a' + i % 26);
    assert_int_equal(buf.data[buf.len], '\0');
    evs__buf_free(&buf);
}

static void formatting_fills_exactly(void **state)
{
    (void)state;
    for (int width = 200; width < 300; width++) { /* around the first capacity */
        evs__buf buf = EVS__BUF_INIT;
        evs__buf_format(&buf, "%*d", width, 7);
        assert_int_equal(buf.len, width);
        assert_int_equal(strlen(buf.data), (size_t)width);
        evs__buf_free(&buf);
    }
}

static void reserved_room_is_for_the_caller(void **state)
{
    (void)state;
    evs__buf buf = EVS__BUF_INIT;
    evs__buf_text(&buf, "ab");
    for (size_t n = 0; n < 2000; n += 97) {
        char *room = evs__buf_reserve(&buf, n);
        assert_non_null(room);
        assert_ptr_equal(room, buf.data + buf.len);
        memset(room, 'x', n + 1);
        buf.len += n;
    }
    evs__buf_char(&buf, 'y');
    assert_int_equal(strlen(buf.data), buf.len);
    evs__buf_free(&buf);
}

static void the_front_can_be_forgotten(void **state)
{
    (void)state;
    evs__buf buf = EVS__BUF_INIT;
    evs__buf_consume(&buf, 0);
    evs__buf_text(&buf, "hello world");
    evs__buf_consume(&buf, 6);
    assert_string_equal(buf.data, "world");
    evs__buf_consume(&buf, 0);
    evs__buf_consume(&buf, 5);
    assert_string_equal(buf.data, "");
    assert_int_equal(buf.len, 0);
    evs__buf_free(&buf);
}

static void clear_empties_and_forgives(void **state)
{
    (void)state;
    evs__buf buf = EVS__BUF_INIT;
    evs__buf_clear(&buf);
    evs__buf_text(&buf, "old");
    evs__mem_fail_at(1);
    assert_null(evs__buf_reserve(&buf, 10000));
    evs__mem_fail_at(0);
    assert_false(evs__buf_ok(&buf));
    evs__buf_clear(&buf);
    assert_true(evs__buf_ok(&buf));
    assert_string_equal(buf.data, "");
    evs__buf_text(&buf, "new");
    assert_string_equal(buf.data, "new");
    evs__buf_free(&buf);
}

static void taking_hands_over_the_text(void **state)
{
    (void)state;
    evs__buf buf = EVS__BUF_INIT;
    char *text = evs__buf_take(&buf);
    assert_string_equal(text, "");
    evs__free(text);
    evs__buf_text(&buf, "text");
    text = evs__buf_take(&buf);
    assert_string_equal(text, "text");
    assert_null(buf.data);
    evs__free(text);
}

static void a_failure_sticks(void **state)
{
    (void)state;
    for (size_t n = 1; n < 6; n++) {
        evs__buf buf = EVS__BUF_INIT;
        evs__mem_fail_at(n);
        for (int i = 0; i < 4000; i++)
            evs__buf_format(&buf, "%d", i);
        evs__mem_fail_at(0);
        assert_false(evs__buf_ok(&buf));
        size_t len = buf.len;
        evs__buf_text(&buf, "more");
        assert_int_equal(buf.len, len);
        assert_null(evs__buf_take(&buf));
        assert_null(buf.data);
    }
}

static void a_size_that_cannot_be_fails(void **state)
{
    (void)state;
    evs__buf buf = EVS__BUF_INIT;
    evs__buf_text(&buf, "x");
    assert_null(evs__buf_reserve(&buf, SIZE_MAX));
    assert_false(evs__buf_ok(&buf));
    evs__buf_clear(&buf);
    assert_null(evs__buf_reserve(&buf, SIZE_MAX / 2));
    evs__buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_appended_is_there_and_terminated),
        cmocka_unit_test(it_grows_as_needed),
        cmocka_unit_test(formatting_fills_exactly),
        cmocka_unit_test(reserved_room_is_for_the_caller),
        cmocka_unit_test(the_front_can_be_forgotten),
        cmocka_unit_test(clear_empties_and_forgives),
        cmocka_unit_test(taking_hands_over_the_text),
        cmocka_unit_test(a_failure_sticks),
        cmocka_unit_test(a_size_that_cannot_be_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
