/* Where keys go alone, together, and not at all; and what is said then. */
#include "sharding/route.h"
#include "tests/support/a_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

/* With these names the key a goes to users-b, abc and {abc}x to users-c, and the tag
 * abcdefghijklmno to users-a (tests/data/vectors/rendezvous.tsv). */
static const a_shard users[] = {{"default", "users-a", 1, 0, NULL},
                                {"default", "users-b", 1, 0, NULL},
                                {"default", "users-c", 1, 0, NULL}};

static const a_shard pools[] = {{"users", "a", 1, 0, NULL},
                                {"carts", "a", 1, 0, NULL},
                                {"carts", "b", 1, 0, NULL},
                                {"misc", "only", 1, 0, NULL}};
static const a_route routes[] = {{"user:", "users"}, {"user:cart:", "carts"}, {"", "misc"}};

static evs_shardmap *one_pool(void)
{
    return a_sealed_map(users, 3, NULL, 0);
}

static evs_shardmap *three_pools(void)
{
    return a_sealed_map(pools, 4, routes, 3);
}

static void keys_go_where_their_tag_goes(void **state)
{
    (void)state;
    static const struct {
        const char *key, *tag;
        size_t shard;
    } cases[] = {{"a", "a", 1},     {"{a}", "a", 1},      {"x{a}{abc}", "a", 1},
                 {"abc", "abc", 2}, {"{abc}x", "abc", 2}, {"{}abc", "{}abc", 0}};
    evs_shardmap *map = one_pool();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        evs_route route;
        assert_int_equal(evs_shardmap_route(&route, map, evs_text(cases[i].key), NULL), EVS_OK);
        assert_int_equal(route.tag.len, strlen(cases[i].tag));
        assert_memory_equal(route.tag.data, cases[i].tag, route.tag.len);
        if (cases[i].key[1] != '}')
            assert_int_equal(route.shard, cases[i].shard);
    }
    evs_shardmap_free(map);
}

static void the_longest_prefix_chooses_the_pool(void **state)
{
    (void)state;
    static const struct {
        const char *key, *pool;
    } cases[] = {
        {"user:1", "users"}, {"user:cart:1", "carts"}, {"user:cart", "users"}, {"user", "misc"},
        {"", "misc"},        {"{user:cart:}", "misc"}, {"user:cart:", "carts"}};
    evs_shardmap *map = three_pools();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        evs_route route;
        evs_shard_info info;
        assert_int_equal(evs__route_key(&route, map, evs_text(cases[i].key), NULL), EVS_OK);
        assert_int_equal(evs_shardmap_shard(&info, map, route.shard, NULL), EVS_OK);
        assert_string_equal(info.pool, cases[i].pool);
    }
    evs_shardmap_free(map);
}

static void a_key_over_no_route_is_named(void **state)
{
    (void)state;
    evs_shardmap *map = a_sealed_map(pools, 4, routes, 2);
    evs_route route;
    evs_error err;
    assert_int_equal(evs_shardmap_route(&route, map, (evs_bytes){"or\0der", 6}, &err),
                     EVS_E_NO_ROUTE);
    assert_string_equal(err.message,
                        "no route takes the key \"or\\x00der\" (2 routes, none of them default)");
    evs_shardmap_free(map);
}

/* Routes keys given as text, the last one NULL. */
static evs_status route(evs__target *out, const evs_shardmap *map, evs_error *err,
                        const char *const *texts)
{
    evs_bytes keys[600];
    size_t n = 0;
    for (; texts[n] != NULL; n++)
        keys[n] = evs_text(texts[n]);
    return evs__route_keys(out, map, keys, n, err);
}

