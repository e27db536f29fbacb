/*
 * Ways to call for which a whole cluster is one thing: a batch that stops at a failure stops for
 * all nodes, and a context of hiredis, which leads to one node, is refused.
 */
#include "tests/support/nodes.h"
#include <evalshard/hiredis.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PRIMARIES = 3 };

static nodes set;
static evs_registry *registry;

static const char ADD[] = "--- Counts.\n-- @key k a counter\nreturn redis.call('INCR', KEYS[1])";
static const char FAIL[] = "--- Fails.\n-- @key k any\nerror('no')";

static evs_shardmap *make_map(void)
{
    char yaml[256];
    evs_error err;
    evs_shardmap *map;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\n"
                       "pools:\n  c:\n    cluster:\n      seeds: [\"127.0.0.1:%d\"]\n",
                       scratch_port(set.servers[0]));
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "t", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return map;
}

static evs_client *open_client(void)
{
    evs_error err;
    evs_client *client;
    evs_shardmap *map = make_map();
    if (evs_client_open(&client, map, registry, NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
    return client;
}

static void name_key(char out[32], const char *stem, int i)
{
    snprintf(out, 32, "%s:%d", stem, i);
}

static unsigned slot_of(const char *key)
{
    return (unsigned)nodes_number(&set, 0, "CLUSTER KEYSLOT %s", key);
}

static size_t node_of(const char *key)
{
    return nodes_owner(&set, 0, slot_of(key));
}

static void check_counts(const char *stem, int count, long long each)
{
    char key[32];
    for (int i = 0; i < count; i++) {
        name_key(key, stem, i);
        assert_int_equal(nodes_number(&set, node_of(key), "GET %s", key), each);
    }
}

static void add(evs_batch *batch, const char *script, const char *stem, int i)
{
    char name[32];
    evs_error err;
    name_key(name, stem, i);
    evs_bytes key = evs_text(name);
    evs_invocation call = {.script = script, .keys = &key, .nkeys = 1};
    if (evs_batch_add(batch, &call, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

/* A cluster is one shard here, too: what follows the failure is sent to no node. */
static void a_batch_stops_at_a_failure(void **state)
{
    (void)state;
    enum { BEFORE = 10 };
    evs_error err;
    evs_batch *batch;
    evs_client *client = open_client();
    evs_batch_options options = EVS_BATCH_OPTIONS_INIT;
    options.on_error = EVS_BATCH_STOP;
    assert_int_equal(evs_batch_new(&batch, client, &options, &err), EVS_OK);
    for (int i = 0; i < 3 * BEFORE; i++)
        add(batch, i == BEFORE ? "fail" : "add", "stops", i);
    assert_int_equal(evs_batch_run(batch, &err), EVS_OK);
    assert_int_equal(evs_batch_failures(batch), 2 * BEFORE);
    assert_int_equal(evs_batch_result(batch, BEFORE)->status, EVS_E_SCRIPT);
    for (size_t i = BEFORE + 1; i < 3 * BEFORE; i++) {
        char key[32];
        assert_int_equal(evs_batch_result(batch, i)->status, EVS_E_CANCELED);
        assert_int_equal(evs_batch_result(batch, i)->outcome, EVS_NOT_EXECUTED);
        name_key(key, "stops", (int)i);
        assert_int_equal(nodes_number(&set, node_of(key), "EXISTS %s", key), 0);
    }
    check_counts("stops", BEFORE, 1);
    evs_batch_free(batch);
    evs_client_free(client);
}

/* ---- contexts of hiredis ---- */

static struct redisContext *context_of(void *arg, size_t shard)
{
    (void)arg;
    (void)shard;
    return set.links[0];
}

static void a_context_is_no_cluster(void **state)
{
    (void)state;
    evs_error err;
    evs_reply *reply;
    evs_hiredis *scripts;
    evs_hiredis_options options = EVS_HIREDIS_OPTIONS_INIT;
    evs_shardmap *map = make_map();
    options.map = map;
    options.context = context_of;
    assert_int_equal(evs_hiredis_open(&scripts, registry, &options, &err), EVS_OK);
    evs_shardmap_free(map);

    evs_bytes key = evs_text("context"), args[] = {evs_text("GET"), evs_text("context")};
    evs_invocation call = {.script = "add", .keys = &key, .nkeys = 1};
    evs_plain_command cmd = {.args = args, .nargs = 2, .shard = "c"};
    assert_int_equal(evs_hiredis_call(&reply, scripts, &call, &err), EVS_E_INVALID);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "pool \"c\" is a cluster"));
    assert_int_equal(evs_hiredis_append_command(scripts, &cmd, &err), EVS_E_INVALID);
    assert_int_equal(evs_hiredis_multi(scripts, "c", &err), EVS_E_INVALID);
    assert_int_equal(evs_hiredis_pending(scripts), 0);
    evs_hiredis_free(scripts);
    assert_int_equal(nodes_number(&set, node_of("context"), "EXISTS context"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_stops_at_a_failure),
        cmocka_unit_test(a_context_is_no_cluster),
    };
    nodes_start(&set, PRIMARIES, 0);
    if (evs_registry_new(&registry, NULL, NULL) != EVS_OK ||
        evs_script_load(registry, "add", evs_text(ADD), NULL, NULL) != EVS_OK ||
        evs_script_load(registry, "fail", evs_text(FAIL), NULL, NULL) != EVS_OK)
        abort();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    evs_registry_free(registry);
    nodes_stop(&set);
    return failed;
}
