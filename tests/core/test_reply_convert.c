/* What replies are worth as numbers, truths and texts; what is in a map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <evalshard/reply.h>
#include <locale.h>
#include <math.h>

#include "core/reply.h"

#define TEXT(kind, literal)                    \
    {                                          \
        EVS_REPLY_##kind, sizeof(literal) - 1, \
        {                                      \
            .text = (literal)                  \
        }                                      \
    }
#define NUMBER(kind, n)      \
    {                        \
        EVS_REPLY_##kind, 0, \
        {                    \
            .integer = (n)   \
        }                    \
    }

static const struct {
    evs_reply reply;
    int64_t number;
    const char *problem; /* NULL when it converts */
} wholes[] = {
    {NUMBER(INTEGER, INT64_MIN), INT64_MIN, NULL},
    {NUMBER(BOOL, 1), 1, NULL},
    {TEXT(STRING, "9223372036854775807"), INT64_MAX, NULL},
    {TEXT(STRING, "-9223372036854775808"), INT64_MIN, NULL},
    {TEXT(STRING, "+007"), 7, NULL},
    {TEXT(DOUBLE, "3"), 3, NULL},
    {TEXT(BIG_NUMBER, "-12"), -12, NULL},
    {TEXT(STRING, "9223372036854775808"), 0,
     "the reply is the string \"9223372036854775808\", not within 64 bits"},
    {TEXT(BIG_NUMBER, "123456789012345678901"), 0,
     "the reply is the big number \"123456789012345678901\", not within 64 bits"},
    {TEXT(DOUBLE, "3.5"), 0, "the reply is the double \"3.5\", not a whole number"},
    {TEXT(DOUBLE, "1e3"), 0, "the reply is the double \"1e3\", not a whole number"},
    {TEXT(STRING, " 1"), 0, "the reply is the string \" 1\", not a whole number"},
    {TEXT(STRING, "1\0"), 0, "the reply is the string \"1\\x00\", not a whole number"},
    {TEXT(STRING, ""), 0, "the reply is the string \"\", not a whole number"},
    {TEXT(STATUS, "1"), 0, "the reply is the status \"1\", not a whole number"},
    {TEXT(ERROR, "ERR no"), 0, "the reply is the error \"ERR no\", not a whole number"},
    {NUMBER(NIL, 0), 0, "the reply is nil, not a whole number"},
    {{EVS_REPLY_ARRAY, 0, {0}}, 0, "the reply is an array, not a whole number"},
    {{EVS_REPLY_MAP, 0, {0}}, 0, "the reply is a map, not a whole number"},
};

static void whole_numbers_convert_or_say_why_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++) {
        evs_error err = {0};
        int64_t n = 42;
        evs_status status = evs_reply_int(&n, &wholes[i].reply, &err);
        assert_int_equal(status, wholes[i].problem == NULL ? EVS_OK : EVS_E_INVALID);
        assert_string_equal(err.message, wholes[i].problem == NULL ? "" : wholes[i].problem);
        assert_true(n == (wholes[i].problem == NULL ? wholes[i].number : 42));
        assert_true(evs_reply_integer(&wholes[i].reply) == wholes[i].number);
    }
    assert_int_equal(evs_reply_int(&(int64_t){0}, NULL, NULL), EVS_E_INVALID);
}

static const struct {
    evs_reply reply;
    double number;
    const char *problem;
} doubles[] = {
    {TEXT(DOUBLE, "0.1"), 0.1, NULL},
    {TEXT(STRING, "-1.7976931348623157e+308"), -1.7976931348623157e+308, NULL},
    {TEXT(STRING, "1e-400"), 0, NULL},
    {TEXT(STRING, "12"), 12, NULL},
    {TEXT(STRING, ".5"), 0.5, NULL},
    {TEXT(DOUBLE, "inf"), HUGE_VAL, NULL},
    {TEXT(DOUBLE, "-inf"), -HUGE_VAL, NULL},
    {TEXT(BIG_NUMBER, "100000000000000000000"), 1e20, NULL},
    {NUMBER(INTEGER, -3), -3, NULL},
    {TEXT(STRING, "1e309"), 0,
     "the reply is the string \"1e309\", not within the range of a double"},
    {TEXT(STRING, "0x10"), 0, "the reply is the string \"0x10\", not a number"},
    {TEXT(STRING, "1."), 1, NULL},
    {TEXT(STRING, "."), 0, "the reply is the string \".\", not a number"},
    {TEXT(STRING, "1e"), 0, "the reply is the string \"1e\", not a number"},
    {TEXT(STRING, "1e1.5"), 0, "the reply is the string \"1e1.5\", not a number"},
    {TEXT(STRING, "infinity"), 0, "the reply is the string \"infinity\", not a number"},
    {TEXT(STRING, "1,5"), 0, "the reply is the string \"1,5\", not a number"},
    {TEXT(STRING, ""), 0, "the reply is the string \"\", not a number"},
    {NUMBER(BOOL, 1), 0, "the reply is a bool, not a number"},
    {NUMBER(NIL, 0), 0, "the reply is nil, not a number"},
};