#define KEYS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void keys_of_one_tag_go_together(void **state)
{
    (void)state;
    evs_shardmap *map = one_pool();
    evs__target target;
    assert_int_equal(route(&target, map, NULL, KEYS("{abc}1", "abc", "2{abc}")), EVS_OK);
    assert_int_equal(target.shard, 2);
    assert_int_equal(target.pool, 0);
    assert_int_equal(target.mixed_tags, 0);
    assert_int_equal(route(&target, map, NULL, KEYS("a")), EVS_OK);
    assert_int_equal(target.shard, 1);
    evs_shardmap_free(map);
}

static void keys_on_two_shards_are_refused_by_name(void **state)
{
    (void)state;
    evs_shardmap *map = one_pool();
    evs__target target = {.shard = 77};
    evs_error err;
    assert_int_equal(route(&target, map, &err, KEYS("{abc}:1", "abc", "x:{a}:\n")),
                     EVS_E_CROSS_SHARD);
    assert_string_equal(err.message,
                        "key 1 is on shard users-c but key 3 is on shard users-b: "
                        "1 \"{abc}:1\" (tag \"abc\") on users-c, 2 \"abc\" on users-c, "
                        "3 \"x:{a}:\\x0a\" (tag \"a\") on users-b");
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_int_equal(target.shard, 77);
    evs_shardmap_free(map);
}

static void keys_in_two_pools_are_refused_with_their_pools(void **state)
{
    (void)state;
    evs_shardmap *map = three_pools();
    evs__target target;
    evs_error err;
    assert_int_equal(route(&target, map, &err, KEYS("user:{7}", "x{7}")), EVS_E_CROSS_SHARD);
    assert_string_equal(
        err.message, "key 1 is on shard users/a but key 2 is on shard misc/only: "
                     "1 \"user:{7}\" (tag \"7\") on users/a, 2 \"x{7}\" (tag \"7\") on misc/only");
    evs_shardmap_free(map);
}

static void a_key_without_route_among_others_is_named(void **state)
{
    (void)state;
    evs_shardmap *map = a_sealed_map(pools, 4, routes, 2);
    evs__target target;
    evs_error err;
    assert_int_equal(route(&target, map, &err, KEYS("user:1", "order")), EVS_E_NO_ROUTE);
    assert_non_null(strstr(err.message, "\"order\""));
    assert_int_equal(route(&target, map, &err, KEYS("order", "user:1")), EVS_E_NO_ROUTE);
    assert_int_equal(route(&target, map, &err, KEYS("user:1", "user:cart:1", "order")),
                     EVS_E_CROSS_SHARD);
    assert_non_null(strstr(err.message, "3 \"order\" on no shard (no route takes it)"));
    evs_shardmap_free(map);
}

/* 500 keys of one tag and one stranger in the middle. */
static void a_long_list_is_cut_in_the_middle_and_says_so(void **state)
{
    (void)state;
    static char texts[500][32];
    const char *keys[501] = {NULL};
    evs_shardmap *map = one_pool();
    evs__target target;
    evs_error err;
    for (size_t i = 0; i < 500; i++) {
        snprintf(texts[i], sizeof texts[i], i == 250 ? "stranger{a}" : "{abc}:%zu", i);
        keys[i] = texts[i];
    }
    assert_int_equal(route(&target, map, &err, keys), EVS_E_CROSS_SHARD);
    assert_non_null(
        strstr(err.message, "key 1 is on shard users-c but key 251 is on shard users-b"));
    assert_non_null(strstr(err.message, ": 1 \"{abc}:0\" (tag \"abc\") on users-c, 2 "));
    assert_non_null(strstr(err.message, " keys left out ..., "));
    assert_non_null(strstr(err.message, "251 \"stranger{a}\" (tag \"a\") on users-b"));
    assert_non_null(strstr(err.message, ", 500 \"{abc}:499\" (tag \"abc\") on users-c"));
    size_t len = strlen(err.message);
    assert_in_range(len, 800, sizeof err.message - 1);
    assert_string_equal(err.message + len - strlen("on users-c"), "on users-c");
    evs_shardmap_free(map);
}

