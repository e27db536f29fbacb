/*
 * What a client of a cluster is besides its calls: threads, order, closing, a fork, memory that
 * runs out, and a cluster of which a part is not served.
 */
#include "core/mem.h"
#include "tests/support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PRIMARIES = 3, THREADS = 4, EACH = 250 };

static nodes set;
static evs_registry *registry;

static const char ADD[] = "--- Counts.\n-- @key k a counter\nreturn redis.call('INCR', KEYS[1])";
static const char SLOW[] = "--- Says its place.\n-- @key k a list\n-- @arg n its place\n"
                           "return redis.call('RPUSH', KEYS[1], ARGV[1])";

static evs_shardmap *map_of(const char *seeds, const char *more)
{
    char yaml[1024];
    evs_error err;
    evs_shardmap *map;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\n"
                       "pools:\n  c:\n    cluster:\n      seeds: [%s]\n%s",
                       seeds, more);
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return map;
}

static evs_client *open_client(const evs_client_options *options, const char *more)
{
    char seed[32];
    evs_error err;
    evs_client *client = NULL;
    snprintf(seed, sizeof seed, "127.0.0.1:%d", scratch_port(set.servers[0]));
    evs_shardmap *map = map_of(seed, more);
    evs_status status = evs_client_open(&client, map, registry, options, &err);
    evs_shardmap_free(map);
    if (status != EVS_OK)
        fail_msg("%s", err.message);
    return client;
}

static evs_status call_for(evs_client *client, const char *key, unsigned timeout_ms, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes keys = evs_text(key);
    evs_invocation one = {.script = "add", .keys = &keys, .nkeys = 1, .timeout_ms = timeout_ms};
    evs_status status = evs_call(&reply, client, &one, err);
    evs_reply_free(reply);
    return status;
}

static evs_status call(evs_client *client, const char *key, evs_error *err)
{
    return call_for(client, key, 0, err);
}

static size_t home_of(const char *key)
{
    return nodes_owner(&set, 0, (unsigned)nodes_number(&set, 0, "CLUSTER KEYSLOT %s", key));
}

/* ---- threads ---- */

static void *call_many(void *arg)
{
    char key[32];
    evs_error err;
    for (int i = 0; i < EACH; i++) {
        snprintf(key, sizeof key, "threads:%d", i % 50);
        if (call(arg, key, &err) != EVS_OK)
            return arg;
    }
    return NULL;
}

static void many_threads_share_a_client(void **state)
{
    (void)state;
    char key[32];
    long long sum = 0;
    pthread_t threads[THREADS];
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    evs_client *client = open_client(&options, "");
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_many, client), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    evs_client_free(client);
    for (int i = 0; i < 50; i++) {
        snprintf(key, sizeof key, "threads:%d", i);
        sum += nodes_number(&set, home_of(key), "GET %s", key);
    }
    assert_int_equal(sum, THREADS * EACH);
}

/* ---- order ---- */

static void count_done(void *arg, const evs_result *result)
{
    assert_int_equal(result->status, EVS_OK);
    ++*(int *)arg;
}

/* Half of the calls are submitted before anything is known, half when the slot has just moved. */
static void strict_order_survives_a_move(void **state)
{
    (void)state;
    enum { CALLS = 40 };
    int done = 0;
    evs_error err;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.order = EVS_ORDER_STRICT;
    evs_client *client = open_client(&options, "");
    unsigned slot = (unsigned)nodes_number(&set, 0, "CLUSTER KEYSLOT order");
    size_t from = home_of("order"), to = (from + 1) % PRIMARIES;
    for (int i = 0; i < CALLS; i++) {
        char place[16];
        snprintf(place, sizeof place, "%d", i);
        evs_bytes key = evs_text("order"), arg = evs_text(place);
        evs_invocation one = {.script = "push", .keys = &key, .nkeys = 1, .args = &arg, .nargs = 1};
        assert_int_equal(evs_submit(client, &one, count_done, &done, &err), EVS_OK);
        while (i == CALLS / 2 && done < CALLS / 4)
            assert_int_equal(evs_client_process(client, 1000, &err), EVS_OK);
        if (i == CALLS / 2) {
            nodes_open_slot(&set, slot, from, to);
            nodes_move_key(&set, "order", from, to);
            nodes_hand_over(&set, slot, to);
        }
    }
    while (done < CALLS)
        assert_int_equal(evs_client_process(client, 1000, &err), EVS_OK);
    evs_client_free(client);
    redisReply *list = nodes_ask(&set, to, "LRANGE order 0 -1");
    assert_int_equal(list->elements, CALLS);
    for (size_t i = 0; i < CALLS; i++)
        assert_int_equal(atoi(list->element[i]->str), i);
    freeReplyObject(list);
}

