/*
 * Errors that real servers answer scripts with, one by one: what a call says of each, and how often
 * the script ran. Those that are states of a server are in test_states.c, those of a cluster in
 * test_cluster_errors.c.
 */
#include "tests/support/states.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The server knows what it may do before it runs it. */
#define FLAGGED "#!lua\nredis.call('INCR', KEYS[1]) return 'done'"

typedef struct row {
    const char *on; /* a command that brings the error about; NULL: it always comes */
    const char *source;
    evs_status status;
    evs_outcome outcome;
    long long ran;
    const char *words; /* of the server, in the message */
    const char *off;
} row;

static const row rows[] = {
    {"REPLICAOF 127.0.0.1 1", FLAGGED, EVS_E_READONLY, EVS_NOT_EXECUTED, 0, "READONLY ",
     "REPLICAOF NO ONE"},
    {"CONFIG SET maxmemory 1", FLAGGED, EVS_E_OOM, EVS_NOT_EXECUTED, 0, "OOM ",
     "CONFIG SET maxmemory 0"},
    {"CONFIG SET min-replicas-to-write 1", FLAGGED, EVS_E_NOREPLICAS, EVS_NOT_EXECUTED, 0,
     "NOREPLICAS ", "CONFIG SET min-replicas-to-write 0"},
    {"ACL SETUSER default resetkeys ~other:*", FLAGGED, EVS_E_DENIED, EVS_NOT_EXECUTED, 0,
     "NOPERM ", "ACL SETUSER default ~*"},
    {"ACL SETUSER default -evalsha", FLAGGED, EVS_E_DENIED, EVS_NOT_EXECUTED, 0, "NOPERM ",
     "ACL SETUSER default +evalsha"},
    {"ACL SETUSER default -lpush",
     "redis.call('INCR', KEYS[1]) redis.call('LPUSH', KEYS[1], 1) return 'done'", EVS_E_SCRIPT,
     EVS_EXECUTED, 1, " script: ", "ACL SETUSER default +lpush"},
    {"ACL SETUSER default resetkeys ~c",
     "redis.call('INCR', KEYS[1]) redis.call('GET', 'other') return 'done'", EVS_E_SCRIPT,
     EVS_EXECUTED, 1, " script: ", "ACL SETUSER default ~*"},
    {NULL, "#!lua flags=no-writes\nredis.call('INCR', KEYS[1]) return 'done'", EVS_E_SCRIPT,
     EVS_EXECUTED, 0, "Write commands are not allowed from read-only scripts", NULL},
    {NULL, "redis.call('INCR', KEYS[1]) redis.call('LPUSH', KEYS[1], 1) return 'done'",
     EVS_E_SCRIPT, EVS_EXECUTED, 1, "WRONGTYPE ", NULL},
    {NULL, "redis.call('INCR', KEYS[1]) return redis.pcall('LPUSH', KEYS[1], 1)", EVS_E_SCRIPT,
     EVS_EXECUTED, 1, "WRONGTYPE ", NULL},
    {NULL, "redis.call('INCR', KEYS[1]) return redis.error_reply('MINE is this')", EVS_E_SCRIPT,
     EVS_EXECUTED, 1, "MINE is this", NULL},
    {NULL, "redis.call('INCR', KEYS[1]) return redis.error_reply('OOM by itself')", EVS_E_OOM,
     EVS_MAYBE_EXECUTED, 1, "OOM by itself", NULL},
    {NULL, "redis.call('INCR', KEYS[1]) error('stop')", EVS_E_SCRIPT, EVS_EXECUTED, 1, "stop",
     NULL},
    {NULL, "redis.call('INCR', KEYS[1]) error({err = 'MINE too'})", EVS_E_SCRIPT, EVS_EXECUTED, 1,
     "MINE too", NULL},
    {NULL, "redis.call('INCR', KEYS[1]) redis.call('NOSUCH', KEYS[1]) return 1", EVS_E_SCRIPT,
     EVS_EXECUTED, 1, "command", NULL},
    {NULL, "redis.call('INCR', KEYS[1]) return missing", EVS_E_SCRIPT, EVS_EXECUTED, 1,
     "nonexistent global variable", NULL},
    {NULL, "redis.call('INCR', KEYS[1]) return unpack({}, 1, 9000)", EVS_E_SCRIPT, EVS_EXECUTED, 1,
     "too many results to unpack", NULL},
};

