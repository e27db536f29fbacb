/* Options: targets, profiles, and which rules run with which weight. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scripts/audit/target.h"

#include <evalshard/audit.h>
#include <string.h>

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static const struct {
    const char *text;
    int is_valkey, min, max;
} good_targets[] = {
    {"redis:7.0", 0, EVS__VERSION(7, 0), EVS__VERSION(7, 0)},
    {"redis:7", 0, EVS__VERSION(7, 0), EVS__VERSION(7, 0)},
    {"redis:6.2..7.4", 0, EVS__VERSION(6, 2), EVS__VERSION(7, 4)},
    {"redis:7.0..", 0, EVS__VERSION(7, 0), EVS__VERSION_NEWEST},
    {"redis:2.6", 0, EVS__VERSION(2, 6), EVS__VERSION(2, 6)},
    {"valkey:8.0", 1, EVS__VERSION(8, 0), EVS__VERSION(8, 0)},
};

static void targets_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good_targets); i++) {
        evs__targets targets;
        assert_int_equal(evs__targets_read(&targets, good_targets[i].text, NULL), EVS_OK);
        assert_int_equal(targets.count, 1);
        assert_int_equal(targets.items[0].is_valkey, good_targets[i].is_valkey);
        assert_int_equal(targets.items[0].min, good_targets[i].min);
        assert_int_equal(targets.items[0].max, good_targets[i].max);
    }
}

static void a_target_may_be_several_servers(void **state)
{
    (void)state;
    evs__targets targets;
    evs__since hexpire = {EVS__VERSION(7, 4), EVS__VERSION(9, 0)};
    assert_int_equal(evs__targets_read(&targets, "redis:7.4..,valkey:8.0..8.1", NULL), EVS_OK);
    assert_int_equal(targets.count, 2);
    assert_ptr_equal(evs__target_before(&targets, hexpire), &targets.items[1]);
    assert_ptr_equal(evs__target_from(&targets, hexpire), &targets.items[0]);
    evs__since shared = {EVS__VERSION(7, 2), EVS__VERSION_ALWAYS};
    assert_null(evs__target_before(&targets, shared));
    evs__since never = {EVS__VERSION(8, 0), EVS__VERSION_NEVER};
    assert_ptr_equal(evs__target_before(&targets, never), &targets.items[0]);
    assert_string_equal(evs__target_name(&targets.items[1]), "Valkey");
}

/* Each is one option, and what is said against it. */
static const struct {
    const char *target, *profile, *select, *extend_select, *ignore, *severities, *message;
} bad_options[] = {
    {"dragonfly:1.0", NULL, NULL, NULL, NULL, NULL,
     "target 'dragonfly:1.0': it must begin with redis: or valkey:"},
    {"valky:8.0", NULL, NULL, NULL, NULL, NULL,
     "target 'valky:8.0': no such server, did you mean valkey?"},
    {"redis", NULL, NULL, NULL, NULL, NULL,
     "target 'redis': a version is missing, as in redis:7.0 or redis:6.2..7.4"},
    {"", NULL, NULL, NULL, NULL, NULL, "target '': it must begin with redis: or valkey:"},
    {"redis:", NULL, NULL, NULL, NULL, NULL,
     "target 'redis:': a version is two numbers, as in 7.0"},
    {"redis:seven", NULL, NULL, NULL, NULL, NULL,
     "target 'redis:seven': a version is two numbers, as in 7.0"},
    {"redis:7.0.15", NULL, NULL, NULL, NULL, NULL,
     "target 'redis:7.0.15': a version is two numbers, as in 7.0"},
    {"redis:7.0..x", NULL, NULL, NULL, NULL, NULL,
     "target 'redis:7.0..x': a version is two numbers, as in 7.0"},
    {"redis:7.4..6.2", NULL, NULL, NULL, NULL, NULL,
     "target 'redis:7.4..6.2': the first version is newer than the second one"},
    {"redis:2.4", NULL, NULL, NULL, NULL, NULL, "target 'redis:2.4': scripts came with Redis 2.6"},
    {"valkey:7.0", NULL, NULL, NULL, NULL, NULL,
     "target 'valkey:7.0': the first version of Valkey is 7.2"},
    {"redis:7.0,", NULL, NULL, NULL, NULL, NULL, "target '': it must begin with redis: or valkey:"},
    {NULL, "aliyum", NULL, NULL, NULL, NULL,
     "profile 'aliyum': no such profile, did you mean aliyun?"},
    {NULL, "x", NULL, NULL, NULL, NULL,
     "profile 'x': must be cluster, standalone, valkey, elasticache-serverless, aliyun, dragonfly "
     "or kvrocks-strict"},
    {NULL, NULL, "ES999", NULL, NULL, NULL, "select: no rule begins with 'ES999'"},
    {NULL, NULL, NULL, "es1", NULL, NULL, "extend_select: no rule begins with 'es1'"},
    {NULL, NULL, NULL, NULL, "ES1,,ES3", NULL, "ignore: no rule begins with ''"},
    {NULL, NULL, NULL, NULL, "ES1=note", NULL, "ignore: 'ES1' takes no value"},
    {NULL, NULL, NULL, NULL, NULL, "ES101", "severities: 'ES101' must be note, warning or error"},
    {NULL, NULL, NULL, NULL, NULL, "ES101=fatal",
     "severities: 'ES101' must be note, warning or error"},
};

