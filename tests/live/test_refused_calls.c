/*
 * What a client refuses, or reports without giving up: each kind of trouble has its own status and
 * a message that names script, key and shard, and the client stays usable.
 */
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void keys_on_two_shards_are_refused_by_name(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    evs_reply *reply;
    char first[32], second[32];
    shards_start(&set, 2, NULL);
    shards_script(&set, "two", "return redis.call('MGET', KEYS[1], KEYS[2])");
    evs_bytes keys[] = {evs_text(shards_key(&set, 0, first)),
                        evs_text(shards_key(&set, 1, second))};
    evs_invocation call = {.script = "two", .keys = keys, .nkeys = 2};
    assert_int_equal(evs_call(&reply, set.client, &call, &err), EVS_E_CROSS_SHARD);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, first));
    assert_non_null(strstr(err.message, second));
    assert_non_null(strstr(err.message, "s0"));
    assert_non_null(strstr(err.message, "s1"));
    assert_int_equal(shards_info(&set, 0, "commandstats", "cmdstat_evalsha:calls="), 0);
    shards_stop(&set);
}

static void bad_input_has_a_status_each_and_leaves_the_client_usable(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    evs_reply *reply;
    shards_start(&set, 2, NULL);
    shards_script(&set, "get", "--- Gets.\n-- @key k a string\nreturn redis.call('GET', KEYS[1])");
    evs_bytes keys[] = {evs_text("a"), evs_text("b")};

    evs_invocation unknown = {.script = "got", .keys = keys, .nkeys = 1};
    assert_int_equal(evs_call(&reply, set.client, &unknown, &err), EVS_E_NO_SCRIPT);
    assert_non_null(strstr(err.message, "\"get\""));
    evs_invocation arity = {.script = "get", .keys = keys, .nkeys = 2};
    assert_int_equal(evs_call(&reply, set.client, &arity, &err), EVS_E_ARITY);
    assert_non_null(strstr(err.message, "get"));
    shards_script(&set, "none", "return 1");
    evs_invocation none = {.script = "none"};
    assert_int_equal(evs_call(&reply, set.client, &none, &err), EVS_E_NO_KEYS);
    none.shard = "s9";
    assert_int_equal(evs_call(&reply, set.client, &none, &err), EVS_E_INVALID);
    none.shard = "s1";
    assert_int_equal(evs_call(&reply, set.client, &none, &err), EVS_OK);
    evs_reply_free(reply);
    evs_invocation foreign = {.keys = keys, .nkeys = 1};
    evs_registry *other;
    assert_int_equal(evs_registry_new(&other, NULL, &err), EVS_OK);
    assert_int_equal(evs_script_load(other, "get", evs_text("return 1"), NULL, &err), EVS_OK);
    foreign.handle = evs_script_find(other, "get");
    assert_int_equal(evs_call(&reply, set.client, &foreign, &err), EVS_E_INVALID);
    evs_registry_free(other);
    foreign.handle = evs_script_find(set.registry, "get");
    assert_int_equal(evs_submit(set.client, &foreign, NULL, NULL, &err), EVS_E_INVALID);
    evs_invocation nothing = {.keys = keys, .nkeys = 1};
    assert_int_equal(evs_call(&reply, set.client, &nothing, &err), EVS_E_INVALID);

    evs_invocation good = {.script = "get", .keys = keys, .nkeys = 1};
    assert_int_equal(evs_call(&reply, set.client, &good, &err), EVS_OK);
    assert_int_equal(evs_reply_kind(reply), EVS_REPLY_NIL);
    evs_reply_free(reply);
    shards_stop(&set);
}

/* One shard wants a password, one is not there, and keys that begin with "x" have no route. */
static evs_shardmap *troubled_map(const char *socket, const char *folder)
{
    char yaml[1024];
    evs_shardmap *map;
    evs_error err;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\n"
                       "pools:\n"
                       "  locked: {shards: {locked-1: \"unix:%s\"}, auth: {password: wrong}}\n"
                       "  absent: {shards: {absent-1: \"unix:%s/nobody\"}}\n"
                       "routes:\n"
                       "  - {prefix: \"l:\", pool: locked}\n"
                       "  - {prefix: \"a:\", pool: absent}\n",
                       socket, folder);
    evs_bytes text = {yaml, (size_t)len};
    assert_int_equal(evs_shardmap_parse(&map, text, "test.yaml", NULL, &err), EVS_OK);
    return map;
}

