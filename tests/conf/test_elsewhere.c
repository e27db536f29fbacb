/* A map of other servers that are reached as a shard of a map is. */
#include "core/mem.h"
#include "sharding/shardmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

static const char MAP[] = "evalshard: 1\n"
                          "name: shop\n"
                          "pools:\n"
                          "  catalog:\n"
                          "    cluster: {seeds: [\"one:1\", \"[::1]:2\"]}\n"
                          "    tls: {verify: ca, server_name: db.example}\n"
                          "    auth: {username: app, password_env: EVS_TEST_SECRET}\n"
                          "    command_timeout: 7s\n";

static evs_shardmap *load(void)
{
    evs_shardmap *map;
    evs_error err;
    setenv("EVS_TEST_SECRET", "s3cret!", 1);
    if (evs_shardmap_parse(&map, evs_text(MAP), "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return map;
}

static void login_and_times_are_those_of_the_shard(void **state)
{
    (void)state;
    size_t shard;
    evs_shard_info info;
    evs_shardmap *map = load(), *nodes;
    assert_int_equal(evs_shardmap_elsewhere(&nodes, map, 0, "10.0.0.7:7000,[::1]:2", NULL), EVS_OK);
    evs_shardmap_free(map); /* the two live apart */

    assert_int_equal(evs_shardmap_count(nodes), 2);
    assert_int_equal(evs_shardmap_find(&shard, nodes, "catalog/2", NULL), EVS_OK);
    assert_int_equal(evs_shardmap_shard(&info, nodes, shard, NULL), EVS_OK);
    assert_string_equal(info.address, "[::1]:2");
    const evs__login *login = &nodes->shards[1].login;
    assert_string_equal(login->endpoint.host, "::1");
    assert_int_equal(login->endpoint.port, 2);
    assert_string_equal(login->name, "catalog");
    assert_string_equal(login->username, "app");
    assert_string_equal(login->password, "s3cret!");
    assert_string_equal(login->source->from, "EVS_TEST_SECRET");
    assert_string_equal(login->tls->server_name, "db.example");
    assert_int_equal(login->tls->verify, EVS__VERIFY_CA);
    assert_int_equal(nodes->shards[1].command_timeout_ms, 7000);
    assert_null(nodes->pools[0].cluster);
    evs_shardmap_free(nodes);
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "a", "a:1,", "a:1,,b:2", "a:99999", "user@a:1"};
    evs_shardmap *map = load(), *nodes = map;
    evs_error err;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(evs_shardmap_elsewhere(&nodes, map, 0, wrong[i], &err), EVS_E_CONFIG);
    assert_int_equal(evs_shardmap_elsewhere(&nodes, map, 1, "a:1", &err), EVS_E_INVALID);
    assert_ptr_equal(nodes, map);
    evs_shardmap_free(map);
}

static void a_failing_allocation_is_a_status(void **state)
{
    (void)state;
    evs_status status;
    size_t n = 0;
    do {
        evs_shardmap *map = load(), *nodes = NULL;
        evs_error err = {0};
        evs__mem_fail_at(++n);
        status = evs_shardmap_elsewhere(&nodes, map, 0, "a:1,b:2,c:3", &err);
        evs__mem_fail_at(0);
        assert_int_equal(status == EVS_OK, nodes != NULL);
        evs_shardmap_free(nodes);
        evs_shardmap_free(map);
    } while (status == EVS_E_NOMEM && n < 1000);
    assert_int_equal(status, EVS_OK);
    assert_in_range(n, 5, 999);
}

static const char WATCHED[] = "evalshard: 1\n"
                              "sentinels:\n"
                              "  eu:\n"
                              "    addresses: [\"one:1\", \"[::1]:2\"]\n"
                              "    auth: {username: looker, password_env: EVS_TEST_SECRET}\n"
                              "    tls: {verify: ca}\n"
                              "pools:\n"
                              "  ledger:\n"
                              "    auth: {password_env: EVS_TEST_OTHER}\n"
                              "    command_timeout: 7s\n"
                              "    connect_timeout: 8s\n"
                              "    shards:\n"
                              "      a: {sentinel: eu, master_name: m}\n"
                              "      b: c:3\n";

static void sentinels_are_reached_by_the_login_of_their_group(void **state)
{
    (void)state;
    size_t shard;
    evs_error err;
    evs_shard_info info;
    evs_shardmap *map, *sentinels = NULL;
    setenv("EVS_TEST_SECRET", "s3cret!", 1);
    setenv("EVS_TEST_OTHER", "an0ther", 1);
    if (evs_shardmap_parse(&map, evs_text(WATCHED), "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(evs_shardmap_sentinels(&sentinels, map, 1, &err), EVS_E_INVALID);
    assert_non_null(strstr(err.message, "no sentinels watch shard \"b\""));
    assert_int_equal(evs_shardmap_sentinels(&sentinels, map, 2, &err), EVS_E_INVALID);
    assert_null(sentinels);
    assert_int_equal(evs_shardmap_sentinels(&sentinels, map, 0, &err), EVS_OK);
    assert_int_equal(map->shards[0].sentinel->hosts[0].connect_timeout_ms, 500);
    evs_shardmap_free(map); /* the two live apart */

    assert_int_equal(evs_shardmap_count(sentinels), 2);
    assert_int_equal(evs_shardmap_find(&shard, sentinels, "eu/2", NULL), EVS_OK);
    assert_int_equal(evs_shardmap_shard(&info, sentinels, shard, NULL), EVS_OK);
    assert_string_equal(info.address, "[::1]:2");
    const evs__login *login = &sentinels->shards[shard].login;
    assert_string_equal(login->noun, "sentinel of");
    assert_string_equal(login->name, "eu");
    assert_string_equal(login->username, "looker");
    assert_string_equal(login->password, "s3cret!");
    assert_int_equal(login->tls->verify, EVS__VERIFY_CA);
    assert_int_equal(login->primary, 0);
    assert_int_equal(login->connect_timeout_ms, 8000);
    assert_int_equal(sentinels->shards[shard].command_timeout_ms, 7000);
    evs_shardmap_free(sentinels);
}

static void a_map_of_sentinels_survives_a_lack_of_memory(void **state)
{
    (void)state;
    evs_error err;
    evs_shardmap *map, *sentinels = NULL;
    setenv("EVS_TEST_SECRET", "s3cret!", 1);
    setenv("EVS_TEST_OTHER", "an0ther", 1);
    assert_int_equal(evs_shardmap_parse(&map, evs_text(WATCHED), "t", NULL, &err), EVS_OK);
    evs_status status = EVS_E_NOMEM;
    for (size_t n = 1; status != EVS_OK; n++) {
        evs__mem_fail_at(n);
        status = evs_shardmap_sentinels(&sentinels, map, 0, &err);
        evs__mem_fail_at(0);
        assert_true(status == EVS_OK || status == EVS_E_NOMEM);
    }
    evs_shardmap_free(sentinels);
    evs_shardmap_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(login_and_times_are_those_of_the_shard),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_failing_allocation_is_a_status),
        cmocka_unit_test(sentinels_are_reached_by_the_login_of_their_group),
        cmocka_unit_test(a_map_of_sentinels_survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
