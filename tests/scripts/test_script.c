/* What a script is: its texts, its retry class, its arity, and what each policy says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/mem.h"
#include "scripts/script.h"

#include <stdio.h>

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define DECLARED    "return redis.call('GET', KEYS[1])"
#define DERIVED     "return redis.call('GET', KEYS[1] .. ':more')"
#define UNDECLARED  "return redis.call('GET', 'user:' .. ARGV[1])"
#define UNPROVEN                                      \
    "local pick = {KEYS[1], cjson.decode(ARGV[1])}\n" \
    "return redis.call('GET', pick[tonumber(ARGV[2])])"

static evs_script *make(const char *source, const char *reason)
{
    evs__script_text text = {"x", NULL, evs_text(source), reason};
    evs_script *script;
    evs_error err;
    if (evs__script_new(&script, &text, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return script;
}

static void a_script_says_what_its_text_says(void **state)
{
    (void)state;
    static const char source[] = "--- Does it.\n-- @key a\n-- @returns integer how often\n"
                                 "-- @retry idempotent\n-- @version 3\n" DECLARED;
    evs_script *script = make(source, NULL);
    assert_string_equal(evs_script_name(script), "x");
    assert_int_equal(evs_script_source(script).len, sizeof source - 1);
    assert_memory_equal(evs_script_source(script).data, source, sizeof source - 1);
    assert_true(evs_script_source(script).data != source);
    assert_string_equal(evs_script_summary(script), "Does it.");
    assert_string_equal(evs_script_returns(script), "integer how often");
    assert_int_equal(evs_script_retry(script), EVS_RETRY_IDEMPOTENT);
    assert_int_equal(evs_script_version(script), 3);
    assert_int_equal(evs_report_verdict(evs_script_report(script)), EVS_VERDICT_DECLARED);
    assert_string_equal(evs_report_path(evs_script_report(script)), "x");
    assert_int_equal(script->may_return_errors, 0);
    evs__script_free(script);
}

static void without_a_block_little_is_known(void **state)
{
    (void)state;
    evs_script *script = make(DECLARED, NULL);
    assert_string_equal(evs_script_summary(script), "");
    assert_string_equal(evs_script_returns(script), "");
    assert_int_equal(evs_script_retry(script), EVS_RETRY_ONCE);
    assert_int_equal(evs_script_version(script), 0);
    evs__script_free(script);
}

/* printf 'return 1' | sha1sum */
static void the_sha1_is_that_of_the_bytes(void **state)
{
    (void)state;
    evs_script *script = make("return 1", NULL);
    assert_string_equal(evs_script_sha1(script), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
    evs__script_free(script);
}

static const struct {
    const char *what, *tags;
    size_t nkeys, nargs;
    const char *message; /* NULL: it fits */
} arities[] = {
    {"the exact number", "-- @key a\n-- @arg b", 1, 1, NULL},
    {"no key", "-- @key a\n-- @arg b", 0, 1, "x takes 1 key (a) and 1 argument (b); got 0 keys"},
    {"a key too many", "-- @key a\n-- @arg b", 2, 1,
     "x takes 1 key (a) and 1 argument (b); got 2 keys"},
    {"no argument", "-- @key a\n-- @arg b", 1, 0,
     "x takes 1 key (a) and 1 argument (b); got 0 arguments"},
    {"both wrong", "-- @key a\n-- @arg b", 3, 2,
     "x takes 1 key (a) and 1 argument (b); got 3 keys and 2 arguments"},
    {"none at all", "-- @key a\n-- @arg b", 0, 0,
     "x takes 1 key (a) and 1 argument (b); got 0 keys and 0 arguments"},
    {"the fewest of a tail", "-- @key a\n-- @arg b\n-- @arg c...", 1, 1, NULL},
    {"many of a tail", "-- @key a\n-- @arg b\n-- @arg c...", 1, 100000, NULL},
    {"too few before a tail", "-- @key a\n-- @key b\n-- @arg c\n-- @arg d...", 2, 0,
     "x takes 2 keys (a, b) and at least 1 argument (c, d...); got 0 arguments"},
    {"keys only", "-- @key a", 1, 0, NULL},
    {"an argument where none is taken", "-- @key a", 1, 1,
     "x takes 1 key (a) and no arguments; got 1 argument"},
    {"a key where none is taken", "-- @arg a...", 1, 0,
     "x takes no keys and any number of arguments (a...); got 1 key"},
    {"any number of keys", "-- @key a...", 0, 0, NULL},
    {"neither is declared", "-- @retry once", 7, 7, NULL},
};

static void arity_follows_the_header_block(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(arities); i++) {
        char source[256];
        snprintf(source, sizeof source, "--- S.\n%s\nreturn 1", arities[i].tags);
        evs_script *script = make(source, NULL);
        evs_error err = {0};
        evs_status status = evs_script_check_arity(script, arities[i].nkeys, arities[i].nargs,
                                                   &err);
        evs_status expected = arities[i].message == NULL ? EVS_OK : EVS_E_ARITY;
        const char *message = arities[i].message == NULL ? "" : arities[i].message;
        if (status != expected || err.status != expected || strcmp(err.message, message) != 0)
            fail_msg("%s: %d %s", arities[i].what, status, err.message);
        if (status != EVS_OK)
            assert_string_equal(err.script, "x");
        evs__script_free(script);
    }
}

