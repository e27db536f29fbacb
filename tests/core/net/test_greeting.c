/* What is said first, and what each answer means. */
#include "core/net/greeting.h"

#include "core/resp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct wording {
    const char *shows;
    evs__login login;
    const char *text;
    unsigned protocol;
} wordings[] = {
    {"nothing asked for is a PING", {.db = 0}, "*1\r\n$4\r\nPING\r\n", 0},
    {"a password alone", {.password = "pw"}, "*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n", 0},
    {"a user",
     {.username = "app", .password = "a b\n"},
     "*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$4\r\na b\n\r\n",
     0},
    {"a database", {.db = 12}, "*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n", 0},
    {"all of it",
     {.password = "", .db = 1, .client_name = "me"},
     "*2\r\n$4\r\nAUTH\r\n$0\r\n\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n"
     "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$2\r\nme\r\n",
     0},
    {"RESP3 alone", {.db = 0}, "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n", 3},
    {"RESP2 is not asked for", {.db = 0}, "*1\r\n$4\r\nPING\r\n", 2},
    {"a replica that is to serve what only reads",
     {.readonly = 1, .password = "pw"},
     "*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n*1\r\n$8\r\nREADONLY\r\n",
     0},
    {"a primary", {.primary = 1}, "*1\r\n$4\r\nROLE\r\n", 0},
    {"a replica that sentinels know", {.replica = 1}, "*1\r\n$4\r\nROLE\r\n", 0},
    {"RESP3 behind the password",
     {.password = "pw", .db = 1},
     "*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"
     "*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n",
     3},
};

static void the_greeting_has_what_the_login_asks_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wordings / sizeof wordings[0]; i++) {
        evs__buf buf = EVS__BUF_INIT;
        evs__greeting greeting = {&wordings[i].login, wordings[i].protocol};
        evs__greeting_write(&buf, &greeting);
        assert_string_equal(buf.data, wordings[i].text);
        evs__buf_free(&buf);
    }
}

enum { AUTH, HELLO, SELECT, NAME, PING, ROLE, READONLY };

static void steps_come_in_order(void **state)
{
    (void)state;
    evs__login all = {.password = "x", .db = 3, .client_name = "n"};
    evs__greeting greeting = {&all, 3};
    assert_int_equal(evs__greeting_next(&greeting, 0), AUTH);
    assert_int_equal(evs__greeting_next(&greeting, AUTH + 1), HELLO);
    greeting.protocol = 2;
    assert_int_equal(evs__greeting_next(&greeting, AUTH + 1), SELECT);
    assert_int_equal(evs__greeting_next(&greeting, SELECT + 1), NAME);
    assert_int_equal(evs__greeting_next(&greeting, NAME + 1), EVS__GREETING_END);
    evs__login none = {.db = 0};
    greeting.login = &none;
    assert_int_equal(evs__greeting_next(&greeting, 0), PING);
}

