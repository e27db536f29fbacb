/*
 * Values, tables and states, without a script.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scripts/audit/store.h"

static const evs__span here = {1, 2, 1, 2};

static int setup(void **state)
{
    static evs__pool pool;
    pool = (evs__pool){.arena = EVS__ARENA_INIT};
    *state = &pool;
    return 0;
}

static int teardown(void **state)
{
    evs__pool *pool = *state;
    evs__arena_free(&pool->arena);
    return 0;
}

static const evs__value *text(evs__pool *pool, const char *s)
{
    return evs__value_constant(pool, evs_text(s), here);
}

static void join_returns_its_first_when_nothing_is_new(void **state)
{
    const evs__value *a = text(*state, "a"), *b = text(*state, "b");
    const evs__value *both = evs__value_join(*state, a, b);
    assert_ptr_equal(evs__value_join(*state, both, a), both);
    assert_ptr_equal(evs__value_join(*state, both, b), both);
    assert_ptr_not_equal(evs__value_join(*state, a, b), a);
}

static void many_constants_become_data(void **state)
{
    const evs__value *all = evs__value_none();
    char name[2] = "a";
    for (int i = 0; i < 20; i++, name[0]++) {
        char *copy = evs__arena_text(&((evs__pool *)*state)->arena, name, 1);
        all = evs__value_join(*state, all, text(*state, copy));
    }
    assert_true(all->natoms <= EVS__ATOMS_MAX);
    assert_true(evs__value_has(all, EVS__ATOM_DATA));
    assert_null(evs__value_single(all));
}

static void joins_of_many_replies_end(void **state)
{
    const evs__value *replies = evs__value_none();
    evs__span at = here;
    for (at.start = 10; at.start < 10 + EVS__ATOMS_MAX; at.start++)
        replies = evs__value_join(*state, replies, evs__value_reply(*state, "GET", at));
    const evs__value *all = evs__value_join(*state, evs__value_reply(*state, "GET", at), replies);
    assert_ptr_equal(evs__value_join(*state, all, replies), all);
}

static void widening_ends(void **state)
{
    const evs__value *all = text(*state, "");
    int changes = 0;
    for (int i = 0; i < 50; i++) {
        const evs__value *longer = evs__value_concat(*state, all, text(*state, "x"), here);
        const evs__value *next = evs__value_widen(*state, all, longer);
        changes += next != all;
        all = next;
    }
    assert_true(changes <= 3);
    assert_true(evs__value_has(all, EVS__ATOM_DATA));
}

static void widening_loses_nothing(void **state)
{
    const evs__value *wide = evs__value_widen(*state, text(*state, "a"),
                                              evs__value_key(*state, 1, here));
    assert_true(evs__value_has(wide, EVS__ATOM_KEY));
    assert_true(evs__value_has(wide, EVS__ATOM_DATA));
    wide = evs__value_widen(*state, text(*state, "a"), text(*state, "b"));
    assert_null(evs__value_single(wide));
}

static void constants_are_put_together(void **state)
{
    const evs__value *both = evs__value_concat(*state, text(*state, "k"),
                                               evs__value_number(*state, 1e14, here), here);
    const evs__atom *single = evs__value_single(both);
    assert_non_null(single);
    assert_int_equal(single->text.len, 6);
    assert_memory_equal(single->text.data, "k1e+14", 6);
}

static void a_changed_key_is_derived(void **state)
{
    const evs__value *key = evs__value_key(*state, 2, here);
    const evs__value *suffix = evs__value_concat(*state, key, text(*state, ":x"), here);
    const evs__value *prefix = evs__value_concat(*state, text(*state, "p:"), key, here);
    const evs__value *brace = evs__value_concat(*state, text(*state, "{p}"), key, here);
    assert_int_equal(suffix->atoms[0]->kind, EVS__ATOM_DERIVED);
    assert_int_equal(suffix->atoms[0]->shape, EVS__SHAPE_SUFFIX);
    assert_int_equal(suffix->atoms[0]->index, 2);
    assert_int_equal(prefix->atoms[0]->shape, EVS__SHAPE_PREFIX);
    assert_int_equal(brace->atoms[0]->shape, EVS__SHAPE_OPAQUE);
}

static void a_value_without_an_atom_has_not_its_type(void **state)
{
    const evs__value *empty = text(*state, "");
    const evs__value *both = evs__value_join(*state, empty, evs__value_nil());
    const evs__value *left = evs__value_without(*state, both, empty->atoms[0]);
    assert_int_equal(left->types, EVS__TYPE_NIL);
    assert_int_equal(left->natoms, 0);
}

static void a_write_under_any_key_is_seen_under_each(void **state)
{
    const evs__object *object = evs__object_new(*state);
    const evs__value *one = evs__value_number(*state, 1, here), *name = text(*state, "name");
    const evs__value *any = evs__value_argument(*state, 0, here);
    object = evs__object_set(*state, object, one, evs__value_key(*state, 1, here), 0);
    object = evs__object_set(*state, object, name, evs__value_key(*state, 2, here), 0);
    object = evs__object_set(*state, object, any, text(*state, "bad"), 0);
    const evs__value *read = evs__object_get(*state, object, name, here);
    assert_true(evs__value_has(read, EVS__ATOM_CONSTANT));
    read = evs__object_get(*state, object, text(*state, "new"), here);
    assert_true(evs__value_has(read, EVS__ATOM_CONSTANT));
    read = evs__object_get(*state, object, one, here);
    assert_false(evs__value_has(read, EVS__ATOM_CONSTANT)); /* ARGV holds strings */
    assert_true(evs__value_has(evs__object_keys(*state, object, here), EVS__ATOM_ARGUMENT));
}