static void without_a_block_any_arity_fits(void **state)
{
    (void)state;
    evs_script *script = make("-- plain\nreturn 1", NULL);
    assert_int_equal(evs_script_check_arity(script, 0, 0, NULL), EVS_OK);
    assert_int_equal(evs_script_check_arity(script, 9, 9, NULL), EVS_OK);
    evs__script_free(script);
}

static void a_long_list_of_names_is_cut(void **state)
{
    (void)state;
    char source[8192] = "--- S.\n";
    size_t len = strlen(source);
    for (int i = 0; i < 200; i++)
        len += (size_t)snprintf(source + len, sizeof source - len, "-- @arg argument_%d\n", i);
    evs_script *script = make(source, NULL);
    evs_error err;
    assert_int_equal(evs_script_check_arity(script, 0, 1, &err), EVS_E_ARITY);
    assert_non_null(strstr(err.message, " 200 arguments (argument_0, argument_1, "));
    assert_non_null(strstr(err.message, " more); got 1 argument"));
    evs__script_free(script);
}

/* The policy matrix. `place` is how the message of deny begins; NULL: allowed. */
static const struct {
    const char *what, *source, *reason, *message;
} policies[] = {
    {"no keys", "return 1", NULL, NULL},
    {"declared", DECLARED, NULL, NULL},
    {"derived", DERIVED, NULL, "script x:1:26: ES104 "},
    {"derived with a reason", DERIVED, "known", "script x:1:26: ES104 "},
    {"undeclared", "\n" UNDECLARED, NULL, "script x:2:26: ES102 "},
    {"undeclared with a reason", UNDECLARED, "known", "script x:1:26: ES102 "},
    {"unproven", UNPROVEN, NULL, "script x:2:26: ES105 "},
    {"unproven with an empty reason", UNPROVEN, "", "script x:2:26: ES105 "},
    {"unproven with a reason", UNPROVEN, "the index is 1 or nothing", NULL},
};

static void only_deny_refuses_and_says_what(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(policies); i++) {
        evs_script *script = make(policies[i].source, policies[i].reason);
        evs_error err = {0};
        assert_int_equal(evs__script_allowed(script, EVS_AUDIT_OFF, &err), EVS_OK);
        assert_int_equal(evs__script_allowed(script, EVS_AUDIT_WARN, &err), EVS_OK);
        assert_int_equal(err.status, EVS_OK);

        evs_status status = evs__script_allowed(script, EVS_AUDIT_DENY, &err);
        const char *message = policies[i].message;
        const char *verdict = evs_verdict_name(evs_report_verdict(script->report));
        if (message == NULL && status != EVS_OK)
            fail_msg("%s: %s", policies[i].what, err.message);
        if (message != NULL &&
            (status != EVS_E_AUDIT || strncmp(err.message, message, strlen(message)) != 0 ||
             strstr(err.message, verdict) == NULL || err.line == 0 || err.column != 26 ||
             strcmp(err.script, "x") != 0))
            fail_msg("%s: %d %d:%d %s", policies[i].what, status, err.line, err.column,
                     err.message);
        evs__script_free(script);
    }
}