static void huge_keys_are_cut_each(void **state)
{
    (void)state;
    static char one[5000], two[5000];
    evs_shardmap *map = one_pool();
    evs__target target;
    evs_error err;
    memset(one, 'x', sizeof one - 1);
    memset(two, '\x01', sizeof two - 1);
    memcpy(one, "{a}", 3);
    memcpy(two, "{abc}", 5);
    assert_int_equal(route(&target, map, &err, KEYS(one, two)), EVS_E_CROSS_SHARD);
    assert_non_null(strstr(err.message, "xxx...\" (tag \"a\") on users-b, 2 \"{abc}\\x01"));
    assert_non_null(strstr(err.message, "...\" (tag \"abc\") on users-c"));
    evs_shardmap_free(map);
}

/* The two tags go to the same shard: found, not assumed. */
static void find_neighbours(const evs_shardmap *map, char first[16], char second[16])
{
    evs_route a, b;
    snprintf(first, 16, "{t0}");
    assert_int_equal(evs__route_key(&a, map, evs_text(first), NULL), EVS_OK);
    for (int i = 1; i < 1000; i++) {
        snprintf(second, 16, "{t%d}", i);
        assert_int_equal(evs__route_key(&b, map, evs_text(second), NULL), EVS_OK);
        if (a.shard == b.shard)
            return;
    }
    fail();
}

static void different_tags_on_one_shard_follow_the_rule_of_the_pool(void **state)
{
    (void)state;
    static const struct {
        evs__tag_rule rule;
        evs_status status;
        int mixed;
    } cases[] = {{EVS__SAME_TAG_OFF, EVS_OK, 0},
                 {EVS__SAME_TAG_WARN, EVS_OK, 1},
                 {EVS__SAME_TAG_ERROR, EVS_E_TAG, -1}};
    char first[16], second[16];
    evs_shardmap *map = one_pool();
    find_neighbours(map, first, second);
    for (size_t i = 0; i < 3; i++) {
        evs__target target = {.mixed_tags = -1};
        evs_error err;
        map->pools[0].same_tag = cases[i].rule;
        assert_int_equal(route(&target, map, &err, KEYS(first, second)), cases[i].status);
        assert_int_equal(target.mixed_tags, cases[i].mixed);
        if (cases[i].status == EVS_E_TAG) {
            assert_non_null(
                strstr(err.message, "require_same_tag: error): 1 \"{t0}\" (tag \"t0\")"));
            assert_non_null(strstr(err.message, second));
        }
    }
    map->pools[0].same_tag = EVS__SAME_TAG_ERROR;
    evs_error err;
    assert_int_equal(route(&(evs__target){0}, map, &err, KEYS("a", "abc")), EVS_E_CROSS_SHARD);
    evs_shardmap_free(map);
}

static void calls_without_keys_go_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *shard, *pool;
        int number; /* -1: INVALID */
        const char *message;
    } cases[] = {
        {"only", NULL, 3, NULL},
        {"b", NULL, 2, NULL},
        {"carts/a", NULL, 1, NULL},
        {"a", "carts", 1, NULL},
        {"a", "users", 0, NULL},
        {"carts/a", "carts", 1, NULL},
        {"a", NULL, -1, "several pools have a shard \"a\"; write \"users/a\" or the like"},
        {"b", "users", -1, "there is no shard \"b\" in pool \"users\""},
        {"carts/a", "users", -1, "there is no shard \"carts/a\" in pool \"users\""},
        {"x", NULL, -1, "there is no shard \"x\" in the map"},
        {"only", "nope", -1, "there is no pool \"nope\" in the map"},
    };
    evs_shardmap *map = three_pools();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        evs__target target = {.shard = 77};
        evs_error err = {0};
        evs_status status = evs__route_no_keys(&target, map, cases[i].shard, cases[i].pool, &err);
        assert_int_equal(status, cases[i].number < 0 ? EVS_E_INVALID : EVS_OK);
        assert_int_equal(target.shard, cases[i].number < 0 ? 77 : cases[i].number);
        if (cases[i].message != NULL)
            assert_string_equal(err.message, cases[i].message);
        else
            assert_int_equal(target.pool, map->shards[target.shard].pool);
    }
    evs_shardmap_free(map);
}

