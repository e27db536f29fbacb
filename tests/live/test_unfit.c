/*
 * Connections that every call fails on from now on: one that the server does not take for logged in
 * any more (NOAUTH), and one to a server that is a replica now, while the name leads to another.
 * What did not run is told as such, and whoever calls, a new connection is soon made.
 *
 * A connection forgets its login with RESET, which a client refuses on one that calls share; this
 * server has it under another name.
 */
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>
#include <unistd.h>

enum { TIMEOUT_MS = 60000, BATCH = 16, CHAINS = 4 };

typedef struct world {
    shards set;
    char link[300];         /* a name that leads to the first server's socket */
    evs_client *clients[2]; /* one waits until the deadline, one is told at once */
} world;

enum { PATIENT, HASTY };

static void lead_to(const world *w, size_t server)
{
    char beside[310];
    snprintf(beside, sizeof beside, "%s.new", w->link);
    assert_int_equal(symlink(scratch_socket(w->set.servers[server]), beside), 0);
    assert_int_equal(rename(beside, w->link), 0);
}

static void load_scripts(world *w)
{
    shards_script(&w->set, "honest", "redis.call('INCR', KEYS[1]) return 'done'");
    shards_script(&w->set, "flagged", "#!lua\nredis.call('INCR', KEYS[1]) return 'done'");
    shards_script(&w->set, "liar", "return redis.pcall('INCR', KEYS[1])");
    shards_script(&w->set, "idempotent",
                  "--- Lies.\n-- @retry idempotent\n-- @key k any\n"
                  "redis.call('INCR', KEYS[1]) return redis.error_reply('READONLY says who')");
}

static void start_servers(world *w, size_t count)
{
    static const char *const config[] = {"--rename-command", "RESET", "AGAIN"};
    static const char *const names[] = {"s0", "s1"};
    scratch_options how = {SCRATCH_UNIX, config, sizeof config / sizeof config[0]};
    memset(w, 0, sizeof *w);
    assert_int_equal(scratch_new(&w->set.area), SCRATCH_OK);
    for (size_t i = 0; i < count; i++)
        if (scratch_start(&w->set.servers[i], w->set.area, names[i], &how) != SCRATCH_OK)
            fail_msg("%s", scratch_error(w->set.area));
    snprintf(w->link, sizeof w->link, "%s/name", scratch_folder(w->set.area));
    lead_to(w, 0);
}

static void open_world(world *w, size_t servers, const char *pool_keys)
{
    char path[310];
    const char *address = path;
    evs_client_options hasty = EVS_CLIENT_OPTIONS_INIT;
    hasty.patience = EVS_PATIENCE_NONE;
    start_servers(w, servers);
    snprintf(path, sizeof path, "unix:%s", w->link);
    shards_open(&w->set, &address, 1, pool_keys);
    w->clients[PATIENT] = w->set.client;
    w->clients[HASTY] = shards_client(&w->set, &hasty);
    load_scripts(w);
}

static void close_world(world *w)
{
    evs_client_free(w->clients[HASTY]);
    shards_stop(&w->set);
}

/* ---- calls ---- */

typedef struct came {
    evs_status status;
    evs_outcome outcome;
    long long ran;
} came;

static evs_invocation invocation(const char *script)
{
    static evs_bytes key = {"c", 1};
    return (evs_invocation){.script = script, .keys = &key, .nkeys = 1, .timeout_ms = TIMEOUT_MS};
}

static came call(world *w, int who, const char *script)
{
    evs_error err = {0};
    evs_reply *reply = NULL;
    evs_invocation one = invocation(script);
    long long before = shards_counter(&w->set, "c");
    came got = {.status = evs_call(&reply, w->clients[who], &one, &err)};
    got.outcome = got.status == EVS_OK ? EVS_EXECUTED : err.outcome;
    got.ran = shards_counter(&w->set, "c") - before;
    evs_reply_free(reply);
    return got;
}

static void expect(came got, evs_status status, evs_outcome outcome, long long ran)
{
    if (got.status != status || got.outcome != outcome || got.ran != ran)
        fail_msg("%s, %s, ran %lld times", evs_status_name(got.status),
                 evs_outcome_text(got.outcome), got.ran);
}