/* What the test asks on the side goes by another user than the one that loses permissions. */
static void become_root(states *w)
{
    states_do(w, "ACL SETUSER root on nopass ~* &* +@all");
    states_do(w, "AUTH root x");
}

static void try_row(states *w, const row *what, size_t number)
{
    char name[32];
    evs_error err = {0};
    evs_reply *reply = NULL;
    evs_bytes key = evs_text("c");
    snprintf(name, sizeof name, "row/%zu", number);
    evs_invocation call = {.handle = shards_script(&w->set, name, what->source),
                           .keys = &key,
                           .nkeys = 1,
                           .timeout_ms = 20000};
    if (what->on != NULL)
        states_do(w, what->on);
    long long before = states_do(w, "GET c");
    evs_status status = evs_call(&reply, w->hasty, &call, &err);
    evs_reply_free(reply);
    if (status != what->status || err.outcome != what->outcome ||
        strstr(err.message, what->words) == NULL)
        fail_msg("%s: %s, %s: %s", what->source, evs_status_name(status),
                 evs_outcome_text(err.outcome), err.message);
    assert_int_equal(states_do(w, "GET c") - before, what->ran);
    if (what->off != NULL)
        states_do(w, what->off);
    states_expect(w, w->hasty, w->honest, EVS_OK, EVS_EXECUTED, 1);
}

static void each_error_is_understood(void **state)
{
    (void)state;
    states w;
    states_begin(&w, NULL, 0);
    become_root(&w);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        try_row(&w, &rows[i], i);
    states_end(&w);
}

/* A script is killed only while it has not written. */
static void a_script_that_is_killed(void **state)
{
    (void)state;
    states w;
    states_call killed = {0};
    states_begin(&w, NULL, 0);
    states_do(&w, "CONFIG SET busy-reply-threshold 5");
    const evs_script *endless = shards_script(&w.set, "endless",
                                              "--- Never ends.\n-- @key k any\n"
                                              "while true do\n local x = 1\nend");
    states_submit(w.hasty, endless, &killed);
    redisReply *reply = NULL;
    while (!killed.done) { /* until it runs there is nothing to kill */
        evs_client_process(w.hasty, 1, NULL);
        reply = redisCommand(w.side, "SCRIPT KILL");
        freeReplyObject(reply);
    }
    assert_int_equal(killed.status, EVS_E_SCRIPT);
    assert_int_equal(killed.outcome, EVS_EXECUTED);
    assert_int_equal(killed.done, 1);
    states_end(&w);
}

static void a_server_that_has_no_scripts(void **state)
{
    (void)state;
    static const char *const config[] = {"--rename-command", "EVALSHA", "EVALHASH"};
    states w;
    states_begin(&w, config, 3);
    states_expect(&w, w.hasty, w.honest, EVS_E_SCRIPT, EVS_NOT_EXECUTED, 0);
    states_expect(&w, w.hasty, w.liar, EVS_E_SCRIPT, EVS_MAYBE_EXECUTED, 0);
    states_end(&w);
}

static void a_server_that_takes_no_more_clients(void **state)
{
    (void)state;
    states w;
    states_begin(&w, NULL, 0);
    states_do(&w, "CONFIG SET maxclients 1");
    states_expect(&w, w.hasty, w.honest, EVS_E_CONNECT, EVS_NOT_EXECUTED, 0);
    states_do(&w, "CONFIG SET maxclients 100");
    states_expect(&w, w.set.client, w.honest, EVS_OK, EVS_EXECUTED, 1);
    states_end(&w);
}

enum { LARGE = 16 << 20, LARGE_SCRIPT = 6 << 20 }; /* no socket holds so much */

