/*
 * The reply of a call that nobody waits for any more, because it was canceled or its time is over:
 * it is skipped, and costs neither memory nor the connection.
 */
#include "core/mem.h"
#include "tests/support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { ELEMENTS = 50000 };

/* Takes a lot of memory, piece by piece. */
static evs_bytes long_reply(void)
{
    static const char element[] = "*1\r\n:1\r\n";
    static char text[16 + sizeof element * ELEMENTS];
    size_t len = (size_t)snprintf(text, sizeof text, "*%d\r\n", ELEMENTS);
    for (int i = 0; i < ELEMENTS; i++, len += sizeof element - 1)
        memcpy(text + len, element, sizeof element - 1);
    return (evs_bytes){text, len};
}

typedef enum ending { ANSWERED, CANCELED, EXPIRED } ending;

/* How many allocations it takes until the call behind one that ended so has its answer. */
static size_t count_allocations(ending how)
{
    evs_bytes reply = long_reply();
    const fake_step steps[] = {FAKE_GREET,
                               FAKE_COMMANDS(2),
                               FAKE_SAY(WORLD_SHA_REPLY ":1\r\n"),
                               FAKE_COMMANDS(1),
                               FAKE_COMMANDS(1),
                               FAKE_PAUSE,
                               FAKE_SAY_BYTES(reply.data, reply.len),
                               FAKE_SAY(":2\r\n")};
    world w;
    slot first = {0}, late, next = {0};
    WORLD_OPEN(&w, steps, NULL);
    assert_int_equal(world_submit(&w, &first, WORLD_PATIENCE_MS), EVS_OK);
    world_finish(&w);
    do { /* until one has left before its deadline */
        late = (slot){0};
        assert_int_equal(world_submit(&w, &late, how == EXPIRED ? 20 : WORLD_PATIENCE_MS), EVS_OK);
        while (how == EXPIRED ? late.done == 0 : fake_shard_done(w.fake) < 5)
            evs_client_process(w.set.client, 1, NULL);
    } while (late.done != 0 && late.outcome == EVS_NOT_EXECUTED);
    assert_int_equal(world_submit(&w, &next, WORLD_PATIENCE_MS), EVS_OK);
    while (fake_shard_done(w.fake) < 6)
        evs_client_process(w.set.client, 1, NULL);
    if (how == CANCELED)
        assert_int_equal(evs_cancel(w.set.client, late.ticket, NULL), EVS_OK);
    evs__mem_fail_at(0);
    fake_shard_go(w.fake);
    world_finish(&w);
    size_t count = evs__mem_count();
    assert_int_equal(late.done, 1);
    static const evs_status statuses[] = {EVS_OK, EVS_E_CANCELED, EVS_E_TIMEOUT};
    assert_int_equal(late.status, statuses[how]);
    assert_int_equal(next.number, 2);
    world_close(&w);
    return count;
}

static void a_late_reply_is_skipped_without_being_built(void **state)
{
    (void)state;
    size_t built = count_allocations(ANSWERED);
    assert_true(built > 0);
    assert_true(count_allocations(CANCELED) < built);
    assert_true(count_allocations(EXPIRED) < built);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_reply_is_skipped_without_being_built),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
