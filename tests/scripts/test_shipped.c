/* The scripts that ship: each has a header block, and only the book's own
 * touches a key that nobody passed. What they do is shown on real servers in
 * tests/live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scripts/shipped.h"

#include <evalshard/script.h>

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static const struct {
    const char *name;
    evs_verdict verdict;
    evs_retry retry;
    size_t nkeys, nargs; /* the fewest */
} expected[] = {
    {"book/create_status", EVS_VERDICT_UNDECLARED, EVS_RETRY_ONCE, 2, 0},
    {"create_status", EVS_VERDICT_DECLARED, EVS_RETRY_IDEMPOTENT, 2, 1},
    {"lock/acquire", EVS_VERDICT_DECLARED, EVS_RETRY_ONCE, 1, 2},
    {"lock/release", EVS_VERDICT_DECLARED, EVS_RETRY_IDEMPOTENT, 1, 1},
    {"semaphore/acquire", EVS_VERDICT_DECLARED, EVS_RETRY_ONCE, 1, 4},
    {"semaphore/refresh", EVS_VERDICT_DECLARED, EVS_RETRY_IDEMPOTENT, 1, 2},
    {"semaphore/release", EVS_VERDICT_DECLARED, EVS_RETRY_IDEMPOTENT, 1, 1},
};

static int load_all(void **state)
{
    evs_registry *registry;
    if (evs_registry_new(&registry, NULL, NULL) != EVS_OK)
        return -1;
    *state = registry;
    return evs_script_load_shipped(registry, NULL) == EVS_OK ? 0 : -1;
}

static int free_all(void **state)
{
    evs_registry_free(*state);
    return 0;
}

static void every_script_is_what_it_says(void **state)
{
    assert_int_equal(evs_registry_count(*state), COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        const evs_script *script = evs_script_find(*state, expected[i].name);
        assert_non_null(script);
        assert_true(strlen(evs_script_summary(script)) > 10);
        assert_true(strlen(evs_script_returns(script)) > 5);
        assert_int_equal(evs_script_version(script), 1);
        assert_int_equal(evs_script_retry(script), expected[i].retry);
        size_t nkeys = expected[i].nkeys, nargs = expected[i].nargs;
        assert_int_equal(evs_script_check_arity(script, nkeys, nargs, NULL), EVS_OK);
        assert_int_equal(evs_script_check_arity(script, nkeys - 1, nargs, NULL), EVS_E_ARITY);
        assert_int_equal(evs_script_check_arity(script, nkeys + 1, nargs, NULL), EVS_E_ARITY);
    }
}

static void every_key_but_the_books_status_is_declared(void **state)
{
    for (size_t i = 0; i < COUNT(expected); i++) {
        const evs_script *script = evs_script_find(*state, expected[i].name);
        const evs_report *report = evs_script_report(script);
        if (evs_report_verdict(report) != expected[i].verdict)
            fail_msg("%s is %s", expected[i].name, evs_verdict_name(evs_report_verdict(report)));
        assert_true(evs_report_complete(report));
    }
}

/* The text from line 1 to the place. */
static int is_at(const evs_script *script, evs_span at, const char *text)
{
    evs_bytes source = evs_script_source(script);
    const char *p = source.data, *end = source.data + source.len;
    for (int line = 1; line < at.line; line++)
        p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;
    return strncmp(p + at.column - 1, text, strlen(text)) == 0;
}

static void the_books_status_is_found_where_it_is_written(void **state)
{
    const evs_script *script = evs_script_find(*state, "book/create_status");
    size_t nsites, nfindings, undeclared = 0, told = 0;
    const evs_site *sites = evs_report_sites(evs_script_report(script), &nsites);
    for (size_t i = 0; i < nsites; i++) {
        if (sites[i].verdict == EVS_VERDICT_DECLARED)
            continue;
        assert_int_equal(sites[i].verdict, EVS_VERDICT_UNDECLARED);
        assert_string_equal(sites[i].command, "HSET");
        assert_true(is_at(script, sites[i].at, "status,"));
        undeclared++;
    }
    assert_int_equal(undeclared, 2);

    const evs_finding *findings = evs_report_findings(evs_script_report(script), &nfindings);
    for (size_t i = 0; i < nfindings; i++)
        if (strcmp(findings[i].code, "ES103") == 0) {
            assert_true(is_at(script, findings[i].at, "status,"));
            assert_true(findings[i].nsteps > 0);
            told++;
        }
    assert_int_equal(told, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_script_is_what_it_says),
        cmocka_unit_test(every_key_but_the_books_status_is_declared),
        cmocka_unit_test(the_books_status_is_found_where_it_is_written),
    };
    return cmocka_run_group_tests(tests, load_all, free_all);
}
