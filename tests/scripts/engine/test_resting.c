/*
 * Calls that a server refuses rest, and are asked again until their deadline.
 */
#include "tests/support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char reader[] = "--- Reads.\n-- @key k any\n-- @retry read_only\nreturn 1";

static void a_busy_shard_is_asked_again(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET,
                               FAKE_COMMANDS(2),
                               FAKE_SAY("+OK\r\n-BUSY running\r\n"),
                               FAKE_COMMANDS(2), /* the script is not known to be there */
                               FAKE_SAY("+OK\r\n-LOADING the data set\r\n"),
                               FAKE_COMMANDS(2),
                               FAKE_SAY("+OK\r\n:7\r\n")};
    world w;
    slot one = {0};
    WORLD_OPEN(&w, steps, NULL);
    w.script = shards_script(&w.set, "reader", reader);
    assert_int_equal(world_submit(&w, &one, WORLD_PATIENCE_MS), EVS_OK);
    world_poll(&w);
    assert_int_equal(one.status, EVS_OK);
    assert_int_equal(one.number, 7);
    evs_client_stats stats;
    evs_client_stats_get(&stats, w.set.client);
    assert_int_equal(stats.retries, 2);
    world_close(&w);
}

static evs_status refuse_until_the_deadline(void)
{
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY("+OK\r\n-BUSY x\r\n"),
                               FAKE_SERVE("-BUSY x\r\n")};
    world w;
    slot one = {0};
    WORLD_OPEN(&w, steps, NULL);
    w.script = shards_script(&w.set, "reader", reader);
    assert_int_equal(world_submit(&w, &one, 1000), EVS_OK);
    world_finish(&w);
    fake_shard_go(w.fake);
    world_close(&w);
    return one.status;
}

/* On a busy machine it may be under way just then, and nothing is known: then it is tried anew. */
static void the_last_refusal_is_what_is_told_at_the_deadline(void **state)
{
    (void)state;
    evs_status status = EVS_E_TIMEOUT;
    for (int i = 0; i < 30 && status == EVS_E_TIMEOUT; i++)
        status = refuse_until_the_deadline();
    assert_int_equal(status, EVS_E_BUSY);
}

static void without_patience_the_caller_is_told_at_once(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY("+OK\r\n-BUSY x\r\n")};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.patience = EVS_PATIENCE_NONE;
    world w;
    slot one = {0};
    WORLD_OPEN(&w, steps, &options);
    w.script = shards_script(&w.set, "reader", reader);
    assert_int_equal(world_submit(&w, &one, WORLD_PATIENCE_MS), EVS_OK);
    world_finish(&w);
    assert_int_equal(one.status, EVS_E_BUSY);
    world_close(&w);
}

static void a_resting_call_can_be_canceled(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY("+OK\r\n-BUSY x\r\n"),
                               FAKE_SERVE("-BUSY x\r\n")};
    evs_client_stats stats = {0};
    world w;
    slot one = {0};
    WORLD_OPEN(&w, steps, NULL);
    w.script = shards_script(&w.set, "reader", reader);
    assert_int_equal(world_submit(&w, &one, WORLD_PATIENCE_MS), EVS_OK);
    while (stats.retries == 0) {
        evs_client_process(w.set.client, -1, NULL);
        evs_client_stats_get(&stats, w.set.client);
    }
    assert_int_equal(evs_cancel(w.set.client, one.ticket, NULL), EVS_OK);
    assert_int_equal(one.status, EVS_E_CANCELED);
    fake_shard_go(w.fake);
    world_close(&w);
}

/* After a failover the name may lead elsewhere: a new connection is made before asking again. */
static void a_replica_is_left(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY("+OK\r\n-READONLY You can't write\r\n"),
        FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY("+OK\r\n:5\r\n")};
    world w;
    slot one = {0};
    WORLD_OPEN(&w, steps, NULL);
    w.script = shards_script(&w.set, "reader", reader);
    assert_int_equal(world_submit(&w, &one, WORLD_PATIENCE_MS), EVS_OK);
    world_finish(&w);
    assert_int_equal(one.number, 5);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_busy_shard_is_asked_again),
        cmocka_unit_test(the_last_refusal_is_what_is_told_at_the_deadline),
        cmocka_unit_test(without_patience_the_caller_is_told_at_once),
        cmocka_unit_test(a_resting_call_can_be_canceled),
        cmocka_unit_test(a_replica_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
