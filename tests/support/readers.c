#include "tests/support/readers.h"

#include "tests/support/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

readers_stage readers;

static const struct {
    const char *name, *source;
} scripts[] = {
    {"set", "--- Writes.\n-- @key k a string\n-- @arg v its value\n"
            "return redis.call('SET', KEYS[1], ARGV[1])"},
    {"get", "--- Reads.\n-- @key k a string\n-- @retry read_only\n"
            "return redis.call('GET', KEYS[1])"},
    {"plain_get", "--- Reads, and does not say so.\n-- @key k a string\n"
                  "return redis.call('GET', KEYS[1])"},
    {"flagged", "#!lua flags=allow-oom\n--- Reads, for all that the server knows "
                "it may write.\n-- @key k a string\n-- @retry read_only\n"
                "return redis.call('GET', KEYS[1])"},
};

/* ---- keys ---- */

const char *readers_key(int i)
{
    static char key[32];
    snprintf(key, sizeof key, "key:%d", i);
    return key;
}

size_t readers_home(const char *key)
{
    unsigned slot = (unsigned)nodes_number(&readers.set, 1, "CLUSTER KEYSLOT %s", key);
    return nodes_owner(&readers.set, 1, slot);
}

const char *readers_key_at(size_t primary)
{
    for (int i = 0;; i++)
        if (readers_home(readers_key(i)) == primary)
            return readers_key(i);
}

void readers_fill(size_t primaries)
{
    for (int i = 0; i < READERS_KEYS; i++) {
        const char *key = readers_key(i);
        nodes_do(&readers.set, readers_home(key), "SET %s %s", key, key);
    }
    for (size_t i = 0; i < primaries; i++)
        if (nodes_number(&readers.set, i, "WAIT 1 60000") < 1)
            scene_die("replica", "does not follow");
}

/* ---- the stage ---- */

static void load_scripts(void)
{
    evs_error err;
    if (evs_registry_new(&readers.registry, NULL, NULL) != EVS_OK)
        scene_die("registry", "cannot be made");
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
        if (evs_script_load(readers.registry, scripts[i].name, evs_text(scripts[i].source), NULL,
                            &err) != EVS_OK)
            scene_die(scripts[i].name, err.message);
}

void readers_start(size_t primaries, size_t replicas, const scratch_options *how)
{
    nodes_start_with(&readers.set, primaries, replicas, how);
    load_scripts();
    readers_fill(primaries);
    for (size_t i = primaries; i < primaries + replicas; i++)
        nodes_await_replica(&readers.set, i);
}

void readers_stop(void)
{
    evs_registry_free(readers.registry);
    nodes_stop(&readers.set);
}

/* ---- clients ---- */

evs_shardmap *readers_map(const char *rule)
{
    char yaml[2048];
    evs_error err;
    evs_shardmap *map;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s, "
                       "script_timeout: 30s}\n"
                       "pools:\n  c:\n    cluster: {seeds: [\"127.0.0.1:%d\"], refresh: 10m}\n"
                       "    read_from: %s\n",
                       scratch_port(readers.set.servers[1]), rule);
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return map;
}

evs_client *readers_open(const char *rule, const evs_client_options *options)
{
    evs_error err;
    evs_client *client = NULL;
    evs_shardmap *map = readers_map(rule);
    evs_status status = evs_client_open(&client, map, readers.registry, options, &err);
    evs_shardmap_free(map);
    if (status != EVS_OK)
        fail_msg("%s", err.message);
    return client;
}

evs_status readers_try(evs_client *client, const char *script, const char *key, unsigned timeout_ms,
                       evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes keys = evs_text(key);
    evs_invocation one = {.script = script, .keys = &keys, .nkeys = 1, .timeout_ms = timeout_ms};
    evs_status status = evs_call(&reply, client, &one, err);
    if (status == EVS_OK) {
        evs_bytes text = evs_reply_bytes(reply);
        assert_int_equal(text.len, strlen(key));
        assert_memory_equal(text.data, key, text.len);
    }
    evs_reply_free(reply);
    return status;
}

void readers_read(evs_client *client, const char *script, const char *key)
{
    evs_error err;
    if (readers_try(client, script, key, 0, &err) != EVS_OK)
        fail_msg("%s: %s", key, err.message);
}

long readers_ran(size_t from, size_t to, const char *command)
{
    long sum = 0;
    for (size_t i = from; i < to; i++)
        sum += nodes_ran(&readers.set, i, command);
    return sum;
}