static void options_that_are_not_understood_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_options); i++) {
        evs_audit_options o = EVS_AUDIT_OPTIONS_INIT;
        evs_report *report = NULL;
        evs_error err;
        o.target = bad_options[i].target;
        o.profile = bad_options[i].profile;
        o.select = bad_options[i].select;
        o.extend_select = bad_options[i].extend_select;
        o.ignore = bad_options[i].ignore;
        o.severities = bad_options[i].severities;
        assert_int_equal(evs_audit_options_check(&o, &err), EVS_E_INVALID);
        assert_string_equal(err.message, bad_options[i].message);
        assert_int_equal(evs_audit(&report, evs_text("return 1"), &o, &err), EVS_E_INVALID);
        assert_null(report);
    }
}

static const char source[] = "redis.call('GET', 'a')\nreturn redis.call('GETT', KEYS[1])";

/* What is found in `source`: "ES101 error, ES301 note", say; "" when nothing. */
static void check_found(const evs_audit_options *o, const char *script, const char *expected)
{
    static const char *const severities[] = {"note", "warning", "error"};
    char found[256] = "";
    evs_report *report;
    size_t count;
    assert_int_equal(evs_audit(&report, evs_text(script), o, NULL), EVS_OK);
    const evs_finding *findings = evs_report_findings(report, &count);
    for (size_t i = 0; i < count; i++) {
        strcat(found, i > 0 ? ", " : "");
        strcat(found, findings[i].code);
        strcat(found, " ");
        strcat(found, severities[findings[i].severity]);
    }
    evs_report_free(report);
    assert_string_equal(found, expected);
}

static const struct {
    const char *what, *profile, *select, *extend_select, *ignore, *severities, *expected;
} choices[] = {
    {"all, as they are", NULL, NULL, NULL, NULL, NULL, "ES101 error, ES301 error"},
    {"only what is selected", NULL, "ES1", NULL, NULL, NULL, "ES101 error"},
    {"a blank behind a comma", NULL, "ES0, ES1", NULL, NULL, NULL, "ES101 error"},
    {"and more", NULL, "ES1", "ES301", NULL, NULL, "ES101 error, ES301 error"},
    {"not what is ignored", NULL, NULL, NULL, "ES3", NULL, "ES101 error"},
    {"ignoring wins a tie", NULL, "ES1,ES3", NULL, "ES1", NULL, "ES301 error"},
    {"the longer one wins", NULL, "ES101", NULL, "ES", NULL, "ES101 error"},
    {"the longer one wins, ignored", NULL, "ES", NULL, "ES101,ES105", NULL, "ES301 error"},
    {"by family", NULL, NULL, NULL, NULL, "ES=warning", "ES101 warning, ES301 warning"},
    {"the longer one decides", NULL, NULL, NULL, NULL, "ES101=note,ES1=warning",
     "ES101 note, ES301 error"},
    {"a profile weighs", "standalone", NULL, NULL, NULL, NULL, "ES101 warning, ES301 error"},
    {"but the user decides", "standalone", NULL, NULL, NULL, "ES101=note",
     "ES101 note, ES301 error"},
    {"another name of the default", "oss", NULL, NULL, NULL, NULL, "ES101 error, ES301 error"},
};

static void options_choose_rules_and_weights(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(choices); i++) {
        evs_audit_options o = EVS_AUDIT_OPTIONS_INIT;
        o.profile = choices[i].profile;
        o.select = choices[i].select;
        o.extend_select = choices[i].extend_select;
        o.severities = choices[i].severities;
        o.ignore = choices[i].ignore == NULL ? "ES105,ES108" : choices[i].ignore;
        if (strcmp(o.ignore, "ES3") == 0)
            o.ignore = "ES3,ES105,ES108";
        if (strcmp(o.ignore, "ES1") == 0)
            o.ignore = "ES1,ES105,ES108";
        print_message("%s\n", choices[i].what);
        check_found(&o, source, choices[i].expected);
    }
}

static void the_user_decides_over_the_rule_itself(void **state)
{
    (void)state;
    evs_audit_options o = EVS_AUDIT_OPTIONS_INIT;
    o.select = "ES301";
    check_found(&o, "return redis.call('JSON.GET', KEYS[1])", "ES301 note");
    o.severities = "ES301=error";
    check_found(&o, "return redis.call('JSON.GET', KEYS[1])", "ES301 error");
}