static void expect_fine(world *w, int who, const char *script)
{
    expect(call(w, who, script), EVS_OK, EVS_EXECUTED, 1);
}

static uint64_t connects(const world *w, int who)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, w->clients[who]);
    return stats.connects;
}

/* ---- not logged in ---- */

static void open_locked(world *w)
{
    open_world(w, 1, "    auth: {password: pw-1}\n");
    redisReply *reply = redisCommand(shards_side(&w->set), "CONFIG SET requirepass pw-1");
    assert_int_equal(reply->type, REDIS_REPLY_STATUS); /* what is connected stays logged in */
    freeReplyObject(reply);
}

/* It works, then forgets who it is. */
static void log_out(world *w, int who)
{
    evs_error err;
    evs_reply *reply = NULL;
    evs_bytes word = evs_text("AGAIN");
    evs_plain_command cmd = {.args = &word, .nargs = 1, .shard = "s0", .timeout_ms = TIMEOUT_MS};
    expect_fine(w, who, "honest");
    if (evs_command(&reply, w->clients[who], &cmd, &err) != EVS_OK)
        fail_msg("%s", err.message);
    assert_string_equal(evs_reply_bytes(reply).data, "RESET");
    evs_reply_free(reply);
}

static void who_waits_notices_nothing(void **state)
{
    static const char *const scripts[] = {"honest", "flagged"};
    (void)state;
    world w;
    open_locked(&w);
    for (size_t i = 0; i < 2; i++) {
        uint64_t before = connects(&w, PATIENT) + (i == 0);
        log_out(&w, PATIENT);
        expect_fine(&w, PATIENT, scripts[i]);
        assert_int_equal(connects(&w, PATIENT), before + 1);
    }
    close_world(&w);
}

static void who_does_not_wait_is_told_once(void **state)
{
    (void)state;
    world w;
    open_locked(&w);
    log_out(&w, HASTY);
    expect(call(&w, HASTY, "honest"), EVS_E_AUTH, EVS_NOT_EXECUTED, 0);
    expect_fine(&w, HASTY, "honest");
    assert_int_equal(connects(&w, HASTY), 2);
    close_world(&w);
}

/* Its word proves nothing, so it is not sent again; but it is reason enough to look. A connection
 * that is very young is left alone. */
static void a_script_that_may_lie_is_told_and_gets_well(void **state)
{
    (void)state;
    world w;
    open_locked(&w);
    for (int who = PATIENT; who <= HASTY; who++) {
        came got;
        log_out(&w, who);
        while ((got = call(&w, who, "liar")).status != EVS_OK)
            expect(got, EVS_E_AUTH, EVS_MAYBE_EXECUTED, 0);
        expect(got, EVS_OK, EVS_EXECUTED, 1);
        assert_int_equal(connects(&w, who), 2);
    }
    close_world(&w);
}

static void plain_commands_are_told_or_wait(void **state)
{
    (void)state;
    world w;
    open_locked(&w);
    for (int who = PATIENT; who <= HASTY; who++) {
        evs_error err = {0};
        evs_reply *reply = NULL;
        evs_bytes words[] = {evs_text("INCR"), evs_text("c")};
        evs_plain_command cmd = {.args = words, .nargs = 2, .timeout_ms = TIMEOUT_MS};
        log_out(&w, who);
        long long before = shards_counter(&w.set, "c");
        evs_status status = evs_command(&reply, w.clients[who], &cmd, &err);
        assert_int_equal(status, who == PATIENT ? EVS_OK : EVS_E_AUTH);
        assert_int_equal(shards_counter(&w.set, "c") - before, who == PATIENT);
        if (who == HASTY)
            assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
        evs_reply_free(reply);
    }
    close_world(&w);
}

