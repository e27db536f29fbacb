/*
 * Shards that go down and come back: who is told at once, who waits, how it is found out that they
 * are up again, and how often a call is sent again. Real servers, killed and started again; driven
 * and threaded clients, transactions, batches, a cluster.
 */
#include "tests/support/nodes.h"
#include "tests/support/shards.h"

#include <evalshard/batch.h>
#include <evalshard/transaction.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <semaphore.h>

enum { LONG_MS = 30000, MANY = 100 };

static const char INCR[] = "--- Counts.\n-- @key k a counter\nreturn redis.call('INCR', KEYS[1])";

/* ---- saying it shortly ---- */

static evs_invocation on(const evs_bytes *key, unsigned timeout_ms)
{
    return (evs_invocation){.script = "incr", .keys = key, .nkeys = 1, .timeout_ms = timeout_ms};
}

static evs_status call(evs_client *client, const char *text, unsigned timeout_ms, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes key = evs_text(text);
    evs_invocation one = on(&key, timeout_ms);
    evs_status status = evs_call(&reply, client, &one, err);
    evs_reply_free(reply);
    return status;
}

static void start(shards *set, const char *keys)
{
    shards_start(set, 2, keys);
    shards_script(set, "incr", INCR);
}

static void start_again(shards *set)
{
    assert_int_equal(scratch_restart(set->servers[0]), SCRATCH_OK);
}

static evs_client_stats stats_of(const evs_client *client)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, client);
    return stats;
}

static void drive_until_up(evs_client *client)
{
    while (stats_of(client).ups == 0)
        assert_int_equal(evs_client_process(client, 20, NULL), EVS_OK);
}

static void expect_refused(evs_status status, const evs_error *err)
{
    assert_int_equal(status, EVS_E_CONNECT);
    assert_int_equal(err->outcome, EVS_NOT_EXECUTED);
    assert_string_equal(err->shard, "s0");
    if (strstr(err->message, "down since 20") == NULL ||
        strstr(err->message, " failures, last: ") == NULL)
        fail_msg("%s", err->message);
}

static void until_down(evs_client *client, const char *key)
{
    evs_error err;
    while (stats_of(client).downs == 0)
        assert_int_not_equal(call(client, key, LONG_MS, &err), EVS_OK);
}

/* A call that comes when the shard is to be tried again is that try, and hears what came of it. */
static void until_refused(evs_client *client, const char *key)
{
    evs_error err;
    evs_status status;
    do {
        status = call(client, key, LONG_MS, &err);
        assert_int_equal(status, EVS_E_CONNECT);
        assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    } while (strstr(err.message, "down since 20") == NULL);
    expect_refused(status, &err);
}

typedef struct tally {
    size_t done, fine, refused;
} tally;

static void count(void *arg, const evs_result *result)
{
    tally *all = arg;
    all->done++;
    all->fine += result->status == EVS_OK;
    all->refused += result->status == EVS_E_CONNECT && result->outcome == EVS_NOT_EXECUTED;
}

static void submit_many(evs_client *client, const char *text, tally *all)
{
    evs_error err;
    evs_bytes key = evs_text(text);
    evs_invocation one = on(&key, LONG_MS);
    for (int i = 0; i < MANY; i++)
        if (evs_submit(client, &one, count, all, &err) != EVS_OK)
            fail_msg("%s", err.message);
}

static void finish(evs_client *client)
{
    while (evs_client_pending(client) > 0)
        assert_int_equal(evs_client_process(client, -1, NULL), EVS_OK);
}

/* ---- fail_fast ---- */

static void a_shard_that_is_down_fails_calls_at_once(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    char here[32], there[32];
    start(&set, "    down_after: 2\n    retry_after: 50ms\n");
    shards_key(&set, 0, here);
    shards_key(&set, 1, there);
    assert_int_equal(call(set.client, here, LONG_MS, &err), EVS_OK);
    scratch_kill(set.servers[0]);
    until_down(set.client, here);
    uint64_t connects = stats_of(set.client).connects;
    until_refused(set.client, here);
    assert_int_equal(call(set.client, there, LONG_MS, &err), EVS_OK); /* others are not meant */
    assert_true(stats_of(set.client).down_refusals > 0);
    assert_int_equal(stats_of(set.client).ups, 0);

    start_again(&set);
    drive_until_up(set.client); /* without a call */
    assert_true(stats_of(set.client).connects > connects);
    assert_int_equal(call(set.client, here, LONG_MS, &err), EVS_OK);
    assert_int_equal(shards_do(&set, 1, "DBSIZE"), 1); /* and nothing went elsewhere */
    shards_stop(&set);
}

