/* What counts as a secret, and how a line that was not understood is masked. */
#include "conf/secretive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void keys_that_hold_passwords_are_known(void **state)
{
    (void)state;
    static const char *const secret[] = {"password", "Password",  "pasword",        "passwort",
                                         "auth",     "PASSWD",    "redis_password", "token",
                                         "pw",       "passwords", "masterauth"};
    static const char *const open[] = {"password_env",
                                       "password_file",
                                       "auth.password_env",
                                       "passport",
                                       "username",
                                       "address",
                                       "author",
                                       ""};
    for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++)
        if (!evs__secretive_key(evs_text(secret[i])))
            fail_msg("%s may hold a secret", secret[i]);
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        if (evs__secretive_key(evs_text(open[i])))
            fail_msg("%s holds no secret", open[i]);
}

static void only_clear_cases_count_for_whole_mappings(void **state)
{
    (void)state;
    assert_true(evs__password_key(evs_text("passwords")));
    assert_false(evs__password_key(evs_text("auth")));
    assert_false(evs__password_key(evs_text("token")));
}

static void urls_with_a_user_are_secret(void **state)
{
    (void)state;
    assert_true(evs__secretive_text(evs_text("redis://:pw@host:1")));
    assert_true(evs__secretive_text(evs_text("user:pw@host:1")));
    assert_false(evs__secretive_text(evs_text("ops@example.com")));
    assert_false(evs__secretive_text(evs_text("redis://host:1")));
    assert_true(evs__secretive_text(evs_text("password:x")));
    assert_true(evs__secretive_text(evs_text("a:{db:1,pasword:x}")));
    assert_false(evs__secretive_text(evs_text("password_env:X")));
    assert_false(evs__secretive_text(evs_text("auth:6379")));
    assert_false(evs__secretive_text((evs_bytes){NULL, 0}));
}

typedef struct mask_case {
    const char *previous;
    const char *line;
    const char *masked;
} mask_case;

static void lines_that_were_not_understood_are_masked(void **state)
{
    (void)state;
    static const mask_case cases[] = {
        {"", "  address: 10.0.0.1:6379", "  address: 10.0.0.1:6379"},
        {"", "  password: hunter2", "  password: *******"},
        {"", "  password:hunter2 x", "  password:******* *"},
        {"", "a: {\"password\" : hunter2, db: 1}", "a: {\"password\" : ******** *** **"},
        {"", "password_env: NAME", "password_env: NAME"},
        {"", "a: redis://u:hunter2@host:1", "a: ******************host:1"},
        {"  password:", "    hunter2", "    *******"},
        {"  password: |", "    hunter2", "    *******"},
        {"  password: >-", "    hunter2", "    *******"},
        {"  password: x", "    db: 1", "    db: 1"},
        {"shards:", "    db: 1", "    db: 1"},
        {"  auth:", "    username: x", "    ********* *"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[100] = "";
        memcpy(line, cases[i].line, strlen(cases[i].line));
        evs__mask_line(line, strlen(line), evs_text(cases[i].previous));
        assert_string_equal(line, cases[i].masked);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_that_hold_passwords_are_known),
        cmocka_unit_test(only_clear_cases_count_for_whole_mappings),
        cmocka_unit_test(urls_with_a_user_are_secret),
        cmocka_unit_test(lines_that_were_not_understood_are_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