/* All of them leave together, and each is answered. */
static void check_batch(world *w, int who, const char *script, came each)
{
    evs_batch *batch;
    evs_invocation one = invocation(script);
    assert_int_equal(evs_batch_new(&batch, w->clients[who], NULL, NULL), EVS_OK);
    for (int i = 0; i < BATCH; i++)
        assert_int_equal(evs_batch_add(batch, &one, NULL), EVS_OK);
    log_out(w, who);
    long long before = shards_counter(&w->set, "c");
    assert_int_equal(evs_batch_run(batch, NULL), EVS_OK);
    for (size_t i = 0; i < BATCH; i++) {
        const evs_result *result = evs_batch_result(batch, i);
        assert_int_equal(result->status, each.status);
        assert_int_equal(result->outcome, each.outcome);
    }
    assert_int_equal(shards_counter(&w->set, "c") - before, each.ran);
    evs_batch_free(batch);
}

static void a_batch_is_told_call_by_call(void **state)
{
    (void)state;
    world w;
    open_locked(&w);
    check_batch(&w, HASTY, "honest", (came){EVS_E_AUTH, EVS_NOT_EXECUTED, 0});
    check_batch(&w, PATIENT, "honest", (came){EVS_OK, EVS_EXECUTED, BATCH});
    check_batch(&w, PATIENT, "flagged", (came){EVS_OK, EVS_EXECUTED, BATCH});
    expect_fine(&w, PATIENT, "liar"); /* it is known there */
    check_batch(&w, PATIENT, "liar", (came){EVS_E_AUTH, EVS_MAYBE_EXECUTED, 0});
    close_world(&w);
}

/* MULTI is refused, and so is each element, which then says so itself. */
static void a_transaction_is_refused_as_a_whole(void **state)
{
    (void)state;
    world w;
    open_locked(&w);
    for (int who = PATIENT; who <= HASTY; who++) {
        evs_error err = {0};
        evs_transaction *tx;
        evs_bytes words[] = {evs_text("INCR"), evs_text("c")};
        evs_invocation one = invocation("honest");
        evs_plain_command command = {.args = words, .nargs = 2};
        evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
        options.timeout_ms = TIMEOUT_MS;
        assert_int_equal(evs_transaction_new(&tx, w.clients[who], &options, NULL), EVS_OK);
        assert_int_equal(evs_transaction_add(tx, &one, NULL), EVS_OK);
        assert_int_equal(evs_transaction_add_command(tx, &command, NULL), EVS_OK);
        log_out(&w, who);
        long long before = shards_counter(&w.set, "c");
        assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_AUTH);
        assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(evs_transaction_result(tx, i)->status, EVS_E_AUTH);
            assert_int_equal(evs_transaction_result(tx, i)->outcome, EVS_NOT_EXECUTED);
        }
        assert_int_equal(shards_counter(&w.set, "c"), before);
        evs_transaction_free(tx);
        expect_fine(&w, who, "honest");
        assert_int_equal(connects(&w, who), 2);
    }
    close_world(&w);
}

/* Callers that call again when they are told, so that the connection has something to do all the
 * time: it is given up when nothing that was written is unanswered. */
typedef struct chain {
    evs_client *client;
    const char *script;
    evs_outcome outcome;
    int wrong, over;
} chain;

static void go_on(void *arg, const evs_result *result)
{
    chain *self = arg;
    evs_invocation one = invocation(self->script);
    if (result != NULL && result->status == EVS_OK) {
        self->over = 1;
        return;
    }
    if (result != NULL)
        self->wrong += result->status != EVS_E_AUTH || result->outcome != self->outcome;
    assert_int_equal(evs_submit(self->client, &one, go_on, self, NULL), EVS_OK);
}

static void check_chains(world *w, int who, const char *script, evs_outcome outcome)
{
    chain all[CHAINS];
    log_out(w, who);
    long long before = shards_counter(&w->set, "c");
    for (size_t i = 0; i < CHAINS; i++) {
        all[i] = (chain){.client = w->clients[who], .script = script, .outcome = outcome};
        go_on(&all[i], NULL);
    }
    for (size_t i = 0; i < CHAINS; i++) {
        while (!all[i].over)
            evs_client_process(w->clients[who], -1, NULL);
        assert_int_equal(all[i].wrong, 0);
    }
    assert_int_equal(shards_counter(&w->set, "c") - before, CHAINS);
}