/* Nobody drives the client between its calls. */
static void blocking_calls_find_out_by_themselves(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    char here[32];
    start(&set, "    down_after: 1\n    retry_after: 10ms\n");
    shards_key(&set, 0, here);
    scratch_kill(set.servers[0]);
    until_down(set.client, here);
    start_again(&set);
    while (call(set.client, here, LONG_MS, &err) != EVS_OK)
        assert_int_equal(err.status, EVS_E_CONNECT);
    assert_int_equal(stats_of(set.client).ups, 1);
    shards_stop(&set);
}

typedef struct listener {
    sem_t up;
    int downs;
} listener;

static void listen(void *arg, const evs_log_event *event)
{
    listener *self = arg;
    if (strstr(event->message, "down after 2 failures in a row") != NULL) {
        assert_string_equal(event->shard, "s0");
        assert_int_equal(event->status, EVS_E_CONNECT);
        self->downs++;
    }
    if (strstr(event->message, "up again, was down since") != NULL)
        sem_post(&self->up);
}

static void a_threaded_client_looks_for_it_in_the_background(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    char here[32];
    listener self = {.downs = 0};
    sem_init(&self.up, 0, 0);
    start(&set, "    down_after: 2\n    retry_after: 20ms\n");
    shards_key(&set, 0, here);
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    options.log = listen;
    options.log_arg = &self;
    evs_client *client;
    assert_int_equal(evs_client_open(&client, set.map, set.registry, &options, NULL), EVS_OK);
    assert_int_equal(call(client, here, LONG_MS, &err), EVS_OK);
    scratch_kill(set.servers[0]);
    until_down(client, here);
    until_refused(client, here);
    start_again(&set);
    assert_int_equal(sem_wait(&self.up), 0);
    assert_int_equal(call(client, here, LONG_MS, &err), EVS_OK);
    evs_client_free(client);
    assert_int_equal(self.downs, 1);
    sem_destroy(&self.up);
    shards_stop(&set);
}

