/* The hash table: setting, replacing, growing, running out of memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "core/mem.h"
#include "core/table.h"

static void an_empty_table_has_nothing(void **state)
{
    (void)state;
    evs__table table = EVS__TABLE_INIT;
    assert_null(evs__table_get(&table, evs_text("x")));
    assert_null(evs__table_get(&table, (evs_bytes){NULL, 0}));
    evs__table_free(&table);
}

static void keys_are_bytes(void **state)
{
    (void)state;
    int a, b, c, d;
    evs__table table = EVS__TABLE_INIT;
    assert_true(evs__table_set(&table, (evs_bytes){"k\0a", 3}, &a));
    assert_true(evs__table_set(&table, (evs_bytes){"k\0b", 3}, &b));
    assert_true(evs__table_set(&table, (evs_bytes){"k", 1}, &c));
    assert_true(evs__table_set(&table, (evs_bytes){NULL, 0}, &d));
    assert_ptr_equal(evs__table_get(&table, (evs_bytes){"k\0a", 3}), &a);
    assert_ptr_equal(evs__table_get(&table, (evs_bytes){"k\0b", 3}), &b);
    assert_ptr_equal(evs__table_get(&table, evs_text("k")), &c);
    assert_ptr_equal(evs__table_get(&table, evs_text("")), &d);
    assert_null(evs__table_get(&table, (evs_bytes){"k\0", 2}));
    assert_int_equal(table.count, 4);
    evs__table_free(&table);
}

static void a_later_value_replaces(void **state)
{
    (void)state;
    int a, b;
    evs__table table = EVS__TABLE_INIT;
    assert_true(evs__table_set(&table, evs_text("k"), &a));
    assert_true(evs__table_set(&table, evs_text("k"), &b));
    assert_ptr_equal(evs__table_get(&table, evs_text("k")), &b);
    assert_int_equal(table.count, 1);
    evs__table_free(&table);
    assert_int_equal(table.count, 0);
}

enum { MANY = 20000 };

static char names[MANY][8];

static void many_keys_are_all_found(void **state)
{
    (void)state;
    evs__table table = EVS__TABLE_INIT;
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "k%d", i);
        assert_true(evs__table_set(&table, evs_text(names[i]), names[i]));
        assert_true(table.count < table.nslots);
    }
    assert_int_equal(table.count, MANY);
    for (int i = 0; i < MANY; i++) {
        char key[8];
        snprintf(key, sizeof key, "k%d", i);
        assert_ptr_equal(evs__table_get(&table, evs_text(key)), names[i]);
    }
    assert_null(evs__table_get(&table, evs_text("k20000")));
    evs__table_free(&table);
}

static void running_out_of_memory_loses_nothing(void **state)
{
    (void)state;
    for (size_t n = 1; n < 5; n++) {
        evs__table table = EVS__TABLE_INIT;
        int set = 0;
        evs__mem_fail_at(n);
        while (evs__table_set(&table, evs_text(names[set]), names[set]))
            set++;
        evs__mem_fail_at(0);
        assert_int_equal(table.count, set);
        for (int i = 0; i < set; i++)
            assert_ptr_equal(evs__table_get(&table, evs_text(names[i])), names[i]);
        assert_null(evs__table_get(&table, evs_text(names[set])));
        assert_true(evs__table_set(&table, evs_text(names[set]), names[set]));
        evs__table_free(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_has_nothing),
        cmocka_unit_test(keys_are_bytes),
        cmocka_unit_test(a_later_value_replaces),
        cmocka_unit_test(many_keys_are_all_found),
        cmocka_unit_test(running_out_of_memory_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