static void a_reason_excuses_no_other_key(void **state)
{
    (void)state;
    evs_script *script = make("redis.call('GET', KEYS[1] .. ':more')\n" UNPROVEN, "known");
    evs_error err;
    assert_int_equal(evs__script_allowed(script, EVS_AUDIT_DENY, &err), EVS_E_AUDIT);
    assert_non_null(strstr(err.message, "script x:1:19: ES104 "));
    evs__script_free(script);
}

static void only_the_unproven_are_told_of_reasons(void **state)
{
    (void)state;
    evs_script *unproven = make(UNPROVEN, NULL), *derived = make(DERIVED, NULL);
    evs_error err;
    evs__script_allowed(unproven, EVS_AUDIT_DENY, &err);
    assert_non_null(strstr(err.message, "allow_unproven"));
    evs__script_allowed(derived, EVS_AUDIT_DENY, &err);
    assert_null(strstr(err.message, "allow_unproven"));
    evs__script_free(unproven);
    evs__script_free(derived);
}

static void what_does_not_parse_has_a_place(void **state)
{
    (void)state;
    evs__script_text text = {"x", "folder/x.lua", evs_text("local a = 1\n  return ("), NULL};
    evs_script *script = NULL;
    evs_error err;
    assert_int_equal(evs__script_new(&script, &text, &err), EVS_E_COMPILE);
    assert_int_equal(err.line, 2);
    assert_true(err.column > 0);
    assert_int_equal(strncmp(err.message, "folder/x.lua:2:", 15), 0);
    assert_null(script);
}

static void a_faulty_block_has_a_place(void **state)
{
    (void)state;
    evs__script_text text = {"x", NULL, evs_text("--- S.\n-- @kee a\nreturn 1"), NULL};
    evs_script *script = NULL;
    evs_error err;
    assert_int_equal(evs__script_new(&script, &text, &err), EVS_E_INVALID);
    assert_string_equal(err.message, "script x:2:4: unknown tag @kee, did you mean @key");
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 4);
    assert_string_equal(err.script, "x");
    assert_null(script);
}

static void running_out_of_memory_is_said(void **state)
{
    (void)state;
    evs__script_text text = {"x", NULL, evs_text("--- S.\n-- @key a\n" DECLARED), "reason"};
    size_t fail_at = 0;
    evs_status status;
    do {
        evs_script *script = NULL;
        evs__mem_fail_at(++fail_at);
        status = evs__script_new(&script, &text, NULL);
        evs__mem_fail_at(0);
        assert_true(status == EVS_OK || (status == EVS_E_NOMEM && script == NULL));
        evs__script_free(script);
    } while (status != EVS_OK);
    assert_true(fail_at > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_says_what_its_text_says),
        cmocka_unit_test(without_a_block_little_is_known),
        cmocka_unit_test(the_sha1_is_that_of_the_bytes),
        cmocka_unit_test(arity_follows_the_header_block),
        cmocka_unit_test(without_a_block_any_arity_fits),
        cmocka_unit_test(a_long_list_of_names_is_cut),
        cmocka_unit_test(only_deny_refuses_and_says_what),
        cmocka_unit_test(a_reason_excuses_no_other_key),
        cmocka_unit_test(only_the_unproven_are_told_of_reasons),
        cmocka_unit_test(what_does_not_parse_has_a_place),
        cmocka_unit_test(a_faulty_block_has_a_place),
        cmocka_unit_test(running_out_of_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