static void who_calls_without_a_pause_gets_well_too(void **state)
{
    (void)state;
    world w;
    open_locked(&w);
    check_chains(&w, HASTY, "honest", EVS_NOT_EXECUTED);
    check_chains(&w, HASTY, "liar", EVS_MAYBE_EXECUTED);
    check_chains(&w, PATIENT, "liar", EVS_MAYBE_EXECUTED);
    close_world(&w);
}

/* Logging in anew is of no use when the password is another one by now: that is said at once. */
static void a_password_that_was_changed_is_told(void **state)
{
    (void)state;
    world w;
    open_locked(&w);
    log_out(&w, PATIENT);
    freeReplyObject(redisCommand(shards_side(&w.set), "CONFIG SET requirepass pw-2"));
    expect(call(&w, PATIENT, "honest"), EVS_E_AUTH, EVS_NOT_EXECUTED, 0);
    close_world(&w);
}

/* ---- a replica now ---- */

static void expect_to_leave(const char *script)
{
    world w;
    evs_error err = {0};
    evs_status status = EVS_E_READONLY;
    open_world(&w, 2, NULL);
    expect_fine(&w, PATIENT, script);
    shards_do(&w.set, 0, "REPLICAOF 127.0.0.1 1");
    lead_to(&w, 1);
    while (status == EVS_E_READONLY) { /* a very young connection is left alone */
        evs_reply *reply = NULL;
        evs_invocation one = invocation(script);
        status = evs_call(&reply, w.clients[PATIENT], &one, &err);
        evs_reply_free(reply);
    }
    if (status != EVS_OK)
        fail_msg("%s: %s", script, err.message);
    assert_int_equal(shards_do(&w.set, 1, "INCR c"), 2);
    assert_int_equal(shards_counter(&w.set, "c"), 1);
    assert_int_equal(connects(&w, PATIENT), 2);
    close_world(&w);
}

static void a_name_that_leads_elsewhere_is_followed_whatever_the_script(void **state)
{
    (void)state;
    expect_to_leave("flagged"); /* refused before it began */
    expect_to_leave("honest");  /* at its first write */
    expect_to_leave("liar");    /* which hands that on */
}

/* A server that stays a replica is not connected to with every call of a script that hands on what
 * it was told. */
static void a_young_connection_is_left_alone(void **state)
{
    (void)state;
    world w;
    open_world(&w, 1, "    retry: {backoff: 10m}\n");
    expect_fine(&w, PATIENT, "liar");
    shards_do(&w.set, 0, "REPLICAOF 127.0.0.1 1");
    for (int i = 0; i < 10; i++)
        expect(call(&w, PATIENT, "liar"), EVS_E_READONLY, EVS_MAYBE_EXECUTED, 0);
    assert_int_equal(connects(&w, PATIENT), 1);
    close_world(&w);
}

/* Nor is any given up for the word of a script that may run twice, and does. */
static void a_script_cannot_make_connections(void **state)
{
    (void)state;
    world w;
    open_world(&w, 1, "    retry: {backoff: 10m, attempts: 0}\n");
    for (int i = 0; i < 10; i++) {
        came got = call(&w, PATIENT, "idempotent");
        assert_int_equal(got.status, EVS_E_READONLY);
        assert_int_equal(got.outcome, EVS_MAYBE_EXECUTED);
    }
    assert_int_equal(connects(&w, PATIENT), 1);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits_notices_nothing),
        cmocka_unit_test(who_does_not_wait_is_told_once),
        cmocka_unit_test(a_script_that_may_lie_is_told_and_gets_well),
        cmocka_unit_test(plain_commands_are_told_or_wait),
        cmocka_unit_test(a_batch_is_told_call_by_call),
        cmocka_unit_test(a_transaction_is_refused_as_a_whole),
        cmocka_unit_test(who_calls_without_a_pause_gets_well_too),
        cmocka_unit_test(a_password_that_was_changed_is_told),
        cmocka_unit_test(a_name_that_leads_elsewhere_is_followed_whatever_the_script),
        cmocka_unit_test(a_young_connection_is_left_alone),
        cmocka_unit_test(a_script_cannot_make_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