/* What commands of modules are said to be: the verdict of the worst key, and what is found. */
static const struct {
    const char *commands, *script, *found;
    evs_verdict verdict;
    int may_write;
} extras[] = {
    {NULL, "redis.call('J.SET', KEYS[1])", "ES301 note", EVS_VERDICT_UNPROVEN, 1},
    {"J.SET=1", "redis.call('J.SET', KEYS[1])", "", EVS_VERDICT_DECLARED, 1},
    {"J.SET=1", "redis.call('j.set', 'x')", "ES101 error", EVS_VERDICT_UNDECLARED, 1},
    {" j.set=2 read ", "redis.call('J.SET', 'x', KEYS[1])", "", EVS_VERDICT_DECLARED, 0},
    {"J.A=none,J.B=none read", "redis.call('J.B', 'x')", "", EVS_VERDICT_NO_KEYS, 0},
    {"J.A=none write", "redis.call('J.A', 'x')", "", EVS_VERDICT_NO_KEYS, 1},
    {"J.A", "redis.call('J.A', KEYS[1])", "ES108 warning", EVS_VERDICT_UNPROVEN, 1},
    {"J.A", "redis.call('J.A')", "", EVS_VERDICT_NO_KEYS, 1},
    {"J.A=1..-2", "redis.call('J.A', KEYS[1], KEYS[2], '$')", "", EVS_VERDICT_DECLARED, 1},
    {"J.A=1..-1", "redis.call('J.A', KEYS[1], '$')", "ES101 error", EVS_VERDICT_UNDECLARED, 1},
    {"J.A=2..3", "redis.call('J.A', 1, KEYS[1], KEYS[2], 2)", "", EVS_VERDICT_DECLARED, 1},
    {"J.A=1..-1/2", "redis.call('J.A', KEYS[1], 1, KEYS[2], 2)", "", EVS_VERDICT_DECLARED, 1},
    {"J.A=n@2", "redis.call('J.A', 'x', 2, KEYS[1], KEYS[2], 'y')", "", EVS_VERDICT_DECLARED, 1},
    {"J.A=n@2", "redis.call('J.A', 'x', 1, 'y')", "ES101 error", EVS_VERDICT_UNDECLARED, 1},
    {"J.A=n@2", "redis.call('J.A', 'x', 0, 'y')", "", EVS_VERDICT_NO_KEYS, 1},
    {"GET=none", "redis.call('GET', 'x')", "", EVS_VERDICT_NO_KEYS, 1},
};

static void commands_of_modules_are_as_the_settings_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(extras); i++) {
        evs_audit_options o = EVS_AUDIT_OPTIONS_INIT;
        evs_report *report;
        o.commands = extras[i].commands;
        o.ignore = "ES110,ES2,ES5,ES4,ES6";
        print_message("%s: %s\n", o.commands, extras[i].script);
        check_found(&o, extras[i].script, extras[i].found);
        assert_int_equal(evs_audit(&report, evs_text(extras[i].script), &o, NULL), EVS_OK);
        assert_int_equal(evs_report_verdict(report), extras[i].verdict);
        assert_int_equal(evs_report_may_write(report), extras[i].may_write);
        evs_report_free(report);
    }
}

static void commands_and_globals_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {"",        "=1",      "J A",       "J=",     "J=0",
                                      "J=101",   "J=1..",   "J=2..1",    "J=-1",   "J=1..-1/0",
                                      "J=1/2",   "J=n@",    "J=n@0",     "J=n@1x", "J=1 reads",
                                      "J=1, ,K", "J=none1", "J=1 x read"};
    static const char *const globals[] = {"1", "a.b", "a,", "a,,b", "a-b"};
    evs_error err;
    for (size_t i = 1; i < COUNT(bad); i++) {
        evs_audit_options o = EVS_AUDIT_OPTIONS_INIT;
        o.commands = bad[i];
        print_message("%s\n", bad[i]);
        assert_int_equal(evs_audit_options_check(&o, &err), EVS_E_INVALID);
        assert_memory_equal(err.message, "commands: '", 11);
    }
    for (size_t i = 0; i < COUNT(globals); i++) {
        evs_audit_options o = EVS_AUDIT_OPTIONS_INIT;
        o.globals = globals[i];
        evs_status status = evs_audit_options_check(&o, &err);
        assert_int_equal(status, strcmp(globals[i], "a,") == 0 ? EVS_OK : EVS_E_INVALID);
    }
    evs_audit_options o = EVS_AUDIT_OPTIONS_INIT;
    check_found(&o, "return app", "ES602 error");
    o.globals = "b, app";
    check_found(&o, "return app", "");
    check_found(&o, "return ap", "ES602 error");
}

