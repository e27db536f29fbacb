/* Memory that threads hand over: nothing is given to two, everything comes back. */
#include "core/mem.h"
#include "scripts/engine/slabs.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void what_is_taken_in_a_row_lies_side_by_side(void **state)
{
    (void)state;
    evs__slabs slabs = {0};
    char *first = evs__slabs_take(&slabs, 100), *second = evs__slabs_take(&slabs, 200);
    char *third = evs__slabs_take(&slabs, 1);
    assert_ptr_equal(second, first + EVS__SLAB_UNIT);
    assert_ptr_equal(third, second + 2 * (size_t)EVS__SLAB_UNIT);
    assert_int_equal((uintptr_t)third % _Alignof(max_align_t), 0);
    evs__slabs_give(&slabs, second);
    evs__slabs_give(&slabs, first);
    evs__slabs_give(&slabs, third);
    evs__slabs_free(&slabs);
}

static void a_slab_is_used_again_when_all_of_it_came_back(void **state)
{
    (void)state;
    evs__slabs slabs = {0};
    void *all[EVS__SLAB_UNITS], *next[EVS__SLAB_UNITS];
    for (size_t i = 0; i < EVS__SLAB_UNITS; i++)
        all[i] = evs__slabs_take(&slabs, 1);
    for (size_t i = 1; i < EVS__SLAB_UNITS; i++)
        evs__slabs_give(&slabs, all[i]);
    for (size_t i = 0; i < EVS__SLAB_UNITS; i++) {
        next[i] = evs__slabs_take(&slabs, 1);
        for (size_t j = 0; j < EVS__SLAB_UNITS; j++)
            assert_ptr_not_equal(next[i], all[j]);
    }
    evs__slabs_give(&slabs, all[0]);
    void *again = evs__slabs_take(&slabs, 1);
    assert_ptr_equal(again, all[0]);
    evs__slabs_give(&slabs, again);
    for (size_t i = 0; i < EVS__SLAB_UNITS; i++)
        evs__slabs_give(&slabs, next[i]);
    evs__slabs_free(&slabs);
}

static void what_is_left_of_a_slab_does_not_keep_it(void **state)
{
    (void)state;
    evs__slabs slabs = {0};
    size_t large = (size_t)EVS__SLAB_MOST * EVS__SLAB_UNIT - 64;
    void *all[2 * EVS__SLAB_UNITS];
    for (int round = 0; round < 100; round++) {
        for (size_t i = 0; i < 2 * (size_t)EVS__SLAB_UNITS; i++)
            all[i] = evs__slabs_take(&slabs, large); /* 7 to a slab, and 7 units left */
        for (size_t i = 0; i < 2 * (size_t)EVS__SLAB_UNITS; i++)
            evs__slabs_give(&slabs, all[i]);
    }
    evs__mem_fail_at(1); /* what there was is enough */
    for (size_t i = 0; i < 2 * (size_t)EVS__SLAB_UNITS; i++)
        assert_non_null(all[i] = evs__slabs_take(&slabs, large));
    evs__mem_fail_at(0);
    for (size_t i = 0; i < 2 * (size_t)EVS__SLAB_UNITS; i++)
        evs__slabs_give(&slabs, all[i]);
    evs__slabs_free(&slabs);
}

static void large_things_are_allocated_alone(void **state)
{
    (void)state;
    evs__slabs slabs = {0};
    size_t size = 1000000;
    char *large = evs__slabs_take(&slabs, size);
    memset(large, 1, size);
    assert_int_equal((uintptr_t)large % _Alignof(max_align_t), 0);
    evs__slabs_give(&slabs, large);
    assert_null(evs__slabs_take(&slabs, SIZE_MAX));
    assert_null(evs__slabs_take(&slabs, SIZE_MAX - 8));
    evs__slabs_free(&slabs);
}

