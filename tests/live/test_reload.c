/*
 * A client whose map is replaced while it works. Every call completes exactly once, on a server
 * that its key had by one of the maps that were in use meanwhile; counters on the servers agree;
 * a shard that stays keeps its one connection; connections of shards that went are closed.
 */
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

enum { RELOADS = 1000, THREADS = 8, KEYS = 16, SERVERS = 3, WINDOW = 64, TIMEOUT_MS = 60000 };

static shards set;
static const evs_script *incr;

/* The shard "a" is always on server 0. Addresses, shards and weights of the others change. */
typedef struct variant {
    int b, c;       /* the server of the shard; -1: it is not there */
    int weight;     /* of "a" */
    int moves_keys; /* compared with the one before */
} variant;

static const variant variants[] = {
    {1, -1, 1, 1}, {2, -1, 1, 0}, {1, 2, 1, 1}, {1, 2, 3, 1}, {2, 1, 3, 1}, {-1, 1, 3, 1},
};
enum { VARIANTS = sizeof variants / sizeof variants[0] };

static evs_shardmap *maps[RELOADS + 1];

static evs_shardmap *make_map(const variant *v, unsigned long generation)
{
    char yaml[1024];
    evs_error err;
    evs_shardmap *map = NULL;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ngeneration: %lu\n"
                       "defaults: {connect_timeout: 20s, command_timeout: 20s}\nshards:\n"
                       "  a: {address: \"%s\", weight: %d}\n",
                       generation, scratch_address(set.servers[0]), v->weight);
    if (v->b >= 0)
        len += snprintf(yaml + len, sizeof yaml - (size_t)len, "  b: \"%s\"\n",
                        scratch_address(set.servers[v->b]));
    if (v->c >= 0)
        len += snprintf(yaml + len, sizeof yaml - (size_t)len, "  c: \"%s\"\n",
                        scratch_address(set.servers[v->c]));
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "map", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return map;
}

static int set_up(void **state)
{
    unsigned long generation = 1;
    (void)state;
    shards_start(&set, SERVERS, NULL);
    incr = shards_script(&set, "incr",
                         "return {redis.call('INCR', KEYS[1]), redis.call('GET', 'me')}");
    for (size_t i = 0; i <= RELOADS; i++) {
        const variant *v = &variants[i % VARIANTS];
        generation += (unsigned long)v->moves_keys;
        maps[i] = make_map(v, generation);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i <= RELOADS; i++)
        evs_shardmap_free(maps[i]);
    shards_stop(&set);
    return 0;
}

static int fresh_servers(void **state)
{
    char command[32];
    (void)state;
    for (size_t i = 0; i < SERVERS; i++) {
        shards_do(&set, i, "FLUSHALL");
        shards_do(&set, i, "SCRIPT FLUSH");
        snprintf(command, sizeof command, "SET me %zu", i);
        shards_do(&set, i, command);
        shards_do(&set, i, "CONFIG RESETSTAT");
    }
    return 0;
}

