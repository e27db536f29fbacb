/*
 * Every rule proves its own documentation, and agrees with the catalogue in tests/data.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <evalshard/audit.h>
#include <jansson.h>
#include <string.h>

static size_t times(const char *code, const char *source)
{
    evs_report *report;
    size_t count, n = 0;
    assert_int_equal(evs_audit(&report, evs_text(source), NULL, NULL), EVS_OK);
    const evs_finding *findings = evs_report_findings(report, &count);
    for (size_t i = 0; i < count; i++)
        n += strcmp(findings[i].code, code) == 0;
    evs_report_free(report);
    return n;
}

static void bad_fires_and_good_does_not(void **state)
{
    (void)state;
    size_t count;
    const evs_rule_info *const *rules = evs_rules(&count);
    for (size_t i = 0; i < count; i++) {
        if (times(rules[i]->code, rules[i]->bad) == 0)
            fail_msg("%s does not find its bad example", rules[i]->code);
        if (times(rules[i]->code, rules[i]->good) != 0)
            fail_msg("%s finds something in its good example", rules[i]->code);
    }
}

static void codes_and_names_are_unique_and_in_order(void **state)
{
    (void)state;
    size_t count;
    const evs_rule_info *const *rules = evs_rules(&count);
    assert_true(count >= 13);
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++) {
            assert_true(strcmp(rules[i]->code, rules[k]->code) < 0);
            assert_string_not_equal(rules[i]->name, rules[k]->name);
        }
}

static void every_rule_says_why(void **state)
{
    (void)state;
    size_t count;
    const evs_rule_info *const *rules = evs_rules(&count);
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(rules[i]->why) > 20);
        assert_non_null(rules[i]->exceptions);
        assert_non_null(rules[i]->server);
        assert_non_null(rules[i]->fix);
    }
}

static json_t *catalogue_entry(json_t *all, const char *code)
{
    size_t i;
    json_t *rule;
    json_array_foreach(all, i, rule)
    {
        if (strcmp(json_string_value(json_object_get(rule, "code")), code) == 0)
            return rule;
    }
    fail_msg("%s is not in the catalogue", code);
    return NULL;
}

static void rules_agree_with_the_catalogue(void **state)
{
    (void)state;
    static const char *const severities[] = {"note", "warning", "error"};
    json_t *all = json_load_file(EVS_TEST_SOURCE_DIR "/tests/data/audit-rules.json", 0, NULL);
    size_t count;
    const evs_rule_info *const *rules = evs_rules(&count);
    assert_non_null(all);
    for (size_t i = 0; i < count; i++) {
        const evs_rule_info *rule = rules[i];
        json_t *entry = catalogue_entry(all, rule->code);
        assert_string_equal(json_string_value(json_object_get(entry, "name")), rule->name);
        assert_string_equal(json_string_value(json_object_get(entry, "severity")),
                            severities[rule->severity]);
        const char *bad = json_string_value(json_object_get(entry, "bad"));
        if (times(rule->code, bad) == 0)
            fail_msg("%s does not find the bad example of the catalogue", rule->code);
        const char *good = json_string_value(json_object_get(entry, "good"));
        if (times(rule->code, good) != 0)
            fail_msg("%s finds something in the good example of the catalogue", rule->code);
    }
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_fires_and_good_does_not),
        cmocka_unit_test(codes_and_names_are_unique_and_in_order),
        cmocka_unit_test(every_rule_says_why),
        cmocka_unit_test(rules_agree_with_the_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
