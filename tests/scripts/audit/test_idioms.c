/*
 * Ways to write keys, each with the verdict it deserves. The few that get another one are listed
 * here, and none of them is better than it should be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <evalshard/audit.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *id;
    const char *verdict;
    const char *why;
} others[] = {
    {"publish", "no_keys", "declared and no keys are the same there: no key argument is reached"},
};

static json_t *load(void)
{
    json_error_t error;
    json_t *all = json_load_file(EVS_TEST_SOURCE_DIR "/tests/data/audit-idioms.json", 0, &error);
    if (all == NULL)
        fail_msg("audit-idioms.json:%d: %s", error.line, error.text);
    return all;
}

static const char *text(const json_t *idiom, const char *field)
{
    return json_string_value(json_object_get(idiom, field));
}

static const char *expected(const json_t *idiom)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i].id, text(idiom, "id")) == 0)
            return others[i].verdict;
    return text(idiom, "expected");
}

static evs_verdict audit(const char *source)
{
    evs_report *report;
    assert_int_equal(evs_audit(&report, evs_text(source), NULL, NULL), EVS_OK);
    evs_verdict verdict = evs_report_verdict(report);
    evs_report_free(report);
    return verdict;
}

static void every_idiom_has_its_verdict(void **state)
{
    (void)state;
    json_t *all = load(), *idiom;
    size_t i, wrong = 0;
    assert_int_equal(json_array_size(all), 83);
    json_array_foreach(all, i, idiom)
    {
        const char *verdict = evs_verdict_name(audit(text(idiom, "lua")));
        if (strcasecmp(verdict, expected(idiom)) == 0)
            continue;
        print_error("%s is %s, not %s\n", text(idiom, "id"), verdict, expected(idiom));
        wrong++;
    }
    json_decref(all);
    assert_int_equal(wrong, 0);
}

static void no_idiom_is_declared_that_should_not_be(void **state)
{
    (void)state;
    json_t *all = load(), *idiom;
    size_t i;
    json_array_foreach(all, i, idiom)
    {
        if (strcmp(text(idiom, "expected"), "DECLARED") != 0)
            assert_true(audit(text(idiom, "lua")) >= EVS_VERDICT_DERIVED);
    }
    json_decref(all);
}

static void the_list_of_others_names_idioms(void **state)
{
    (void)state;
    json_t *all = load(), *idiom;
    size_t i, found = 0;
    json_array_foreach(all, i, idiom)
    {
        for (size_t k = 0; k < sizeof others / sizeof *others; k++)
            found += strcmp(others[k].id, text(idiom, "id")) == 0;
    }
    json_decref(all);
    assert_int_equal(found, sizeof others / sizeof *others);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_idiom_has_its_verdict),
        cmocka_unit_test(no_idiom_is_declared_that_should_not_be),
        cmocka_unit_test(the_list_of_others_names_idioms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