static const struct verdict {
    const char *shows;
    unsigned step;
    evs_reply_type type;
    const char *text;
    evs_status status;
    const char *message; /* the whole message; NULL for EVS_OK */
} verdicts[] = {
    {"a password is accepted", AUTH, EVS_REPLY_STATUS, "OK", EVS_OK, NULL},
    {"a wrong password", AUTH, EVS_REPLY_ERROR,
     "WRONGPASS invalid username-password pair or user is disabled.", EVS_E_AUTH,
     "AUTH refused: WRONGPASS invalid username-password pair or user is disabled."},
    {"a wrong password on old servers", AUTH, EVS_REPLY_ERROR, "ERR invalid password", EVS_E_AUTH,
     "AUTH refused: ERR invalid password"},
    {"no password needed, old", AUTH, EVS_REPLY_ERROR,
     "ERR Client sent AUTH, but no password is set", EVS_E_AUTH,
     "AUTH refused: ERR Client sent AUTH, but no password is set"},
    {"no password needed", AUTH, EVS_REPLY_ERROR,
     "ERR AUTH <password> called without any password configured for the default user. Are you "
     "sure your configuration is correct?",
     EVS_E_AUTH,
     "AUTH refused: ERR AUTH <password> called without any password configured for the default "
     "user. Are you sure your configuration is correct?"},
    {"a server without AUTH repeats its arguments", AUTH, EVS_REPLY_ERROR,
     "ERR unknown command 'AUTH', with args beginning with: 'app' 'hunter2' ", EVS_E_AUTH,
     "AUTH refused"},
    {"any text with the password in it is kept back", AUTH, EVS_REPLY_ERROR,
     "ERR no such thing as hunter2", EVS_E_AUTH, "AUTH refused"},
    {"an answer of another type", AUTH, EVS_REPLY_INTEGER, "", EVS_E_PROTOCOL,
     "AUTH was answered with something else than a status"},
    {"a database is selected", SELECT, EVS_REPLY_STATUS, "OK", EVS_OK, NULL},
    {"a database that is not there", SELECT, EVS_REPLY_ERROR, "ERR DB index is out of range",
     EVS_E_CONFIG, "db 7 cannot be selected: ERR DB index is out of range"},
    {"a user that may not select", SELECT, EVS_REPLY_ERROR,
     "NOPERM this user has no permissions to run the 'select' command", EVS_E_CONFIG,
     "db 7 cannot be selected: NOPERM this user has no permissions to run the 'select' command"},
    {"a script keeps the server busy", SELECT, EVS_REPLY_ERROR,
     "BUSY Redis is busy running a script.", EVS_E_BUSY, "BUSY Redis is busy running a script."},
    {"a name is refused, which matters to nobody", NAME, EVS_REPLY_ERROR,
     "NOPERM this user has no permissions to run the 'client|setname' command", EVS_OK, NULL},
    {"a password is needed", NAME, EVS_REPLY_ERROR, "NOAUTH Authentication required.", EVS_E_AUTH,
     "shard requires a password"},
    {"protected mode", NAME, EVS_REPLY_ERROR, "DENIED Redis is running in protected mode",
     EVS_E_DENIED, "DENIED Redis is running in protected mode"},
    {"too many clients", NAME, EVS_REPLY_ERROR, "ERR max number of clients reached", EVS_E_CONNECT,
     "ERR max number of clients reached"},
    {"loading", NAME, EVS_REPLY_ERROR, "LOADING Redis is loading the dataset in memory",
     EVS_E_LOADING, "LOADING Redis is loading the dataset in memory"},
    {"a server without RESP3", HELLO, EVS_REPLY_ERROR,
     "ERR unknown command `HELLO`, with args beginning with: `3`, ", EVS_OK, NULL},
    {"a server with another RESP", HELLO, EVS_REPLY_ERROR, "NOPROTO unsupported protocol version",
     EVS_OK, NULL},
    {"a user without HELLO", HELLO, EVS_REPLY_ERROR,
     "NOPERM this user has no permissions to run the 'hello' command", EVS_OK, NULL},
    {"RESP3 without a password", HELLO, EVS_REPLY_ERROR,
     "NOAUTH HELLO must be called with the client already authenticated", EVS_E_AUTH,
     "shard requires a password"},
    {"RESP3", HELLO, EVS_REPLY_MAP, "", EVS_OK, NULL},
    {"an answer that is no map", HELLO, EVS_REPLY_STATUS, "OK", EVS_E_PROTOCOL,
     "HELLO was answered with something else than a map"},
    {"a pong", PING, EVS_REPLY_STATUS, "PONG", EVS_OK, NULL},
    {"a ping that cannot persist", PING, EVS_REPLY_ERROR, "MISCONF Redis is configured to", EVS_OK,
     NULL},
    {"a replica", READONLY, EVS_REPLY_STATUS, "OK", EVS_OK, NULL},
    {"a busy replica", READONLY, EVS_REPLY_ERROR, "BUSY Redis is busy running a script.",
     EVS_E_BUSY, "BUSY Redis is busy running a script."},
    {"a user without READONLY", READONLY, EVS_REPLY_ERROR,
     "NOPERM this user has no permissions to run the 'readonly' command", EVS_E_DENIED,
     "READONLY refused: NOPERM this user has no permissions to run the 'readonly' command; a user "
     "needs +readonly where replicas are read from"},
    {"an unknown password", PING, EVS_REPLY_ERROR, "NOAUTH Authentication required.", EVS_E_AUTH,
     "shard requires a password"},
};

