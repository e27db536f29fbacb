/*
 * Replicas that real sentinels know are read from: three sentinels, a primary, two replicas. Who
 * ran what is counted by the servers. What goes wrong is in test_sentinel_replica_trouble.c.
 */
#include "tests/support/followed.h"

#include <evalshard/batch.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void batches_go_to_both(void **state)
{
    (void)state;
    evs_error err;
    evs_batch *batch;
    followed_settle();
    evs_client *client = followed_open("replica", NULL);
    assert_int_equal(evs_batch_new(&batch, client, NULL, &err), EVS_OK);
    for (int i = 0; i < FOLLOWED_KEYS; i++) {
        evs_bytes key = evs_text(reading_key(i));
        evs_invocation one = {.script = "get", .keys = &key, .nkeys = 1};
        assert_int_equal(evs_batch_add(batch, &one, &err), EVS_OK);
        one = (evs_invocation){.script = "set", .keys = &key, .nkeys = 1, .args = &key, .nargs = 1};
        assert_int_equal(evs_batch_add(batch, &one, &err), EVS_OK);
    }
    assert_int_equal(evs_batch_run(batch, &err), EVS_OK);
    assert_int_equal(evs_batch_failures(batch), 0);
    evs_batch_free(batch);
    assert_int_equal(followed_ran(followed.primary, "evalsha"), FOLLOWED_KEYS);
    assert_int_equal(followed_ran(followed.replicas[0], "evalsha_ro"), FOLLOWED_KEYS / 2);
    assert_int_equal(followed_ran(followed.replicas[1], "evalsha_ro"), FOLLOWED_KEYS / 2);
    evs_client_free(client);
}

static void what_replicas_ran_is_counted_for_the_shard(void **state)
{
    (void)state;
    evs_error err;
    evs_stats *stats;
    followed_settle();
    evs_client *client = followed_open("replica", NULL);
    reading_read(client, "get", reading_key(0));
    reading_read(client, "get", reading_key(1));
    assert_int_equal(evs_stats_snapshot(&stats, client, &err), EVS_OK);
    assert_int_equal(evs_stats_count(stats), 1);
    assert_string_equal(evs_stats_at(stats, 0)->shard, "a");
    assert_int_equal(evs_stats_at(stats, 0)->calls, 2);
    evs_stats_free(stats);
    evs_client_free(client);
}

static void a_running_client_takes_another_rule(void **state)
{
    (void)state;
    static const char *const rules[] = {"replica", "primary", "prefer_replica", "primary",
                                        "replica"};
    followed_settle();
    evs_client *client = followed_open("primary", NULL);
    for (size_t i = 0; i < 5; i++) {
        followed_count_anew();
        for (int k = 0; k < 4; k++)
            reading_read(client, "get", reading_key(k));
        assert_int_equal(followed_ran(followed.primary, "evalsha") +
                             followed_replicas_ran("evalsha_ro") +
                             followed_ran(followed.primary, "evalsha_ro"),
                         4);
        if (i % 2 == 0) /* before any other */
            assert_int_equal(followed_ran(followed.primary, "evalsha"), 4);
        else if (strcmp(rules[i - 1], "replica") == 0)
            assert_int_equal(followed_replicas_ran("evalsha_ro"), 4);
        followed_reload(client, rules[i]);
    }
    evs_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        READING_TEST(reading_is_spread_over_replicas, &followed_stage),
        READING_TEST(reading_goes_to_primaries_without_a_rule, &followed_stage),
        READING_TEST(reading_by_plain_commands_goes_to_replicas, &followed_stage),
        cmocka_unit_test(batches_go_to_both),
        READING_TEST(reading_heals_scripts_on_replicas, &followed_stage),
        cmocka_unit_test(what_replicas_ran_is_counted_for_the_shard),
        cmocka_unit_test(a_running_client_takes_another_rule),
    };
    followed_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    followed_stop();
    return failed;
}