static void calls_without_keys_and_names_follow_the_pool(void **state)
{
    (void)state;
    evs_shardmap *map = one_pool();
    evs__target target;
    evs_error err;
    assert_int_equal(evs__route_no_keys(&target, map, NULL, NULL, &err), EVS_E_NO_KEYS);
    assert_string_equal(err.message,
                        "the call has no keys and names no shard (pool \"default\" has "
                        "on_no_keys: error)");
    map->pools[0].no_keys = EVS__NO_KEYS_SHARD;
    map->pools[0].no_keys_shard = 2;
    assert_int_equal(evs__route_no_keys(&target, map, NULL, NULL, &err), EVS_OK);
    assert_int_equal(target.shard, 2);
    map->pools[0].no_keys = EVS__NO_KEYS_ANY;
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(evs__route_no_keys(&target, map, NULL, "default", &err), EVS_OK);
        assert_int_equal(target.shard, i % 3);
    }
    evs_shardmap_free(map);
}

static void several_pools_need_a_name(void **state)
{
    (void)state;
    evs_shardmap *map = three_pools();
    evs__target target;
    evs_error err;
    map->pools[2].no_keys = EVS__NO_KEYS_ANY;
    assert_int_equal(evs__route_no_keys(&target, map, NULL, NULL, &err), EVS_E_NO_KEYS);
    assert_string_equal(err.message,
                        "the call has no keys and names neither shard nor pool (there are 3)");
    assert_int_equal(evs__route_no_keys(&target, map, NULL, "misc", &err), EVS_OK);
    assert_int_equal(target.shard, 3);
    assert_int_equal(target.pool, 2);
    assert_int_equal(evs__route_no_keys(&target, map, NULL, "users", &err), EVS_E_NO_KEYS);
    evs_shardmap_free(map);
}

static void keys_in_messages_are_printable_and_fit(void **state)
{
    (void)state;
    static const struct {
        evs_bytes key;
        size_t cap;
        const char *text;
    } cases[] = {
        {{"plain", 5}, 80, "plain"},
        {{"\0\r\n\xff~", 5}, 80, "\\x00\\x0d\\x0a\\xff~"},
        {{"", 0}, 80, ""},
        {{"12345", 5}, 6, "12345"},
        {{"123456", 6}, 6, "12..."},
        {{"\x01\x01\x01", 3}, 12, "\\x01\\x01..."},
        {{"\x01\x01", 2}, 9, "\\x01\\x01"},
        {{"a\x01\x01", 3}, 9, "a\\x01..."},
        {{"abc", 3}, 1, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[80];
        memset(out, '#', sizeof out);
        evs__key_text(out, cases[i].cap, cases[i].key);
        assert_string_equal(out, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_go_where_their_tag_goes),
        cmocka_unit_test(the_longest_prefix_chooses_the_pool),
        cmocka_unit_test(a_key_over_no_route_is_named),
        cmocka_unit_test(keys_of_one_tag_go_together),
        cmocka_unit_test(keys_on_two_shards_are_refused_by_name),
        cmocka_unit_test(keys_in_two_pools_are_refused_with_their_pools),
        cmocka_unit_test(a_key_without_route_among_others_is_named),
        cmocka_unit_test(a_long_list_is_cut_in_the_middle_and_says_so),
        cmocka_unit_test(huge_keys_are_cut_each),
        cmocka_unit_test(different_tags_on_one_shard_follow_the_rule_of_the_pool),
        cmocka_unit_test(calls_without_keys_go_by_name),
        cmocka_unit_test(calls_without_keys_and_names_follow_the_pool),
        cmocka_unit_test(several_pools_need_a_name),
        cmocka_unit_test(keys_in_messages_are_printable_and_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
