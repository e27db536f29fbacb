/*
 * Scripts that nobody writes end soon, in little memory, and say so when they were not followed.
 *
 * There are no clocks here. What would be quadratic, or worse, does not end within the time that a
 * test has; and the audit's own budget of steps and bytes ends what only looks harmless.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buf.h"

#include <evalshard/audit.h>
#include <stdio.h>
#include <string.h>

typedef struct row {
    const char *why;
    const char *head;
    const char *part; /* %zu is its number; repeated */
    size_t times;
    const char *tail;
    int followed; /* 1: everything; 0: it gave up, which is ES006 */
} row;

static const row rows[] = {
    {"calls in a row", "", "redis.call('GET', KEYS[1])\n", 20000, "", 1},
    {"more than can be followed", "", "redis.call('GET', KEYS[1])\n", 200000, "", 0},
    {"a function called over and over",
     "local function f() return redis.call('GET', KEYS[1]) end\n", "pcall(f)\n", 100000, "", 0},
    {"a wide table", "local t = {", "KEYS[1],", 30000, "} return t", 1},
    {"a table of fields", "local t = {", "k%zu=KEYS[1],", 40000, "} return redis.call('GET', t.k4)",
     1},
    {"a list that grows", "local t = {} ", "t[#t + 1] = KEYS[1] ", 5000,
     "return redis.call('DEL', unpack(t))", 1},
    {"fields that are set", "local t = {} ", "t.k%zu = KEYS[1] ", 5000,
     "return redis.call('GET', t.k1)", 1},
    {"arms of an if", "local x = ARGV[1] if x then ", "elseif x == '%zu' then x = 1 ", 400, "end",
     1},
    {"more arms", "local x = ARGV[1] if x then ", "elseif x == '%zu' then x = 1 ", 20000, "end", 1},
    {"ifs in a row", "local x = ARGV[1] ", "if x == '%zu' then x = KEYS[1] end ", 10000, "", 1},
    {"one long sum", "return 1", " + 1", 500, "", 1},
    {"a longer one", "return 1", " + 1", 300000, "", 0},
    {"one long concatenation of constants", "local a = 'x' ", "a = a .. 'x' ", 20000, "return a",
     1},
    {"fields of fields", "return a", ".b", 300000, "", 0},
    {"calls of calls", "return KEYS", "()", 300000, "", 0},
    {"functions nobody calls", "", "do local function f%zu(k) return redis.call('GET', k) end end ",
     15000, "", 1},
    {"calls that double", "local function f0(k) return redis.call('GET', k) end ",
     "local f0 = function(k) f0(k) f0(k) end ", 60, "f0(KEYS[1])", 0},
    {"loops in loops", "", "for i = 1, 2 do redis.call('GET', KEYS[i]) ", 40, "", -1},
    {"locals and more locals", "", "do local a, b, c, d = KEYS[1], 2, 3, 4 end ", 8000, "", 1},
    {"captured ones", "",
     "do local v = KEYS[1] local function f() return v end redis.call('GET', f()) end\n", 5000, "",
     1},
    {"errors that are caught", "local t = {} ",
     "pcall(function() t.a = KEYS[1] t.b = ARGV[1] error('x') end) ", 20000, "", 0},
    {"texts that are compiled", "", "loadstring('return %zu')() ", 20000, "", 0},
    {"unknown globals", "", "local x = g%zu ", 150, "", 1},
    {"unknown functions", "", "foo%zu() ", 30000, "", 0},
    {"comments that accept", "", "redis.call('GET', 'x') -- evalshard: ignore[ES101] so\n", 30000,
     "", 1},
    {"nothing but comments", "", "-- x\n", 500000, "return 1", 1},
    {"a long text", "return '", "aaaaaaaaaaaaaaaa", 500000, "'", 1},
};

static void fill(evs__buf *out, const row *r)
{
    evs__buf_text(out, r->head);
    for (size_t i = 0; i < r->times; i++) {
        char part[256];
        const char *number = strstr(r->part, "%zu");
        if (number == NULL) {
            evs__buf_text(out, r->part);
            continue;
        }
        snprintf(part, sizeof part, "%.*s%zu%s", (int)(number - r->part), r->part, i, number + 3);
        evs__buf_text(out, part);
    }
    evs__buf_text(out, r->tail);
    for (size_t i = 0; r->followed < 0 && i < r->times; i++)
        evs__buf_text(out, " end");
    assert_true(evs__buf_ok(out));
}

static int says_so(const evs_report *report)
{
    size_t count;
    const evs_finding *findings = evs_report_findings(report, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(findings[i].code, "ES006") == 0)
            return 1;
    return 0;
}

static void big_scripts_end_and_say_what_was_followed(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const row *r = &rows[i];
        evs__buf source = EVS__BUF_INIT;
        evs_report *report;
        fill(&source, r);
        assert_int_equal(evs_audit(&report, (evs_bytes){source.data, source.len}, NULL, NULL),
                         EVS_OK);
        int parsed = evs_report_verdict(report) != EVS_VERDICT_NONE;
        int followed = evs_report_complete(report);
        if (!parsed || (r->followed >= 0 && followed != r->followed) ||
            followed == says_so(report)) {
            print_error("%s: parsed %d, followed %d, said so %d\n", r->why, parsed, followed,
                        says_so(report));
            wrong++;
        }
        if (!followed)
            assert_true(evs_report_verdict(report) >= EVS_VERDICT_UNPROVEN);
        evs_report_free(report);
        evs__buf_free(&source);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(big_scripts_end_and_say_what_was_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
