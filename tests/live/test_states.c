/*
 * A real server is put into each state that refuses scripts: what a call says then, and how often
 * the script ran.
 */
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>

typedef struct world {
    shards set;
    evs_client *hasty; /* EVS_PATIENCE_NONE */
    redisContext *side;
    const evs_script *honest; /* counts; provably returns no error */
    const evs_script *liar;   /* counts; may return an error */
    const evs_script *reader;
    const evs_script *crash;
} world;

static long long side(world *w, const char *command)
{
    redisReply *reply = redisCommand(w->side, command);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", command, reply->str);
    long long number = reply->type == REDIS_REPLY_INTEGER  ? reply->integer
                       : reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10)
                                                           : 0;
    freeReplyObject(reply);
    return number;
}

static void open_world(world *w)
{
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.patience = EVS_PATIENCE_NONE;
    assert_int_equal(evs_client_open(&w->hasty, w->set.map, w->set.registry, &options, NULL),
                     EVS_OK);
    w->side = redisConnectUnix(scratch_socket(w->set.servers[0]));
    w->honest = shards_script(&w->set, "honest", "redis.call('INCR', KEYS[1]) return 'done'");
    w->liar = shards_script(&w->set, "liar", "return redis.pcall('INCR', KEYS[1])");
    w->reader = shards_script(&w->set, "reader",
                              "--- Reads.\n-- @key k any\n-- @retry read_only\n"
                              "return redis.pcall('GET', KEYS[1])");
    w->crash = shards_script(&w->set, "crash", "redis.call('INCR', KEYS[1]) error({})");
}

static void begin(world *w)
{
    memset(w, 0, sizeof *w);
    shards_start(&w->set, 1, NULL);
    open_world(w);
}

/* On a server that takes DEBUG. */
static void begin_with_debug(world *w)
{
    static const char *const config[] = {"--enable-debug-command", "yes"};
    scratch_options options = {.config = config, .nconfig = 2};
    memset(w, 0, sizeof *w);
    assert_int_equal(scratch_new(&w->set.area), SCRATCH_OK);
    assert_int_equal(scratch_start(&w->set.servers[0], w->set.area, "s0", &options), SCRATCH_OK);
    const char *address = scratch_address(w->set.servers[0]);
    shards_open(&w->set, &address, 1, NULL);
    open_world(w);
}

static void end(world *w)
{
    evs_client_free(w->hasty);
    redisFree(w->side);
    shards_stop(&w->set);
}

/* One call of `script` on the key c; checks what came of it and how often it ran. */
static void expect(world *w, evs_client *client, const evs_script *script, evs_status status,
                   evs_outcome outcome, long long ran)
{
    evs_error err = {0};
    evs_reply *reply = NULL;
    evs_bytes key = evs_text("c");
    long long before = side(w, "GET c");
    evs_invocation call = {.handle = script, .keys = &key, .nkeys = 1, .timeout_ms = 20000};
    evs_status got = evs_call(&reply, client, &call, &err);
    evs_reply_free(reply);
    if (got != status || (status != EVS_OK && err.outcome != outcome))
        fail_msg("%s: %s, %s: %s", evs_script_name(script), evs_status_name(got),
                 evs_outcome_text(err.outcome), err.message);
    assert_int_equal(side(w, "GET c") - before, ran);
}

static void a_working_server_runs_them_all(void **state)
{
    (void)state;
    world w;
    begin(&w);
    expect(&w, w.hasty, w.honest, EVS_OK, EVS_EXECUTED, 1);
    expect(&w, w.hasty, w.liar, EVS_OK, EVS_EXECUTED, 1);
    expect(&w, w.hasty, w.reader, EVS_OK, EVS_EXECUTED, 0);
    end(&w);
}

typedef struct one {
    int done;
    evs_status status;
    evs_outcome outcome;
} one;

static void note(void *arg, const evs_result *result)
{
    one *self = arg;
    self->done++;
    self->status = result->status;
    self->outcome = result->outcome;
}

static void submit(world *w, evs_client *client, const evs_script *script, one *into)
{
    evs_bytes key = evs_text("c");
    evs_invocation call = {.handle = script, .keys = &key, .nkeys = 1, .timeout_ms = 20000};
    (void)w;
    assert_int_equal(evs_submit(client, &call, note, into, NULL), EVS_OK);
}

static void finish(evs_client *client, const one *all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        while (!all[i].done)
            evs_client_process(client, -1, NULL);
}

/* While a script of somebody else runs, nothing can be asked on the side; the counter is looked at
 * when it is over. */
