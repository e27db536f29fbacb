/* Likeness of words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/similar.h"
#include <cmocka.h>

static void edits_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        unsigned edits;
    } rows[] = {
        {"", "", 0},
        {"abc", "abc", 0},
        {"abc", "ABC", 0},
        {"", "abc", 3},
        {"abc", "", 3},
        {"kitten", "sitting", 3},
        {"ab", "ba", 1},
        {"abcd", "acbd", 1},
        {"abcd", "badc", 2},
        {"ca", "abc", 3},
        {"hget", "hgte", 1},
        {"flaw", "lawn", 2},
        {"timeout", "tiemout_ms", 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        evs_bytes a = evs_text(rows[i].a), b = evs_text(rows[i].b);
        for (unsigned limit = 0; limit < 8; limit++) {
            unsigned want = rows[i].edits <= limit ? rows[i].edits : limit + 1;
            assert_int_equal(evs__edit_distance(a, b, limit), want);
            assert_int_equal(evs__edit_distance(b, a, limit), want);
        }
    }
}

static void long_words_are_never_alike(void **state)
{
    (void)state;
    char word[65];
    memset(word, 'x', sizeof word);
    assert_int_equal(evs__edit_distance((evs_bytes){word, 64}, (evs_bytes){word, 64}, 2), 0);
    assert_int_equal(evs__edit_distance((evs_bytes){word, 65}, (evs_bytes){word, 65}, 2), 3);
}

static void only_a_near_word_is_suggested(void **state)
{
    (void)state;
    static const char *const words[] = {"host", "port", "password", "timeout_ms", "tls", "db"};
    static const struct {
        const char *word, *want;
    } rows[] = {
        {"hots", "host"},
        {"HOST", "host"},
        {"pasword", "password"},
        {"pass", NULL},
        {"timeout_s", "timeout_ms"},
        {"tlss", "tls"},
        {"bd", "db"},
        {"x", NULL},
        {"", NULL},
        {"unrelated", NULL},
        {"prot", "port"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *got = evs__most_similar(evs_text(rows[i].word), words,
                                            sizeof words / sizeof *words);
        if (rows[i].want == NULL)
            assert_null(got);
        else
            assert_string_equal(got, rows[i].want);
    }
    assert_null(evs__most_similar(evs_text("host"), words, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_are_counted),
        cmocka_unit_test(long_words_are_never_alike),
        cmocka_unit_test(only_a_near_word_is_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
