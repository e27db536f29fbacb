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

/* What the rule's example is audited with. */
static evs_report *audit(const evs_rule_info *rule, const char *source)
{
    evs_audit_options options = EVS_AUDIT_OPTIONS_INIT;
    evs_report *report;
    evs_error err;
    options.target = rule->target[0] != '\0' ? rule->target : NULL;
    options.extend_select = rule->tier == EVS_TIER_C ? rule->code : NULL;
    if (evs_audit(&report, evs_text(source), &options, &err) != EVS_OK)
        fail_msg("%s: %s", rule->code, err.message);
    return report;
}

static size_t times_in(const evs_report *report, const char *code)
{
    size_t count, n = 0;
    const evs_finding *findings = evs_report_findings(report, &count);
    for (size_t i = 0; i < count; i++)
        n += strcmp(findings[i].code, code) == 0;
    return n;
}

static size_t times(const evs_rule_info *rule, const char *source)
{
    evs_report *report = audit(rule, source);
    size_t n = times_in(report, rule->code);
    evs_report_free(report);
    return n;
}

/* Every rule that fires is the rule itself or a companion. */
static void check_company(const evs_rule_info *rule, const evs_report *report)
{
    size_t count;
    const evs_finding *findings = evs_report_findings(report, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(findings[i].code, rule->code) != 0 &&
            strstr(rule->companions, findings[i].code) == NULL)
            fail_msg("%s: its bad example has %s too: %s", rule->code, findings[i].code,
                     findings[i].message);
}

/* Every companion fires. */
static void check_companions(const evs_rule_info *rule, const evs_report *report)
{
    const char *at = rule->companions;
    while (*at != '\0') {
        char code[16];
        size_t len = strcspn(at, " ");
        assert_true(len < sizeof code);
        memcpy(code, at, len);
        code[len] = '\0';
        if (times_in(report, code) == 0)
            fail_msg("%s: its companion %s does not fire", rule->code, code);
        at += len + (at[len] == ' ');
    }
}

static void bad_fires_with_its_companions_and_good_does_not(void **state)
{
    (void)state;
    size_t count;
    const evs_rule_info *const *rules = evs_rules(&count);
    for (size_t i = 0; i < count; i++) {
        evs_report *report = audit(rules[i], rules[i]->bad);
        if (times_in(report, rules[i]->code) == 0)
            fail_msg("%s does not find its bad example", rules[i]->code);
        check_company(rules[i], report);
        check_companions(rules[i], report);
        evs_report_free(report);
        if (times(rules[i], rules[i]->good) != 0)
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

static void every_rule_documents_itself(void **state)
{
    (void)state;
    size_t count;
    const evs_rule_info *const *rules = evs_rules(&count);
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(rules[i]->why) > 20);
        assert_true(strlen(rules[i]->bad) > 0);
        assert_true(strlen(rules[i]->good) > 0);
        if (strlen(rules[i]->false_positives) == 0)
            fail_msg("%s does not say when it may be wrong", rules[i]->code);
        assert_non_null(rules[i]->exceptions);
        assert_non_null(rules[i]->server);
        assert_non_null(rules[i]->fix);
        assert_non_null(rules[i]->companions);
        assert_non_null(rules[i]->target);
    }
}

/* Rules that are not in the catalogue, because they came later. */
static const char *const added[] = {
    "ES118", "ES119", "ES411", "ES412", "ES518", "ES519", "ES614", "ES615",
    "ES616", "ES617", "ES618", "ES900", "ES904", "ES905", NULL,
};

static int is_added(const char *code)
{
    for (size_t i = 0; added[i] != NULL; i++)
        if (strcmp(added[i], code) == 0)
            return 1;
    return 0;
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
    return NULL;
}

static void compare(const evs_rule_info *rule, json_t *entry)
{
    static const char *const severities[] = {"note", "warning", "error"};
    static const char *const tiers[] = {"A", "B", "C"};
    assert_string_equal(json_string_value(json_object_get(entry, "name")), rule->name);
    assert_string_equal(json_string_value(json_object_get(entry, "severity")),
                        severities[rule->severity]);
    assert_string_equal(json_string_value(json_object_get(entry, "tier")), tiers[rule->tier]);
    if (times(rule, json_string_value(json_object_get(entry, "bad"))) == 0)
        fail_msg("%s does not find the bad example of the catalogue", rule->code);
    if (times(rule, json_string_value(json_object_get(entry, "good"))) != 0)
        fail_msg("%s finds something in the good example of the catalogue", rule->code);
}

static void rules_agree_with_the_catalogue(void **state)
{
    (void)state;
    json_t *all = json_load_file(EVS_TEST_SOURCE_DIR "/tests/data/audit-rules.json", 0, NULL);
    size_t count;
    const evs_rule_info *const *rules = evs_rules(&count);
    assert_non_null(all);
    for (size_t i = 0; i < count; i++) {
        json_t *entry = catalogue_entry(all, rules[i]->code);
        if (entry != NULL)
            compare(rules[i], entry);
        else if (!is_added(rules[i]->code))
            fail_msg("%s is neither in the catalogue nor among the added rules", rules[i]->code);
    }
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_fires_with_its_companions_and_good_does_not),
        cmocka_unit_test(codes_and_names_are_unique_and_in_order),
        cmocka_unit_test(every_rule_documents_itself),
        cmocka_unit_test(rules_agree_with_the_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