static void appending_knows_where_when_the_length_is_known(void **state)
{
    const evs__object *object = evs__object_new(*state);
    object = evs__object_append(*state, object, text(*state, "a"), 0);
    object = evs__object_append(*state, object, text(*state, "b"), 0);
    assert_int_equal(evs__object_sure(object), 2);
    object = evs__object_set(*state, object,
                             evs__value_data(*state, EVS__SOURCE_NUMBER, EVS__TYPE_NUMBER, here),
                             evs__value_nil(), 0);
    object = evs__object_append(*state, object, text(*state, "c"), 0);
    const evs__value *first = evs__object_get(*state, object, evs__value_number(*state, 1, here),
                                              here);
    assert_int_equal(first->natoms, 2); /* "a", or "c" where it was deleted */
}

static void keys_that_were_shuffled_are_still_keys(void **state)
{
    const evs__object *keys = evs__object_given(*state, EVS__GIVEN_KEYS);
    const evs__value *third = evs__value_number(*state, 3, here);
    assert_int_equal(evs__object_get(*state, keys, third, here)->atoms[0]->index, 3);
    keys = evs__object_shuffle(*state, keys, NULL);
    const evs__value *read = evs__object_get(*state, keys, third, here);
    assert_int_equal(read->atoms[0]->kind, EVS__ATOM_KEY);
    assert_int_equal(read->atoms[0]->index, 0);
    keys = evs__object_set(*state, keys, third, text(*state, "x"), 1);
    assert_int_equal(evs__object_get(*state, keys, third, here)->natoms, 2);
}

static void branches_are_joined(void **state)
{
    evs__store store;
    evs__store_init(&store, *state);
    size_t a = evs__store_slots(&store, 2), b = a + 1;
    evs__store_set(&store, a, text(*state, "old"));
    size_t mark = evs__store_mark(&store);
    evs__store_set(&store, a, text(*state, "then"));
    evs__changes taken = evs__store_diff(&store, mark);
    evs__store_undo(&store, mark);
    assert_int_equal(evs__store_value(&store, a)->natoms, 1);
    evs__store_set(&store, b, text(*state, "else"));
    evs__store_merge(&store, mark, &taken);
    assert_int_equal(evs__store_value(&store, a)->natoms, 2);
    assert_int_equal(evs__store_value(&store, b)->natoms, 1);
    evs__store_free(&store);
}

static void a_collection_keeps_what_was_overwritten(void **state)
{
    evs__store store;
    evs__collection collection;
    evs__store_init(&store, *state);
    size_t a = evs__store_slots(&store, 1);
    evs__store_set(&store, a, text(*state, "before"));
    evs__store_collect(&store, &collection);
    evs__store_set(&store, a, text(*state, "between"));
    evs__store_set(&store, a, text(*state, "after"));
    evs__store_collected(&store, &collection);
    assert_int_equal(evs__store_value(&store, a)->natoms, 3);
    evs__store_free(&store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(join_returns_its_first_when_nothing_is_new),
        TEST(many_constants_become_data),
        TEST(joins_of_many_replies_end),
        TEST(widening_ends),
        TEST(widening_loses_nothing),
        TEST(constants_are_put_together),
        TEST(a_changed_key_is_derived),
        TEST(a_value_without_an_atom_has_not_its_type),
        TEST(a_write_under_any_key_is_seen_under_each),
        TEST(appending_knows_where_when_the_length_is_known),
        TEST(keys_that_were_shuffled_are_still_keys),
        TEST(branches_are_joined),
        TEST(a_collection_keeps_what_was_overwritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
