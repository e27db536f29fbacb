/*
 * Every way to call, before and after a failover: one by one, in batches, on all shards, in
 * transactions with and without WATCH, in strict order, from threads, on contexts of hiredis. And
 * another map meanwhile.
 */
#include "tests/support/watched.h"

#include <evalshard/batch.h>
#include <evalshard/hiredis.h>
#include <evalshard/transaction.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { THREADS = 4, BATCH = 50 };

static watched set;
static evs_registry *registry;

static const char ADD[] = "--- Counts.\n-- @key k a counter\nreturn redis.call('INCR', KEYS[1])";
static const char LIE[] = "--- Lies.\n-- @key k a counter\nredis.call('INCR', KEYS[1])\n"
                          "return redis.error_reply('READONLY says who')";
static const char SIZE[] = "--- Counts keys.\nreturn redis.call('DBSIZE')";

static evs_shardmap *parse_with(const char *link, const char *sentinels, const char *more)
{
    char yaml[2048];
    evs_error err;
    evs_shardmap *map = NULL;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 2m%s}\n%s"
                       "pools: {p: {on_no_keys: any, shards: {\n"
                       "  a: {sentinel: eu, master_name: ledger-1}%s}}}\n",
                       link, sentinels, more);
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return map;
}

static evs_shardmap *parse(const char *sentinels, const char *more)
{
    return parse_with("", sentinels, more);
}

typedef struct log {
    int connected; /* how often to the shard */
    int heard;     /* the same to sentinels */
} log_of;

static void count_connects(void *arg, const evs_log_event *event)
{
    log_of *log = arg;
    log->connected += strcmp(event->shard, "a") == 0 && strcmp(event->message, "connected") == 0;
    log->heard += strncmp(event->message, "sentinel ", 9) == 0 &&
                  strstr(event->message, ": connected") != NULL;
}