static evs_client *open_client(int threaded)
{
    evs_client *client = NULL;
    evs_error err;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = threaded;
    if (evs_client_open(&client, maps[0], set.registry, &options, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return client;
}

/* ---- the oracle ---- */

/* How many reloads have begun, and how many are over. */
static atomic_size_t begun, over;

static int server_of(size_t reload, evs_bytes key)
{
    const variant *v = &variants[reload % VARIANTS];
    evs_route route;
    evs_shard_info shard;
    if (evs_shardmap_route(&route, maps[reload], key, NULL) != EVS_OK ||
        evs_shardmap_shard(&shard, maps[reload], route.shard, NULL) != EVS_OK)
        return -1;
    return shard.name[0] == 'a' ? 0 : shard.name[0] == 'b' ? v->b : v->c;
}

/* Was the key on that server by a map in use between the two moments? */
static int is_right(int server, evs_bytes key, size_t first, size_t last)
{
    for (size_t i = first; i <= last; i++)
        if (server_of(i, key) == server)
            return 1;
    return 0;
}

typedef struct one_call {
    char text[32];
    evs_bytes key;
    size_t first;
    unsigned completed;
} one_call;

/* What was asked for and what came, over all calls of a client. */
static atomic_size_t fine, wrong, failed;

static void take(one_call *call, const evs_result *result)
{
    call->completed++;
    if (result->status != EVS_OK) {
        atomic_fetch_add(&failed, 1);
        fprintf(stderr, "%s\n", result->error->message);
        return;
    }
    int server = atoi(evs_reply_bytes(evs_reply_at(result->reply, 1)).data);
    if (is_right(server, call->key, call->first, atomic_load(&begun)))
        atomic_fetch_add(&fine, 1);
    else
        atomic_fetch_add(&wrong, 1);
}

static evs_invocation invoke(one_call *call, size_t number)
{
    snprintf(call->text, sizeof call->text, "{k:%zu}", number % KEYS);
    call->key = evs_text(call->text);
    call->first = atomic_load(&over);
    call->completed = 0;
    return (evs_invocation){
        .handle = incr, .keys = &call->key, .nkeys = 1, .timeout_ms = TIMEOUT_MS};
}

static void reset_counts(void)
{
    atomic_store(&begun, 0);
    atomic_store(&over, 0);
    atomic_store(&fine, 0);
    atomic_store(&wrong, 0);
    atomic_store(&failed, 0);
}

static void reload(evs_client *client, size_t number)
{
    evs_error err;
    atomic_store(&begun, number);
    if (evs_client_reload(client, maps[number], &err) != EVS_OK)
        fail_msg("reload %zu: %s", number, err.message);
    atomic_store(&over, number);
}

/* The sum of all counters on all servers. */
static size_t sum_of_counters(void)
{
    size_t sum = 0;
    char command[64];
    for (size_t i = 0; i < SERVERS; i++) {
        for (size_t k = 0; k < KEYS; k++) {
            snprintf(command, sizeof command, "INCRBY {k:%zu} 0", k);
            sum += (size_t)shards_do(&set, i, command);
        }
    }
    return sum;
}

/* Connections of ours that a server sees now: all but the one that asks. */
static long connections(size_t server)
{
    return shards_info(&set, server, "clients", "connected_clients:") - 1;
}

/* Those made since CONFIG RESETSTAT, without the one that asks. */
static long connections_made(size_t server)
{
    return shards_info(&set, server, "stats", "total_connections_received:") - 1;
}

static size_t completed(void)
{
    return atomic_load(&fine) + atomic_load(&wrong) + atomic_load(&failed);
}

/* A call that ran twice would make the servers' counters larger than the number of calls. */
static void check_counts(evs_client *client, const char *what, size_t calls, long made)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, client);
    printf("FIGURES %s: reloads %llu, calls %zu, ok %zu, errors %zu, on a wrong server %zu, "
           "unreported %zu, run by the servers %zu\n",
           what, (unsigned long long)stats.reloads, calls, atomic_load(&fine), atomic_load(&failed),
           atomic_load(&wrong), calls - completed(), sum_of_counters());
    assert_int_equal(made, 1);
    assert_int_equal(atomic_load(&wrong), 0);
    assert_int_equal(atomic_load(&failed), 0);
    assert_int_equal(atomic_load(&fine), calls);
    assert_int_equal(sum_of_counters(), calls);
    assert_int_equal(stats.calls, calls);
    assert_int_equal(stats.reloads, RELOADS);
    assert_int_equal(stats.reload_failures, 0);
    assert_int_equal(stats.resends + stats.heals + stats.retries, 0);
    assert_true(stats.map_generation == evs_shardmap_generation(maps[RELOADS]));
    assert_true(stats.map_fingerprint == evs_shardmap_fingerprint(maps[RELOADS]));
    assert_int_equal(shards_info(&set, 0, "commandstats", "cmdstat_script|load:calls="), 1);
}

/* ---- a client of many threads ---- */

typedef struct worker {
    pthread_t id;
    evs_client *client;
    size_t number, calls;
    sem_t idle;
    one_call posted;
} worker;

static atomic_int stop;

static void posted_done(void *arg, const evs_result *result)
{
    worker *self = arg;
    take(&self->posted, result);
    sem_post(&self->idle);
}

