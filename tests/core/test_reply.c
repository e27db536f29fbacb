/* Replies: accessors, numbers in strings, copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <evalshard/reply.h>

#include "core/mem.h"
#include "core/number.h"
#include "core/printable.h"
#include "core/reply.h"

static const evs_reply nil = {EVS_REPLY_NIL, 0, {.integer = 0}};
static evs_reply inner[] = {
    {EVS_REPLY_INTEGER, 0, {.integer = -5}},
    {EVS_REPLY_STRING, 3, {.text = "a\0b"}},
    {EVS_REPLY_ARRAY, 0, {.items = NULL}},
};
static evs_reply outer[] = {
    {EVS_REPLY_ARRAY, 3, {.items = inner}}, {EVS_REPLY_STATUS, 2, {.text = "OK"}},
    {EVS_REPLY_NIL, 0, {.integer = 0}},     {EVS_REPLY_ERROR, 6, {.text = "ERR no"}},
    {EVS_REPLY_ARRAY, 3, {.items = inner}},
};
static const evs_reply tree = {EVS_REPLY_ARRAY, 5, {.items = outer}};

static void accessors_answer_for_every_type(void **state)
{
    (void)state;
    assert_int_equal(evs_reply_kind(NULL), EVS_REPLY_NIL);
    assert_int_equal(evs_reply_kind(&nil), EVS_REPLY_NIL);
    assert_int_equal(evs_reply_bytes(NULL).len, 0);
    assert_non_null(evs_reply_bytes(&nil).data);
    assert_int_equal(evs_reply_count(NULL), 0);
    assert_int_equal(evs_reply_count(&outer[1]), 0);
    assert_null(evs_reply_at(&outer[1], 0));
    assert_null(evs_reply_at(&tree, 5));
    assert_null(evs_reply_at(NULL, 0));
    assert_int_equal(evs_reply_integer(NULL), 0);
    assert_int_equal(evs_reply_integer(&tree), 0);
    assert_int_equal(evs_reply_count(&tree), 5);
    assert_int_equal(evs_reply_integer(evs_reply_at(evs_reply_at(&tree, 0), 0)), -5);
    assert_memory_equal(evs_reply_bytes(evs_reply_at(&tree, 3)).data, "ERR no", 7);
}

static void whole_numbers_in_strings_count(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t number;
    } rows[] = {
        {"0", 0},
        {"-1", -1},
        {"12345", 12345},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"9223372036854775808", 0},
        {"-9223372036854775809", 0},
        {"99999999999999999999", 0},
        {"1.5", 0},
        {"1 ", 0},
        {" 1", 0},
        {"", 0},
        {"-", 0},
        {"x", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        evs_reply reply = {EVS_REPLY_STRING, strlen(rows[i].text), {.text = rows[i].text}};
        assert_true(evs_reply_integer(&reply) == rows[i].number);
        reply.type = EVS_REPLY_STATUS;
        assert_true(evs_reply_integer(&reply) == 0);
    }
}

static void a_number_that_is_none_leaves_the_result_alone(void **state)
{
    (void)state;
    int64_t n = 7;
    assert_false(evs__number(&n, evs_text("7x")));
    assert_false(evs__number(&n, evs_text("+")));
    assert_false(evs__number(&n, (evs_bytes){NULL, 0}));
    assert_int_equal(n, 7);
    assert_true(evs__number(&n, evs_text("+08")));
    assert_int_equal(n, 8);
}

static evs_reply three[] = {
    {EVS_REPLY_DOUBLE, 3, {.text = "0.5"}},    {EVS_REPLY_VERBATIM, 2, {.text = &"txt:hi"[4]}},
    {EVS_REPLY_BIG_NUMBER, 2, {.text = "12"}}, {EVS_REPLY_BOOL, 0, {.integer = 1}},
    {EVS_REPLY_SET, 3, {.items = inner}},      {EVS_REPLY_STRING, 0, {.text = ""}},
};
static const evs_reply resp3 = {EVS_REPLY_MAP, 6, {.items = three}};

static void the_types_of_resp3_have_accessors(void **state)
{
    (void)state;
    assert_int_equal(evs_reply_count(&resp3), 6);
    assert_int_equal(evs_reply_count(&three[4]), 3);
    assert_ptr_equal(evs_reply_at(&resp3, 3), &three[3]);
    assert_string_equal(evs_reply_bytes(&three[0]).data, "0.5");
    assert_string_equal(evs_reply_bytes(&three[1]).data, "hi");
    assert_int_equal(evs_reply_format(&three[1]).len, 3);
    assert_memory_equal(evs_reply_format(&three[1]).data, "txt", 3);
    assert_int_equal(evs_reply_format(&three[0]).len, 0);
    assert_int_equal(evs_reply_format(NULL).len, 0);
    assert_int_equal(evs_reply_integer(&three[3]), 1);
    assert_string_equal(evs_reply_kind_name(EVS_REPLY_VERBATIM), "verbatim string");
    assert_string_equal(evs_reply_kind_name((evs_reply_type)12), "unknown");
    assert_string_equal(evs_reply_kind_name((evs_reply_type)-1), "unknown");
}

static void assert_same(const evs_reply *a, const evs_reply *b)
{
    evs_bytes x = evs_reply_bytes(a), y = evs_reply_bytes(b);
    assert_int_equal(evs_reply_kind(a), evs_reply_kind(b));
    assert_int_equal(x.len, y.len);
    assert_memory_equal(x.data, y.data, x.len + 1);
    assert_int_equal(evs_reply_format(a).len, evs_reply_format(b).len);
    assert_memory_equal(evs_reply_format(a).data, evs_reply_format(b).data,
                        evs_reply_format(a).len);
    assert_true(evs_reply_integer(a) == evs_reply_integer(b));
    assert_int_equal(evs_reply_count(a), evs_reply_count(b));
    for (size_t i = 0; i < evs_reply_count(a); i++)
        assert_same(evs_reply_at(a, i), evs_reply_at(b, i));
}

static void a_copy_is_the_same_in_one_block(void **state)
{
    (void)state;
    const evs_reply *rows[] = {&tree,     &inner[0], &inner[1], &inner[2],
                               &outer[3], &nil,      &resp3,    &three[1]};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        evs_reply *copy = NULL;
        evs__mem_fail_at(0);
        assert_int_equal(evs_reply_copy(&copy, rows[i], NULL), EVS_OK);
        assert_int_equal(evs__mem_count(), 1);
        assert_same(copy, rows[i]);
        if (evs_reply_bytes(copy).len > 0)
            assert_ptr_not_equal(evs_reply_bytes(copy).data, evs_reply_bytes(rows[i]).data);
        evs_reply_free(copy);
    }
    evs_reply_free(NULL);
}

static void a_copy_of_nothing_is_nil(void **state)
{
    (void)state;
    evs_reply *copy = NULL;
    assert_int_equal(evs_reply_copy(&copy, NULL, NULL), EVS_OK);
    assert_int_equal(evs_reply_kind(copy), EVS_REPLY_NIL);
    evs_reply_free(copy);
}

static void without_memory_there_is_no_copy(void **state)
{
    (void)state;
    evs_error err;
    evs_reply *copy = NULL;
    evs__mem_fail_at(1);
    evs_status status = evs_reply_copy(&copy, &tree, &err);
    evs__mem_fail_at(0);
    assert_int_equal(status, EVS_E_NOMEM);
    assert_int_equal(err.status, EVS_E_NOMEM);
    assert_null(copy);
}

static void bytes_become_printable(void **state)
{
    (void)state;
    char out[64], tiny[6];
    assert_int_equal(evs__printable(out, sizeof out, (evs_bytes){"a\r\n\\\0\xff~", 7}), 16);
    assert_string_equal(out, "a\\r\\n\\\\\\x00\\xff~");
    assert_int_equal(evs__printable(tiny, sizeof tiny, (evs_bytes){"ab\0c", 4}), 2);
    assert_string_equal(tiny, "ab");
    assert_int_equal(evs__printable(tiny, 1, evs_text("abc")), 0);
    assert_string_equal(tiny, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accessors_answer_for_every_type),
        cmocka_unit_test(whole_numbers_in_strings_count),
        cmocka_unit_test(a_number_that_is_none_leaves_the_result_alone),
        cmocka_unit_test(the_types_of_resp3_have_accessors),
        cmocka_unit_test(a_copy_is_the_same_in_one_block),
        cmocka_unit_test(a_copy_of_nothing_is_nil),
        cmocka_unit_test(without_memory_there_is_no_copy),
        cmocka_unit_test(bytes_become_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
