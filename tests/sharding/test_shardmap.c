/* A map's life, what it says of its shards, and finding them by name. */
#include "core/mem.h"
#include "tests/support/a_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const a_shard shards[] = {
    {"users", "a", 1, 0, NULL},   {"users", "b", 2, 0, "b-old"}, {"users", "users-c", 1, 0, NULL},
    {"carts", "a", 1, 3, NULL},   {"carts", "z", 1, 0, NULL},    {"misc", "a", 1, 0, NULL},
    {"misc", "only", 1, 0, NULL},
};
static const a_route routes[] = {{"u", "users"}, {"", "misc"}, {"u:c", "carts"}};

static evs_shardmap *make(void)
{
    return a_sealed_map(shards, 7, routes, 3);
}

static void shards_are_numbered_over_all_pools(void **state)
{
    (void)state;
    evs_shardmap *map = make();
    evs_shard_info info;
    evs_error err;
    assert_int_equal(evs_shardmap_count(map), 7);
    assert_int_equal(evs_shardmap_pool_count(map), 3);
    assert_string_equal(evs_shardmap_name(map), "test");
    assert_int_equal(evs_shardmap_shard(&info, map, 3, &err), EVS_OK);
    assert_string_equal(info.name, "a");
    assert_string_equal(info.pool, "carts");
    assert_string_equal(info.address, "host:4");
    assert_string_equal(info.note, "");
    assert_int_equal(info.weight, 1);
    assert_int_equal(info.db, 3);
    assert_string_equal(info.read_from, "primary");
    assert_int_equal(evs_shardmap_shard(&info, map, 7, &err), EVS_E_INVALID);
    assert_string_equal(err.message, "there is no shard number 7: the map has 7");
    evs_shardmap_free(map);
}

typedef struct find_case {
    const char *name;
    int number;          /* -1: not found */
    const char *message; /* of the error */
} find_case;

static void shards_are_found_by_name(void **state)
{
    (void)state;
    static const find_case cases[] = {
        {"b", 1, NULL},
        {"users-c", 2, NULL},
        {"z", 4, NULL},
        {"only", 6, NULL},
        {"users/a", 0, NULL},
        {"carts/a", 3, NULL},
        {"misc/a", 5, NULL},
        {"misc/only", 6, NULL},
        {"a", -1, "several pools have a shard \"a\"; write \"users/a\" or the like"},
        {"nope", -1, "there is no shard \"nope\" in the map"},
        {"user-c", -1, "there is no shard \"user-c\" in the map; the nearest is \"users-c\""},
        {"carts/b", -1, "there is no shard \"carts/b\" in the map"},
        {"nope/a", -1, "there is no shard \"nope/a\" in the map"},
        {"", -1, "there is no shard \"\" in the map"},
        {"/a", -1, "there is no shard \"/a\" in the map"},
        {NULL, -1, "the name of a shard is NULL"},
    };
    evs_shardmap *map = make();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t number = 99;
        evs_error err = {0};
        evs_status status = evs_shardmap_find(&number, map, cases[i].name, &err);
        if (cases[i].number < 0) {
            assert_int_equal(status, EVS_E_INVALID);
            assert_string_equal(err.message, cases[i].message);
            assert_int_equal(number, 99);
        } else {
            assert_int_equal(status, EVS_OK);
            assert_int_equal(number, cases[i].number);
        }
    }
    evs_shardmap_free(map);
}

static void a_map_lives_until_its_last_holder_lets_go(void **state)
{
    (void)state;
    evs_shardmap *map = make();
    assert_ptr_equal(evs_shardmap_ref(map), map);
    evs_shardmap_free(map);
    assert_int_equal(evs_shardmap_count(map), 7);
    evs_shardmap_free(map);
    evs_shardmap_free(NULL);
    assert_null(evs_shardmap_ref(NULL));
}

static void routes_are_sorted_with_the_longest_first(void **state)
{
    (void)state;
    evs_shardmap *map = make();
    assert_int_equal(map->routes[0].prefix.len, 3);
    assert_int_equal(map->routes[1].prefix.len, 1);
    assert_int_equal(map->routes[2].prefix.len, 0);
    evs_shardmap_free(map);
}

static void sealing_survives_every_failing_allocation(void **state)
{
    (void)state;
    evs_status status;
    size_t n = 0;
    do {
        evs_error err = {0};
        evs_shardmap *map = a_map(shards, 7, routes, 3);
        evs__mem_fail_at(++n);
        status = evs__shardmap_seal(map, &err);
        evs__mem_fail_at(0);
        assert_int_equal(status, err.status);
        evs_shardmap_free(map);
    } while (status == EVS_E_NOMEM && n < 1000);
    assert_int_equal(status, EVS_OK);
    assert_in_range(n, 10, 999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_are_numbered_over_all_pools),
        cmocka_unit_test(shards_are_found_by_name),
        cmocka_unit_test(a_map_lives_until_its_last_holder_lets_go),
        cmocka_unit_test(routes_are_sorted_with_the_longest_first),
        cmocka_unit_test(sealing_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