static void transactions_and_batches_are_refused_as_well(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    char here[32], there[32];
    start(&set, "    down_after: 1\n    retry_after: 10m\n");
    evs_bytes keys[] = {evs_text(shards_key(&set, 0, here)), evs_text(shards_key(&set, 1, there))};
    evs_invocation dead = on(&keys[0], LONG_MS), alive = on(&keys[1], LONG_MS);
    scratch_kill(set.servers[0]);
    until_down(set.client, here);

    evs_transaction *tx;
    assert_int_equal(evs_transaction_new(&tx, set.client, NULL, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add(tx, &dead, NULL), EVS_OK);
    expect_refused(evs_transaction_exec(tx, &err), &err);
    evs_transaction_free(tx);

    evs_batch *batch;
    assert_int_equal(evs_batch_new(&batch, set.client, NULL, NULL), EVS_OK);
    assert_int_equal(evs_batch_add(batch, &dead, NULL), EVS_OK);
    assert_int_equal(evs_batch_add(batch, &alive, NULL), EVS_OK);
    assert_int_equal(evs_batch_run(batch, &err), EVS_OK);
    const evs_result *result = evs_batch_result(batch, 0);
    expect_refused(result->status, result->error);
    assert_int_equal(evs_batch_result(batch, 1)->status, EVS_OK);
    evs_batch_free(batch);
    shards_stop(&set);
}

/* ---- wait ---- */

static void calls_wait_where_the_map_says_so(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    char here[32];
    tally all = {0};
    start(&set, "    on_shard_down: wait\n    down_after: 2\n    retry_after: 20ms\n");
    shards_key(&set, 0, here);
    assert_int_equal(call(set.client, here, LONG_MS, &err), EVS_OK);
    scratch_kill(set.servers[0]);
    submit_many(set.client, here, &all);
    while (stats_of(set.client).downs == 0)
        evs_client_process(set.client, 100, NULL);
    submit_many(set.client, here, &all);
    for (int i = 0; i < 10; i++)
        evs_client_process(set.client, 20, NULL);
    assert_int_equal(all.done, 0);
    start_again(&set);
    finish(set.client);
    assert_int_equal(all.fine, 2 * MANY);
    char get[64];
    snprintf(get, sizeof get, "INCRBY %s 0", here);
    assert_int_equal(shards_do(&set, 0, get), 2 * MANY); /* each ran once */
    shards_stop(&set);
}

static void but_no_longer_than_until_their_deadline(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    char here[32];
    start(&set, "    on_shard_down: wait\n    down_after: 2\n    retry_after: 10ms\n");
    shards_key(&set, 0, here);
    scratch_kill(set.servers[0]);
    expect_refused(call(set.client, here, 3000, &err), &err);
    shards_stop(&set);
}

static void waits_done(void *arg, evs_transaction *tx)
{
    *(int *)arg = evs_transaction_count(tx) == 1 ? 1 : -1;
}

static void transactions_wait_too(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    char here[32];
    int done = 0;
    start(&set, "    on_shard_down: wait\n    down_after: 1\n    retry_after: 20ms\n");
    evs_bytes key = evs_text(shards_key(&set, 0, here));
    evs_invocation one = on(&key, LONG_MS);
    scratch_kill(set.servers[0]);
    evs_transaction *tx;
    evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
    options.timeout_ms = LONG_MS;
    assert_int_equal(evs_transaction_new(&tx, set.client, &options, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add(tx, &one, NULL), EVS_OK);
    assert_int_equal(evs_transaction_submit(tx, waits_done, &done, &err), EVS_OK);
    while (stats_of(set.client).downs == 0)
        evs_client_process(set.client, 100, NULL);
    for (int i = 0; i < 5; i++)
        evs_client_process(set.client, 20, NULL);
    assert_int_equal(done, 0);
    start_again(&set);
    while (done == 0)
        evs_client_process(set.client, -1, NULL);
    assert_int_equal(evs_transaction_result(tx, 0)->status, EVS_OK);
    evs_transaction_free(tx);
    assert_int_equal(call(set.client, here, LONG_MS, &err), EVS_OK);
    assert_int_equal(shards_do(&set, 0, "DBSIZE"), 1);
    shards_stop(&set);
}

static void closing_ends_the_waiting(void **state)
{
    (void)state;
    shards set;
    char here[32];
    tally all = {0};
    start(&set, "    on_shard_down: wait\n    retry_after: 10m\n");
    shards_key(&set, 0, here);
    scratch_kill(set.servers[0]);
    submit_many(set.client, here, &all);
    evs_client_process(set.client, 20, NULL);
    assert_int_equal(evs_client_close(set.client, EVS_CLOSE_ABORT, 0, NULL), EVS_OK);
    assert_int_equal(all.done, MANY);
    shards_stop(&set);
}

/* ---- retry ---- */

static void a_call_waits_for_one_more_connection(void **state)
{
    (void)state;
    shards set;
    char here[32];
    tally all = {0};
    start(&set, "    retry: {backoff: 500ms}\n");
    shards_key(&set, 0, here);
    scratch_kill(set.servers[0]);
    submit_many(set.client, here, &all);
    start_again(&set);
    finish(set.client);
    assert_int_equal(all.fine, MANY);
    assert_int_equal(stats_of(set.client).downs, 0);
    shards_stop(&set);
}

static void and_for_no_more_than_that(void **state)
{
    (void)state;
    shards set;
    char here[32];
    tally all = {0};
    start(&set, "    retry: {attempts: 2, backoff: 10ms}\n    down_after: 1000\n");
    shards_key(&set, 0, here);
    scratch_kill(set.servers[0]);
    submit_many(set.client, here, &all);
    finish(set.client);
    assert_int_equal(all.refused, MANY);
    assert_int_equal(stats_of(set.client).retries, MANY); /* the first try was in vain already */
    shards_stop(&set);
}

static void without_attempts_nothing_is_sent_again(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    char here[32];
    start(&set, "    retry: {attempts: 0}\n");
    shards_key(&set, 0, here);
    assert_int_equal(call(set.client, here, LONG_MS, &err), EVS_OK);
    shards_do(&set, 0, "SCRIPT FLUSH");
    assert_int_equal(call(set.client, here, LONG_MS, &err), EVS_E_NO_SCRIPT);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_int_equal(call(set.client, here, LONG_MS, &err), EVS_OK); /* it is loaded again */
    scratch_kill(set.servers[0]);
    assert_int_equal(call(set.client, here, LONG_MS, &err), EVS_E_CONNECT);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    evs_client_stats stats = stats_of(set.client);
    assert_int_equal(stats.heals + stats.resends + stats.retries, 0);
    shards_stop(&set);
}

/* ---- a cluster ---- */

#define CALM "    connect_timeout: 20s\n    command_timeout: 20s\n"

static void calls_to_a_node_that_is_down_fail_at_once_if_the_map_says_so(void **state)
{
    (void)state;
    nodes set;
    evs_error err;
    evs_registry *registry;
    char here[32], there[32];
    nodes_start(&set, 3, 0);
    for (size_t i = 0; i < 3; i++)
        nodes_do(&set, i, "CONFIG SET cluster-require-full-coverage no");
    assert_int_equal(evs_registry_new(&registry, NULL, NULL), EVS_OK);
    assert_int_equal(evs_script_load(registry, "incr", evs_text(INCR), NULL, &err), EVS_OK);
    evs_client *fast = nodes_client(&set, registry,
                                    CALM "    on_shard_down: fail_fast\n    down_after: 2\n"
                                         "    retry_after: 20ms\n");
    evs_client *patient = nodes_client(&set, registry, CALM);
    nodes_key(&set, 0, here);
    nodes_key(&set, 2, there);
    assert_int_equal(call(fast, here, LONG_MS, &err), EVS_OK);
    assert_int_equal(call(patient, here, LONG_MS, &err), EVS_OK);
    scratch_kill(set.servers[0]);
    while (call(fast, here, LONG_MS, &err) != EVS_E_CONNECT || strstr(err.message, "down") == NULL)
        assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "down since 20"));
    assert_int_equal(call(fast, there, LONG_MS, &err), EVS_OK);
    assert_int_equal(call(patient, here, 2000, &err), EVS_E_CONNECT); /* in vain */
    assert_int_equal(scratch_restart(set.servers[0]), SCRATCH_OK);
    drive_until_up(fast);
    evs_client_free(fast);
    evs_client_free(patient);
    evs_registry_free(registry);
    nodes_stop(&set);
}