static void busy(void **state)
{
    (void)state;
    world w;
    one hasty[3] = {{0}}, patient[2] = {{0}};
    evs_client_stats stats = {0};
    begin(&w);
    expect(&w, w.hasty, w.honest, EVS_OK, EVS_EXECUTED, 1);
    expect(&w, w.hasty, w.liar, EVS_OK, EVS_EXECUTED, 1);
    expect(&w, w.set.client, w.honest, EVS_OK, EVS_EXECUTED, 1);
    expect(&w, w.set.client, w.reader, EVS_OK, EVS_EXECUTED, 0);
    side(&w, "CONFIG SET busy-reply-threshold 5");
    long long before = side(&w, "GET c");
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

    submit(&w, w.hasty, w.honest, &hasty[0]);
    submit(&w, w.hasty, w.liar, &hasty[1]);
    finish(w.hasty, hasty, 2);
    assert_int_equal(hasty[0].status, EVS_E_BUSY);
    assert_int_equal(hasty[0].outcome, EVS_NOT_EXECUTED);
    assert_int_equal(hasty[1].status, EVS_E_BUSY);
    assert_int_equal(hasty[1].outcome, EVS_MAYBE_EXECUTED);
    submit(&w, w.set.client, w.honest, &patient[0]);
    submit(&w, w.set.client, w.reader, &patient[1]);
    while (stats.retries < 4) { /* both have asked and been refused twice */
        evs_client_process(w.set.client, -1, NULL);
        evs_client_stats_get(&stats, w.set.client);
    }
    side(&w, "SCRIPT KILL");
    finish(w.set.client, patient, 2);
    assert_int_equal(patient[0].status, EVS_OK);
    assert_int_equal(patient[1].status, EVS_OK);
    assert_int_equal(side(&w, "GET c") - before, 1);
    redisFree(hog);
    end(&w);
}

static void read_only_replica(void **state)
{
    (void)state;
    world w;
    begin(&w);
    side(&w, "REPLICAOF 127.0.0.1 1");
    expect(&w, w.hasty, w.honest, EVS_E_READONLY, EVS_EXECUTED, 0); /* refused at its first write */
    expect(&w, w.hasty, w.liar, EVS_E_READONLY, EVS_MAYBE_EXECUTED, 0);
    expect(&w, w.hasty, w.reader, EVS_OK, EVS_EXECUTED, 0);
    side(&w, "REPLICAOF NO ONE");
    expect(&w, w.hasty, w.honest, EVS_OK, EVS_EXECUTED, 1);
    end(&w);
}

static void out_of_memory(void **state)
{
    (void)state;
    world w;
    begin(&w);
    side(&w, "CONFIG SET maxmemory 1");
    expect(&w, w.set.client, w.honest, EVS_E_OOM, EVS_EXECUTED, 0);
    expect(&w, w.set.client, w.liar, EVS_E_OOM, EVS_MAYBE_EXECUTED, 0);
    expect(&w, w.set.client, w.reader, EVS_OK, EVS_EXECUTED, 0);
    side(&w, "CONFIG SET maxmemory 0");
    expect(&w, w.set.client, w.honest, EVS_OK, EVS_EXECUTED, 1);
    end(&w);
}

static void too_few_replicas(void **state)
{
    (void)state;
    world w;
    begin(&w);
    side(&w, "CONFIG SET min-replicas-to-write 1");
    expect(&w, w.set.client, w.honest, EVS_E_NOREPLICAS, EVS_EXECUTED, 0);
    expect(&w, w.set.client, w.liar, EVS_E_NOREPLICAS, EVS_MAYBE_EXECUTED, 0);
    expect(&w, w.set.client, w.reader, EVS_OK, EVS_EXECUTED, 0);
    end(&w);
}

/* Who does not wait is told at once: a script that cannot lie did not run. */
static void refuses_all(world *w, evs_status status)
{
    one hasty[3] = {{0}};
    submit(w, w->hasty, w->honest, &hasty[0]);
    submit(w, w->hasty, w->liar, &hasty[1]);
    submit(w, w->hasty, w->reader, &hasty[2]);
    finish(w->hasty, hasty, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(hasty[i].status, status);
        assert_int_equal(hasty[i].outcome, i == 0 ? EVS_NOT_EXECUTED : EVS_MAYBE_EXECUTED);
    }
}

/* Who waits is refused twice, until `command` ends the state; then the calls work, once each. */
static void outlast(world *w, const char *command)
{
    one patient[2] = {{0}};
    evs_client_stats stats = {0};
    submit(w, w->set.client, w->honest, &patient[0]);
    submit(w, w->set.client, w->reader, &patient[1]);
    while (stats.retries < 4) {
        evs_client_process(w->set.client, -1, NULL);
        evs_client_stats_get(&stats, w->set.client);
    }
    side(w, command);
    finish(w->set.client, patient, 2);
    assert_int_equal(patient[0].status, EVS_OK);
    assert_int_equal(patient[1].status, EVS_OK);
}

/* A replica that lost its primary and does not want to answer from old data. Nothing can be asked
 * on the side either; the counter is looked at afterwards. */
