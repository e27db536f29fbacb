/*
 * What all placements promise, and recorded tables that no map can express: Envoy's unit tests,
 * jump consistent hash and mcrouter's tree with many buckets.
 */
#include "core/mem.h"
#include "sharding/placement.h"
#include "sharding/shardmap.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

typedef struct placed {
    const evs__placement *how;
    evs__arena arena;
    void *built;
} placed;

static placed place(const char *name, const evs__layout *layout)
{
    placed p = {.how = evs__placement_find(name)};
    p.built = p.how->build(&p.arena, layout);
    assert_non_null(p.built);
    return p;
}

static int number_of(json_t *object, const char *key, int otherwise)
{
    json_t *value = json_object_get(object, key);
    return value == NULL ? otherwise : (int)json_integer_value(value);
}

/* The hosts of a table of Envoy, by weight; to be freed. */
static evs__place *hosts_of(json_t *table, size_t *count)
{
    json_t *hosts = json_object_get(table, "hosts"), *weights = json_object_get(table, "weights");
    *count = json_array_size(hosts);
    evs__place *places = calloc(*count, sizeof *places);
    assert_non_null(places);
    for (size_t i = 0; i < *count; i++) {
        json_t *weight = json_array_get(weights, i);
        places[i].name = json_string_value(json_array_get(hosts, i));
        places[i].weight = weight == NULL ? 1 : (unsigned)json_integer_value(weight);
    }
    return places;
}

/* Every point of the ring, its owner before and at it. */
static void compare_ring(const placed *p, json_t *ring)
{
    size_t n = json_array_size(ring), i;
    json_t *point;
    json_array_foreach(ring, i, point)
    {
        size_t owner = (size_t)json_integer_value(json_array_get(point, 0));
        json_t *next = json_array_get(json_array_get(ring, (i + 1) % n), 0);
        uint64_t value = strtoull(json_string_value(json_array_get(point, 1)), NULL, 10);
        assert_int_equal(p->how->find(p->built, value), owner);
        assert_int_equal(p->how->find(p->built, value - 1), owner);
        assert_int_equal(p->how->find(p->built, value + 1), json_integer_value(next));
    }
}

static void compare_table(const placed *p, json_t *slots)
{
    size_t i;
    json_t *owner;
    json_array_foreach(slots, i, owner)
    {
        assert_int_equal(p->how->find(p->built, i), json_integer_value(owner));
    }
}

static void tables_of_envoys_own_tests(void **state)
{
    (void)state;
    json_t *all = vector_json("envoy.json"), *table;
    size_t i;
    json_array_foreach(json_object_get(all, "real_tables"), i, table)
    {
        evs__layout layout = {.numbered = 0, .ring_hash = &evs__hash_xxh64};
        evs__place *places = hosts_of(table, &layout.count);
        const char *hash = json_string_value(json_object_get(table, "hash"));
        int ring = json_object_get(table, "ring") != NULL;
        layout.places = places;
        layout.size = (unsigned)number_of(table, ring ? "min_ring" : "table_size", 0);
        if (hash != NULL && strcmp(hash, "MURMUR_HASH_2") == 0)
            layout.ring_hash = &evs__hash_murmur64a_envoy;
        placed p = place(ring ? "ring_hash" : "maglev", &layout);
        if (ring)
            compare_ring(&p, json_object_get(table, "ring"));
        else
            compare_table(&p, json_object_get(table, "table"));
        evs__arena_free(&p.arena);
        free(places);
    }
    printf("envoy.json: %zu real_tables equal\n", i);
    assert_int_equal(i, 8);
    json_decref(all);
}

/* Numbered shards without names. */
static placed place_numbered(const char *name, size_t count)
{
    evs__place *places = calloc(count, sizeof *places);
    assert_non_null(places);
    for (size_t i = 0; i < count; i++)
        places[i] = (evs__place){"", 1, (unsigned)i, NULL, 0};
    evs__layout layout = {.places = places, .count = count, .numbered = 1};
    placed p = place(name, &layout);
    free(places);
    return p;
}

