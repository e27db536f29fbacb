/*
 * Batches, scatters and broadcasts over a real cluster, on the calling thread and on a client's
 * own, while slots move: each call has one result, and the counters on the nodes are the calls that
 * were fine. A transaction that watches while the map is replaced.
 */
#include "tests/support/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <time.h>

enum { PRIMARIES = 3, KEYS = 60, ROUNDS = 12 };

static nodes set;
static evs_registry *registry;

static const char ADD[] = "--- Counts.\n-- @key k a counter\nreturn redis.call('INCR', KEYS[1])";

static evs_shardmap *map_of(const char *pool)
{
    char yaml[512];
    evs_error err;
    evs_shardmap *map;
    snprintf(yaml, sizeof yaml,
             "evalshard: 1\ndefaults: {connect_timeout: 20s, script_timeout: 20s, "
             "command_timeout: 20s}\npools:\n  c:\n    cluster: {seeds: [\"127.0.0.1:%d\"]}\n%s",
             scratch_port(set.servers[1]), pool);
    if (evs_shardmap_parse(&map, evs_text(yaml), "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return map;
}

static evs_client *open_client(int threaded)
{
    evs_error err;
    evs_client *client;
    evs_shardmap *map = map_of("");
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = threaded;
    if (evs_client_open(&client, map, registry, &options, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
    return client;
}

static void name(char *out, size_t cap, int i)
{
    snprintf(out, cap, "n:%d", i);
}

static int fresh(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRIMARIES; i++)
        nodes_do(&set, i, "FLUSHALL");
    return 0;
}

static long long sum(void)
{
    char key[32];
    long long all = 0;
    for (int i = 0; i < KEYS; i++) {
        name(key, sizeof key, i);
        all += nodes_number(&set, nodes_owner(&set, 1, load_slot(&set, key)), "GET %s", key);
    }
    return all;
}

/* The slot of one key goes to the next node: the client hears of it by MOVED, or by ASK until the
 * rounds are over. */
static void move(int i)
{
    char key[32];
    name(key, sizeof key, i);
    unsigned slot = load_slot(&set, key);
    size_t from = nodes_owner(&set, 1, slot), to = (from + 1) % PRIMARIES;
    nodes_open_slot(&set, slot, from, to);
    nodes_move_key(&set, key, from, to);
    if (i % 2 == 0) {
        nodes_hand_over(&set, slot, to);
        nodes_settle(&set);
    }
}

static void finish_moves(int first)
{
    for (int i = first; i < first + ROUNDS; i++) {
        char key[32];
        name(key, sizeof key, i);
        unsigned slot = load_slot(&set, key);
        if (i % 2 == 0)
            continue;
        nodes_hand_over(&set, slot, (nodes_owner(&set, 1, slot) + 1) % PRIMARIES);
        nodes_settle(&set);
    }
}

/* ---- batches ---- */

static void run_batches(int threaded)
{
    char key[32];
    evs_error err;
    evs_batch *batch;
    evs_client_stats stats;
    evs_client *client = open_client(threaded);
    assert_int_equal(evs_batch_new(&batch, client, NULL, &err), EVS_OK);
    for (int round = 1; round <= ROUNDS; round++) {
        for (int i = 0; i < KEYS; i++) {
            name(key, sizeof key, i);
            evs_bytes keys = evs_text(key);
            evs_invocation one = {.script = "add", .keys = &keys, .nkeys = 1};
            assert_int_equal(evs_batch_add(batch, &one, &err), EVS_OK);
        }
        if (evs_batch_run(batch, &err) != EVS_OK)
            fail_msg("%s", err.message);
        assert_int_equal(evs_batch_failures(batch), 0);
        for (size_t i = 0; i < KEYS; i++)
            assert_int_equal(evs_reply_integer(evs_batch_result(batch, i)->reply), round);
        evs_batch_clear(batch);
        move(threaded * ROUNDS + round - 1);
    }
    finish_moves(threaded * ROUNDS);
    assert_int_equal(sum(), ROUNDS * KEYS);
    evs_client_stats_get(&stats, client);
    assert_true(stats.redirects > 0);
    assert_int_equal(stats.calls, ROUNDS * KEYS);
    evs_batch_free(batch);
    evs_client_free(client);
}

static void a_batch_goes_to_all_nodes(void **state)
{
    (void)state;
    run_batches(0);
}

static void a_batch_of_another_thread_does_too(void **state)
{
    (void)state;
    run_batches(1);
}

/* ---- scatters ---- */

typedef struct folded {
    int fine, other;
} folded;

static void fold(void *arg, size_t index, const evs_result *result)
{
    folded *self = arg;
    (void)index;
    self->fine += result->status == EVS_OK;
    self->other += result->status != EVS_OK;
}

static void a_scatter_goes_to_all_nodes(void **state)
{
    (void)state;
    evs_error err;
    static char text[KEYS][32];
    evs_bytes keys[KEYS];
    evs_key_group groups[KEYS];
    evs_invocation call = {.script = "add"};
    for (int i = 0; i < KEYS; i++) {
        name(text[i], sizeof text[i], i);
        keys[i] = evs_text(text[i]);
        groups[i] = (evs_key_group){.keys = &keys[i], .nkeys = 1};
    }
    for (int threaded = 0; threaded < 2; threaded++) {
        folded got = {0, 0};
        evs_client *client = open_client(threaded);
        for (int round = 0; round < ROUNDS; round++) {
            if (evs_scatter(client, &call, groups, KEYS, fold, &got, &err) != EVS_OK)
                fail_msg("%s", err.message);
            move(2 * ROUNDS + threaded * ROUNDS + round);
        }
        finish_moves((2 + threaded) * ROUNDS);
        assert_int_equal(sum(), (threaded + 1) * ROUNDS * KEYS);
        assert_int_equal(got.other, 0);
        assert_int_equal(got.fine, ROUNDS * KEYS);
        evs_client_free(client);
    }
}

/* ---- a transaction and another map ---- */

static evs_status watch(evs_transaction *tx, evs_error *err)
{
    evs_bytes key = evs_text("w"), words[] = {evs_text("INCR"), key};
    evs_plain_command incr = {.args = words, .nargs = 2};
    evs_transaction_clear(tx);
    evs_status status = evs_transaction_watch(tx, &key, 1, err);
    if (status == EVS_OK)
        status = evs_transaction_add_command(tx, &incr, err);
    return status;
}

static void what_watches_is_aborted_by_another_map(void **state)
{
    (void)state;
    evs_error err;
    evs_transaction *tx;
    evs_client_stats stats;
    evs_client *client = open_client(0);
    assert_int_equal(evs_transaction_new(&tx, client, NULL, &err), EVS_OK);
    for (int i = 0; i < 8; i++) {
        static const char *const pools[] = {"    keepalive: 1s\n", "", "    client_name: other\n",
                                            "    client_name: other\n    retry: {attempts: 2}\n"};
        evs_shardmap *map = map_of(pools[i % 4]);
        assert_int_equal(watch(tx, &err), EVS_OK);
        assert_int_equal(evs_client_reload(client, map, &err), EVS_OK);
        evs_shardmap_free(map);
        assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_ABORTED);
        assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
        assert_int_equal(watch(tx, &err), EVS_OK);
        assert_int_equal(evs_transaction_exec(tx, &err), EVS_OK);
    }
    evs_client_stats_get(&stats, client);
    assert_in_range(stats.connects, 6, 24); /* seed, node and lease, once per way to be reached */
    evs_transaction_free(tx);
    evs_client_free(client);
    assert_int_equal(nodes_number(&set, nodes_owner(&set, 1, load_slot(&set, "w")), "GET w"), 8);
}

/* ---- broadcasts ---- */

static void count_result(void *arg, size_t index, const evs_result *result)
{
    size_t *results = arg;
    (void)index;
    results[result->status == EVS_OK]++;
}

/* As soon as the cluster was asked in vain. */
static void *go_on(void *client)
{
    struct timespec moment = {0, 1000000};
    evs_client_stats stats = {0};
    for (evs_client_stats_get(&stats, client); stats.calls == 0;
         evs_client_stats_get(&stats, client))
        nanosleep(&moment, NULL);
    kill(scratch_pid(set.servers[1]), SIGCONT);
    return NULL;
}

/* Who came to know its nodes only afterwards must not take one of them for all. */
static void a_cluster_that_did_not_tell_its_primaries_gets_no_broadcast(void **state)
{
    (void)state;
    evs_error err;
    pthread_t thread;
    size_t results[2] = {0};
    evs_client *client = open_client(1);
    evs_invocation call = {.script = "size", .timeout_ms = 2000};
    kill(scratch_pid(set.servers[1]), SIGSTOP);
    assert_int_equal(pthread_create(&thread, NULL, go_on, client), 0);
    evs_status status = evs_broadcast(client, &call, count_result, results, &err);
    pthread_join(thread, NULL);
    assert_int_not_equal(status, EVS_OK);
    print_message("%s\n", err.message);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_int_equal(results[0], 1);
    assert_int_equal(results[1], 0);

    call.timeout_ms = 0;
    assert_int_equal(evs_broadcast(client, &call, count_result, results, &err), EVS_OK);
    assert_int_equal(results[1], PRIMARIES);
    evs_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_watches_is_aborted_by_another_map, fresh),
        cmocka_unit_test_setup(a_batch_goes_to_all_nodes, fresh),
        cmocka_unit_test_setup(a_batch_of_another_thread_does_too, fresh),
        cmocka_unit_test_setup(a_scatter_goes_to_all_nodes, fresh),
        cmocka_unit_test(a_cluster_that_did_not_tell_its_primaries_gets_no_broadcast),
    };
    nodes_start(&set, PRIMARIES, 0);
    if (evs_registry_new(&registry, NULL, NULL) != EVS_OK ||
        evs_script_load(registry, "add", evs_text(ADD), NULL, NULL) != EVS_OK ||
        evs_script_load(registry, "size", evs_text("return redis.call('DBSIZE')"), NULL, NULL) !=
            EVS_OK)
        abort();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    evs_registry_free(registry);
    nodes_stop(&set);
    return failed;
}
