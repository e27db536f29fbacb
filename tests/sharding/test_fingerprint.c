/* What changes the fingerprint of a map and what does not. */
#include "core/hash64.h"
#include "tests/support/a_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const a_shard base[] = {
    {"p", "a", 1, 0, NULL}, {"p", "b", 2, 0, NULL}, {"q", "c", 1, 5, NULL}};
static const a_route routes[] = {{"x", "p"}, {"", "q"}};

static uint64_t print_of(const a_shard *shards, size_t n, const a_route *r, size_t nroutes)
{
    evs_shardmap *map = a_sealed_map(shards, n, r, nroutes);
    uint64_t print = evs_shardmap_fingerprint(map);
    evs_shardmap_free(map);
    return print;
}

/* The canonical text is frozen: fingerprints are compared between versions and machines. */
static void the_text_behind_the_number_is_pinned(void **state)
{
    (void)state;
    static const char text[] = "routes 2\n"
                               "\tq\n"
                               "78\tp\n"
                               "pool p rendezvous xxh64 {}\n"
                               "a\t1\n"
                               "b\t2\n"
                               "pool q rendezvous xxh64 {}\n"
                               "db c\t5\n"
                               "c\t1\n";
    assert_true(print_of(base, 3, routes, 2) == evs__xxh64(evs_text(text), 0));
}

static void order_does_not_matter(void **state)
{
    (void)state;
    static const a_shard turned[] = {
        {"q", "c", 1, 5, NULL}, {"p", "b", 2, 0, NULL}, {"p", "a", 1, 0, NULL}};
    static const a_route turned_routes[] = {{"", "q"}, {"x", "p"}};
    assert_true(print_of(base, 3, routes, 2) == print_of(turned, 3, turned_routes, 2));
}

static void everything_that_moves_keys_changes_it(void **state)
{
    (void)state;
    static const a_shard changed[][3] = {
        {{"p", "a2", 1, 0, NULL}, {"p", "b", 2, 0, NULL}, {"q", "c", 1, 5, NULL}},
        {{"p", "a", 1, 0, NULL}, {"p", "b", 3, 0, NULL}, {"q", "c", 1, 5, NULL}},
        {{"p", "a", 1, 0, NULL}, {"p", "b", 2, 0, NULL}, {"q", "c", 1, 6, NULL}},
        {{"p", "a", 1, 0, "x"}, {"p", "b", 2, 0, NULL}, {"q", "c", 1, 5, NULL}},
        {{"p", "a", 1, 0, NULL}, {"q", "b", 2, 0, NULL}, {"q", "c", 1, 5, NULL}},
    };
    static const a_route changed_routes[][2] = {
        {{"y", "p"}, {"", "q"}}, {{"x", "q"}, {"", "p"}}, {{"x", "p"}, {"xy", "q"}}};
    uint64_t print = print_of(base, 3, routes, 2);
    for (size_t i = 0; i < sizeof changed / sizeof changed[0]; i++)
        assert_true(print_of(changed[i], 3, routes, 2) != print);
    for (size_t i = 0; i < sizeof changed_routes / sizeof changed_routes[0]; i++)
        assert_true(print_of(base, 3, changed_routes[i], 2) != print);
    assert_true(print_of(base, 3, routes, 1) != print);
}

static void the_tag_rule_changes_it(void **state)
{
    (void)state;
    uint64_t print = print_of(base, 3, routes, 2);
    evs_shardmap *map = a_map(base, 3, routes, 2);
    map->pools[0].tag_open = map->pools[0].tag_close = '\0';
    assert_int_equal(evs__shardmap_seal(map, NULL), EVS_OK);
    assert_true(evs_shardmap_fingerprint(map) != print);
    evs_shardmap_free(map);
}

static void addresses_and_names_behind_ring_names_do_not(void **state)
{
    (void)state;
    static const a_shard renamed[] = {
        {"p", "a9", 1, 0, "a"}, {"p", "b", 2, 0, NULL}, {"q", "c", 1, 5, NULL}};
    uint64_t print = print_of(base, 3, routes, 2);
    assert_true(print_of(renamed, 3, routes, 2) == print);
    evs_shardmap *map = a_map(base, 3, routes, 2);
    map->shards[0].login.endpoint.text = "elsewhere:1";
    map->shards[0].login.password = "x";
    map->shards[0].command_timeout_ms = 77;
    map->shards[0].note = "moved";
    map->pools[0].same_tag = EVS__SAME_TAG_ERROR;
    map->pools[0].no_keys = EVS__NO_KEYS_ANY;
    map->generation = 8;
    map->name = "other";
    assert_int_equal(evs__shardmap_seal(map, NULL), EVS_OK);
    assert_true(evs_shardmap_fingerprint(map) == print);
    evs_shardmap_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_behind_the_number_is_pinned),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(everything_that_moves_keys_changes_it),
        cmocka_unit_test(the_tag_rule_changes_it),
        cmocka_unit_test(addresses_and_names_behind_ring_names_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
