/*
 * A client of a real cluster whose map is replaced while it works. Every call completes exactly
 * once, and the counters on the nodes are the number of calls that were fine. What does not change
 * how nodes are reached keeps their connections, with what they know of scripts; what does change
 * it is discovered anew beside the old one, which finishes its calls and closes.
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
#include <sched.h>
#include <stdatomic.h>

enum { PRIMARIES = 3, KEYS = 30, WINDOW = 48, RELOADS = 200, THREADS = 4 };

static nodes set;
static scratch_server *single;
static redisContext *single_link;
static evs_registry *registry;
static unsigned long generation;

static const char ADD[] = "--- Counts.\n-- @key k a counter\nreturn redis.call('INCR', KEYS[1])";
static const char LOOSE[] = "--- Hides its key.\nredis.pcall('GET', 'lo' .. 'ose')\nreturn 1";

static evs_shardmap *parse(const char *yaml)
{
    evs_error err;
    evs_shardmap *map;
    if (evs_shardmap_parse(&map, evs_text(yaml), "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return map;
}

/* The cluster with other keys of the pool and of `cluster`; nodes by number, as "02". */
static evs_shardmap *map_of(const char *seeds, const char *cluster, const char *pool)
{
    char yaml[1024], list[128] = "";
    for (size_t i = 0, len = 0; seeds[i] != '\0'; i++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s\"127.0.0.1:%d\"",
                                i == 0 ? "" : ", ", scratch_port(set.servers[seeds[i] - '0']));
    snprintf(yaml, sizeof yaml,
             "evalshard: 1\ngeneration: %lu\ndefaults: {connect_timeout: 20s, command_timeout: "
             "20s}\npools:\n  c:\n    cluster: {seeds: [%s]%s}\n%s",
             generation, list, cluster, pool);
    return parse(yaml);
}

/* A pool of one server, and the cluster if it is wanted. */
static evs_shardmap *map_beside(int with_cluster)
{
    char yaml[1024], pool[256] = "";
    if (with_cluster)
        snprintf(pool, sizeof pool, "  c:\n    cluster: {seeds: [\"127.0.0.1:%d\"]}\n",
                 scratch_port(set.servers[0]));
    snprintf(yaml, sizeof yaml,
             "evalshard: 1\ngeneration: %lu\ndefaults: {connect_timeout: 20s, command_timeout: "
             "20s}\npools:\n  s: {shards: {a: \"%s\"}}\n%sroutes:\n  - {prefix: \"s:\", pool: s}\n"
             "  - {default: true, pool: %s}\n",
             ++generation, scratch_address(single), pool, with_cluster ? "c" : "s");
    return parse(yaml);
}

static evs_client *open_client(evs_shardmap *map, int threaded)
{
    evs_error err;
    evs_client *client = NULL;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = threaded;
    evs_status status = evs_client_open(&client, map, registry, &options, &err);
    evs_shardmap_free(map);
    if (status != EVS_OK)
        fail_msg("%s", err.message);
    return client;
}

static void reload(evs_client *client, evs_shardmap *map)
{
    evs_error err;
    evs_status status = evs_client_reload(client, map, &err);
    evs_shardmap_free(map);
    if (status != EVS_OK)
        fail_msg("%s", err.message);
}

static evs_status call_as(evs_client *client, const char *script, const char *key, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes keys = evs_text(key);
    evs_invocation one = {.script = script, .keys = &keys, .nkeys = script[0] == 'a', .pool = NULL};
    if (one.nkeys == 0)
        one.pool = "c";
    evs_status status = evs_call(&reply, client, &one, err);
    evs_reply_free(reply);
    return status;
}

static int fresh(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRIMARIES; i++) {
        nodes_do(&set, i, "FLUSHALL");
        nodes_do(&set, i, "SCRIPT FLUSH");
        nodes_do(&set, i, "CONFIG RESETSTAT");
    }
    freeReplyObject(redisCommand(single_link, "FLUSHALL"));
    return 0;
}

/* ---- what the nodes say ---- */