static evs_client *open_client(const evs_client_options *options)
{
    evs_error err;
    char group[512];
    evs_client *client = NULL;
    evs_shardmap *map = parse(watched_group(&set, "", 0, group), "");
    if (evs_client_open(&client, map, registry, options, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
    return client;
}

static int64_t add(evs_client *client, const char *text)
{
    evs_error err;
    evs_reply *reply = NULL;
    evs_bytes key = evs_text(text);
    evs_invocation one = {.script = "add", .keys = &key, .nkeys = 1};
    if (evs_call(&reply, client, &one, &err) != EVS_OK)
        fail_msg("%s", err.message);
    int64_t sum = evs_reply_integer(reply);
    evs_reply_free(reply);
    return sum;
}

/* ---- each way ---- */

static void by_command(evs_client *client)
{
    evs_error err;
    evs_reply *reply = NULL;
    evs_bytes words[] = {evs_text("INCR"), evs_text("{command}")};
    evs_plain_command command = {.args = words, .nargs = 2};
    if (evs_command(&reply, client, &command, &err) != EVS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(evs_reply_kind(reply), EVS_REPLY_INTEGER);
    evs_reply_free(reply);
}

static void by_batch(evs_client *client)
{
    evs_error err;
    evs_batch *batch;
    assert_int_equal(evs_batch_new(&batch, client, NULL, &err), EVS_OK);
    for (int i = 0; i < BATCH; i++) {
        char text[32];
        snprintf(text, sizeof text, "{batch-%d}", i);
        evs_bytes key = evs_text(text);
        evs_invocation one = {.script = "add", .keys = &key, .nkeys = 1};
        assert_int_equal(evs_batch_add(batch, &one, &err), EVS_OK);
    }
    assert_int_equal(evs_batch_run(batch, &err), EVS_OK);
    assert_int_equal(evs_batch_failures(batch), 0);
    evs_batch_free(batch);
}

static void count_one(void *arg, size_t index, const evs_result *result)
{
    (void)index;
    *(int *)arg += result->status == EVS_OK;
}

static void by_broadcast(evs_client *client)
{
    int count = 0;
    evs_error err;
    evs_invocation one = {.script = "size"};
    assert_int_equal(evs_broadcast(client, &one, count_one, &count, &err), EVS_OK);
    assert_int_equal(count, 1);
}

static void by_transaction(evs_client *client, int watches)
{
    evs_error err;
    evs_transaction *tx;
    evs_bytes key = evs_text("{tx}"), words[] = {evs_text("INCR"), evs_text("{tx}")};
    evs_invocation one = {.script = "add", .keys = &key, .nkeys = 1};
    evs_plain_command command = {.args = words, .nargs = 2};
    assert_int_equal(evs_transaction_new(&tx, client, NULL, &err), EVS_OK);
    if (watches && evs_transaction_watch(tx, &key, 1, &err) != EVS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(evs_transaction_add(tx, &one, &err), EVS_OK);
    assert_int_equal(evs_transaction_add_command(tx, &command, &err), EVS_OK);
    if (evs_transaction_exec(tx, &err) != EVS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(evs_transaction_failures(tx), 0);
    evs_transaction_free(tx);
}

static void by_all_ways(evs_client *client)
{
    by_command(client);
    by_batch(client);
    by_broadcast(client);
    by_transaction(client, 0);
    by_transaction(client, 1);
    add(client, "{one}");
}

static void fail_over(size_t asked)
{
    size_t before = watched_agreed(&set);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_await_settled(&set, i);
    watched_tell_sentinel(&set, asked, "SENTINEL FAILOVER ledger-1");
    size_t after = watched_await_switch(&set, before);
    for (size_t i = 0; i < WATCHED_SERVERS; i++)
        if (i != after)
            watched_demote(&set, i, after); /* the sentinels would, ten seconds later */
}

/* Who is driven may sleep through a failover, and has to find out before the next call. */
static void all_ways_survive_a_failover(const evs_client_options *options)
{
    evs_client_stats stats;
    evs_client *client = open_client(options);
    by_all_ways(client);
    fail_over(0);
    by_all_ways(client);
    size_t primary = watched_agreed(&set);
    int64_t sum = add(client, "{after}");
    assert_int_equal(watched_number(&set, primary, "GET {after}"), sum);
    evs_client_stats_get(&stats, client);
    assert_int_equal(stats.switches, 1);
    evs_client_free(client);
}

static void a_driven_client_calls_in_all_ways(void **state)
{
    (void)state;
    all_ways_survive_a_failover(NULL);
}

static void a_threaded_client_calls_in_all_ways(void **state)
{
    (void)state;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    all_ways_survive_a_failover(&options);
}

static void a_strict_client_calls_in_all_ways(void **state)
{
    (void)state;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.order = EVS_ORDER_STRICT;
    options.protocol = 3;
    all_ways_survive_a_failover(&options);
}

/* ---- threads ---- */

typedef struct worker {
    pthread_t thread;
    evs_client *client;
    int number;
    long ok, maybe, other;
} worker;

static atomic_int stopping;

static void *work(void *arg)
{
    worker *w = arg;
    for (int i = 0; !stopping; i++) {
        char text[48];
        evs_error err = {0};
        evs_reply *reply = NULL;
        snprintf(text, sizeof text, "{w%d-%d}", w->number, i);
        evs_bytes key = evs_text(text);
        evs_invocation one = {.script = "add", .keys = &key, .nkeys = 1};
        evs_status status = evs_call(&reply, w->client, &one, &err);
        w->ok += status == EVS_OK && evs_reply_integer(reply) == 1;
        w->maybe += status != EVS_OK && err.outcome == EVS_MAYBE_EXECUTED;
        int other = status == EVS_OK ? evs_reply_integer(reply) != 1
                                     : err.outcome != EVS_MAYBE_EXECUTED;
        if (other)
            print_error("%s: %s, %s, %lld\n", text, status == EVS_OK ? "fine" : err.message,
                        evs_outcome_text(err.outcome), (long long)evs_reply_integer(reply));
        w->other += other;
        evs_reply_free(reply);
    }
    return NULL;
}

static void threads_call_through_a_failover(void **state)
{
    (void)state;
    worker workers[THREADS] = {{0}};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    evs_client *client = open_client(&options);
    long ok = 0, maybe = 0, other = 0;
    stopping = 0;
    for (int i = 0; i < THREADS; i++) {
        workers[i].client = client;
        workers[i].number = i;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    fail_over(1);
    by_all_ways(client);
    stopping = 1;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        ok += workers[i].ok;
        maybe += workers[i].maybe;
        other += workers[i].other;
    }
    printf("FIGURES planned failover, %d threads: ok %ld, maybe %ld, other %ld\n", THREADS, ok,
           maybe, other);
    assert_int_equal(other, 0);
    assert_true(maybe <= THREADS);
    assert_true(ok > 0);
    evs_client_free(client);
}

/* ---- another map ---- */

static void reload(evs_client *client, const char *sentinels, const char *more)
{
    evs_error err;
    evs_shardmap *map = parse(sentinels, more);
    if (evs_client_reload(client, map, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
}

/* Who is driven gets to know new sentinels while driven: two connections to each. */
static void drive_until_heard(evs_client *client, const log_of *log, int connections)
{
    struct timespec moment = {0, 10 * 1000000};
    for (int i = 0; log->heard < connections && i < 3000; i++) {
        assert_int_equal(evs_client_process(client, 0, NULL), EVS_OK);
        nanosleep(&moment, NULL);
    }
    assert_int_equal(evs_client_process(client, 0, NULL), EVS_OK);
    assert_true(log->heard >= connections); /* one that was slow is asked anew */
}

static void other_sentinels_leave_connections_alone(void **state)
{
    (void)state;
    char group[512], one[128];
    log_of log = {0};
    evs_error err;
    evs_client_stats stats;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.log = count_connects;
    options.log_arg = &log;
    evs_client *client = open_client(&options);
    add(client, "{reload}");
    assert_int_equal(log.connected, 1);

    snprintf(one, sizeof one, "sentinels: {eu: {addresses: [\"127.0.0.1:%d\"]}}\n", set.ports[2]);
    drive_until_heard(client, &log, 6);
    reload(client, one, "");
    drive_until_heard(client, &log, 8);
    add(client, "{reload}");
    assert_int_equal(log.connected, 1);
    fail_over(0);
    add(client, "{reload}");
    evs_client_stats_get(&stats, client);
    assert_int_equal(stats.switches, 1);
    assert_int_equal(log.connected, 2);

    reload(client, watched_group(&set, ", refresh: 1s, quorum_reads: 2", 0, group), "");
    drive_until_heard(client, &log, 14);
    fail_over(1);
    add(client, "{reload}");
    evs_client_stats_get(&stats, client);
    assert_int_equal(stats.switches, 2);

    evs_shardmap *moved = parse(one, ", b: {sentinel: eu, master_name: other}");
    assert_int_equal(evs_client_reload(client, moved, &err), EVS_E_CONFIG); /* it places keys */
    evs_shardmap_free(moved);
    add(client, "{reload}");
    evs_client_free(client);
}

/* The sentinels are asked, and know better. */
static void a_script_that_says_readonly_costs_no_connection(void **state)
{
    (void)state;
    log_of log = {0};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.log = count_connects;
    options.log_arg = &log;
    evs_client *client = open_client(&options);
    evs_bytes key = evs_text("{lie}");
    evs_invocation one = {.script = "lie", .keys = &key, .nkeys = 1};
    for (int i = 0; i < 10; i++) {
        evs_error err;
        evs_reply *reply = NULL;
        assert_int_equal(evs_call(&reply, client, &one, &err), EVS_E_READONLY);
        assert_int_equal(err.outcome, EVS_MAYBE_EXECUTED);
        evs_reply_free(reply);
        add(client, "{lie}");
    }
    assert_int_equal(add(client, "{lie}"), 21);
    assert_int_equal(log.connected, 1);
    evs_client_free(client);
}

/* Whether the last that the client's connection sent to a server was PING, by its word. */
static int was_pinged(size_t server)
{
    int pinged = 0;
    redisReply *list = redisCommand(set.links[server], "CLIENT LIST");
    assert_non_null(list);
    for (char *line = strtok(list->str, "\n"); line != NULL; line = strtok(NULL, "\n"))
        pinged |= strstr(line, "name=looked-after") != NULL && strstr(line, "cmd=ping") != NULL;
    freeReplyObject(list);
    return pinged;
}

/* What a map says of connections reaches those that are there, and the map before may go. */
static void another_map_reaches_the_connection(void **state)
{
    (void)state;
    char group[512];
    log_of log = {0};
    evs_client *client;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.log = count_connects;
    options.log_arg = &log;
    watched_group(&set, "", 0, group);
    evs_shardmap *map = parse_with(", client_name: looked-after, keepalive: 'off'", group, "");
    assert_int_equal(evs_client_open(&client, map, registry, &options, NULL), EVS_OK);
    evs_shardmap_free(map);
    add(client, "{reload}");
    drive_until_heard(client, &log, 6);
    size_t primary = watched_agreed(&set);
    watched_relink(&set, primary); /* failovers closed the test's own */
    assert_false(was_pinged(primary));

    map = parse_with(", client_name: looked-after, keepalive: 1s", group, "");
    assert_int_equal(evs_client_reload(client, map, NULL), EVS_OK);
    evs_shardmap_free(map);
    while (!was_pinged(primary))
        assert_int_equal(evs_client_process(client, 10, NULL), EVS_OK);
    assert_int_equal(log.connected, 1);

    map = parse_with(", client_name: looked-after, keepalive: 'off'", group, "");
    assert_int_equal(evs_client_reload(client, map, NULL), EVS_OK);
    evs_shardmap_free(map);
    add(client, "{reload}"); /* behind a PING that was under way */
    for (time_t end = time(NULL) + 4; time(NULL) < end;)
        assert_int_equal(evs_client_process(client, 10, NULL), EVS_OK);
    assert_false(was_pinged(primary));
    assert_int_equal(log.connected, 1);
    evs_client_free(client);
}

/* ---- passwords that change ---- */

static void set_password(const char *path, const char *password)
{
    char command[128];
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%s\n", password);
    fclose(file);
    snprintf(command, sizeof command, "ACL SETUSER app on resetpass >%s ~* &* +@all", password);
    for (size_t i = 0; i < WATCHED_SERVERS; i++)
        watched_number(&set, i, command);
}

static evs_shardmap *parse_for_app(const char *path)
{
    char group[512], link[700];
    snprintf(link, sizeof link, ", auth: {username: app, password_file: %s}", path);
    return parse_with(link, watched_group(&set, "", 0, group), "");
}

static void reload_for_app(evs_client *client, const char *path)
{
    evs_error err;
    evs_shardmap *map = parse_for_app(path);
    if (evs_client_reload(client, map, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
}

/* The map that the connection was made by is gone, and its texts with it. */
static void a_password_is_read_again_by_the_newest_map(void **state)
{
    (void)state;
    char path[512];
    evs_client *client;
    snprintf(path, sizeof path, "%s/app-password", scratch_folder(set.area));
    set_password(path, "pass-1");
    evs_shardmap *map = parse_for_app(path);
    assert_int_equal(evs_client_open(&client, map, registry, NULL, NULL), EVS_OK);
    evs_shardmap_free(map);
    add(client, "{password}");
    reload_for_app(client, path); /* stays as it is */
    add(client, "{password}");

    set_password(path, "pass-2");
    assert_true(watched_number(&set, watched_agreed(&set), "CLIENT KILL USER app") > 0);
    add(client, "{password}");
    reload_for_app(client, path); /* another login */
    add(client, "{password}");
    reload_for_app(client, path);

    set_password(path, "pass-3");
    fail_over(2);
    add(client, "{password}");
    evs_client_free(client);
    for (size_t i = 0; i < WATCHED_SERVERS; i++)
        watched_number(&set, i, "ACL DELUSER app");
}

/* ---- contexts of hiredis, whose owner asks the sentinels ---- */

static redisContext *context_of(void *arg, size_t shard)
{
    (void)shard;
    return *(redisContext **)arg;
}

static void contexts_of_hiredis_are_their_owners_to_find(void **state)
{
    (void)state;
    evs_error err;
    char group[512];
    evs_reply *reply = NULL;
    evs_hiredis *scripts;
    evs_bytes key = evs_text("{hiredis}");
    evs_invocation one = {.script = "add", .keys = &key, .nkeys = 1};
    evs_shardmap *map = parse(watched_group(&set, "", 0, group), "");
    size_t primary = watched_agreed(&set), replica = (primary + 1) % WATCHED_SERVERS;
    watched_await(&set, replica, "INFO replication", "master_link_status:up"); /* it has loaded */
    redisContext *context = redisConnect("127.0.0.1", scratch_port(set.servers[replica]));
    evs_hiredis_options options = EVS_HIREDIS_OPTIONS_INIT;
    options.map = map;
    options.context = context_of;
    options.arg = &context;
    assert_int_equal(evs_hiredis_open(&scripts, registry, &options, &err), EVS_OK);
    evs_status status = evs_hiredis_call(&reply, scripts, &one, &err);
    if (status != EVS_E_READONLY)
        fail_msg("%s", err.message);
    evs_hiredis_forget(scripts, context);
    redisFree(context);
    context = redisConnect("127.0.0.1", scratch_port(set.servers[primary]));
    if (evs_hiredis_call(&reply, scripts, &one, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_reply_free(reply);
    evs_hiredis_free(scripts);
    redisFree(context);
    evs_shardmap_free(map);
}

int main(void)
{
    evs_error err;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_driven_client_calls_in_all_ways),
        cmocka_unit_test(a_threaded_client_calls_in_all_ways),
        cmocka_unit_test(a_strict_client_calls_in_all_ways),
        cmocka_unit_test(threads_call_through_a_failover),
        cmocka_unit_test(a_script_that_says_readonly_costs_no_connection),
        cmocka_unit_test(other_sentinels_leave_connections_alone),
        cmocka_unit_test(another_map_reaches_the_connection),
        cmocka_unit_test(a_password_is_read_again_by_the_newest_map),
        cmocka_unit_test(contexts_of_hiredis_are_their_owners_to_find),
    };
    if (evs_registry_new(&registry, NULL, &err) != EVS_OK ||
        evs_script_load(registry, "add", evs_text(ADD), NULL, &err) != EVS_OK ||
        evs_script_load(registry, "lie", evs_text(LIE), NULL, &err) != EVS_OK ||
        evs_script_load(registry, "size", evs_text(SIZE), NULL, &err) != EVS_OK)
        return 1;
    watched_start(&set, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    watched_stop(&set);
    evs_registry_free(registry);
    return failed;
}
