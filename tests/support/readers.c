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

/* ---- keys ---- */

size_t readers_home(const char *key)
{
    unsigned slot = (unsigned)nodes_number(&readers.set, 1, "CLUSTER KEYSLOT %s", key);
    return nodes_owner(&readers.set, 1, slot);
}

const char *readers_key_at(size_t primary)
{
    for (int i = 0;; i++)
        if (readers_home(reading_key(i)) == primary)
            return reading_key(i);
}

void readers_fill(size_t primaries)
{
    for (int i = 0; i < READERS_KEYS; i++) {
        const char *key = reading_key(i);
        nodes_do(&readers.set, readers_home(key), "SET %s %s", key, key);
    }
    for (size_t i = 0; i < primaries; i++)
        if (nodes_number(&readers.set, i, "WAIT 1 60000") < 1)
            scene_die("replica", "does not follow");
}

/* ---- the stage ---- */

void readers_start(size_t primaries, size_t replicas, const scratch_options *how)
{
    nodes_start_with(&readers.set, primaries, replicas, how);
    readers.registry = reading_scripts();
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

long readers_ran(size_t from, size_t to, const char *command)
{
    long sum = 0;
    for (size_t i = from; i < to; i++)
        sum += nodes_ran(&readers.set, i, command);
    return sum;
}