/* A command of which only an end is constant is any that is called so. */
static const struct {
    const char *commands, *script;
    evs_verdict verdict;
} ends[] = {
    {NULL, "redis.call(ARGV[2] .. 'PUSHX', KEYS[1], ARGV[1])", EVS_VERDICT_DECLARED},
    {NULL, "redis.call(ARGV[2] .. 'pushx', ARGV[1], ARGV[1])", EVS_VERDICT_UNDECLARED},
    {NULL, "redis.call(ARGV[2] .. 'PUSH', KEYS[1], 'a', 'b', 'c')", EVS_VERDICT_DECLARED},
    /* RPOPLPUSH, BRPOPLPUSH */
    {NULL, "redis.call(ARGV[2] .. 'PUSH', KEYS[1], ARGV[1])", EVS_VERDICT_UNPROVEN},
    {NULL, "redis.call(ARGV[2] .. 'PUSH', KEYS[1], ARGV[1], 1)", EVS_VERDICT_UNPROVEN},
    {NULL, "redis.call(ARGV[2] .. 'PUSH', KEYS[1], unpack(ARGV))", EVS_VERDICT_UNPROVEN},
    {NULL, "redis.call('HINCR' .. ARGV[1], KEYS[1], 'a', 1)", EVS_VERDICT_DECLARED},
    {NULL, "redis.call('r' .. ARGV[1] .. 'pushx', KEYS[1], 'a')", EVS_VERDICT_DECLARED},
    {NULL, "return redis.pcall((ARGV[1] .. 'PUSHX'), KEYS[1], 'a')", EVS_VERDICT_DECLARED},
    {NULL, "redis.call('Z' .. ARGV[1], KEYS[1])", EVS_VERDICT_DECLARED},
    {NULL, "redis.call('Z' .. ARGV[1], KEYS[1], 1, 'a')", EVS_VERDICT_UNPROVEN},
    {NULL, "redis.call('XGR' .. ARGV[1], KEYS[1])", EVS_VERDICT_UNPROVEN},
    {NULL, "redis.call('SOR' .. ARGV[1], KEYS[1])", EVS_VERDICT_UNPROVEN},
    {NULL, "redis.call(ARGV[1] .. '', KEYS[1])", EVS_VERDICT_UNPROVEN},
    {NULL, "redis.call(ARGV[1] .. 'NOSUCH', KEYS[1])", EVS_VERDICT_UNPROVEN},
    {NULL, "local c = ARGV[1] .. 'PUSHX' redis.call(c, KEYS[1], 'a')", EVS_VERDICT_UNPROVEN},
    {NULL, "pcall(redis.call, ARGV[1] .. 'PUSHX', KEYS[1], 'a')", EVS_VERDICT_UNPROVEN},
    {"X.PUSHX=2", "redis.call(ARGV[2] .. 'PUSHX', KEYS[1], ARGV[1])", EVS_VERDICT_UNPROVEN},
};

static void a_command_with_a_constant_end_is_any_of_those(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        evs_audit_options o = EVS_AUDIT_OPTIONS_INIT;
        evs_report *report;
        o.commands = ends[i].commands;
        print_message("%s\n", ends[i].script);
        assert_int_equal(evs_audit(&report, evs_text(ends[i].script), &o, NULL), EVS_OK);
        assert_int_equal(evs_report_verdict(report), ends[i].verdict);
        assert_int_equal(evs_report_may_write(report), 1);
        evs_report_free(report);
    }
}

static void what_does_not_parse_is_always_said(void **state)
{
    (void)state;
    evs_audit_options o = EVS_AUDIT_OPTIONS_INIT;
    o.ignore = "ES";
    check_found(&o, "return return", "ES001 error");
    check_found(&o, "return redis.call('GET', 'a')", "");
}

static void options_of_an_older_program_are_understood(void **state)
{
    (void)state;
    evs_audit_options o = EVS_AUDIT_OPTIONS_INIT;
    o.struct_size = offsetof(evs_audit_options, target);
    o.target = "rubbish";
    assert_int_equal(evs_audit_options_check(&o, NULL), EVS_OK);
    assert_int_equal(evs_audit_options_check(NULL, NULL), EVS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_read),
        cmocka_unit_test(a_target_may_be_several_servers),
        cmocka_unit_test(options_that_are_not_understood_are_refused),
        cmocka_unit_test(options_choose_rules_and_weights),
        cmocka_unit_test(the_user_decides_over_the_rule_itself),
        cmocka_unit_test(commands_of_modules_are_as_the_settings_say),
        cmocka_unit_test(commands_and_globals_are_checked),
        cmocka_unit_test(a_command_with_a_constant_end_is_any_of_those),
        cmocka_unit_test(what_does_not_parse_is_always_said),
        cmocka_unit_test(options_of_an_older_program_are_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