static void each_answer_has_its_meaning(void **state)
{
    (void)state;
    evs__login login = {.username = "app", .password = "hunter2", .db = 7, .client_name = "n"};
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        const struct verdict *row = &verdicts[i];
        evs_reply reply = {.type = row->type, .len = strlen(row->text), .as.text = row->text};
        evs__greeting greeting = {&login, 3};
        evs_error err = {0};
        if (evs__greeting_judge(&greeting, row->step, &reply, &err) != row->status)
            fail_msg("%s: %s", row->shows, err.message);
        if (row->message != NULL)
            assert_string_equal(err.message, row->message);
    }
}

static const struct {
    const char *reply;
    evs_status as_primary, as_replica; /* where one is wanted */
} roles[] = {
    {"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n", EVS_OK, EVS_E_CONNECT},
    {"*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:9\r\n", EVS_E_READONLY, EVS_OK},
    {"*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$7\r\nconnect\r\n:9\r\n", EVS_E_READONLY,
     EVS_E_CONNECT},
    {"*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$4\r\nsync\r\n:9\r\n", EVS_E_READONLY, EVS_E_CONNECT},
    {"*1\r\n$5\r\nslave\r\n", EVS_E_READONLY, EVS_E_CONNECT},
    {"*2\r\n$8\r\nsentinel\r\n*0\r\n", EVS_E_PROTOCOL, EVS_E_PROTOCOL},
    {"*0\r\n", EVS_E_PROTOCOL, EVS_E_PROTOCOL},
    {"+master\r\n", EVS_E_PROTOCOL, EVS_E_PROTOCOL},
    {"-NOPERM no\r\n", EVS_E_DENIED, EVS_E_DENIED},
    {"-BUSY a script\r\n", EVS_E_BUSY, EVS_E_BUSY},
};

static void a_role_has_to_be_the_one_that_is_wanted(void **state)
{
    (void)state;
    evs__login primary = {.primary = 1}, replica = {.replica = 1};
    evs__greeting from_primary = {&primary, 2}, from_replica = {&replica, 2};
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        size_t used;
        evs_error err = {0};
        const evs_reply *reply = NULL;
        const char *text = roles[i].reply;
        evs__arena arena = {0};
        evs__resp *resp = evs__resp_new(&arena, 1 << 20, 16);
        assert_non_null(resp);
        assert_int_equal(evs__resp_read(resp, text, strlen(text), &used, &reply), EVS__RESP_REPLY);
        if (evs__greeting_judge(&from_primary, ROLE, reply, &err) != roles[i].as_primary ||
            evs__greeting_judge(&from_replica, ROLE, reply, &err) != roles[i].as_replica)
            fail_msg("%s: %s", text, err.message);
        evs__resp_free(resp);
        evs__arena_free(&arena);
    }
    /* a primary with many replicas */
    assert_int_equal(evs__greeting_judge(&from_primary, ROLE, NULL, NULL), EVS_OK);
    assert_int_equal(evs__greeting_judge(&from_replica, ROLE, NULL, NULL), EVS_E_CONNECT);
}

static void an_oversized_answer_is_no_status(void **state)
{
    (void)state;
    evs__login login = {.db = 0};
    evs__greeting greeting = {&login, 3};
    assert_int_equal(evs__greeting_judge(&greeting, PING, NULL, NULL), EVS_E_PROTOCOL);
    assert_int_equal(evs__greeting_judge(&greeting, HELLO, NULL, NULL), EVS_OK);
}

static void what_speaks_no_resp_is_guessed(void **state)
{
    (void)state;
    assert_non_null(strstr(evs__greeting_guess("HTTP/1.1 400", 12), "HTTP"));
    assert_non_null(strstr(evs__greeting_guess("\x15\x03\x01\x00\x02", 5), "TLS"));
    assert_non_null(strstr(evs__greeting_guess("SSH-2.0-x", 9), "SSH"));
    assert_null(evs__greeting_guess("220 mail", 8));
    assert_null(evs__greeting_guess("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_greeting_has_what_the_login_asks_for),
        cmocka_unit_test(steps_come_in_order),
        cmocka_unit_test(each_answer_has_its_meaning),
        cmocka_unit_test(a_role_has_to_be_the_one_that_is_wanted),
        cmocka_unit_test(an_oversized_answer_is_no_status),
        cmocka_unit_test(what_speaks_no_resp_is_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