/* One call that is waited for, one that is posted, in turn. */
static void *work(void *arg)
{
    worker *self = arg;
    for (size_t i = self->number; !atomic_load(&stop); i++) {
        one_call one;
        evs_reply *reply = NULL;
        evs_error err;
        evs_invocation call = invoke(&one, i);
        evs_status status = evs_call(&reply, self->client, &call, &err);
        evs_result result = {status, status == EVS_OK ? EVS_EXECUTED : err.outcome, reply, &err};
        take(&one, &result);
        evs_reply_free(reply);
        call = invoke(&self->posted, i + 1);
        if (evs_submit(self->client, &call, posted_done, self, &err) != EVS_OK)
            break;
        while (sem_wait(&self->idle) != 0)
            ;
        self->calls += 2;
    }
    return NULL;
}

static void threads_call_while_maps_change(void **state)
{
    (void)state;
    static worker crowd[THREADS];
    size_t calls = 0;
    reset_counts();
    atomic_store(&stop, 0);
    evs_client *client = open_client(1);
    for (size_t i = 0; i < THREADS; i++) {
        crowd[i] = (worker){.client = client, .number = i};
        sem_init(&crowd[i].idle, 0, 0);
        assert_int_equal(pthread_create(&crowd[i].id, NULL, work, &crowd[i]), 0);
    }
    for (size_t i = 1; i <= RELOADS; i++) {
        size_t before = completed();
        while (completed() < before + THREADS)
            sched_yield();
        reload(client, i);
    }
    atomic_store(&stop, 1);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(crowd[i].id, NULL);
        sem_destroy(&crowd[i].idle);
        calls += crowd[i].calls;
    }
    long made = connections_made(0);
    check_counts(client, "8 threads", calls, made);
    evs_client_free(client);
}

/* ---- a client that is driven ---- */

static size_t submitted;
static one_call window[WINDOW];

static void slot_done(void *arg, const evs_result *result)
{
    take(arg, result);
}

