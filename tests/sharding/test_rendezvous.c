/*
 * The default placement against recorded ones: every row of rendezvous.tsv, and both rings of
 * go-redis (weight 1 equals go-redis Ring bit for bit). Data and origin: tests/data/vectors.
 */
#include "core/hash64.h"
#include "core/mem.h"
#include "sharding/hashtag.h"
#include "sharding/placement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

enum { LONGEST_LINE = 40000, MAX_KEYS = 300, MAX_COLUMNS = 8 };

#define VECTORS EVS_TEST_SOURCE_DIR "/tests/data/vectors/"

typedef struct key_row {
    char id[16];
    char *data;
    size_t len;
} key_row;

typedef struct key_set {
    key_row rows[MAX_KEYS];
    size_t count;
} key_set;

/* Calls `row` for each line that is no comment, split at tabs. */
typedef void (*row_fn)(void *arg, char **columns, size_t count);

static void each_row(const char *name, row_fn row, void *arg)
{
    static char line[LONGEST_LINE];
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        char *columns[MAX_COLUMNS];
        size_t count = 0;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#')
            continue;
        for (char *at = line; at != NULL && count < MAX_COLUMNS; count++) {
            columns[count] = at;
            at = strchr(at, '\t');
            if (at != NULL)
                *at++ = '\0';
        }
        row(arg, columns, count);
    }
    fclose(file);
}

static void take_key(void *arg, char **columns, size_t count)
{
    key_set *keys = arg;
    assert_int_equal(count, 3);
    assert_true(keys->count < MAX_KEYS);
    key_row *row = &keys->rows[keys->count++];
    snprintf(row->id, sizeof row->id, "%s", columns[0]);
    row->len = strlen(columns[2]) / 2;
    row->data = malloc(row->len + 1);
    assert_non_null(row->data);
    for (size_t i = 0; i < row->len; i++) {
        char digits[3] = {columns[2][2 * i], columns[2][2 * i + 1], '\0'};
        row->data[i] = (char)strtoul(digits, NULL, 16);
    }
}

static key_set keys;

static int read_keys(void **state)
{
    (void)state;
    each_row(VECTORS "keys.tsv", take_key, &keys);
    return keys.count == 250 ? 0 : -1;
}

static int free_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < keys.count; i++)
        free(keys.rows[i].data);
    return 0;
}

static evs_bytes key_of(const char *id)
{
    for (size_t i = 0; i < keys.count; i++) {
        if (strcmp(keys.rows[i].id, id) == 0)
            return (evs_bytes){keys.rows[i].data, keys.rows[i].len};
    }
    fail_msg("no key has the id %s", id);
    return (evs_bytes){NULL, 0};
}

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
    r->built = evs__placement_find("rendezvous")->build(&r->arena, places, count);
    assert_non_null(r->built);
}

static size_t ring_find(const ring *r, evs_bytes key)
{
    evs_bytes tag = evs__hash_tag(key, '{', '}');
    return evs__placement_find("rendezvous")->find(r->built, evs__xxh64(tag, 0));
}

static const evs__place users[] = {{"users-a", 1}, {"users-b", 1}, {"users-c", 1}};
static const evs__place carts[] = {{"carts-big", 3}, {"carts-small", 1}};
static const evs__place steps[] = {{"s-1", 1}, {"s-2", 2}, {"s-3", 3}, {"s-4", 5}};
static const evs__place shards[] = {{"shard1", 1}, {"shard2", 1}, {"shard3", 1}, {"shard4", 1}};
/* In the order of the file's first line. */
static const evs__place servers[] = {
    {"srv-d", 1},           {"srv-b", 1},           {"srv-c", 1}, {"srv-a", 1},
    {"127.0.0.1:21001", 1}, {"127.0.0.1:21002", 1}, {"x", 1},
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
        assert_string_equal(c->rings[i].places[ring_find(&c->rings[i], key_of(columns[0]))].name,
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
    each_row(VECTORS "rendezvous.tsv", compare_names, &c);
    printf("rendezvous.tsv: %zu rows, %zu placements equal\n", c.rows, c.cells);
    assert_int_equal(c.rows, 250);
    for (size_t i = 0; i < 3; i++)
        evs__arena_free(&c.rings[i].arena);
}

static void compare_go(void *arg, char **columns, size_t count)
{
    comparison *c = arg;
    assert_true(count >= 3);
    evs_bytes key = key_of(columns[0]);
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
    each_row(VECTORS "go-redis_ring_and_codis.tsv", compare_go, &c);
    printf("go-redis_ring_and_codis.tsv: %zu rows, %zu placements equal\n", c.rows, c.cells);
    assert_int_equal(c.rows, 250);
    evs__arena_free(&c.rings[0].arena);
    evs__arena_free(&c.rings[1].arena);
}

static void the_order_of_shards_does_not_matter(void **state)
{
    (void)state;
    static const evs__place turned[] = {{"s-4", 5}, {"s-2", 2}, {"s-1", 1}, {"s-3", 3}};
    ring a, b;
    ring_make(&a, steps, 4);
    ring_make(&b, turned, 4);
    for (size_t i = 0; i < keys.count; i++) {
        evs_bytes key = {keys.rows[i].data, keys.rows[i].len};
        assert_string_equal(steps[ring_find(&a, key)].name, turned[ring_find(&b, key)].name);
    }
    evs__arena_free(&a.arena);
    evs__arena_free(&b.arena);
}

/* A key that moves when weight grows may move to the grown shard only. */
static void more_weight_only_pulls_keys_to_itself(void **state)
{
    (void)state;
    static const evs__place before[] = {{"a", 2}, {"b", 2}, {"c", 2}};
    static const evs__place after[] = {{"a", 2}, {"b", 3}, {"c", 2}};
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
    static const evs__place places[] = {{"b", 1}, {"a", 1}};
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
    assert_string_equal(evs__placement_find("rendezvous")->hash, "xxh64");
}

static void a_failing_allocation_gives_null(void **state)
{
    (void)state;
    const evs__placement *p = evs__placement_find("rendezvous");
    size_t n = 1;
    void *built;
    do {
        evs__arena arena = EVS__ARENA_INIT;
        evs__mem_fail_at(n++);
        built = p->build(&arena, steps, 4);
        evs__mem_fail_at(0);
        evs__arena_free(&arena);
    } while (built == NULL && n < 20);
    assert_in_range(n, 3, 19);
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
        cmocka_unit_test(a_failing_allocation_gives_null),
    };
    return cmocka_run_group_tests(tests, read_keys, free_keys);
}