static void stale_replica(void **state)
{
    (void)state;
    world w;
    begin(&w);
    expect(&w, w.hasty, w.honest, EVS_OK, EVS_EXECUTED, 1);
    expect(&w, w.set.client, w.honest, EVS_OK, EVS_EXECUTED, 1);
    long long before = side(&w, "GET c");
    side(&w, "CONFIG SET replica-serve-stale-data no");
    side(&w, "REPLICAOF 127.0.0.1 1");

    refuses_all(&w, EVS_E_READONLY);
    outlast(&w, "REPLICAOF NO ONE");
    assert_int_equal(side(&w, "GET c") - before, 1);
    end(&w);
}

static void wait_for(world *w, const char *section, const char *beginning, long number)
{
    while (shards_info(&w->set, 0, section, beginning) != number) {
    }
}

/* The snapshot cannot replace a folder of its name. */
static void failing_snapshot(void **state)
{
    (void)state;
    world w;
    char path[256];
    begin(&w);
    expect(&w, w.set.client, w.honest, EVS_OK, EVS_EXECUTED, 1);
    redisReply *name = redisCommand(w.side, "CONFIG GET dbfilename");
    redisReply *folder = redisCommand(w.side, "CONFIG GET dir");
    snprintf(path, sizeof path, "%s/%s", folder->element[1]->str, name->element[1]->str);
    freeReplyObject(name);
    freeReplyObject(folder);
    assert_int_equal(mkdir(path, 0700), 0);
    freeReplyObject(redisCommand(w.side, "CONFIG SET save %s", "3600 1000000"));
    side(&w, "BGSAVE");
    wait_for(&w, "persistence", "rdb_bgsave_in_progress:", 0);

    expect(&w, w.set.client, w.honest, EVS_E_MISCONF, EVS_EXECUTED, 0); /* at its first write */
    expect(&w, w.set.client, w.liar, EVS_E_MISCONF, EVS_MAYBE_EXECUTED, 0);
    expect(&w, w.set.client, w.reader, EVS_OK, EVS_EXECUTED, 0);
    assert_int_equal(rmdir(path), 0);
    side(&w, "CONFIG SET stop-writes-on-bgsave-error no");
    expect(&w, w.set.client, w.honest, EVS_OK, EVS_EXECUTED, 1);
    end(&w);
}

/* A server reads its data, key by key and slowly, until it is told to hurry. */
static void loading(void **state)
{
    (void)state;
    world w;
    begin_with_debug(&w);
    expect(&w, w.hasty, w.honest, EVS_OK, EVS_EXECUTED, 1);
    expect(&w, w.set.client, w.honest, EVS_OK, EVS_EXECUTED, 1);
    long long before = side(&w, "GET c");
    side(&w, "CONFIG SET rdbcompression no");
    side(&w, "DEBUG POPULATE 2000 filler 2048");
    side(&w, "CONFIG SET loading-process-events-interval-bytes 1024");
    side(&w, "CONFIG SET key-load-delay 20000");
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
    outlast(&w, "CONFIG SET key-load-delay 0");
    redisReply *reloaded = NULL;
    assert_int_equal(redisGetReply(reloads, (void **)&reloaded), REDIS_OK);
    assert_int_equal(reloaded->type, REDIS_REPLY_STATUS);
    freeReplyObject(reloaded);
    redisFree(reloads);
    assert_int_equal(side(&w, "GET c") - before, 1);
    end(&w);
}

static void no_permission(void **state)
{
    (void)state;
    world w;
    begin(&w);
    side(&w, "ACL SETUSER default -evalsha");
    expect(&w, w.set.client, w.honest, EVS_E_DENIED, EVS_NOT_EXECUTED, 0);
    expect(&w, w.set.client, w.liar, EVS_E_DENIED, EVS_MAYBE_EXECUTED, 0);
    side(&w, "ACL SETUSER default +evalsha -incr");
    expect(&w, w.set.client, w.honest, EVS_E_SCRIPT, EVS_EXECUTED, 0); /* refused inside */
    end(&w);
}

static void no_password(void **state)
{
    (void)state;
    world w;
    begin(&w);
    side(&w, "CONFIG SET requirepass secret"); /* open connections stay as they are */
    expect(&w, w.set.client, w.honest, EVS_E_AUTH, EVS_NOT_EXECUTED, 0);
    end(&w);
}

/* A table without a message ends a server; whoever sends it again ends the next one too. */
static void a_script_that_kills_the_server(void **state)
{
    (void)state;
    world w;
    begin(&w);
    evs_error err = {0};
    evs_reply *reply = NULL;
    evs_bytes key = evs_text("c");
    evs_invocation call = {.handle = w.crash, .keys = &key, .nkeys = 1, .timeout_ms = 20000};
    evs_status status = evs_call(&reply, w.set.client, &call, &err);
    evs_reply_free(reply);
    if (status != EVS_E_SCRIPT) { /* newer servers survive */
        assert_int_equal(status, EVS_E_CLOSED);
        assert_int_equal(err.outcome, EVS_MAYBE_EXECUTED);
    }
    evs_client_stats stats;
    evs_client_stats_get(&stats, w.set.client);
    assert_int_equal(stats.resends, 0);
    end(&w);
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
