/*
 * A real server is put into each state that refuses scripts: what a call says then, and how often
 * the script ran.
 */
#include "tests/support/states.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const debug[] = {"--enable-debug-command", "yes"};

static void a_working_server_runs_them_all(void **state)
{
    (void)state;
    states w;
    states_begin(&w, NULL, 0);
    states_expect(&w, w.hasty, w.honest, EVS_OK, EVS_EXECUTED, 1);
    states_expect(&w, w.hasty, w.liar, EVS_OK, EVS_EXECUTED, 1);
    states_expect(&w, w.hasty, w.reader, EVS_OK, EVS_EXECUTED, 0);
    const evs_script *roams = /* alone, a server lets it have any key */
        shards_script(&w.set, "roams",
                      "redis.call('INCR', KEYS[1]) redis.call('MGET', 'a', 'b') return 'done'");
    states_expect(&w, w.hasty, roams, EVS_OK, EVS_EXECUTED, 1);
    states_end(&w);
}

/* EXEC says why, or the commands before it do. */
static void refuses_a_transaction(states *w, evs_status status)
{
    evs_error err = {0};
    evs_transaction *tx;
    evs_bytes key = evs_text("c"), words[] = {evs_text("INCR"), evs_text("c")};
    evs_invocation call = {.handle = w->honest, .keys = &key, .nkeys = 1};
    evs_plain_command command = {.args = words, .nargs = 2};
    evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
    options.timeout_ms = 20000;
    assert_int_equal(evs_transaction_new(&tx, w->hasty, &options, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add(tx, &call, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add_command(tx, &command, NULL), EVS_OK);
    assert_int_equal(evs_transaction_exec(tx, &err), status);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(evs_transaction_result(tx, i)->outcome, EVS_NOT_EXECUTED);
    evs_transaction_free(tx);
}

/* While a script of somebody else runs, nothing can be asked on the side; the counter is looked at
 * when it is over. */
static void busy(void **state)
{
    (void)state;
    states w;
    states_call hasty[3] = {{0}}, patient[2] = {{0}};
    evs_client_stats stats = {0};
    states_begin(&w, NULL, 0);
    states_expect(&w, w.hasty, w.honest, EVS_OK, EVS_EXECUTED, 1);
    states_expect(&w, w.hasty, w.liar, EVS_OK, EVS_EXECUTED, 1);
    states_expect(&w, w.set.client, w.honest, EVS_OK, EVS_EXECUTED, 1);
    states_expect(&w, w.set.client, w.reader, EVS_OK, EVS_EXECUTED, 0);
    states_do(&w, "CONFIG SET busy-reply-threshold 5");
    long long before = states_do(&w, "GET c");
    redisContext *hog = redisConnectUnix(scratch_socket(w.set.servers[0]));
    redisAppendCommand(hog, "EVAL %s 0", "while true do local x = 1 end");
    for (int done = 0; !done;)
        redisBufferWrite(hog, &done);
    redisReply *ping = NULL; /* until the server says BUSY itself */
    while (ping == NULL || ping->type != REDIS_REPLY_ERROR) {
        freeReplyObject(ping);
        ping = redisCommand(w.side, "PING");
    }
    freeReplyObject(ping);

    states_submit(w.hasty, w.honest, &hasty[0]);
    states_submit(w.hasty, w.liar, &hasty[1]);
    states_finish(w.hasty, hasty, 2);
    assert_int_equal(hasty[0].status, EVS_E_BUSY);
    assert_int_equal(hasty[0].outcome, EVS_NOT_EXECUTED);
    assert_int_equal(hasty[1].status, EVS_E_BUSY);
    assert_int_equal(hasty[1].outcome, EVS_MAYBE_EXECUTED);
    refuses_a_transaction(&w, EVS_E_BUSY);
    states_submit(w.set.client, w.honest, &patient[0]);
    states_submit(w.set.client, w.reader, &patient[1]);
    while (stats.retries < 4) { /* both have asked and been refused twice */
        evs_client_process(w.set.client, -1, NULL);
        evs_client_stats_get(&stats, w.set.client);
    }
    states_do(&w, "SCRIPT KILL");
    states_finish(w.set.client, patient, 2);
    assert_int_equal(patient[0].status, EVS_OK);
    assert_int_equal(patient[1].status, EVS_OK);
    assert_int_equal(states_do(&w, "GET c") - before, 1);
    redisFree(hog);
    states_end(&w);
}

static void read_only_replica(void **state)
{
    (void)state;
    states w;
    states_begin(&w, NULL, 0);
    states_do(&w, "REPLICAOF 127.0.0.1 1");
    states_expect(&w, w.hasty, w.honest, EVS_E_READONLY, EVS_EXECUTED,
                  0); /* refused at its first write */
    states_expect(&w, w.hasty, w.liar, EVS_E_READONLY, EVS_MAYBE_EXECUTED, 0);
    states_expect(&w, w.hasty, w.reader, EVS_OK, EVS_EXECUTED, 0);
    refuses_a_transaction(&w, EVS_E_READONLY);
    states_do(&w, "REPLICAOF NO ONE");
    states_expect(&w, w.hasty, w.honest, EVS_OK, EVS_EXECUTED, 1);
    states_end(&w);
}

static void out_of_memory(void **state)
{
    (void)state;
    states w;
    states_begin(&w, NULL, 0);
    states_do(&w, "CONFIG SET maxmemory 1");
    states_expect(&w, w.set.client, w.honest, EVS_E_OOM, EVS_EXECUTED, 0);
    states_expect(&w, w.set.client, w.liar, EVS_E_OOM, EVS_MAYBE_EXECUTED, 0);
    refuses_a_transaction(&w, EVS_E_OOM);
    states_expect(&w, w.set.client, w.reader, EVS_OK, EVS_EXECUTED, 0);
    states_do(&w, "CONFIG SET maxmemory 0");
    states_expect(&w, w.set.client, w.honest, EVS_OK, EVS_EXECUTED, 1);
    states_end(&w);
}

static void too_few_replicas(void **state)
{
    (void)state;
    states w;
    states_begin(&w, NULL, 0);
    states_do(&w, "CONFIG SET min-replicas-to-write 1");
    states_expect(&w, w.set.client, w.honest, EVS_E_NOREPLICAS, EVS_EXECUTED, 0);
    states_expect(&w, w.set.client, w.liar, EVS_E_NOREPLICAS, EVS_MAYBE_EXECUTED, 0);
    refuses_a_transaction(&w, EVS_E_NOREPLICAS);
    states_expect(&w, w.set.client, w.reader, EVS_OK, EVS_EXECUTED, 0);
    states_end(&w);
}

/* Who does not wait is told at once: a script that cannot lie did not run. */
static void refuses_all(states *w, evs_status status)
{
    states_call hasty[3] = {{0}};
    states_submit(w->hasty, w->honest, &hasty[0]);
    states_submit(w->hasty, w->liar, &hasty[1]);
    states_submit(w->hasty, w->reader, &hasty[2]);
    states_finish(w->hasty, hasty, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(hasty[i].status, status);
        assert_int_equal(hasty[i].outcome, i == 0 ? EVS_NOT_EXECUTED : EVS_MAYBE_EXECUTED);
    }
}

/* Who waits is refused twice, until `command` ends the state; then the calls work, once each. */
static void outlast(states *w, const char *command)
{
    states_call patient[2] = {{0}};
    evs_client_stats stats = {0};
    states_submit(w->set.client, w->honest, &patient[0]);
    states_submit(w->set.client, w->reader, &patient[1]);
    while (stats.retries < 4) {
        evs_client_process(w->set.client, -1, NULL);
        evs_client_stats_get(&stats, w->set.client);
    }
    states_do(w, command);
    states_finish(w->set.client, patient, 2);
    assert_int_equal(patient[0].status, EVS_OK);
    assert_int_equal(patient[1].status, EVS_OK);
}

/* A replica that lost its primary and does not want to answer from old data. Nothing can be asked
 * on the side either; the counter is looked at afterwards. */
static void stale_replica(void **state)
{
    (void)state;
    states w;
    states_begin(&w, NULL, 0);
    states_expect(&w, w.hasty, w.honest, EVS_OK, EVS_EXECUTED, 1);
    states_expect(&w, w.set.client, w.honest, EVS_OK, EVS_EXECUTED, 1);
    long long before = states_do(&w, "GET c");
    const evs_script *stale = shards_script(
        &w.set, "stale",
        "#!lua flags=allow-stale,no-writes\nredis.call('GET', KEYS[1]) return 'done'");
    states_do(&w, "CONFIG SET replica-serve-stale-data no");
    states_do(&w, "REPLICAOF 127.0.0.1 1");

    refuses_all(&w, EVS_E_READONLY);
    refuses_a_transaction(&w, EVS_E_READONLY);
    states_call inside = {0};
    states_submit(w.hasty, stale, &inside); /* begins, and then may not do a thing */
    states_finish(w.hasty, &inside, 1);
    assert_int_equal(inside.status, EVS_E_SCRIPT);
    assert_int_equal(inside.outcome, EVS_EXECUTED);
    outlast(&w, "REPLICAOF NO ONE");
    assert_int_equal(states_do(&w, "GET c") - before, 1);
    states_end(&w);
}

static void wait_for(states *w, const char *section, const char *beginning, long number)
{
    while (shards_info(&w->set, 0, section, beginning) != number) {
    }
}

/* The snapshot cannot replace a folder of its name. */
static void failing_snapshot(void **state)
{
    (void)state;
    states w;
    char path[256];
    states_begin(&w, NULL, 0);
    states_expect(&w, w.set.client, w.honest, EVS_OK, EVS_EXECUTED, 1);
    const evs_script *flagged = /* the server knows before it runs it that it may write */
        shards_script(&w.set, "flagged", "#!lua\nredis.call('INCR', KEYS[1]) return 'done'");
    redisReply *name = redisCommand(w.side, "CONFIG GET dbfilename");
    redisReply *folder = redisCommand(w.side, "CONFIG GET dir");
    snprintf(path, sizeof path, "%s/%s", folder->element[1]->str, name->element[1]->str);
    freeReplyObject(name);
    freeReplyObject(folder);
    assert_int_equal(mkdir(path, 0700), 0);
    freeReplyObject(redisCommand(w.side, "CONFIG SET save %s", "3600 1000000"));
    states_do(&w, "BGSAVE");
    wait_for(&w, "persistence", "rdb_bgsave_in_progress:", 0);

    states_expect(&w, w.set.client, w.honest, EVS_E_MISCONF, EVS_EXECUTED,
                  0); /* at its first write */
    states_expect(&w, w.set.client, flagged, EVS_E_MISCONF, EVS_NOT_EXECUTED, 0);
    states_expect(&w, w.set.client, w.liar, EVS_E_MISCONF, EVS_MAYBE_EXECUTED, 0);
    refuses_a_transaction(&w, EVS_E_MISCONF);
    states_expect(&w, w.set.client, w.reader, EVS_OK, EVS_EXECUTED, 0);
    assert_int_equal(rmdir(path), 0);
    states_do(&w, "CONFIG SET stop-writes-on-bgsave-error no");
    states_expect(&w, w.set.client, w.honest, EVS_OK, EVS_EXECUTED, 1);
    states_end(&w);
}

/* A server reads its data, key by key and slowly, until it is told to hurry. */
static void loading(void **state)
{
    (void)state;
    states w;
    states_begin(&w, debug, 2);
    states_expect(&w, w.hasty, w.honest, EVS_OK, EVS_EXECUTED, 1);
    states_expect(&w, w.set.client, w.honest, EVS_OK, EVS_EXECUTED, 1);
    long long before = states_do(&w, "GET c");
    states_do(&w, "CONFIG SET rdbcompression no");
    states_do(&w, "DEBUG POPULATE 2000 filler 2048");
    states_do(&w, "CONFIG SET loading-process-events-interval-bytes 1024");
    states_do(&w, "CONFIG SET key-load-delay 20000");
    redisContext *reloads = redisConnectUnix(scratch_socket(w.set.servers[0]));
    redisAppendCommand(reloads, "DEBUG RELOAD");
    for (int done = 0; !done;)
        redisBufferWrite(reloads, &done);
    redisReply *ping = NULL; /* until the server says LOADING itself */
    while (ping == NULL || ping->type != REDIS_REPLY_ERROR) {
        freeReplyObject(ping);
        ping = redisCommand(w.side, "PING");
    }
    freeReplyObject(ping);

    refuses_all(&w, EVS_E_LOADING);
    refuses_a_transaction(&w, EVS_E_LOADING);
    outlast(&w, "CONFIG SET key-load-delay 0");
    redisReply *reloaded = NULL;
    assert_int_equal(redisGetReply(reloads, (void **)&reloaded), REDIS_OK);
    assert_int_equal(reloaded->type, REDIS_REPLY_STATUS);
    freeReplyObject(reloaded);
    redisFree(reloads);
    assert_int_equal(states_do(&w, "GET c") - before, 1);
    states_end(&w);
}

static void no_permission(void **state)
{
    (void)state;
    states w;
    states_begin(&w, NULL, 0);
    states_do(&w, "ACL SETUSER default -evalsha");
    states_expect(&w, w.set.client, w.honest, EVS_E_DENIED, EVS_NOT_EXECUTED, 0);
    states_expect(&w, w.set.client, w.liar, EVS_E_DENIED, EVS_MAYBE_EXECUTED, 0);
    refuses_a_transaction(&w, EVS_E_DENIED);
    states_do(&w, "ACL SETUSER default +evalsha -incr");
    states_expect(&w, w.set.client, w.honest, EVS_E_SCRIPT, EVS_EXECUTED, 0); /* refused inside */
    states_end(&w);
}

static void no_password(void **state)
{
    (void)state;
    states w;
    states_begin(&w, NULL, 0);
    states_do(&w, "CONFIG SET requirepass secret"); /* open connections stay as they are */
    states_expect(&w, w.set.client, w.honest, EVS_E_AUTH, EVS_NOT_EXECUTED, 0);
    states_expect(&w, w.set.client, w.liar, EVS_E_AUTH, EVS_NOT_EXECUTED, 0);
    refuses_a_transaction(&w, EVS_E_AUTH);
    states_end(&w);
}

/* A table without a message ends a server; whoever sends it again ends the next one too. */
static void a_script_that_kills_the_server(void **state)
{
    (void)state;
    states w;
    states_begin(&w, NULL, 0);
    evs_error err = {0};
    evs_reply *reply = NULL;
    evs_bytes key = evs_text("c");
    const evs_script *crash = shards_script(&w.set, "crash",
                                            "redis.call('INCR', KEYS[1]) error({})");
    evs_invocation call = {.handle = crash, .keys = &key, .nkeys = 1, .timeout_ms = 20000};
    evs_status status = evs_call(&reply, w.set.client, &call, &err);
    evs_reply_free(reply);
    if (status != EVS_E_SCRIPT) { /* newer servers survive */
        assert_int_equal(status, EVS_E_CLOSED);
        assert_int_equal(err.outcome, EVS_MAYBE_EXECUTED);
    }
    evs_client_stats stats;
    evs_client_stats_get(&stats, w.set.client);
    assert_int_equal(stats.resends, 0);
    states_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_working_server_runs_them_all),
        cmocka_unit_test(busy),
        cmocka_unit_test(read_only_replica),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(too_few_replicas),
        cmocka_unit_test(stale_replica),
        cmocka_unit_test(failing_snapshot),
        cmocka_unit_test(loading),
        cmocka_unit_test(no_permission),
        cmocka_unit_test(no_password),
        cmocka_unit_test(a_script_that_kills_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
