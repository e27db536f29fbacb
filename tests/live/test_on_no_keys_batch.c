/* Calls without keys that run on every shard, in batches: one result each, in its place in the
 * order of every shard, and what it says is true by the servers' own counts. */
#include "core/mem.h"
#include "tests/support/runs.h"

#include <evalshard/batch.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LONG_MS = 60000 };

static shards set;

static evs_batch *new_batch(evs_client *client, evs_batch_error on_error)
{
    evs_batch *batch;
    evs_batch_options options = EVS_BATCH_OPTIONS_INIT;
    options.on_error = on_error;
    assert_int_equal(evs_batch_new(&batch, client, &options, NULL), EVS_OK);
    return batch;
}

static void add(evs_batch *batch, const char *script, const char *shard)
{
    evs_invocation call = {.script = script, .shard = shard, .timeout_ms = LONG_MS};
    assert_int_equal(evs_batch_add(batch, &call, NULL), EVS_OK);
}

static void an_entry_of_a_batch_runs_everywhere(void **state)
{
    (void)state;
    for (int stop = 0; stop < 2; stop++) {
        runs before = runs_now(&set);
        evs_batch *batch = new_batch(set.client, stop ? EVS_BATCH_STOP : EVS_BATCH_GO_ON);
        add(batch, "count", "s0");
        add(batch, "count", NULL);
        add(batch, "count", "s1");
        add(batch, "count", NULL);
        add(batch, "count", NULL);
        assert_int_equal(evs_batch_run(batch, NULL), EVS_OK);
        assert_int_equal(evs_batch_failures(batch), 0);
        const evs_reply *second = evs_batch_result(batch, 1)->reply;
        const evs_reply *last = evs_batch_result(batch, 4)->reply;
        assert_int_equal(evs_reply_count(last), RUNS_SERVERS);
        for (size_t i = 0; i < RUNS_SERVERS; i++) /* each counted the calls there, in their order */
            assert_int_equal(evs_reply_integer(evs_reply_at(last, i)) -
                                 evs_reply_integer(evs_reply_at(second, i)),
                             i == 1 ? 3 : 2);
        runs_expect(&set, &before, 4, 4, 3);
        evs_batch_free(batch);
    }
}

static void it_is_in_the_chain_of_every_shard(void **state)
{
    (void)state;
    runs before = runs_now(&set);
    evs_batch *batch = new_batch(set.client, EVS_BATCH_STOP);
    static const struct {
        const char *script, *shard;
        evs_status status;
    } calls[] = {
        {"count", NULL, EVS_OK},           {"raise", "s1", EVS_E_SCRIPT},
        {"count", "s0", EVS_OK},           {"count", NULL, EVS_E_CANCELED},
        {"count", "s2", EVS_E_CANCELED},   {"count", "s0", EVS_E_CANCELED},
        {"unheard", NULL, EVS_E_CANCELED},
    };
    enum { CALLS = sizeof calls / sizeof calls[0] };
    for (size_t i = 0; i < CALLS; i++)
        add(batch, calls[i].script, calls[i].shard);
    assert_int_equal(evs_batch_run(batch, NULL), EVS_OK);
    for (size_t i = 0; i < CALLS; i++) {
        const evs_result *result = evs_batch_result(batch, i);
        assert_int_equal(result->status, calls[i].status);
        if (result->status == EVS_E_CANCELED) {
            assert_int_equal(result->outcome, EVS_NOT_EXECUTED);
            assert_non_null(strstr(result->error->message, "EVS_E_SCRIPT"));
        }
    }
    runs_expect(&set, &before, 2, 1, 1);
    evs_batch_free(batch);
}

static void a_long_batch_passes_a_narrow_client(void **state)
{
    (void)state;
    enum { CALLS = 200 };
    runs before = runs_now(&set);
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 1;
    evs_client *client = shards_client(&set, &options);
    for (int stop = 0; stop < 2; stop++) {
        evs_batch *batch = new_batch(client, stop ? EVS_BATCH_STOP : EVS_BATCH_GO_ON);
        for (size_t i = 0; i < CALLS; i++)
            add(batch, "count", NULL);
        assert_int_equal(evs_batch_run(batch, NULL), EVS_OK);
        assert_int_equal(evs_batch_failures(batch), 0);
        evs_batch_free(batch);
    }
    runs_expect(&set, &before, 2 * CALLS, 2 * CALLS, 2 * CALLS);
    evs_client_free(client);
}

static void memory_that_lacks_changes_no_truth(void **state)
{
    (void)state;
    for (size_t n = 1; n < 60; n++) {
        runs before = runs_now(&set);
        evs_batch *batch = new_batch(set.client, EVS_BATCH_STOP);
        add(batch, "count", NULL);
        add(batch, "count", "s1");
        add(batch, "count", NULL);
        evs__mem_fail_once_at(n);
        evs_status status = evs_batch_run(batch, NULL);
        evs__mem_fail_at(0);
        assert_true(status == EVS_OK || status == EVS_E_NOMEM);
        long long ran = runs_now(&set).of[1] - before.of[1], least = 0, most = 0;
        for (size_t i = 0; status == EVS_OK && i < 3; i++) {
            least += evs_batch_result(batch, i)->outcome == EVS_EXECUTED;
            most += evs_batch_result(batch, i)->outcome != EVS_NOT_EXECUTED;
        }
        assert_in_range(ran, least, most);
        evs_batch_free(batch);
    }
}

static int set_up(void **state)
{
    (void)state;
    runs_start(&set);
    shards_script(&set, "raise", "return redis.error_reply('ERR no')");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    shards_stop(&set);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_of_a_batch_runs_everywhere),
        cmocka_unit_test(it_is_in_the_chain_of_every_shard),
        cmocka_unit_test(a_long_batch_passes_a_narrow_client),
        cmocka_unit_test(memory_that_lacks_changes_no_truth),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