static evs_invocation large_call(const evs_script *script, char **text)
{
    static evs_bytes key = {"c", 1}, large;
    *text = malloc(LARGE);
    assert_non_null(*text);
    memset(*text, 'x', LARGE);
    large = (evs_bytes){*text, LARGE};
    return (evs_invocation){.handle = script,
                            .keys = &key,
                            .nkeys = 1,
                            .args = &large,
                            .nargs = 1,
                            .timeout_ms = 60000};
}

/* The server says so at the argument's beginning and reads no further, so the request never leaves
 * as a whole, whoever's it is. */
static void an_argument_that_is_too_large_for_the_server(void **state)
{
    (void)state;
    states w;
    states_begin(&w, NULL, 0);
    states_do(&w, "CONFIG SET proto-max-bulk-len 1mb");
    for (int lies = 0; lies <= 1; lies++) {
        char *text;
        evs_error err = {0};
        evs_reply *reply = NULL;
        evs_invocation call = large_call(lies ? w.liar : w.honest, &text);
        long long before = states_do(&w, "GET c");
        assert_int_equal(evs_call(&reply, w.set.client, &call, &err), EVS_E_PROTOCOL);
        assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
        assert_non_null(strstr(err.message, "ERR Protocol error: invalid bulk length"));
        assert_int_equal(states_do(&w, "GET c"), before);
        states_expect(&w, w.set.client, w.honest, EVS_OK, EVS_EXECUTED, 1);
        free(text);
    }
    states_end(&w);
}

/* Those in front of it have run, those behind it are sent again. */
static void its_neighbours_do_not_suffer(void **state)
{
    (void)state;
    enum { CALLS = 7, CULPRIT = 3 };
    char *text;
    states w;
    evs_batch *batch;
    states_begin(&w, NULL, 0);
    states_do(&w, "CONFIG SET proto-max-bulk-len 1mb");
    states_expect(&w, w.set.client, w.honest, EVS_OK, EVS_EXECUTED, 1);
    assert_int_equal(evs_batch_new(&batch, w.set.client, NULL, NULL), EVS_OK);
    evs_invocation large = large_call(w.honest, &text), small = large;
    small.nargs = 0;
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(evs_batch_add(batch, i == CULPRIT ? &large : &small, NULL), EVS_OK);
    free(text);
    assert_int_equal(evs_batch_run(batch, NULL), EVS_OK);
    for (size_t i = 0; i < CALLS; i++)
        assert_int_equal(evs_batch_result(batch, i)->status,
                         i == CULPRIT ? EVS_E_PROTOCOL : EVS_OK);
    assert_int_equal(evs_batch_result(batch, CULPRIT)->outcome, EVS_NOT_EXECUTED);
    assert_int_equal(states_do(&w, "GET c"), CALLS);
    evs_batch_free(batch);
    states_end(&w);
}

static void expect_once(evs_client *client, evs_status status, const evs_error *err)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, client);
    if (status != EVS_E_PROTOCOL || err->outcome != EVS_NOT_EXECUTED)
        fail_msg("%s, %s: %s", evs_status_name(status), evs_outcome_text(err->outcome),
                 err->message);
    assert_int_equal(stats.connects, 1);
    assert_int_equal(stats.resends, 0);
}

static void send_large_script(evs_client *client, const evs_script *script)
{
    evs_error err = {0};
    evs_reply *reply = NULL;
    evs_bytes key = {"c", 1};
    evs_invocation call = {.handle = script, .keys = &key, .nkeys = 1, .timeout_ms = 60000};
    evs_status status = evs_call(&reply, client, &call, &err);
    expect_once(client, status, &err);
}

