/* Which plain commands are refused before any server is asked, and with which status. Nobody
 * listens at the shard's address, so what is not refused is EVS_E_CONNECT. */
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_WORDS = 80 };

static size_t split(char *text, evs_bytes *words)
{
    size_t count = 0;
    char *rest = text;
    for (char *word; count < MOST_WORDS && (word = strsep(&rest, " ")) != NULL;)
        words[count++] = evs_text(word);
    return count;
}

static evs_status ask(shards *set, const char *command, const char *shard, evs_error *err)
{
    char text[256];
    evs_bytes words[MOST_WORDS];
    evs_reply *reply;
    snprintf(text, sizeof text, "%s", command);
    evs_plain_command plain = {.args = words, .nargs = split(text, words), .shard = shard};
    return evs_command(&reply, set->client, &plain, err);
}

static void a_command_is_refused_before_anybody_is_asked(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        const char *shard;
        evs_status status;
    } rows[] = {
        {"GET k", NULL, EVS_E_CONNECT},
        {"get k", NULL, EVS_E_CONNECT},
        {"DBSIZE", "s0", EVS_E_CONNECT},
        {"CLIENT ID", "s0", EVS_E_CONNECT},
        {"script exists 0", "s0", EVS_E_CONNECT},
        {"DBSIZE", NULL, EVS_E_NO_KEYS},
        {"DBSIZE", "s1", EVS_E_INVALID},
        {"", NULL, EVS_E_INVALID},
        {"NOSUCH k", NULL, EVS_E_INVALID},
        {"EVAL x nan k", NULL, EVS_E_ARITY},
        {"select 1", "s0", EVS_E_INVALID},
        {"client reply off", "s0", EVS_E_INVALID},
        {"CLIENT TRACKING on", "s0", EVS_E_INVALID},
        {"CLIENT CAPA redirect", "s0", EVS_E_INVALID},
        {"script debug yes", "s0", EVS_E_INVALID},
        {"REPLCONF ack 0", "s0", EVS_E_INVALID},
        {"BLPOP k 0", NULL, EVS_E_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *address = "unix:/nobody/there";
        shards set = {0};
        evs_error err;
        shards_open(&set, &address, 1, NULL);
        evs_status status = ask(&set, rows[i].command, rows[i].shard, &err);
        if (status != rows[i].status)
            fail_msg("\"%s\": %s", rows[i].command, evs_status_name(status));
        assert_int_equal(err.status, status);
        assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
        shards_stop(&set);
    }
}

static void a_command_needs_a_name_and_not_too_many_keys(void **state)
{
    (void)state;
    const char *address = "unix:/nobody/there";
    char many[256];
    int len = snprintf(many, sizeof many, "MGET");
    shards set = {0};
    evs_error err;
    evs_reply *reply;
    shards_open(&set, &address, 1, NULL);
    evs_plain_command nothing = {.shard = "s0"};
    assert_int_equal(evs_command(&reply, set.client, &nothing, &err), EVS_E_INVALID);
    for (int i = 0; i < 65; i++)
        len += snprintf(many + len, sizeof many - (size_t)len, " k");
    assert_int_equal(ask(&set, many, NULL, &err), EVS_E_INVALID);
    assert_non_null(strstr(err.message, "65"));
    many[len - 2] = '\0';
    assert_int_equal(ask(&set, many, NULL, &err), EVS_E_CONNECT);
    shards_stop(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_refused_before_anybody_is_asked),
        cmocka_unit_test(a_command_needs_a_name_and_not_too_many_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
