/*
 * Memory runs out while sentinels are asked where a primary is, and while it is followed: at every
 * allocation in turn. What is said of the call is true by the primary's own count, and the client
 * works when there is memory again.
 */
#include "core/mem.h"
#include "tests/support/watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <unistd.h>

enum { SHORT_MS = 50, LONG_MS = 60000, AT_MOST = 400 };

static struct {
    watched set;
    evs_shardmap *map;
    evs_registry *registry;
    unsigned serial;
} world;

typedef void fail_fn(size_t n);
static fail_fn *const lacks[] = {evs__mem_fail_once_at, evs__mem_fail_at};

static evs_status call(evs_client *client, const char *text, unsigned timeout_ms, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes key = evs_text(text);
    evs_invocation one = {.script = "count", .keys = &key, .nkeys = 1, .timeout_ms = timeout_ms};
    err->outcome = EVS_EXECUTED;
    evs_status status = evs_call(&reply, client, &one, err);
    evs_reply_free(reply);
    return status;
}

static long long times_run(const char *key)
{
    char command[64];
    snprintf(command, sizeof command, "GET %s", key);
    return watched_number(&world.set, 0, command);
}

/* A connection that memory lacked for is tried again after a pause. */
static void works(evs_client *client)
{
    evs_error err;
    evs_status status = EVS_E_NOMEM;
    for (int i = 0; status != EVS_OK && i < 10000; i++) {
        status = call(client, "works", LONG_MS, &err);
        if (status != EVS_OK && status != EVS_E_NOMEM)
            fail_msg("%s", err.message);
        usleep(status == EVS_OK ? 0 : 1000);
    }
    assert_int_equal(status, EVS_OK);
}

/* 0 when the n-th allocation was not even asked for. */
static int lack_at(int threaded, fail_fn *lack, size_t n, size_t said[3])
{
    char key[32];
    evs_error err;
    evs_client *client;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = threaded;
    assert_int_equal(evs_client_open(&client, world.map, world.registry, &options, NULL), EVS_OK);
    snprintf(key, sizeof key, "k%u", world.serial++);
    lack(n);
    evs_status status = call(client, key, SHORT_MS, &err);
    size_t count = evs__mem_count();
    evs__mem_fail_at(0);
    long long ran = times_run(key);
    if (ran > 1 || (status == EVS_OK && ran != 1) || (err.outcome == EVS_NOT_EXECUTED && ran > 0))
        fail_msg("allocation %zu: %s, %s, ran %lld times", n, evs_status_name(status),
                 evs_outcome_text(err.outcome), ran);
    said[err.outcome]++;
    works(client);
    evs_client_free(client);
    return count >= n;
}

static void finding_a_primary_survives_a_lack_of_memory(void **state)
{
    (void)state;
    for (int threaded = 0; threaded < 2; threaded++) {
        size_t said[3] = {0}, tried = 0;
        for (size_t l = 0; l < sizeof lacks / sizeof lacks[0]; l++)
            for (size_t n = 1; n < AT_MOST && lack_at(threaded, lacks[l], n, said); n++)
                tried++;
        print_message("%zu allocations failed; NOT %zu, EXECUTED %zu, MAYBE %zu\n", tried,
                      said[EVS_NOT_EXECUTED], said[EVS_EXECUTED], said[EVS_MAYBE_EXECUTED]);
        assert_true(tried > 0);
    }
}

static int set_up(void **state)
{
    (void)state;
    char yaml[2048], group[512];
    evs_error err;
    watched_start(&world.set, NULL);
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s, "
                       "retry: {backoff: 1ms}}\n%s"
                       "pools:\n  p:\n    shards:\n"
                       "      a: {sentinel: eu, master_name: ledger-1}\n",
                       watched_group(&world.set, "", 0, group));
    if (evs_shardmap_parse(&world.map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) !=
            EVS_OK ||
        evs_registry_new(&world.registry, NULL, &err) != EVS_OK ||
        evs_script_load(world.registry, "count",
                        evs_text("redis.call('INCR', KEYS[1]) return 'done'"), NULL,
                        &err) != EVS_OK) {
        print_error("%s\n", err.message);
        return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    evs_registry_free(world.registry);
    evs_shardmap_free(world.map);
    watched_stop(&world.set);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finding_a_primary_survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