static void send_large_transaction(evs_client *client, const evs_script *script)
{
    char *text;
    evs_error err = {0};
    evs_transaction *tx;
    evs_invocation large = large_call(script, &text), small = large;
    small.nargs = 0;
    assert_int_equal(evs_transaction_new(&tx, client, NULL, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add(tx, &small, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add(tx, &large, NULL), EVS_OK);
    evs_status status = evs_transaction_exec(tx, &err);
    expect_once(client, status, &err);
    evs_transaction_free(tx);
    free(text);
}

/* What goes in front of a call, or of EXEC, is part of it: nothing is sent again. */
static void what_is_too_large_in_front_of_a_call(void **state)
{
    (void)state;
    static const char *const rules[] = {NULL, "    on_shard_down: wait\n"};
    static const char head[] = "redis.call('INCR', KEYS[1]) return 'done' --";
    char *text = malloc(LARGE_SCRIPT);
    assert_non_null(text);
    memset(text, 'x', LARGE_SCRIPT);
    memcpy(text, head, sizeof head - 1);
    text[LARGE_SCRIPT - 1] = '\0';
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        states w;
        shards other = {.area = NULL};
        states_begin(&w, NULL, 0);
        states_do(&w, "CONFIG SET proto-max-bulk-len 1mb");
        const char *address = scratch_address(w.set.servers[0]);
        shards_open(&other, &address, 1, rules[i]);
        const evs_script *script = shards_script(&other, "count", head);
        send_large_transaction(other.client, script);
        shards_stop(&other);
        other = (shards){.area = NULL};
        shards_open(&other, &address, 1, rules[i]);
        script = shards_script(&other, "large", text);
        send_large_script(other.client, script);
        shards_stop(&other);
        assert_int_equal(states_do(&w, "EXISTS c"), 0);
        states_end(&w);
    }
    free(text);
}

/* The greeting is refused, so nothing of the call ever leaves. */
static void a_wrong_password(void **state)
{
    (void)state;
    states w;
    states_begin(&w, NULL, 0);
    states_do(&w, "ACL SETUSER app on >right ~* +@all");
    assert_int_equal(setenv("STATES_PASSWORD", "wrong", 1), 0);
    const char *address = scratch_address(w.set.servers[0]);
    shards other = {.area = NULL};
    shards_open(&other, &address, 1, "    auth: {username: app, password_env: STATES_PASSWORD}\n");
    const evs_script *script = shards_script(&other, "count",
                                             "redis.call('INCR', KEYS[1]) return 'done'");
    states_expect(&w, other.client, script, EVS_E_AUTH, EVS_NOT_EXECUTED, 0);
    shards_stop(&other);
    states_end(&w);
}

/* Plain commands that run scripts as readers: errors of theirs are replies. */
static void read_only_forms_refuse_writers(void **state)
{
    (void)state;
    static const struct {
        const char *body, *words;
    } forms[] = {
        {FLAGGED, "ERR Can not execute a script with write flag using *_ro command."},
        {"redis.call('INCR', KEYS[1]) return 1",
         "ERR Write commands are not allowed from read-only scripts"},
    };
    states w;
    states_begin(&w, NULL, 0);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        evs_reply *reply = NULL;
        evs_bytes words[] = {evs_text("EVAL_RO"), evs_text(forms[i].body), evs_text("1"),
                             evs_text("c")};
        evs_plain_command command = {.args = words, .nargs = 4, .timeout_ms = 20000};
        assert_int_equal(evs_command(&reply, w.hasty, &command, NULL), EVS_OK);
        assert_int_equal(evs_reply_kind(reply), EVS_REPLY_ERROR);
        assert_non_null(strstr(evs_reply_bytes(reply).data, forms[i].words));
        evs_reply_free(reply);
    }
    assert_int_equal(states_do(&w, "EXISTS c"), 0);
    states_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_error_is_understood),
        cmocka_unit_test(a_script_that_is_killed),
        cmocka_unit_test(a_server_that_has_no_scripts),
        cmocka_unit_test(a_server_that_takes_no_more_clients),
        cmocka_unit_test(an_argument_that_is_too_large_for_the_server),
        cmocka_unit_test(its_neighbours_do_not_suffer),
        cmocka_unit_test(what_is_too_large_in_front_of_a_call),
        cmocka_unit_test(a_wrong_password),
        cmocka_unit_test(read_only_forms_refuse_writers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