static void compare_jump(void *arg, char **columns, size_t count)
{
    const placed *jumps = arg;
    if (strcmp(columns[0], "key_u64") == 0)
        return;
    uint64_t hash = strtoull(columns[0], NULL, 10);
    for (size_t i = 1; i < count; i++)
        assert_int_equal(jumps[i - 1].how->find(jumps[i - 1].built, hash),
                         strtoull(columns[i], NULL, 10));
}

static void jump_is_that_of_guava(void **state)
{
    (void)state;
    static const size_t counts[] = {1,  2,  3,  4,   5,    7,    8,     10,
                                    16, 31, 64, 100, 1000, 1024, 16384, 1000000};
    placed jumps[16];
    for (size_t i = 0; i < 16; i++)
        jumps[i] = place_numbered("jump", counts[i]);
    assert_int_equal(vector_rows("jump.tsv", compare_jump, jumps), 101);
    printf("jump.tsv: 100 rows, 1600 placements equal\n");
    for (size_t i = 0; i < 16; i++)
        evs__arena_free(&jumps[i].arena);
}

static void compare_ch3(void *arg, char **columns, size_t count)
{
    const placed *trees = arg;
    assert_int_equal(count, 10);
    uint64_t hash = evs__hash_murmur64a_mcrouter.of(vector_key_of(columns[0]));
    uint64_t crc = evs__hash_crc32m.of(vector_key_of(columns[0]));
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(trees[i].how->find(trees[i].built, i < 7 ? hash : crc),
                         atoi(columns[i + 1]));
}

static void ch3_and_crc32_are_those_of_mcrouter(void **state)
{
    (void)state;
    static const size_t counts[] = {2, 3, 4, 7, 10, 100, 1000, 4, 7};
    placed trees[9];
    for (size_t i = 0; i < 9; i++)
        trees[i] = place_numbered(i < 7 ? "ch3" : "crc32_mod", counts[i]);
    assert_int_equal(vector_rows("mcrouter_ch3.tsv", compare_ch3, trees), VECTOR_KEYS);
    for (size_t i = 0; i < 9; i++)
        evs__arena_free(&trees[i].arena);
}

/* One pool that every placement can take. */
static const evs__slot_range halves[] = {{0, 511}, {512, 1023}, {1024, 1999}};
static const evs__place three[] = {
    {"a", 2, 0, &halves[0], 1}, {"bb", 1, 1, &halves[1], 1}, {"c", 3, 2, &halves[2], 1}};

static evs__layout layout_of(const evs__placement *p, const evs__place *places)
{
    return (evs__layout){
        .places = places,
        .count = 3,
        .numbered = (p->takes & (EVS__TAKES_INDEX | EVS__NEEDS_INDEX)) != 0,
        .points = p->points,
        .size = (p->takes & EVS__TAKES_SLOTS) != 0 ? 2000 : p->size,
        .hash = p->hashes[0].hash,
        .ring_hash = p->point_hashes == NULL ? NULL : p->point_hashes[0].hash,
    };
}

static const char *const names[] = {"rendezvous", "ketama", "ketama_plain", "modula",
                                    "jump",       "maglev", "ring_hash",    "jedis",
                                    "crc32_mod",  "slots",  "ch3"};

static void the_order_of_shards_does_not_matter(void **state)
{
    (void)state;
    const evs__place turned[] = {three[2], three[0], three[1]};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const evs__placement *p = evs__placement_find(names[i]);
        evs__layout one = layout_of(p, three), other = layout_of(p, turned);
        placed a = place(names[i], &one), b = place(names[i], &other);
        for (size_t k = 0; k < VECTOR_KEYS; k++) {
            uint64_t hash = one.hash->of(vector_key(k));
            assert_string_equal(three[p->find(a.built, hash)].name,
                                turned[p->find(b.built, hash)].name);
        }
        evs__arena_free(&a.arena);
        evs__arena_free(&b.arena);
    }
}

/* ---- a key is hashed once ---- */

static unsigned hashed;
static const evs__key_hash *counted;

static uint64_t count_hash(evs_bytes data)
{
    hashed++;
    return counted->of(data);
}

