/*
 * What a script does not change by being written otherwise, the audit must not change either: all
 * Lua of the repository keeps its verdict, and whether it may write or return errors, when its
 * locals are renamed, its calls aliased, its texts split, and so on. And the same input gives the
 * same report, byte for byte, whatever was audited before and whatever the locale is.
 *
 * `scripts.audit.test_metamorphic 9` takes only every ninth script.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/lua_corpus.h"
#include "tests/support/lua_edits.h"
#include "tests/support/lua_writer.h"

#include <evalshard/audit.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANDOM = 200 };

static size_t step = 1; /* from one script to the next */

static evs_report *audit(const char *source)
{
    evs_report *report;
    assert_int_equal(evs_audit(&report, evs_text(source), NULL, NULL), EVS_OK);
    return report;
}

static int is_same(const evs_report *a, const evs_report *b)
{
    return evs_report_verdict(a) == evs_report_verdict(b) &&
           evs_report_may_write(a) == evs_report_may_write(b) &&
           evs_report_may_return_errors(a) == evs_report_may_return_errors(b);
}

/* 1 when it was rewritten; -1 when that changed what is said of it. */
static int rewrite(const lua_script *script, lua_edit_kind kind)
{
    char *text = lua_edit(script->text, kind);
    if (text == NULL)
        return 0;
    evs_report *before = audit(script->text), *after = audit(text);
    int same = is_same(before, after);
    if (!same)
        print_error("%s, %s: %s %d %d becomes %s %d %d\n%s\n", script->name, lua_edit_name(kind),
                    evs_verdict_name(evs_report_verdict(before)), evs_report_may_write(before),
                    evs_report_may_return_errors(before),
                    evs_verdict_name(evs_report_verdict(after)), evs_report_may_write(after),
                    evs_report_may_return_errors(after), text);
    evs_report_free(before);
    evs_report_free(after);
    free(text);
    return same ? 1 : -1;
}

static size_t wrong;

/* How many of them could be rewritten so. */
static size_t rewrite_corpus(const lua_corpus *corpus, lua_edit_kind kind)
{
    size_t done = 0;
    for (size_t i = 0; i < corpus->count; i += step) {
        int result = rewrite(&corpus->scripts[i], kind);
        done += result != 0;
        wrong += result < 0;
    }
    return done;
}

static size_t rewrite_random(lua_edit_kind kind)
{
    static lua_writer writer;
    lua_script script = {"a random script", writer.text};
    size_t done = 0;
    for (unsigned seed = 0; seed < RANDOM; seed += (unsigned)step) {
        lua_write(&writer, seed, seed % 8 == 7);
        int result = rewrite(&script, kind);
        done += result != 0;
        wrong += result < 0;
    }
    return done;
}

static void scripts_written_otherwise_are_judged_alike(void **state)
{
    (void)state;
    lua_corpus corpus;
    lua_corpus_load(&corpus);
    for (unsigned i = 0; i < LUA_EDITS; i++) {
        lua_edit_kind kind = (lua_edit_kind)i;
        size_t done = rewrite_corpus(&corpus, kind), random = rewrite_random(kind);
        print_message("%s: %zu of %zu scripts, %zu of %d random ones\n", lua_edit_name(kind), done,
                      corpus.count, random, RANDOM);
        assert_true(done + random > 100 / step);
    }
    lua_corpus_free(&corpus);
    assert_int_equal(wrong, 0);
}

static char *render(const char *source)
{
    evs_render_options options = EVS_RENDER_OPTIONS_INIT;
    evs_report *report = audit(source);
    char *text;
    options.format = "json";
    assert_int_equal(
        evs_reports_render(&text, (const evs_report *const *)&report, 1, &options, NULL), EVS_OK);
    evs_report_free(report);
    return text;
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    (void)state;
    static const char *const locales[] = {"C", "de_DE.UTF-8", "tr_TR.UTF-8", "C.UTF-8"};
    lua_corpus corpus;
    lua_corpus_load(&corpus);
    char **first = calloc(corpus.count, sizeof *first);
    assert_non_null(first);
    for (size_t i = 0; i < corpus.count; i += step)
        first[i] = render(corpus.scripts[i].text);
    for (size_t n = 0; n < sizeof locales / sizeof *locales; n++) {
        setlocale(LC_ALL, locales[n]); /* those that are not installed change nothing */
        for (size_t i = corpus.count; i-- > 0;) {
            if (first[i] == NULL)
                continue;
            char *again = render(corpus.scripts[i].text);
            assert_string_equal(again, first[i]);
            evs_text_free(again);
        }
    }
    setlocale(LC_ALL, "C");
    for (size_t i = 0; i < corpus.count; i++)
        evs_text_free(first[i]); /* NULL is fine */
    free(first);
    lua_corpus_free(&corpus);
}

int main(int argc, char **argv)
{
    if (argc > 1 && atoi(argv[1]) > 0)
        step = (size_t)atoi(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_written_otherwise_are_judged_alike),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
