/* The words of a command line become options, lists and plain words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tools/evalshard/opt.h"

enum { MAP, KEY, ARG, JSON };

static const opt_spec specs[] = {
    [MAP] = {'m', "map", OPT_TEXT, "MAP", ""},
    [KEY] = {'k', "key", OPT_WORDS, "KEY", ""},
    [ARG] = {'a', "arg", OPT_WORDS, "ARG", ""},
    [JSON] = {'\0', "json", OPT_FLAG, NULL, ""},
};

static void join(char *to, size_t size, const char *what, const opt_list *list)
{
    size_t at = strlen(to);
    for (size_t i = 0; i < list->count; i++) {
        const char *word = list->words == NULL ? "yes" : list->words[i];
        at += (size_t)snprintf(to + at, size - at, "%s%s[%s]", at > 0 ? " " : "", what, word);
    }
}

/* What was understood, as text: "m[...] k[...] a[...] j[yes] [plain]", or "! problem". */
static void describe(char *to, size_t size, const char *const *words)
{
    opts given;
    to[0] = '\0';
    if (opt_parse(&given, specs, 4, words) != 0) {
        snprintf(to, size, "! %s", given.problem);
    } else {
        join(to, size, "m", &given.values[MAP]);
        join(to, size, "k", &given.values[KEY]);
        join(to, size, "a", &given.values[ARG]);
        join(to, size, "j", &given.values[JSON]);
        join(to, size, "", &given.plain);
        if (given.help)
            snprintf(to + strlen(to), size - strlen(to), "%shelp", to[0] != '\0' ? " " : "");
    }
    opt_free(&given);
}

static const struct {
    const char *what;
    const char *words[12];
    const char *expected;
} cases[] = {
    {"nothing", {NULL}, ""},
    {"plain words", {"a", "b"}, "[a] [b]"},
    {"a value behind its option", {"-m", "x", "y"}, "m[x] [y]"},
    {"a value joined to a letter", {"-mx"}, "m[x]"},
    {"a value joined to a name", {"--map=x=y"}, "m[x=y]"},
    {"an empty value", {"--map="}, "m[]"},
    {"a list up to the next option", {"f", "-k", "a", "b", "-a", "c"}, "k[a] k[b] a[c] [f]"},
    {"a list ends at a flag", {"-k", "a", "--json", "b"}, "k[a] j[yes] [b]"},
    {"a list in two parts", {"-k", "a", "--json", "-k", "b"}, "k[a] k[b] j[yes]"},
    {"an empty word is a word", {"-k", "", "-a", ""}, "k[] a[]"},
    {"a list takes numbers", {"-a", "-1", "-", "-2.5"}, "a[-1] a[-] a[-2.5]"},
    {"a joined value may look like an option", {"--arg=-m", "x"}, "a[-m] a[x]"},
    {"-- ends options", {"--json", "--", "--map", "-k"}, "j[yes] [--map] [-k]"},
    {"-- inside a list quotes", {"n", "-a", "--", "-m", "--"}, "a[-m] a[--] [n]"},
    {"help", {"x", "--help"}, "[x] help"},
    {"help by letter", {"-h"}, "help"},
    {"an unknown option", {"--nonsense"}, "! unknown option --nonsense"},
    {"a mistyped option", {"--jsn"}, "! unknown option --jsn; did you mean --json?"},
    {"a mistyped option with a value",
     {"--mpa=x"},
     "! unknown option --mpa=x; did you mean --map?"},
    {"an unknown letter", {"-x"}, "! unknown option -x"},
    {"no value", {"-m"}, "! --map needs a value: MAP"},
    {"no value before an option", {"-m", "--json"}, "! --map needs a value: MAP"},
    {"an empty list", {"-k", "-a", "x"}, "! --key needs a value: KEY"},
    {"a flag with a value", {"--json=yes"}, "! --json takes no value"},
};

static void words_become_options(void **state)
{
    char text[512];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        describe(text, sizeof text, cases[i].words);
        if (strcmp(text, cases[i].expected) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", cases[i].what, text, cases[i].expected);
    }
}

static void the_last_text_wins(void **state)
{
    const char *words[] = {"-m", "one", "--map=two", NULL};
    opts given;
    (void)state;
    assert_int_equal(opt_parse(&given, specs, 4, words), 0);
    assert_string_equal(opt_text(&given, MAP), "two");
    assert_true(opt_given(&given, MAP));
    assert_false(opt_given(&given, JSON));
    opt_free(&given);
}

static void durations_need_a_unit(void **state)
{
    static const struct {
        const char *text;
        int result;
        unsigned ms;
    } rows[] = {
        {"500ms", 0, 500},  {"2s", 0, 2000},      {"1m", 0, 60000},
        {"1h", 0, 3600000}, {"24h", 0, 86400000}, {"25h", -1, 0},
        {"2", -1, 0},       {"0s", -1, 0},        {"-1s", -1, 0},
        {" 1s", -1, 0},     {"s", -1, 0},         {"", -1, 0},
        {"1.5s", -1, 0},    {"1 s", -1, 0},       {"99999999999999999999ms", -1, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned ms = 0;
        if (opt_duration(&ms, rows[i].text) != rows[i].result || ms != rows[i].ms)
            fail_msg("\"%s\": %u ms", rows[i].text, ms);
    }
}

static void only_near_words_are_suggested(void **state)
{
    const char *words[] = {"check", "route", "status", "call"};
    (void)state;
    assert_string_equal(opt_similar("chekc", words, 4), "check");
    assert_string_equal(opt_similar("STATUS", words, 4), "status");
    assert_string_equal(opt_similar("roue", words, 4), "route");
    assert_null(opt_similar("elephant", words, 4));
    assert_null(opt_similar("", words, 4));
    assert_null(opt_similar("a-word-longer-than-any-command-could-ever-be", words, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_options),
        cmocka_unit_test(the_last_text_wins),
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(only_near_words_are_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