static evs_shardmap *map_of(const char *distribution)
{
    char yaml[600];
    evs_error err;
    evs_shardmap *map = NULL;
    unsigned takes = evs__placement_find(distribution)->takes;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\npools:\n  p:\n    distribution: %s\n"
                       "    require_same_tag: \"off\"\n    shards:\n",
                       distribution);
    for (int i = 0; i < 3; i++) {
        len += snprintf(yaml + len, sizeof yaml - (size_t)len, "      %s: {address: \"h:%d\"",
                        three[i].name, i + 1);
        if ((takes & EVS__NEEDS_INDEX) != 0)
            len += snprintf(yaml + len, sizeof yaml - (size_t)len, ", index: %d", i);
        if ((takes & EVS__TAKES_SLOTS) != 0)
            len += snprintf(yaml + len, sizeof yaml - (size_t)len, ", slots: [%u-%u]",
                            halves[i].first, i == 2 ? 1999 : halves[i].last);
        len += snprintf(yaml + len, sizeof yaml - (size_t)len, "}\n");
    }
    if ((takes & EVS__TAKES_SLOTS) != 0)
        snprintf(yaml + len, sizeof yaml - (size_t)len, "    slots_total: 2000\n");
    if (evs_shardmap_parse(&map, evs_text(yaml), "-", NULL, &err) != EVS_OK)
        fail_msg("%s\n%s", err.message, yaml);
    return map;
}

/* Placements that hash and find in one step do what the two steps do; all others get the hash. */
static void check_hashed_once(const char *name)
{
    evs_shardmap *map = map_of(name);
    evs__pool *pool = &map->pools[0];
    counted = pool->layout.hash;
    static evs__key_hash counting;
    counting = (evs__key_hash){counted->name, count_hash, NULL};
    pool->layout.hash = &counting;
    for (size_t k = 0; k < VECTOR_KEYS; k++) {
        evs_route route;
        hashed = 0;
        assert_int_equal(evs_shardmap_route(&route, map, vector_key(k), NULL), EVS_OK);
        assert_int_equal(hashed, pool->placement->find_tag == NULL ? 1 : 0);
        assert_int_equal(route.shard, pool->placement->find(pool->placed, counted->of(route.tag)));
    }
    evs_shardmap_free(map);
}

static void a_key_is_hashed_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        check_hashed_once(names[i]);
}

static void every_failing_allocation_gives_null(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const evs__placement *p = evs__placement_find(names[i]);
        evs__layout layout = layout_of(p, three);
        size_t n = 1;
        void *built;
        do {
            evs__arena arena = EVS__ARENA_INIT;
            evs__mem_fail_at(n++);
            built = p->build(&arena, &layout);
            evs__mem_fail_at(0);
            evs__arena_free(&arena);
        } while (built == NULL && n < 40);
        assert_in_range(n, 3, 39);
    }
}

/* Rounded in single precision: 156 with these numbers of equal shards, 160 with their neighbours.
 */
static void ketama_rounds_as_twemproxy_does(void **state)
{
    (void)state;
    static const size_t odd[] = {25, 47, 50, 55, 61, 71, 94, 100, 107, 109, 110, 115, 122, 142};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        assert_int_equal(evs__ketama_points(160, 1, (unsigned)odd[i], odd[i]), 156);
    assert_int_equal(evs__ketama_points(160, 1, 24, 24), 160);
    assert_int_equal(evs__ketama_points(160, 1, 26, 26), 160);
    static const unsigned weights[] = {1, 2, 3, 5}, points[] = {56, 116, 172, 288};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(evs__ketama_points(160, weights[i], 11, 4), points[i]);
    assert_int_equal(evs__ketama_points(160, 1, 100001, 2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_of_envoys_own_tests),
        cmocka_unit_test(jump_is_that_of_guava),
        cmocka_unit_test(ch3_and_crc32_are_those_of_mcrouter),
        cmocka_unit_test(the_order_of_shards_does_not_matter),
        cmocka_unit_test(a_key_is_hashed_once),
        cmocka_unit_test(every_failing_allocation_gives_null),
        cmocka_unit_test(ketama_rounds_as_twemproxy_does),
    };
    return cmocka_run_group_tests(tests, vector_keys_read, vector_keys_free);
}
