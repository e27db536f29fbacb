/* The maps that ship as examples load and mean what their comments say. */
#include "sharding/shardmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#define EXAMPLE(name) EVS_TEST_SOURCE_DIR "/conf/examples/" name

static evs_shardmap *load(const char *path)
{
    evs_shardmap *map = NULL;
    evs_diagnostics *diags = NULL;
    evs_error err;
    if (evs_shardmap_load(&map, path, &diags, &err) != EVS_OK)
        fail_msg("%s", evs_diagnostics_text(diags));
    assert_string_equal(evs_diagnostics_text(diags), "");
    evs_diagnostics_free(diags);
    return map;
}

static const evs__shard *shard(const evs_shardmap *map, const char *name)
{
    size_t number;
    assert_int_equal(evs_shardmap_find(&number, map, name, NULL), EVS_OK);
    return &map->shards[number];
}

static void the_plain_map_has_three_equal_shards(void **state)
{
    (void)state;
    evs_shardmap *map = load(EXAMPLE("plain.yaml"));
    assert_string_equal(evs_shardmap_name(map), "plain");
    assert_int_equal(evs_shardmap_count(map), 3);
    assert_int_equal(evs_shardmap_pool_count(map), 1);
    assert_string_equal(map->pools[0].name, "default");
    const evs__shard *c = shard(map, "users-c");
    assert_string_equal(c->login.endpoint.text, "[2001:db8::3]:6379");
    assert_string_equal(c->login.endpoint.host, "2001:db8::3");
    assert_int_equal(c->login.endpoint.port, 6379);
    assert_int_equal(c->weight, 1);
    assert_int_equal(c->login.connect_timeout_ms, 500);
    assert_int_equal(c->command_timeout_ms, 1000);
    assert_int_equal(c->script_timeout_ms, 1000);
    assert_string_equal(c->login.client_name, "evalshard");
    assert_null(c->login.password);
    evs_shardmap_free(map);
}

static void the_weighted_map_has_its_own_settings(void **state)
{
    (void)state;
    evs_shardmap *map = load(EXAMPLE("weighted.yaml"));
    evs_shard_info info;
    assert_string_equal(evs_shardmap_name(map), "carts");
    assert_int_equal(evs_shardmap_generation(map), 7);
    assert_int_equal(evs_shardmap_shard(&info, map, 0, NULL), EVS_OK);
    assert_string_equal(info.name, "carts-big");
    assert_string_equal(info.note, "96 GiB, rack 4");
    assert_int_equal(info.weight, 3);
    const evs__shard *small = shard(map, "carts-small");
    assert_string_equal(small->ring_name, "carts-old");
    assert_int_equal(small->script_timeout_ms, 5000);
    assert_int_equal(small->login.connect_timeout_ms, 300);
    assert_string_equal(small->login.client_name, "shop");
    assert_int_equal(map->pools[0].no_keys, EVS__NO_KEYS_ANY);
    assert_int_equal(map->pools[0].audit, EVS__POOL_AUDIT_DENY);
    assert_int_equal(map->pools[0].same_tag, EVS__SAME_TAG_ERROR);
    evs_shardmap_free(map);
}

static void check_route(const evs_shardmap *map, const char *key, const char *pool, const char *tag)
{
    evs_route route;
    evs_shard_info info;
    assert_int_equal(evs_shardmap_route(&route, map, evs_text(key), NULL), EVS_OK);
    assert_int_equal(evs_shardmap_shard(&info, map, route.shard, NULL), EVS_OK);
    assert_string_equal(info.pool, pool);
    assert_int_equal(route.tag.len, strlen(tag));
    assert_memory_equal(route.tag.data, tag, route.tag.len);
}

