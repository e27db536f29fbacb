/*
 * Comments that accept findings and say what callers pass, and baselines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scripts/audit/report.h"

#include <stdio.h>
#include <string.h>

#define BAD "redis.call('GET', 'x')"

static evs_report *audit_with(const char *source, const evs_audit_options *how)
{
    evs_report *report;
    assert_int_equal(evs_audit(&report, evs_text(source), how, NULL), EVS_OK);
    return report;
}

/* "ES101@2 (ES102@3)": codes and lines, in parentheses when suppressed. */
static void describe(char *out, size_t size, const evs_report *report)
{
    size_t count, len = 0;
    const evs_finding *f = evs_report_findings(report, &count);
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        int hidden = f[i].suppressed != EVS_SUPPRESSED_NOT;
        len += (size_t)snprintf(out + len, size - len, "%s%s%s@%d%s", i == 0 ? "" : " ",
                                hidden ? "(" : "", f[i].code, f[i].at.line, hidden ? ")" : "");
    }
}

static void check(const char *source, const evs_audit_options *how, const char *expected)
{
    char found[512];
    evs_audit_options options = EVS_AUDIT_OPTIONS_INIT;
    if (how != NULL)
        options = *how;
    if (options.select == NULL)
        options.select = "ES101,ES102,ES9";
    evs_report *report = audit_with(source, &options);
    describe(found, sizeof found, report);
    if (strcmp(found, expected) != 0)
        fail_msg("%s\ngives    %s\nexpected %s", source, found, expected);
    evs_report_free(report);
}