/* ---- ends ---- */

static void take_status(void *arg, const evs_result *result)
{
    *(evs_status *)arg = result->status;
}

static void calls_that_wait_for_a_node_end_with_the_client(void **state)
{
    (void)state;
    evs_error err;
    evs_status first = EVS_OK, second = EVS_OK;
    evs_ticket ticket;
    evs_client *client = open_client(NULL, "");
    evs_bytes key = evs_text("ends");
    evs_invocation one = {.script = "add", .keys = &key, .nkeys = 1, .ticket = &ticket};
    assert_int_equal(evs_submit(client, &one, take_status, &first, &err), EVS_OK);
    assert_int_equal(evs_cancel(client, ticket, &err), EVS_OK);
    assert_int_equal(first, EVS_E_CANCELED);
    assert_int_equal(evs_submit(client, &one, take_status, &second, &err), EVS_OK);
    assert_int_equal(evs_client_process(client, 0, &err), EVS_OK);
    evs_client_free(client);
    assert_int_equal(second, EVS_E_CANCELED);

    client = open_client(NULL, "");
    assert_int_equal(evs_submit(client, &one, take_status, &second, &err), EVS_OK);
    assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, -1, &err), EVS_OK);
    assert_int_equal(second, EVS_OK);
    evs_client_free(client);
    nodes_do(&set, home_of("ends"), "DEL ends");
}

static void a_forked_child_leaves_the_cluster_alone(void **state)
{
    (void)state;
    evs_error err;
    int status;
    evs_client *client = open_client(NULL, "");
    assert_int_equal(call(client, "forked", &err), EVS_OK);
    pid_t pid = fork();
    if (pid == 0) {
        int fine = call(client, "forked", &err) == EVS_E_STATE;
        evs_client_free(client);
        _exit(fine ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(call(client, "forked", &err), EVS_OK);
    assert_int_equal(nodes_number(&set, home_of("forked"), "GET forked"), 2);
    evs_client_free(client);
}

/* Memory runs out at every allocation from opening to a reply; what was reported as not executed
 * did not run, and when there is memory again the client works. */
static void failing_allocations_lose_no_call(void **state)
{
    (void)state;
    char seed[32];
    snprintf(seed, sizeof seed, "127.0.0.1:%d", scratch_port(set.servers[0]));
    evs_shardmap *map = map_of(seed, "");
    nodes_do(&set, home_of("memory"), "SET memory 0");
    int failures = 0;
    for (size_t n = 1; n < 120; n++) {
        evs_error err = {0};
        evs_client *client = NULL;
        long long before = nodes_number(&set, home_of("memory"), "GET memory");
        evs__mem_fail_at(n);
        evs_status status = evs_client_open(&client, map, registry, NULL, &err);
        if (status == EVS_OK)
            status = call_for(client, "memory", 20, &err);
        evs__mem_fail_at(0);
        evs_outcome outcome = status == EVS_OK ? EVS_EXECUTED : err.outcome;
        evs_status later = client == NULL ? EVS_OK : call(client, "other", &err);
        if (later != EVS_OK && later != EVS_E_NOMEM) /* said while a connection pauses for it */
            fail_msg("%zu: %s", n, err.message);
        evs_client_free(client);
        nodes_await_leave(&set, home_of("memory"));
        long long ran = nodes_number(&set, home_of("memory"), "GET memory") - before;
        failures += status != EVS_OK;
        if (outcome == EVS_EXECUTED)
            assert_int_equal(ran, 1);
        else if (outcome == EVS_NOT_EXECUTED)
            assert_int_equal(ran, 0);
        assert_true(ran <= 1);
    }
    assert_true(failures > 5);
    evs_shardmap_free(map);
}

/* ---- what is told ---- */

static void both_questions_lead_to_the_nodes(void **state)
{
    (void)state;
    static const char *const ways[] = {"      topology: slots\n", "      topology: shards\n"};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        char key[32];
        evs_error err;
        evs_client_stats stats;
        evs_client *client = open_client(NULL, ways[i]);
        for (int n = 0; n < 20; n++) {
            snprintf(key, sizeof key, "way:%zu:%d", i, n);
            assert_int_equal(call(client, key, &err), EVS_OK);
        }
        evs_client_stats_get(&stats, client);
        assert_int_equal(stats.redirects, 0);
        evs_client_free(client);
    }
}

static int is_complete(size_t node)
{
    redisReply *reply = nodes_ask(&set, node, "CLUSTER INFO");
    int complete = strstr(reply->str, "cluster_slots_assigned:16384") != NULL;
    freeReplyObject(reply);
    return complete;
}

/* Its owner first. What that one said of it before may reach the others when they have forgotten
 * the slot already, so they are looked at until they know nothing of it for a while. */
static void take_out(unsigned slot)
{
    nodes_do(&set, nodes_owner(&set, 0, slot), "CLUSTER DELSLOTS %u", slot);
    for (int clean = 0; clean < 10; clean++)
        for (size_t i = 0; i < PRIMARIES; i++) {
            if (!is_complete(i))
                continue;
            nodes_do(&set, i, "CLUSTER DELSLOTS %u", slot);
            clean = 0;
        }
}

/* A call with a second of time, until a deadline finds the client told what is wrong. */
static void call_until_told(evs_client *client, const char *text, evs_status expected,
                            const char *why)
{
    evs_error err;
    evs_reply *reply;
    evs_bytes key = evs_text(text);
    evs_invocation one = {.script = "add", .keys = &key, .nkeys = 1, .timeout_ms = 1000};
    evs_status status = evs_call(&reply, client, &one, &err);
    for (int i = 0; i < 60 && status == EVS_E_TIMEOUT; i++)
        status = evs_call(&reply, client, &one, &err);
    if (status != expected || strstr(err.message, why) == NULL)
        fail_msg("%s: %s", evs_status_name(status), err.message);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
}

/* Last: a part of the cluster stays unserved. */
static void a_part_may_be_used_where_that_is_allowed(void **state)
{
    (void)state;
    evs_error err;
    unsigned slot = (unsigned)nodes_number(&set, 0, "CLUSTER KEYSLOT hole");
    for (size_t i = 0; i < PRIMARIES; i++)
        nodes_do(&set, i, "CONFIG SET cluster-require-full-coverage no");
    take_out(slot);
    evs_client *client = open_client(NULL, "      allow_partial: true\n");
    assert_int_equal(call(client, "hole", &err), EVS_E_CLUSTER);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "hole"));
    assert_int_equal(call(client, "no hole", &err), EVS_OK);
    evs_client_free(client);

    client = open_client(NULL, "");
    call_until_told(client, "no hole", EVS_E_CLUSTER, "16383 of 16384 slots");
    evs_client_free(client);
}

