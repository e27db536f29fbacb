/*
 * Three real sentinels, a primary and two replicas: the primary is found, followed when it is
 * replaced, and never taken for granted. Every call is reported once, and none runs twice.
 */
#include "tests/support/watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static watched set;

typedef struct world {
    evs_shardmap *map;
    evs_registry *registry;
    evs_client *client;
    char log[16 * 1024];
} world;

static const char ADD[] = "--- Counts.\n-- @key k a counter\nreturn redis.call('INCR', KEYS[1])";

static void keep_log(void *arg, const evs_log_event *event)
{
    world *w = arg;
    size_t len = strlen(w->log);
    if (getenv("EVS_TEST_TALK") != NULL)
        fprintf(stderr, "LOG %s: %s\n", event->shard, event->message);
    snprintf(w->log + len, sizeof w->log - len, "%s: %s\n", event->shard, event->message);
}

static evs_shardmap *parse(const char *sentinels, const char *more)
{
    char yaml[2048];
    evs_error err;
    evs_shardmap *map = NULL;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 2s, command_timeout: 20s}\n%s"
                       "pools:\n  p:\n    on_no_keys: any\n    shards:\n"
                       "      a: {sentinel: eu, master_name: ledger-1}\n%s",
                       sentinels, more);
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return map;
}

static void open_world(world *w, const char *sentinels, const char *more,
                       const evs_client_options *given)
{
    evs_error err;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    if (given != NULL)
        options = *given;
    memset(w, 0, sizeof *w);
    options.log = keep_log;
    options.log_arg = w;
    w->map = parse(sentinels, more);
    assert_int_equal(evs_registry_new(&w->registry, NULL, &err), EVS_OK);
    assert_int_equal(evs_script_load(w->registry, "add", evs_text(ADD), NULL, &err), EVS_OK);
    assert_int_equal(evs_client_open(&w->client, w->map, w->registry, &options, &err), EVS_OK);
}

static void close_world(world *w)
{
    evs_client_free(w->client);
    evs_registry_free(w->registry);
    evs_shardmap_free(w->map);
}

static evs_client_stats stats_of(world *w)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, w->client);
    return stats;
}

static evs_status add(world *w, const char *key, int64_t *out, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes keys[] = {evs_text(key)};
    evs_invocation one = {.script = "add", .keys = keys, .nkeys = 1};
    evs_status status = evs_call(&reply, w->client, &one, err);
    *out = evs_reply_integer(reply);
    evs_reply_free(reply);
    return status;
}

static void add_one(world *w, const char *key, int64_t expected)
{
    int64_t now;
    evs_error err;
    if (add(w, key, &now, &err) != EVS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(now, expected);
}

static void the_primary_is_found(void **state)
{
    (void)state;
    world w;
    char group[512];
    open_world(&w, watched_group(&set, "", 0, group), "", NULL);
    add_one(&w, "{found}", 1);
    add_one(&w, "{found}", 2);
    assert_int_equal(watched_number(&set, watched_primary(&set, 0), "GET {found}"), 2);
    assert_int_equal(stats_of(&w).switches, 0);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_primary_is_found),
    };
    watched_start(&set, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    watched_stop(&set);
    return failed;
}