static void comments_ignore_what_they_stand_at(void **state)
{
    (void)state;
    static const struct {
        const char *source, *expected;
    } cases[] = {
        {BAD " -- evalshard: ignore[ES101] why", "(ES101@1)"},
        {BAD "\n" BAD " -- evalshard: ignore[ES101] why", "ES101@1 (ES101@2)"},
        {"-- evalshard: ignore[ES101] why\n" BAD "\n" BAD, "(ES101@2) ES101@3"},
        {"-- evalshard: ignore[ES101] why\n\n-- more\n" BAD, "(ES101@4)"},
        {"-- evalshard: ignore[ES101] why\nif x then\n" BAD "\n" BAD "\nend\n" BAD,
         "(ES101@3) (ES101@4) ES101@6"},
        {"-- evalshard: ignore[undeclared-key-constant] why\n" BAD, "(ES101@2)"},
        {"-- evalshard: ignore[ES101, ES102] why\nredis.call('MGET', 'x', ARGV[1])",
         "(ES101@2) (ES102@2)"},
        {"--- evalshard: ignore[ES101] why\n" BAD, "(ES101@2)"},
        {"--[[ evalshard: ignore[ES101] why ]]\n" BAD, "(ES101@2)"},
        {"redis.call('MGET',\n-- evalshard: ignore[ES101] why\n'x',\n'y')", "(ES101@3) ES101@4"},
        {"local f = function()\n-- evalshard: ignore[ES101] why\n" BAD "\n" BAD "\nend f()",
         "(ES101@3) ES101@4"},
        {"-- evalshard: ignore-file[ES101] why\n" BAD "\n" BAD, "(ES101@2) (ES101@3)"},
        {"#!lua\n-- evalshard: ignore-file[ES101] why\n" BAD, "(ES101@3)"},
        {BAD "\r\n" BAD " -- evalshard: ignore[ES101] why\r\n", "ES101@1 (ES101@2)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].source, NULL, cases[i].expected);
}

static void suppressions_are_watched(void **state)
{
    (void)state;
    static const struct {
        const char *source, *expected;
    } cases[] = {
        {"-- evalshard: ignore[ES101] why\nreturn 1", "ES901@1"},
        {"-- evalshard: ignore[ES101,ES102] why\n" BAD, "ES901@1 (ES101@2)"},
        {"-- evalshard: ignore why\n" BAD, "ES902@1 (ES101@2)"},
        {"-- evalshard: ignore[ES101]\n" BAD, "ES902@1 (ES101@2)"},
        {"-- evalshard: ignore\nreturn 1", "ES901@1 ES902@1"},
        {"-- evalshard: ignore[ES104] not selected\nreturn 1", ""},
        {"-- evalshard: ignore[ES999] why\n" BAD, "ES900@1 ES101@2"},
        {"-- evalshard: ignore[] why\n" BAD, "ES900@1 ES101@2"},
        {"-- evalshard: ignore[ES101 why\n" BAD, "ES900@1 ES101@2"},
        {"-- evalshard: ignored\nreturn 1", "ES900@1"},
        {"-- evalshard:\nreturn 1", "ES900@1"},
        {BAD "\n-- evalshard: ignore-file[ES101] late\n", "ES101@1 ES900@2"},
        {"-- evalshard: ignore[ES001] why\nreturn (", "ES001@2"},
        {"-- evalshard: ignore[ES901] why\nreturn 1", "ES901@1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].source, NULL, cases[i].expected);
}

static void a_fault_points_at_the_word_and_helps(void **state)
{
    (void)state;
    evs_report *report = audit_with("return 1 -- evalshard: ignore[ES101, ES1O4] x", NULL);
    size_t count;
    const evs_finding *f = evs_report_findings(report, &count);
    assert_int_equal(count, 1);
    assert_int_equal(f->at.column, 38);
    assert_int_equal(f->at.end_column, 43);
    assert_non_null(strstr(f->message, "there is no rule ES1O4, did you mean ES10"));
    evs_report_free(report);
}

static void the_reason_is_told(void **state)
{
    (void)state;
    evs_report *report = audit_with(BAD " -- evalshard: ignore[ES101,ES110]  one server, ADR-12 ",
                                    NULL);
    size_t count;
    const evs_finding *f = evs_report_findings(report, &count);
    assert_string_equal(f->reason, "one server, ADR-12");
    assert_int_equal(f->suppressed, EVS_SUPPRESSED_IN_SOURCE);
    assert_int_equal(evs_report_fails(report, EVS_FAIL_ON_NOTE), 0);
    evs_report_free(report);
}

static void contracts_are_read(void **state)
{
    (void)state;
    evs_report *report = audit_with("-- evalshard: keys=9 argv=3, hashtag readonly small=KEYS[2]\n"
                                    "return 1",
                                    NULL);
    const evs__expected *x = &report->setting.expected;
    assert_int_equal(x->keys_least, 9);
    assert_int_equal(x->keys_most, 9);
    assert_int_equal(x->args_least, 3);
    assert_int_equal(x->hashtag, 1);
    assert_int_equal(x->readonly, 1);
    assert_int_equal(x->small, 2);
    evs_report_free(report);
}

static void contradictions_are_reported(void **state)
{
    (void)state;
    evs_audit_options how = EVS_AUDIT_OPTIONS_INIT;
    check("--- S.\n-- @key a\n-- evalshard: keys=2\nreturn 1", NULL, "ES904@3");
    check("--- S.\n-- @key a...\n-- evalshard: keys=2\nreturn 1", NULL, "");
    check("-- evalshard: keys=1\n-- evalshard: keys=2\nreturn 1", NULL, "ES904@2");
    check("-- evalshard: keys=x\nreturn 1", NULL, "ES900@1");
    check("-- evalshard: keys=-1\nreturn 1", NULL, "ES900@1");
    check("-- evalshard: small=KEYS[x]\nreturn 1", NULL, "ES900@1");
    check("--- S.\n-- @kye a\nreturn 1", NULL, "ES905@2");
    how.keys = 3;
    check("--- S.\n-- @key a\nreturn 1", &how, "ES904@1");
    check("return 1", &how, "");
}

static const char *print_of(char out[64], const char *source)
{
    evs_report *report = audit_with(source, NULL);
    size_t count;
    snprintf(out, 64, "%s", evs_report_findings(report, &count)->fingerprint);
    evs_report_free(report);
    return out;
}

static void fingerprints_survive_edits_around_the_line(void **state)
{
    (void)state;
    char a[64], b[64], c[64];
    print_of(a, BAD);
    assert_string_equal(a, print_of(b, "local x = 1\n\n   " BAD "  "));
    assert_string_not_equal(a, print_of(c, "return " BAD));
    assert_int_equal(strlen(a), 18);
    assert_string_equal(a + 16, ":1");
}

static void a_baseline_accepts_what_was_there(void **state)
{
    (void)state;
    char print[64];
    const char *prints[] = {print_of(print, BAD)};
    evs_known known = {"ES101", 1, prints, 1, 7};
    evs_audit_options how = EVS_AUDIT_OPTIONS_INIT;
    how.known = &known;
    how.nknown = 1;
    how.known_path = "base.json";
    check(BAD, &how, "(ES101@1)");
    check("\n\n" BAD, &how, "(ES101@3)");
    check("redis.call('DEL', 'y')\n" BAD, &how, "ES101@1 (ES101@2)");
    check("redis.call('DEL', 'edited')", &how, "(ES101@1)");
    check("return 1", &how, "ES901@7");
    known.count = 2;
    check(BAD " " BAD " " BAD, &how, "(ES101@1) (ES101@1) ES101@1");
}

static void a_stale_entry_points_into_the_baseline(void **state)
{
    (void)state;
    evs_known known = {"ES101", 2, NULL, 0, 7};
    evs_audit_options how = EVS_AUDIT_OPTIONS_INIT;
    how.path = "a.lua";
    how.known = &known;
    how.nknown = 1;
    how.known_path = "base.json";
    evs_report *report = audit_with("return 1", &how);
    size_t count;
    const evs_finding *f = evs_report_findings(report, &count);
    assert_int_equal(count, 1);
    assert_string_equal(f->path, "base.json");
    assert_int_equal(f->at.line, 7);
    evs_report_free(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_ignore_what_they_stand_at),
        cmocka_unit_test(suppressions_are_watched),
        cmocka_unit_test(a_fault_points_at_the_word_and_helps),
        cmocka_unit_test(the_reason_is_told),
        cmocka_unit_test(contracts_are_read),
        cmocka_unit_test(contradictions_are_reported),
        cmocka_unit_test(fingerprints_survive_edits_around_the_line),
        cmocka_unit_test(a_baseline_accepts_what_was_there),
        cmocka_unit_test(a_stale_entry_points_into_the_baseline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