static void a_single_server_is_no_cluster(void **state)
{
    (void)state;
    char seed[32];
    evs_error err;
    evs_client *client;
    scratch_server *single;
    scratch_options options = {SCRATCH_UNIX_AND_TCP, NULL, 0};
    assert_int_equal(scratch_start(&single, set.area, "single", &options), SCRATCH_OK);
    snprintf(seed, sizeof seed, "127.0.0.1:%d", scratch_port(single));
    evs_shardmap *map = map_of(seed, "");
    assert_int_equal(evs_client_open(&client, map, registry, NULL, &err), EVS_OK);
    call_until_told(client, "k", EVS_E_CLUSTER, "cluster support disabled");
    evs_client_free(client);
    evs_shardmap_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_share_a_client),
        cmocka_unit_test(strict_order_survives_a_move),
        cmocka_unit_test(calls_that_wait_for_a_node_end_with_the_client),
        cmocka_unit_test(a_forked_child_leaves_the_cluster_alone),
        cmocka_unit_test(failing_allocations_lose_no_call),
        cmocka_unit_test(both_questions_lead_to_the_nodes),
        cmocka_unit_test(a_single_server_is_no_cluster),
        cmocka_unit_test(a_part_may_be_used_where_that_is_allowed),
    };
    nodes_start(&set, PRIMARIES, 0);
    if (evs_registry_new(&registry, NULL, NULL) != EVS_OK ||
        evs_script_load(registry, "add", evs_text(ADD), NULL, NULL) != EVS_OK ||
        evs_script_load(registry, "push", evs_text(SLOW), NULL, NULL) != EVS_OK)
        abort();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    evs_registry_free(registry);
    nodes_stop(&set);
    return failed;
}
