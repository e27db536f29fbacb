/*
 * The default placement against recorded ones: every row of rendezvous.tsv, and both rings of
 * go-redis (weight 1 equals go-redis Ring bit for bit). Data and origin: tests/data/vectors.
 */
#include "core/hash64.h"
#include "sharding/hashtag.h"
#include "sharding/placement.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

/* One pool of a file of placements. */
typedef struct ring {
    const evs__place *places;
    size_t count;
    evs__arena arena;
    void *built;
} ring;

static void ring_make(ring *r, const evs__place *places, size_t count)
{
    memset(r, 0, sizeof *r);
    r->places = places;
    r->count = count;
    evs__layout layout = {.places = places, .count = count};
    r->built = evs__placement_find("rendezvous")->build(&r->arena, &layout);
    assert_non_null(r->built);
}

static size_t ring_find(const ring *r, evs_bytes key)
{
    evs_bytes tag = evs__hash_tag(key, '{', '}');
    return evs__placement_find("rendezvous")->find(r->built, evs__xxh64(tag, 0));
}

static const evs__place users[] = {{.name = "users-a", .weight = 1},
                                   {.name = "users-b", .weight = 1},
                                   {.name = "users-c", .weight = 1}};
static const evs__place carts[] = {{.name = "carts-big", .weight = 3},
                                   {.name = "carts-small", .weight = 1}};
static const evs__place steps[] = {{.name = "s-1", .weight = 1},
                                   {.name = "s-2", .weight = 2},
                                   {.name = "s-3", .weight = 3},
                                   {.name = "s-4", .weight = 5}};
static const evs__place shards[] = {{.name = "shard1", .weight = 1},
                                    {.name = "shard2", .weight = 1},
                                    {.name = "shard3", .weight = 1},
                                    {.name = "shard4", .weight = 1}};
/* In the order of the file's first line. */
static const evs__place servers[] = {
    {.name = "srv-d", .weight = 1},
    {.name = "srv-b", .weight = 1},
    {.name = "srv-c", .weight = 1},
    {.name = "srv-a", .weight = 1},
    {.name = "127.0.0.1:21001", .weight = 1},
    {.name = "127.0.0.1:21002", .weight = 1},
    {.name = "x", .weight = 1},
};

typedef struct comparison {
    ring rings[3];
    size_t rows;
    size_t cells;
} comparison;

static void compare_names(void *arg, char **columns, size_t count)
{
    comparison *c = arg;
    assert_int_equal(count, 4);
    for (size_t i = 0; i < 3; i++, c->cells++)
        assert_string_equal(
            c->rings[i].places[ring_find(&c->rings[i], vector_key_of(columns[0]))].name,
            columns[i + 1]);
    c->rows++;
}

static void every_recorded_placement_is_reproduced(void **state)
{
    (void)state;
    comparison c = {.rows = 0};
    ring_make(&c.rings[0], users, 3);
    ring_make(&c.rings[1], carts, 2);
    ring_make(&c.rings[2], steps, 4);
    vector_rows("rendezvous.tsv", compare_names, &c);
    printf("rendezvous.tsv: %zu rows, %zu placements equal\n", c.rows, c.cells);
    assert_int_equal(c.rows, 250);
    for (size_t i = 0; i < 3; i++)
        evs__arena_free(&c.rings[i].arena);
}

static void compare_go(void *arg, char **columns, size_t count)
{
    comparison *c = arg;
    assert_true(count >= 3);
    evs_bytes key = vector_key_of(columns[0]);
    assert_int_equal(ring_find(&c->rings[0], key), atoi(columns[1]));
    assert_int_equal(ring_find(&c->rings[1], key), atoi(columns[2]));
    c->cells += 2;
    c->rows++;
}

static void weight_one_is_the_ring_of_go_redis(void **state)
{
    (void)state;
    comparison c = {.rows = 0};
    ring_make(&c.rings[0], shards, 4);
    ring_make(&c.rings[1], servers, 7);
    vector_rows("go-redis_ring_and_codis.tsv", compare_go, &c);
    printf("go-redis_ring_and_codis.tsv: %zu rows, %zu placements equal\n", c.rows, c.cells);
    assert_int_equal(c.rows, 250);
    evs__arena_free(&c.rings[0].arena);
    evs__arena_free(&c.rings[1].arena);
}

static void the_order_of_shards_does_not_matter(void **state)
{
    (void)state;
    static const evs__place turned[] = {{.name = "s-4", .weight = 5},
                                        {.name = "s-2", .weight = 2},
                                        {.name = "s-1", .weight = 1},
                                        {.name = "s-3", .weight = 3}};
    ring a, b;
    ring_make(&a, steps, 4);
    ring_make(&b, turned, 4);
    for (size_t i = 0; i < VECTOR_KEYS; i++) {
        evs_bytes key = vector_key(i);
        assert_string_equal(steps[ring_find(&a, key)].name, turned[ring_find(&b, key)].name);
    }
    evs__arena_free(&a.arena);
    evs__arena_free(&b.arena);
}

/* A key that moves when weight grows may move to the grown shard only. */
static void more_weight_only_pulls_keys_to_itself(void **state)
{
    (void)state;
    static const evs__place before[] = {
        {.name = "a", .weight = 2}, {.name = "b", .weight = 2}, {.name = "c", .weight = 2}};
    static const evs__place after[] = {
        {.name = "a", .weight = 2}, {.name = "b", .weight = 3}, {.name = "c", .weight = 2}};
    const evs__placement *p = evs__placement_find("rendezvous");
    ring x, y;
    size_t moved = 0;
    ring_make(&x, before, 3);
    ring_make(&y, after, 3);
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t hash = evs__xxh64((evs_bytes){(const char *)&i, sizeof i}, 0);
        size_t was = p->find(x.built, hash), is = p->find(y.built, hash);
        if (was == is)
            continue;
        assert_int_equal(is, 1);
        moved++;
    }
    /* b goes from 1/3 to 3/7: a tenth of all keys, 2/21. */
    assert_in_range(moved, 1700, 2110);
    evs__arena_free(&x.arena);
    evs__arena_free(&y.arena);
}

/* Two shards of one ring name cannot come from a map, but score alike for every key. */
static void a_tie_goes_to_the_smaller_name(void **state)
{
    (void)state;
    static const evs__place places[] = {{.name = "b", .weight = 1}, {.name = "a", .weight = 1}};
    ring r;
    ring_make(&r, places, 2);
    /* Equal draws are made by hand: the built object begins with the count and the draws. */
    struct head {
        size_t ndraws;
        uint64_t *draws;
    } *head = r.built;
    assert_int_equal(head->ndraws, 2);
    head->draws[0] = head->draws[1];
    assert_string_equal(places[evs__placement_find("rendezvous")->find(r.built, 42)].name, "a");
    evs__arena_free(&r.arena);
}

static void unknown_placements_are_not_found(void **state)
{
    (void)state;
    assert_null(evs__placement_find("ketama2"));
    assert_string_equal(evs__placement_find("rendezvous")->hashes[0].name, "xxh64");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recorded_placement_is_reproduced),
        cmocka_unit_test(weight_one_is_the_ring_of_go_redis),
        cmocka_unit_test(the_order_of_shards_does_not_matter),
        cmocka_unit_test(more_weight_only_pulls_keys_to_itself),
        cmocka_unit_test(a_tie_goes_to_the_smaller_name),
        cmocka_unit_test(unknown_placements_are_not_found),
    };
    return cmocka_run_group_tests(tests, vector_keys_read, vector_keys_free);
}