/* Nothing is known of the cluster yet. */
static void nor_does_anybody_wait_for_a_cluster_that_is_gone(void **state)
{
    (void)state;
    nodes set;
    evs_error err;
    evs_registry *registry;
    nodes_start(&set, 3, 0);
    assert_int_equal(evs_registry_new(&registry, NULL, NULL), EVS_OK);
    assert_int_equal(evs_script_load(registry, "incr", evs_text(INCR), NULL, &err), EVS_OK);
    evs_client *fast = nodes_client(&set, registry,
                                    CALM "    on_shard_down: fail_fast\n    down_after: 2\n"
                                         "    retry_after: 20ms\n");
    scratch_kill(set.servers[1]); /* the only seed */
    assert_int_equal(call(fast, "k", LONG_MS, &err), EVS_E_CONNECT);
    assert_int_equal(call(fast, "k", LONG_MS, &err), EVS_E_CONNECT);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    if (strstr(err.message, "no node of the cluster tells its slots") == NULL)
        fail_msg("%s", err.message);
    assert_int_equal(scratch_restart(set.servers[1]), SCRATCH_OK);
    drive_until_up(fast);
    while (stats_of(fast).refreshes == 0)
        if (call(fast, "k", LONG_MS, &err) != EVS_OK)
            assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    evs_client_free(fast);
    evs_registry_free(registry);
    nodes_stop(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shard_that_is_down_fails_calls_at_once),
        cmocka_unit_test(blocking_calls_find_out_by_themselves),
        cmocka_unit_test(a_threaded_client_looks_for_it_in_the_background),
        cmocka_unit_test(transactions_and_batches_are_refused_as_well),
        cmocka_unit_test(calls_wait_where_the_map_says_so),
        cmocka_unit_test(but_no_longer_than_until_their_deadline),
        cmocka_unit_test(transactions_wait_too),
        cmocka_unit_test(closing_ends_the_waiting),
        cmocka_unit_test(a_call_waits_for_one_more_connection),
        cmocka_unit_test(and_for_no_more_than_that),
        cmocka_unit_test(without_attempts_nothing_is_sent_again),
        cmocka_unit_test(calls_to_a_node_that_is_down_fail_at_once_if_the_map_says_so),
        cmocka_unit_test(nor_does_anybody_wait_for_a_cluster_that_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