static void submit(evs_client *client, one_call *slot)
{
    evs_error err;
    evs_invocation call = invoke(slot, submitted++);
    if (evs_submit(client, &call, slot_done, slot, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static void maps_change_between_calls_in_flight(void **state)
{
    (void)state;
    reset_counts();
    submitted = 0;
    evs_client *client = open_client(0);
    for (size_t i = 0; i < WINDOW; i++)
        submit(client, &window[i]);
    for (size_t i = 1; i <= RELOADS; i++) {
        for (size_t k = 0; k < WINDOW; k++)
            if (window[k].completed > 0)
                submit(client, &window[k]);
        reload(client, i);
        assert_int_equal(evs_client_process(client, TIMEOUT_MS, NULL), EVS_OK);
    }
    while (evs_client_pending(client) > 0)
        assert_int_equal(evs_client_process(client, TIMEOUT_MS, NULL), EVS_OK);
    for (size_t k = 0; k < WINDOW; k++)
        assert_int_equal(window[k].completed, 1);
    long made = connections_made(0);
    check_counts(client, "calls in flight", submitted, made);
    evs_client_free(client);
}

/* ---- what becomes of connections and counters ---- */

static void incr_on(evs_client *client, const char *key)
{
    evs_reply *reply = NULL;
    evs_error err;
    evs_bytes bytes = evs_text(key);
    evs_invocation call = {.handle = incr, .keys = &bytes, .nkeys = 1, .timeout_ms = TIMEOUT_MS};
    if (evs_call(&reply, client, &call, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_reply_free(reply);
}

static const char *key_of(const evs_shardmap *map, char shard, char out[32])
{
    for (int n = 0; n < 100000; n++) {
        evs_route route;
        evs_shard_info info;
        snprintf(out, 32, "{%d}", n);
        if (evs_shardmap_route(&route, map, evs_text(out), NULL) == EVS_OK &&
            evs_shardmap_shard(&info, map, route.shard, NULL) == EVS_OK && info.name[0] == shard)
            return out;
    }
    fail_msg("no key of shard %c", shard);
    return NULL;
}

static uint64_t calls_on(evs_client *client, const char *shard)
{
    evs_stats *stats = NULL;
    uint64_t calls = 0;
    assert_int_equal(evs_stats_snapshot(&stats, client, NULL), EVS_OK);
    for (size_t i = 0; i < evs_stats_count(stats); i++)
        if (strcmp(evs_stats_at(stats, i)->shard, shard) == 0 &&
            strcmp(evs_stats_at(stats, i)->script, "incr") == 0)
            calls += evs_stats_at(stats, i)->calls;
    evs_stats_free(stats);
    return calls;
}

/* A client does its work when it is driven, closing connections too. */
static void await_connections(evs_client *client, size_t server, long count)
{
    for (int i = 0; i < 10000 && connections(server) != count; i++)
        evs_client_process(client, 1, NULL);
    assert_int_equal(connections(server), count);
}

static void a_shard_that_is_removed_loses_its_connection(void **state)
{
    (void)state;
    char key[32];
    evs_client *client = open_client(0);
    evs_client_stats stats;
    incr_on(client, key_of(maps[0], 'b', key));
    assert_int_equal(connections(1), 1);
    evs_shardmap *alone = make_map(&(variant){-1, -1, 1, 1}, 1000);
    assert_int_equal(evs_client_reload(client, alone, NULL), EVS_OK);
    await_connections(client, 1, 0);
    incr_on(client, key); /* now of the only shard there is */
    assert_int_equal(calls_on(client, "b"), 0);
    evs_client_stats_get(&stats, client);
    assert_int_equal(stats.connects, 2); /* the one that is gone counts */
    evs_shardmap_free(alone);
    evs_client_free(client);
}

static void a_shard_that_moves_goes_on_with_its_counters(void **state)
{
    (void)state;
    char key[32];
    evs_client *client = open_client(0);
    incr_on(client, key_of(maps[0], 'b', key));
    assert_int_equal(evs_client_reload(client, maps[1], NULL), EVS_OK);
    incr_on(client, key);
    assert_int_equal(calls_on(client, "b"), 2);
    assert_int_equal(connections(2), 1);
    await_connections(client, 1, 0);
    evs_client_free(client);
}

static void count_done(void *arg, const evs_result *result)
{
    *(int *)arg += result->status == EVS_OK;
}

static void calls_in_flight_finish_where_they_are(void **state)
{
    (void)state;
    char text[32], command[64];
    int done = 0;
    evs_client *client = open_client(0);
    evs_bytes key = evs_text(key_of(maps[0], 'b', text));
    evs_invocation call = {.handle = incr, .keys = &key, .nkeys = 1, .timeout_ms = TIMEOUT_MS};
    for (int i = 0; i < 100; i++)
        assert_int_equal(evs_submit(client, &call, count_done, &done, NULL), EVS_OK);
    assert_int_equal(evs_client_reload(client, maps[1], NULL), EVS_OK);
    while (evs_client_pending(client) > 0)
        evs_client_process(client, TIMEOUT_MS, NULL);
    snprintf(command, sizeof command, "INCRBY %s 0", text);
    assert_int_equal(done, 100);
    assert_int_equal(shards_do(&set, 1, command), 100);
    assert_int_equal(shards_do(&set, 2, command), 0);
    await_connections(client, 1, 0);
    evs_client_free(client);
}

/* ---- transactions ---- */

static evs_transaction *begin_on(evs_client *client, const char *key, int watch)
{
    evs_transaction *tx = NULL;
    evs_error err;
    evs_bytes bytes = evs_text(key);
    evs_invocation call = {.handle = incr, .keys = &bytes, .nkeys = 1};
    evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
    options.timeout_ms = TIMEOUT_MS;
    if (evs_transaction_new(&tx, client, &options, &err) != EVS_OK ||
        (watch && evs_transaction_watch(tx, &bytes, 1, &err) != EVS_OK) ||
        evs_transaction_add(tx, &call, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return tx;
}

static void what_is_watched_holds_for_its_map_only(void **state)
{
    (void)state;
    char text[32];
    evs_error err;
    evs_client *client = open_client(0);
    const char *key = key_of(maps[0], 'b', text);
    evs_transaction *tx = begin_on(client, key, 1);
    assert_int_equal(connections(1), 1);
    assert_int_equal(evs_client_reload(client, maps[1], NULL), EVS_OK);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_ABORTED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_int_equal(connections(1), 1); /* as long as somebody has it */
    evs_transaction_free(tx);
    await_connections(client, 1, 0);
    tx = begin_on(client, key, 1);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_OK);
    assert_int_equal(calls_on(client, "b"), 1);
    evs_transaction_free(tx);
    evs_client_free(client);
}

static void a_lease_goes_on_with_its_lane(void **state)
{
    (void)state;
    char text[32];
    evs_error err;
    evs_client *client = open_client(0);
    const char *key = key_of(maps[1], 'a', text);
    evs_transaction *tx = begin_on(client, key, 1);
    assert_int_equal(evs_client_reload(client, maps[1], NULL), EVS_OK);
    evs_transaction_free(tx);
    tx = begin_on(client, key, 1);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_OK);
    assert_int_equal(connections(0), 1);
    evs_transaction_free(tx);
    evs_client_free(client);
}

/* ---- what is refused ---- */

static char last_line[1200];
static evs_status last_status;

static void keep_line(void *arg, const evs_log_event *event)
{
    (void)arg;
    last_status = event->status;
    snprintf(last_line, sizeof last_line, "%s", event->message);
}

static void a_map_that_is_refused_changes_nothing(void **state)
{
    (void)state;
    char key[32];
    evs_error err;
    evs_client *client = NULL;
    evs_client_stats stats;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.log = keep_line;
    assert_int_equal(evs_client_open(&client, maps[0], set.registry, &options, NULL), EVS_OK);
    incr_on(client, key_of(maps[0], 'b', key));

    unsigned long generation = (unsigned long)evs_shardmap_generation(maps[0]);
    evs_shardmap *more = make_map(&(variant){1, 2, 1, 1}, generation);
    evs_shardmap *older = make_map(&variants[0], generation - 1);
    assert_int_equal(evs_client_reload(client, more, &err), EVS_E_CONFIG);
    assert_non_null(strstr(err.message, "error[E110]: this file moves "));
    assert_int_equal(last_status, EVS_E_CONFIG);
    assert_non_null(strstr(last_line, "the map stays as it was: "));
    assert_non_null(strstr(last_line, err.message));
    assert_int_equal(evs_client_reload(client, older, &err), EVS_E_CONFIG);
    assert_non_null(strstr(err.message, "error[E111]: "));
    assert_int_equal(evs_client_reload(client, NULL, &err), EVS_E_INVALID);
    assert_int_equal(evs_client_refusal(client, &err), EVS_E_CONFIG);
    assert_non_null(strstr(err.message, "error[E111]: "));

    evs_client_stats_get(&stats, client);
    assert_int_equal(stats.reloads, 0);
    assert_int_equal(stats.reload_failures, 2);
    assert_true(stats.map_generation == generation);
    evs_shardmap *now = evs_client_map(client);
    assert_ptr_equal(now, maps[0]);
    evs_shardmap_free(now);
    incr_on(client, key);
    assert_int_equal(connections_made(1), 1);
    assert_int_equal(evs_client_reload(client, maps[0], NULL), EVS_OK);
    assert_int_equal(evs_client_refusal(client, NULL), EVS_OK);
    assert_non_null(strstr(last_line, "map taken"));
    evs_shardmap_free(more);
    evs_shardmap_free(older);
    evs_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(threads_call_while_maps_change, fresh_servers),
        cmocka_unit_test_setup(maps_change_between_calls_in_flight, fresh_servers),
        cmocka_unit_test_setup(a_shard_that_is_removed_loses_its_connection, fresh_servers),
        cmocka_unit_test_setup(a_shard_that_moves_goes_on_with_its_counters, fresh_servers),
        cmocka_unit_test_setup(calls_in_flight_finish_where_they_are, fresh_servers),
        cmocka_unit_test_setup(what_is_watched_holds_for_its_map_only, fresh_servers),
        cmocka_unit_test_setup(a_lease_goes_on_with_its_lane, fresh_servers),
        cmocka_unit_test_setup(a_map_that_is_refused_changes_nothing, fresh_servers),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