static long long info(size_t node, const char *section, const char *field)
{
    redisReply *reply = nodes_ask(&set, node, "INFO %s", section);
    const char *at = strstr(reply->str, field);
    long long number = at == NULL ? 0 : strtoll(at + strlen(field), NULL, 10);
    freeReplyObject(reply);
    return number;
}

static long long counted(void)
{
    char key[32];
    long long sum = 0;
    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "k:%d", i);
        unsigned slot = (unsigned)nodes_number(&set, 0, "CLUSTER KEYSLOT %s", key);
        sum += nodes_number(&set, nodes_owner(&set, 0, slot), "GET %s", key);
        redisReply *beside = redisCommand(single_link, "GET %s", key);
        if (beside->type == REDIS_REPLY_STRING)
            sum += strtoll(beside->str, NULL, 10);
        freeReplyObject(beside);
    }
    return sum;
}

/* ---- calls in flight ---- */

typedef struct load {
    size_t sent, fine, other;
    evs_client *client;
    int stop;
} load;

static void submit(load *self);

static void done(void *arg, const evs_result *result)
{
    load *self = arg;
    self->fine += result->status == EVS_OK;
    if (result->status != EVS_OK) {
        self->other++;
        fprintf(stderr, "%s\n", result->error->message);
    }
    if (!self->stop)
        submit(self);
}

static void submit(load *self)
{
    char text[32];
    evs_error err;
    snprintf(text, sizeof text, "k:%zu", self->sent % KEYS);
    evs_bytes key = evs_text(text);
    evs_invocation one = {.script = "add", .keys = &key, .nkeys = 1, .timeout_ms = 60000};
    if (evs_submit(self->client, &one, done, self, &err) != EVS_OK)
        fail_msg("%s", err.message);
    self->sent++;
}

static void begin(load *self, evs_client *client)
{
    *self = (load){.client = client};
    for (int i = 0; i < WINDOW; i++)
        submit(self);
}

static void drive(load *self, size_t more)
{
    evs_error err;
    size_t until = self->fine + self->other + more;
    while (self->fine + self->other < until && evs_client_pending(self->client) > 0)
        assert_int_equal(evs_client_process(self->client, 1000, &err), EVS_OK);
}

static void end(load *self)
{
    self->stop = 1;
    drive(self, WINDOW);
    assert_int_equal(evs_client_pending(self->client), 0);
    assert_int_equal(self->other, 0);
    assert_int_equal(self->fine, self->sent);
    assert_int_equal(counted(), self->sent);
}

/* ---- policies ---- */

typedef struct variant {
    const char *seeds, *cluster, *pool;
} variant;

static const variant policies[] = {
    {"0", "", ""},
    {"1", "", ""},
    {"12", ", refresh: 1s, max_redirects: 2", ""},
    {"2", ", topology: slots, tryagain_backoff: 5ms", "    audit: warn\n"},
    {"012", ", allow_partial: true", "    command_timeout: 30s\n    retry: {attempts: 3}\n"},
    {"0", "", "    keepalive: 1s\n    preload: all\n    on_shard_down: fail_fast\n"},
};
enum { POLICIES = sizeof policies / sizeof policies[0] };

static evs_shardmap *policy(size_t i)
{
    const variant *v = &policies[i % POLICIES];
    return map_of(v->seeds, v->cluster, v->pool);
}

static void nodes_stay_when_seeds_and_rules_change(void **state)
{
    (void)state;
    load self;
    evs_client_stats stats;
    evs_client *client = open_client(policy(0), 0);
    begin(&self, client);
    drive(&self, WINDOW);
    for (size_t i = 1; i <= RELOADS; i++) {
        reload(client, policy(i));
        drive(&self, WINDOW / 3);
    }
    end(&self);
    evs_client_stats_get(&stats, client);
    assert_int_equal(stats.reloads, RELOADS);
    assert_int_equal(stats.connects, PRIMARIES);
    assert_int_equal(stats.resends + stats.heals + stats.retries + stats.redirects, 0);
    for (size_t i = 0; i < PRIMARIES; i++) /* "add", and "loose" where all are loaded */
        assert_in_range(info(i, "commandstats", "cmdstat_script|load:calls="), 1, 2);
    evs_client_free(client);
}

