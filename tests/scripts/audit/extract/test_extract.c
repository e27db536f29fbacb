/*
 * Programs that say which scripts are in them:
 *
 *     expect: script 5:9 declared 3f2a99c0       where it begins, its verdict, the start of its
 * SHA-1 expect: ES102 7:20                         each finding of it, in the order of the program
 *
 * Both stand in comments of the program's language, in any order among each other; the scripts and
 * the findings (of the rules about syntax, keys and what is put in) are exactly those, in order.
 * The hash says that a literal was decoded byte by byte as its language does; it is "-" where the
 * program completes the text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/mem.h"

#include <dirent.h>
#include <evalshard/extract.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char folder[] = EVS_TEST_SOURCE_DIR "/tests/scripts/audit/extract/cases";

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 65536);
    assert_non_null(file);
    assert_non_null(text);
    assert_true(fread(text, 1, 65535, file) > 0);
    fclose(file);
    return text;
}

/* The expectations of one kind: those that begin with "script", or the others. */
static void expected(evs__buf *out, const char *text, int scripts)
{
    static const char begin[] = "expect: ";
    for (const char *at = text; (at = strstr(at, begin)) != NULL;) {
        at += strlen(begin);
        size_t len = strcspn(at, "\r\n");
        if ((strncmp(at, "script ", 7) == 0) != scripts)
            continue;
        if (len > 4 && memcmp(at + len - 4, " -->", 4) == 0)
            len -= 4;
        evs__buf_append(out, at, len);
        evs__buf_char(out, '\n');
    }
}

static evs_report *audit(const evs_embedded_script *script, const char *path)
{
    evs_audit_options how = EVS_AUDIT_OPTIONS_INIT;
    evs_report *report;
    how.path = path;
    how.map = &script->map;
    how.holes = script->holes;
    how.nholes = script->nholes;
    how.select = "ES0,ES1,ES602,ES704";
    how.ignore = "ES110"; /* said of a whole script */
    how.wholeness = script->wholeness;
    assert_int_equal(evs_audit(&report, script->source, &how, NULL), EVS_OK);
    return report;
}

static void tell(evs__buf *scripts, evs__buf *findings, const evs_embedded_script *script,
                 const char *path)
{
    evs_report *report = audit(script, path);
    const char *sha1 = evs_report_sha1(report);
    size_t count;
    evs__buf_format(scripts, "script %d:%d %s %.8s\n", script->line, script->column,
                    evs_verdict_name(evs_report_verdict(report)), sha1[0] == '\0' ? "-" : sha1);
    const evs_finding *f = evs_report_findings(report, &count);
    for (size_t i = 0; i < count; i++) {
        evs__buf_format(findings, "%s %d:%d\n", f[i].code, f[i].at.line, f[i].at.column);
        assert_string_equal(f[i].path, path);
    }
    evs_report_free(report);
}

static const char *text_of(evs__buf *buf)
{
    evs__buf_text(buf, "");
    return buf->data == NULL ? "" : buf->data;
}

static void compare(const char *name, evs__buf *got, evs__buf *want)
{
    if (strcmp(text_of(got), text_of(want)) != 0)
        fail_msg("%s: expected\n%sbut got\n%s", name, text_of(want), text_of(got));
    evs__buf_free(got);
    evs__buf_free(want);
}

static void check_case(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *text = read_file(path);
    evs_extraction *extraction;
    size_t count;
    evs__buf scripts = EVS__BUF_INIT, findings = EVS__BUF_INIT;
    evs__buf want_scripts = EVS__BUF_INIT, want_findings = EVS__BUF_INIT;
    assert_int_equal(evs_extract(&extraction, evs_text(text), name, NULL), EVS_OK);
    const evs_embedded_script *found = evs_extraction_scripts(extraction, &count);
    for (size_t i = 0; i < count; i++)
        tell(&scripts, &findings, &found[i], name);
    expected(&want_scripts, text, 1);
    expected(&want_findings, text, 0);
    compare(name, &scripts, &want_scripts);
    compare(name, &findings, &want_findings);
    evs_extraction_free(extraction);
    free(text);
}

static void cases_have_the_scripts_that_they_say(void **state)
{
    (void)state;
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort), checked = 0;
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            check_case(entries[i]->d_name);
            checked++;
        }
        free(entries[i]);
    }
    free(entries);
    assert_true(checked >= 9);
}

static void names_of_files_promise_languages(void **state)
{
    (void)state;
    static const struct {
        const char *path, *language;
    } cases[] = {
        {"a.py", "python"},
        {"a/b.c/x.TSX", "javascript"},
        {"x.mjs", "javascript"},
        {"x.go", "go"},
        {"X.java", "java"},
        {"x.rb", "ruby"},
        {"x.php", "php"},
        {"x.h", "c"},
        {"x.hpp", "c"},
        {"x.lua", NULL},
        {"py", NULL},
        {"x.", NULL},
        {"a.py/readme", NULL},
        {"", NULL},
        {"x.pyx", NULL},
        {"x.j", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *language = evs_extract_language(cases[i].path);
        if (cases[i].language == NULL)
            assert_null(language);
        else
            assert_string_equal(language, cases[i].language);
    }
}

static void other_files_are_refused(void **state)
{
    (void)state;
    evs_extraction *extraction = NULL;
    evs_error err;
    assert_int_equal(evs_extract(&extraction, evs_text("KEYS"), "x.txt", &err), EVS_E_INVALID);
    assert_null(extraction);
    assert_non_null(strstr(err.message, "x.txt"));
    evs_extraction_free(NULL);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    static const char *const names[] = {"strings.py", "templates.js", "heredocs.rb", "page.php"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        evs_extraction *extraction;
        evs_status status = EVS_E_NOMEM;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        char *text = read_file(path);
        for (size_t n = 1; status != EVS_OK; n++) {
            assert_true(n < 10000);
            evs__mem_fail_at(n);
            extraction = NULL;
            status = evs_extract(&extraction, evs_text(text), names[i], NULL);
            evs__mem_fail_at(0);
            if (status == EVS_OK)
                break;
            assert_int_equal(status, EVS_E_NOMEM);
            assert_null(extraction);
        }
        evs_extraction_free(extraction);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_have_the_scripts_that_they_say),
        cmocka_unit_test(names_of_files_promise_languages),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