static void check_doubles(void)
{
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
        evs_error err = {0};
        double n = 42;
        evs_status status = evs_reply_double(&n, &doubles[i].reply, &err);
        assert_int_equal(status, doubles[i].problem == NULL ? EVS_OK : EVS_E_INVALID);
        assert_string_equal(err.message, doubles[i].problem == NULL ? "" : doubles[i].problem);
        double want = doubles[i].problem == NULL ? doubles[i].number : 42;
        assert_true(n >= want && n <= want);
    }
}

static void doubles_convert_or_say_why_not(void **state)
{
    (void)state;
    evs_reply nan = TEXT(DOUBLE, "-nan");
    double n = 0;
    check_doubles();
    assert_int_equal(evs_reply_double(&n, &nan, NULL), EVS_OK);
    assert_true(isnan(n));
}

/* Where the locale has a comma, if this machine knows one. */
static void doubles_have_a_point_in_every_locale(void **state)
{
    (void)state;
    const char *comma = setlocale(LC_NUMERIC, "de_DE.UTF-8");
    check_doubles();
    if (comma != NULL)
        setlocale(LC_NUMERIC, "C");
}

static void truths_are_few(void **state)
{
    (void)state;
    static const struct {
        evs_reply reply;
        int truth; /* -1: none */
        const char *problem;
    } rows[] = {
        {NUMBER(BOOL, 1), 1, ""},
        {NUMBER(BOOL, 0), 0, ""},
        {NUMBER(INTEGER, 1), 1, ""},
        {NUMBER(INTEGER, 0), 0, ""},
        {NUMBER(NIL, 0), 0, ""},
        {NUMBER(INTEGER, 2), -1, "the reply is the integer 2, not true or false"},
        {TEXT(STRING, "1"), -1, "the reply is the string \"1\", not true or false"},
        {TEXT(STATUS, "OK"), -1, "the reply is the status \"OK\", not true or false"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        evs_error err = {0};
        int truth = -1;
        evs_status status = evs_reply_bool(&truth, &rows[i].reply, &err);
        assert_int_equal(status, rows[i].truth < 0 ? EVS_E_INVALID : EVS_OK);
        assert_int_equal(truth, rows[i].truth);
        assert_string_equal(err.message, rows[i].problem);
    }
}

static void texts_are_whatever_is_written(void **state)
{
    (void)state;
    static const evs_reply texts[] = {TEXT(STRING, "a\0b"), TEXT(STATUS, "a\0b"),
                                      TEXT(DOUBLE, "1.5"), TEXT(BIG_NUMBER, "123"),
                                      TEXT(VERBATIM, "abc")};
    static const evs_reply others[] = {NUMBER(NIL, 0),
                                       NUMBER(INTEGER, 5),
                                       NUMBER(BOOL, 1),
                                       TEXT(ERROR, "ERR"),
                                       {EVS_REPLY_SET, 0, {0}}};
    evs_bytes bytes = {NULL, 0};
    evs_error err;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(evs_reply_str(&bytes, &texts[i], &err), EVS_OK);
        assert_int_equal(bytes.len, 3);
        assert_ptr_equal(bytes.data, texts[i].as.text);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(evs_reply_str(&bytes, &others[i], &err), EVS_E_INVALID);
    assert_string_equal(err.message, "the reply is a set, not a string");
    assert_int_equal(bytes.len, 3);
}

static void maps_are_looked_into_by_key(void **state)
{
    (void)state;
    static evs_reply items[] = {TEXT(STRING, "a"),  NUMBER(INTEGER, 1), NUMBER(INTEGER, -7),
                                NUMBER(INTEGER, 2), TEXT(STRING, "a"),  NUMBER(INTEGER, 3),
                                NUMBER(NIL, 0),     NUMBER(INTEGER, 4), TEXT(STRING, ""),
                                NUMBER(INTEGER, 5), TEXT(STRING, "odd")};
    static const evs_reply map = {EVS_REPLY_MAP, 10, {.items = items}};
    static const evs_reply flat = {EVS_REPLY_ARRAY, 11, {.items = items}};
    static const evs_reply set = {EVS_REPLY_SET, 10, {.items = items}};
    const evs_reply *both[] = {&map, &flat};
    for (size_t i = 0; i < 2; i++) {
        assert_ptr_equal(evs_reply_map_get(both[i], evs_text("a")), &items[1]);
        assert_ptr_equal(evs_reply_map_get(both[i], evs_text("-7")), &items[3]);
        assert_ptr_equal(evs_reply_map_get(both[i], evs_text("")), &items[9]);
        assert_ptr_equal(evs_reply_map_get(both[i], (evs_bytes){NULL, 0}), &items[9]);
        assert_null(evs_reply_map_get(both[i], evs_text("1")));
        assert_null(evs_reply_map_get(both[i], evs_text("odd")));
    }
    assert_null(evs_reply_map_get(&set, evs_text("a")));
    assert_null(evs_reply_map_get(&items[0], evs_text("a")));
    assert_null(evs_reply_map_get(NULL, evs_text("a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_convert_or_say_why_not),
        cmocka_unit_test(doubles_convert_or_say_why_not),
        cmocka_unit_test(doubles_have_a_point_in_every_locale),
        cmocka_unit_test(truths_are_few),
        cmocka_unit_test(texts_are_whatever_is_written),
        cmocka_unit_test(maps_are_looked_into_by_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