static void what_a_map_says_of_calls_holds_at_once(void **state)
{
    (void)state;
    evs_error err;
    evs_client *client = open_client(map_of("0", "", "    audit: warn\n    on_no_keys: any\n"), 0);
    assert_int_equal(call_as(client, "loose", "", &err), EVS_OK);
    reload(client, map_of("0", "", "    audit: deny\n    on_no_keys: any\n"));
    assert_int_equal(call_as(client, "loose", "", &err), EVS_E_AUDIT);
    reload(client, map_of("1", "", "    audit: warn\n    on_no_keys: any\n"));
    assert_int_equal(call_as(client, "loose", "", &err), EVS_OK);
    evs_client_free(client);
}

/* ---- connections ---- */

static unsigned long long count_rows(evs_client *client)
{
    evs_stats *stats;
    unsigned long long calls = 0;
    assert_int_equal(evs_stats_snapshot(&stats, client, NULL), EVS_OK);
    for (size_t i = 0; i < evs_stats_count(stats); i++)
        calls += evs_stats_at(stats, i)->calls;
    evs_stats_free(stats);
    return calls;
}

/* Connections with our names that a node has. */
static size_t ours(size_t node)
{
    size_t count = 0;
    redisReply *reply = nodes_ask(&set, node, "CLIENT LIST");
    for (const char *at = reply->str; (at = strstr(at, "name=try")) != NULL; at++)
        count++;
    freeReplyObject(reply);
    return count;
}

static void a_cluster_reached_otherwise_is_discovered_anew(void **state)
{
    (void)state;
    char pool[64];
    load self;
    evs_error err;
    evs_client *client = open_client(map_of("0", "", "    client_name: try\n"), 0);
    begin(&self, client);
    for (size_t i = 1; i <= RELOADS / 4; i++) {
        snprintf(pool, sizeof pool, "    client_name: try%zu\n", i);
        reload(client, map_of(i % 2 == 0 ? "0" : "12", "", pool));
        drive(&self, i % 3 == 0 ? 1 : WINDOW);
    }
    end(&self);
    assert_int_equal(count_rows(client), self.sent);
    for (size_t i = 0; i < PRIMARIES; i++)
        while (ours(i) > 1)
            assert_int_equal(evs_client_process(client, 0, &err), EVS_OK);
    evs_client_free(client);
}

static void pools_that_are_clusters_come_and_go(void **state)
{
    (void)state;
    load self;
    generation = 1;
    evs_client *client = open_client(map_beside(0), 0);
    begin(&self, client);
    for (size_t i = 1; i <= RELOADS / 4; i++) {
        reload(client, map_beside(i % 2 == 1));
        drive(&self, i % 3 == 0 ? 1 : WINDOW);
    }
    end(&self);
    assert_true(counted() > 0);
    evs_client_free(client);
}

/* ---- seeds that lead nowhere ---- */

static void better_seeds_help_calls_that_wait(void **state)
{
    (void)state;
    char yaml[512];
    evs_error err;
    load self;
    snprintf(yaml, sizeof yaml,
             "evalshard: 1\ngeneration: %lu\npools:\n  c:\n    cluster: {seeds: [\"%s\"]}\n",
             generation, "127.0.0.1:1");
    evs_client *client = open_client(parse(yaml), 0);
    begin(&self, client);
    for (int i = 0; i < 3; i++)
        assert_int_equal(evs_client_process(client, 10, &err), EVS_OK);
    assert_int_equal(evs_client_pending(client), WINDOW);
    reload(client, map_of("1", "", ""));
    drive(&self, 5 * WINDOW);
    end(&self);
    evs_client_free(client);
}

static void a_client_ends_with_a_cluster_that_is_not_finished(void **state)
{
    (void)state;
    load self;
    evs_client *client = open_client(map_of("0", "", "    client_name: try\n"), 0);
    begin(&self, client);
    drive(&self, WINDOW);
    reload(client, map_of("0", "", "    client_name: other\n"));
    self.stop = 1;
    evs_client_free(client);
    assert_int_equal(self.fine + self.other, self.sent);
}