static void trouble_names_script_key_and_shard(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        evs_status status;
        const char *shard;
    } rows[] = {
        {"l:1", EVS_E_AUTH, "locked-1"},
        {"a:1", EVS_E_CONNECT, "absent-1"},
        {"x:1", EVS_E_NO_ROUTE, ""},
    };
    shards set;
    evs_error err;
    evs_client *client;
    shards_start(&set, 1, NULL);
    shards_script(&set, "get", "return redis.call('GET', KEYS[1])");
    shards_do(&set, 0, "CONFIG SET requirepass right");
    evs_shardmap *map = troubled_map(scratch_socket(set.servers[0]), scratch_folder(set.area));
    assert_int_equal(evs_client_open(&client, map, set.registry, NULL, &err), EVS_OK);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        evs_reply *reply;
        evs_bytes key = evs_text(rows[i].key);
        evs_invocation call = {.script = "get", .keys = &key, .nkeys = 1};
        assert_int_equal(evs_call(&reply, client, &call, &err), rows[i].status);
        assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
        assert_non_null(strstr(err.message, rows[i].key));
        assert_non_null(strstr(err.message, rows[i].shard));
        assert_non_null(strstr(err.message, "script get"));
        assert_string_equal(err.shard, rows[i].shard);
        assert_null(strstr(err.message, "wrong\""));
    }
    evs_client_free(client);
    evs_shardmap_free(map);
    shards_stop(&set);
}

static void a_reply_over_a_limit_is_told_and_skipped(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    evs_reply *reply;
    shards_start(&set, 1, NULL);
    evs_client_free(set.client);
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_reply_bytes = 4096;
    options.max_reply_depth = 3;
    assert_int_equal(evs_client_open(&set.client, set.map, set.registry, &options, &err), EVS_OK);
    shards_script(&set, "big", "return string.rep('x', tonumber(ARGV[1]))");
    shards_script(&set, "deep", "return {{{{1}}}}");
    evs_bytes key = evs_text("k"), size = evs_text("100000");
    evs_invocation big = {.script = "big", .keys = &key, .nkeys = 1, .args = &size, .nargs = 1};
    assert_int_equal(evs_call(&reply, set.client, &big, &err), EVS_E_REPLY_TOO_BIG);
    assert_int_equal(err.outcome, EVS_EXECUTED);
    assert_non_null(strstr(err.message, "big"));
    evs_invocation deep = {.script = "deep", .keys = &key, .nkeys = 1};
    assert_int_equal(evs_call(&reply, set.client, &deep, &err), EVS_E_REPLY_TOO_DEEP);
    size = evs_text("100");
    assert_int_equal(evs_call(&reply, set.client, &big, &err), EVS_OK);
    assert_int_equal(evs_reply_bytes(reply).len, 100);
    evs_reply_free(reply);
    evs_client_stats stats;
    evs_client_stats_get(&stats, set.client);
    assert_int_equal(stats.connects, 1);
    shards_stop(&set);
}

static void a_pool_that_denies_refuses_undeclared_keys(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    evs_reply *reply;
    shards_start(&set, 1, "    audit: deny\n");
    shards_script(&set, "bad", "return redis.call('GET', ARGV[1])");
    evs_bytes key = evs_text("k"), arg = evs_text("other");
    evs_invocation call = {.script = "bad", .keys = &key, .nkeys = 1, .args = &arg, .nargs = 1};
    assert_int_equal(evs_call(&reply, set.client, &call, &err), EVS_E_AUDIT);
    assert_non_null(strstr(err.message, "ES102"));
    assert_int_equal(shards_info(&set, 0, "commandstats", "cmdstat_evalsha:calls="), 0);
    shards_stop(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_on_two_shards_are_refused_by_name),
        cmocka_unit_test(bad_input_has_a_status_each_and_leaves_the_client_usable),
        cmocka_unit_test(trouble_names_script_key_and_shard),
        cmocka_unit_test(a_reply_over_a_limit_is_told_and_skipped),
        cmocka_unit_test(a_pool_that_denies_refuses_undeclared_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