static void the_map_of_pools_routes_by_prefix_and_has_passwords(void **state)
{
    (void)state;
    setenv("EVALSHARD_PASSWORD", "first secret", 1);
    setenv("CARTS_2_PASSWORD", "second secret", 1);
    evs_shardmap *map = load(EXAMPLE("pools.yaml"));
    unsetenv("EVALSHARD_PASSWORD");
    unsetenv("CARTS_2_PASSWORD");
    assert_int_equal(evs_shardmap_pool_count(map), 3);

    check_route(map, "user:{7}", "users", "7");
    check_route(map, "user:cart:[7]:x", "carts", "7");
    check_route(map, "cart:{7}", "carts", "cart:{7}");
    check_route(map, "usr", "misc", "usr");

    assert_string_equal(shard(map, "users-1")->login.username, "evalshard");
    assert_string_equal(shard(map, "users-1")->login.password, "first secret");
    assert_string_equal(shard(map, "carts-2")->login.username, "carts");
    assert_string_equal(shard(map, "carts-2")->login.password, "second secret");
    assert_int_equal(shard(map, "carts-2")->login.db, 2);
    assert_int_equal(map->pools[1].no_keys, EVS__NO_KEYS_SHARD);
    assert_ptr_equal(&map->shards[map->pools[1].no_keys_shard], shard(map, "carts-1"));
    assert_string_equal(shard(map, "misc-1")->login.endpoint.path, "/run/redis/misc.sock");
    assert_null(shard(map, "misc-1")->login.endpoint.host);
    assert_int_equal(shard(map, "misc-1")->command_timeout_ms, 200);
    evs_shardmap_free(map);
}

static void the_cluster_is_one_shard_with_seeds(void **state)
{
    (void)state;
    evs_shardmap *map = load(EXAMPLE("cluster.yaml"));
    const evs__pool *pool = &map->pools[0];
    assert_int_equal(evs_shardmap_count(map), 1);
    assert_string_equal(shard(map, "catalog")->login.endpoint.text,
                        "valkey-1.prod:6379,valkey-2.prod:6379,[2001:db8::7]:6379");
    assert_int_equal(shard(map, "catalog")->script_timeout_ms, 2000);
    assert_int_equal(pool->audit, EVS__POOL_AUDIT_DENY);
    assert_int_equal(pool->no_keys, EVS__NO_KEYS_ANY);
    assert_int_equal(pool->cluster->nseeds, 3);
    assert_string_equal(pool->cluster->seeds[2].host, "2001:db8::7");
    assert_int_equal(pool->cluster->refresh_ms, 60000);
    assert_int_equal(pool->cluster->max_redirects, 5);
    assert_int_equal(pool->cluster->tryagain_backoff_ms, 20);
    assert_int_equal(pool->cluster->asks, EVS__ASKS_AUTO);
    assert_false(pool->cluster->allow_partial);
    evs_shardmap_free(map);
}

static void sentinels_know_where_shards_are(void **state)
{
    (void)state;
    setenv("EVALSHARD_PASSWORD", "of servers", 1);
    setenv("LEDGER_3_PASSWORD", "of one", 1);
    setenv("EVALSHARD_SENTINEL_PASSWORD", "of sentinels", 1);
    evs_shardmap *map = load(EXAMPLE("sentinel.yaml"));
    unsetenv("EVALSHARD_PASSWORD");
    unsetenv("LEDGER_3_PASSWORD");
    unsetenv("EVALSHARD_SENTINEL_PASSWORD");
    const evs__shard *first = shard(map, "ledger-1"), *third = shard(map, "ledger-3");
    const evs__sentinel_plan *plan = first->sentinel;
    assert_string_equal(first->login.endpoint.text, "sentinel:eu-west/ledger-1");
    assert_null(first->login.endpoint.host);
    assert_null(first->login.endpoint.path);
    assert_int_equal(first->login.primary, 1);
    assert_int_equal(first->login.link.waits, 1);
    assert_string_equal(first->master_name, "ledger-1");
    assert_string_equal(first->login.password, "of servers");
    assert_string_equal(third->login.password, "of one");
    assert_ptr_equal(plan, third->sentinel);
    assert_string_equal(plan->name, "eu-west");
    assert_int_equal(plan->nhosts, 3);
    assert_int_equal(plan->refresh_ms, 10000);
    assert_int_equal(plan->quorum_reads, 2);
    assert_string_equal(plan->hosts[2].endpoint.host, "sentinel-3.eu");
    assert_int_equal(plan->hosts[2].endpoint.port, 26379);
    assert_string_equal(plan->hosts[2].password, "of sentinels");
    assert_null(plan->hosts[2].username);
    assert_null(plan->hosts[2].tls);
    evs_shardmap_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plain_map_has_three_equal_shards),
        cmocka_unit_test(the_weighted_map_has_its_own_settings),
        cmocka_unit_test(the_map_of_pools_routes_by_prefix_and_has_passwords),
        cmocka_unit_test(the_cluster_is_one_shard_with_seeds),
        cmocka_unit_test(sentinels_know_where_shards_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