/* ---- without memory ---- */

static void failing_allocations_leave_the_map_as_it_was(void **state)
{
    (void)state;
    evs_error err;
    size_t failures = 0;
    for (int anew = 0; anew < 2; anew++) {
        for (size_t n = 1, failed = 1; failed; n++) {
            evs_client *client = open_client(map_of("0", "", "    client_name: try\n"), 0);
            evs_shardmap *next = map_of("012", ", refresh: 2s",
                                        anew ? "    client_name: other\n"
                                             : "    client_name: try\n");
            assert_int_equal(call_as(client, "add", "k:1", &err), EVS_OK);
            evs__mem_fail_at(n);
            failed = evs_client_reload(client, next, &err) != EVS_OK;
            evs__mem_fail_at(0);
            failures += failed;
            assert_true(!failed || err.status == EVS_E_NOMEM);
            assert_int_equal(call_as(client, "add", "k:2", &err), EVS_OK);
            evs_shardmap_free(next);
            evs_client_free(client);
        }
    }
    assert_true(failures > 5);
}

/* ---- a client of many threads ---- */

static atomic_int stop;
static atomic_size_t calls, bad;

static void *work(void *arg)
{
    char key[32];
    evs_error err;
    for (size_t i = 0; !atomic_load(&stop); i++) {
        snprintf(key, sizeof key, "k:%zu", i % KEYS);
        if (call_as(arg, "add", key, &err) == EVS_OK)
            atomic_fetch_add(&calls, 1);
        else if (atomic_fetch_add(&bad, 1) == 0)
            fprintf(stderr, "%s\n", err.message);
    }
    return NULL;
}

static void threads_call_while_maps_change(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    evs_client *client = open_client(policy(0), 1);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, client), 0);
    for (size_t i = 1; i <= RELOADS / 2; i++) {
        size_t before = atomic_load(&calls) + atomic_load(&bad);
        while (atomic_load(&calls) + atomic_load(&bad) < before + THREADS)
            sched_yield();
        reload(client, i % 5 == 0 ? map_of("0", "", "    client_name: other\n") : policy(i));
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    evs_client_free(client);
    assert_int_equal(atomic_load(&bad), 0);
    assert_int_equal(counted(), atomic_load(&calls));
}

static void start_single(void)
{
    scratch_options options = {SCRATCH_UNIX_AND_TCP, NULL, 0};
    if (scratch_start(&single, set.area, "single", &options) != SCRATCH_OK)
        abort();
    single_link = redisConnect("127.0.0.1", scratch_port(single));
    if (single_link == NULL || single_link->err != 0)
        abort();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nodes_stay_when_seeds_and_rules_change, fresh),
        cmocka_unit_test_setup(what_a_map_says_of_calls_holds_at_once, fresh),
        cmocka_unit_test_setup(a_cluster_reached_otherwise_is_discovered_anew, fresh),
        cmocka_unit_test_setup(pools_that_are_clusters_come_and_go, fresh),
        cmocka_unit_test_setup(better_seeds_help_calls_that_wait, fresh),
        cmocka_unit_test_setup(a_client_ends_with_a_cluster_that_is_not_finished, fresh),
        cmocka_unit_test_setup(failing_allocations_leave_the_map_as_it_was, fresh),
        cmocka_unit_test_setup(threads_call_while_maps_change, fresh),
    };
    nodes_start(&set, PRIMARIES, 0);
    start_single();
    if (evs_registry_new(&registry, NULL, NULL) != EVS_OK ||
        evs_script_load(registry, "add", evs_text(ADD), NULL, NULL) != EVS_OK ||
        evs_script_load(registry, "loose", evs_text(LOOSE), NULL, NULL) != EVS_OK)
        abort();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    evs_registry_free(registry);
    redisFree(single_link);
    nodes_stop(&set);
    return failed;
}