static void more_than_are_kept_are_freed(void **state)
{
    (void)state;
    enum { MANY = (EVS__SLABS_SPARE + 8) * EVS__SLAB_UNITS };
    static void *all[MANY];
    evs__slabs slabs = {0};
    for (size_t i = 0; i < MANY; i++)
        assert_non_null(all[i] = evs__slabs_take(&slabs, 100));
    for (size_t i = 0; i < MANY; i++)
        evs__slabs_give(&slabs, all[i]);
    size_t kept = 0;
    for (size_t i = 0; i < EVS__SLABS_SPARE; i++)
        kept += atomic_load(&slabs.spare[i]) != NULL;
    assert_int_equal(kept, EVS__SLABS_SPARE);
    evs__slabs_free(&slabs); /* the sanitizers and valgrind look after the rest */
}

static void without_memory_there_is_nothing(void **state)
{
    (void)state;
    evs__slabs slabs = {0};
    evs__mem_fail_at(1);
    assert_null(evs__slabs_take(&slabs, 1));
    assert_null(evs__slabs_take(&slabs, 5000));
    evs__mem_fail_at(0);
    void *one = evs__slabs_take(&slabs, 1);
    assert_non_null(one);
    evs__slabs_give(&slabs, one);
    evs__slabs_free(&slabs);
}

/* ---- threads ---- */

enum { TAKERS = 4, GIVERS = 2, EACH = 20000, PLACES = 512 };

/* Each taker puts what it takes into every giver's places in turn. */
typedef struct exchange {
    evs__slabs slabs;
    _Atomic(unsigned char *) places[GIVERS][PLACES];
    atomic_uint takers; /* that take a next number */
    atomic_uint givers;
    atomic_uint wrong;
} exchange;

static size_t size_of(unsigned taker, unsigned i)
{
    return 8 + (taker * 7919 + i * 31) % (i % 100 == 0 ? 3000 : 300);
}

static void *take_many(void *arg)
{
    exchange *all = arg;
    unsigned self = atomic_fetch_add(&all->takers, 1);
    for (unsigned i = 0; i < EACH; i++) {
        size_t size = size_of(self, i);
        unsigned char *room = evs__slabs_take(&all->slabs, size);
        unsigned char mark = (unsigned char)(self * 50 + i);
        memcpy(room, &size, sizeof size);
        memset(room + sizeof size, mark, size - sizeof size);
        for (unsigned at = self + i;; at++) {
            unsigned char *none = NULL;
            if (atomic_compare_exchange_strong(&all->places[i % GIVERS][at % PLACES], &none, room))
                break;
            if (at % PLACES == 0)
                sched_yield();
        }
    }
    return NULL;
}

/* Whole means: nobody else wrote there. */
static int is_whole(const unsigned char *room)
{
    size_t size;
    memcpy(&size, room, sizeof size);
    for (size_t i = sizeof size; i < size; i++)
        if (room[i] != room[sizeof size])
            return 0;
    return 1;
}

static void *give_many(void *arg)
{
    exchange *all = arg;
    unsigned self = atomic_fetch_add(&all->givers, 1), given = 0;
    for (unsigned at = 0; given < TAKERS * EACH / GIVERS; at++) {
        unsigned char *room = atomic_exchange(&all->places[self][at % PLACES], NULL);
        if (at % PLACES == 0)
            sched_yield();
        if (room == NULL)
            continue;
        if (!is_whole(room))
            atomic_fetch_add(&all->wrong, 1);
        memset(room, 255, 8);
        evs__slabs_give(&all->slabs, room);
        given++;
    }
    return NULL;
}

static void threads_take_and_give_at_once(void **state)
{
    (void)state;
    static exchange all;
    pthread_t threads[TAKERS + GIVERS];
    for (size_t i = 0; i < TAKERS + GIVERS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, i < TAKERS ? take_many : give_many, &all), 0);
    for (size_t i = 0; i < TAKERS + GIVERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(all.wrong, 0);
    evs__slabs_free(&all.slabs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_in_a_row_lies_side_by_side),
        cmocka_unit_test(a_slab_is_used_again_when_all_of_it_came_back),
        cmocka_unit_test(what_is_left_of_a_slab_does_not_keep_it),
        cmocka_unit_test(large_things_are_allocated_alone),
        cmocka_unit_test(more_than_are_kept_are_freed),
        cmocka_unit_test(without_memory_there_is_nothing),
        cmocka_unit_test(threads_take_and_give_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
