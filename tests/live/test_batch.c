/*
 * Batches, scatter and broadcast on three real servers: order, one write per shard, failures one by
 * one, stopping at an error, full queues, use again and again, memory that runs out.
 */
#include "core/mem.h"
#include "tests/support/shards.h"

#include <evalshard/batch.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MANY = 1000 };

static shards set;
static const evs_script *echo, *incr, *fail, *where;

static int set_up(void **state)
{
    (void)state;
    shards_start(&set, 3, NULL);
    echo = shards_script(&set, "echo", "return {KEYS[1], ARGV[1]}");
    incr = shards_script(&set, "incr", "return redis.call('INCR', KEYS[1])");
    fail = shards_script(&set, "fail", "return redis.call('INCRBY', KEYS[1], 'x')");
    where = shards_script(&set, "where", "return redis.call('DBSIZE')");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    shards_stop(&set);
    return 0;
}

static int empty_servers(void **state)
{
    (void)state;
    shards_empty(&set);
    return 0;
}

static evs_batch *new_batch(evs_batch_error on_error)
{
    evs_batch *batch;
    evs_batch_options options = EVS_BATCH_OPTIONS_INIT;
    options.on_error = on_error;
    assert_int_equal(evs_batch_new(&batch, set.client, &options, NULL), EVS_OK);
    return batch;
}

static void add(evs_batch *batch, const evs_script *script, const char *key, const char *arg)
{
    evs_bytes keys[] = {evs_text(key)}, args[] = {evs_text(arg == NULL ? "" : arg)};
    evs_invocation call = {
        .handle = script, .keys = keys, .nkeys = 1, .args = args, .nargs = arg != NULL};
    assert_int_equal(evs_batch_add(batch, &call, NULL), EVS_OK);
}

static void run(evs_batch *batch)
{
    evs_error err;
    if (evs_batch_run(batch, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

/* Each call has an argument of its own, and the text given to add is gone when it runs. */
static void fill_echo(evs_batch *batch)
{
    char key[32], arg[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "{user:%d}", i);
        snprintf(arg, sizeof arg, "argument %d", i);
        add(batch, echo, key, arg);
    }
}

static void check_echo(const evs_batch *batch)
{
    char arg[32];
    assert_int_equal(evs_batch_count(batch), MANY);
    assert_int_equal(evs_batch_failures(batch), 0);
    for (size_t i = 0; i < MANY; i++) {
        const evs_result *result = evs_batch_result(batch, i);
        snprintf(arg, sizeof arg, "argument %zu", i);
        assert_int_equal(result->status, EVS_OK);
        assert_int_equal(result->outcome, EVS_EXECUTED);
        evs_bytes got = evs_reply_bytes(evs_reply_at(result->reply, 1));
        assert_int_equal(got.len, strlen(arg));
        assert_memory_equal(got.data, arg, got.len);
    }
    assert_null(evs_batch_result(batch, MANY));
}

static void results_come_in_the_order_of_adding(void **state)
{
    (void)state;
    evs_batch *batch = new_batch(EVS_BATCH_GO_ON);
    fill_echo(batch);
    assert_null(evs_batch_result(batch, 0));
    run(batch);
    check_echo(batch);
    evs_batch_free(batch);
}

/* Small enough for one write each; the connections are there from the test before. */
static void one_write_per_shard(void **state)
{
    (void)state;
    evs_client_stats before, after;
    char key[32];
    evs_batch *batch = new_batch(EVS_BATCH_GO_ON);
    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof key, "{user:%d}", i);
        add(batch, echo, key, "x");
    }
    evs_client_stats_get(&before, set.client);
    run(batch);
    evs_client_stats_get(&after, set.client);
    assert_int_equal(after.writes - before.writes, 3);
    assert_int_equal(evs_batch_failures(batch), 0);
    evs_batch_free(batch);
}

static void the_memory_is_used_again(void **state)
{
    (void)state;
    evs_batch *batch = new_batch(EVS_BATCH_GO_ON);
    for (int round = 0; round < 5; round++) {
        evs__mem_fail_at(0);
        fill_echo(batch);
        run(batch);
        if (round >= 2)
            assert_true(evs__mem_count() < MANY / 10); /* reading takes some, calls none */
        check_echo(batch);
        evs_batch_clear(batch);
        assert_int_equal(evs_batch_count(batch), 0);
    }
    evs_batch_free(batch);
}

static void each_failure_is_a_result_of_its_own(void **state)
{
    (void)state;
    evs_batch *batch = new_batch(EVS_BATCH_GO_ON);
    char here[32], there[32];
    shards_key(&set, 0, here);
    shards_key(&set, 1, there);
    evs_bytes apart[] = {evs_text(here), evs_text(there)};
    evs_invocation unknown = {.script = "nowhere"};
    evs_invocation crossing = {.handle = incr, .keys = apart, .nkeys = 2};
    add(batch, incr, here, NULL);
    assert_int_equal(evs_batch_add(batch, &unknown, NULL), EVS_OK);
    assert_int_equal(evs_batch_add(batch, &crossing, NULL), EVS_OK);
    add(batch, fail, there, NULL);
    add(batch, incr, here, NULL);
    run(batch);

    static const evs_status expected[] = {EVS_OK, EVS_E_NO_SCRIPT, EVS_E_CROSS_SHARD, EVS_E_SCRIPT,
                                          EVS_OK};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(evs_batch_result(batch, i)->status, expected[i]);
    assert_int_equal(evs_batch_failures(batch), 3);
    assert_int_equal(evs_reply_integer(evs_batch_result(batch, 4)->reply), 2);
    assert_int_equal(evs_batch_result(batch, 2)->outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(evs_batch_result(batch, 2)->error->message, "key 1"));
    assert_int_equal(evs_batch_result(batch, 3)->outcome, EVS_EXECUTED);
    assert_int_equal(evs_reply_kind(evs_batch_result(batch, 3)->reply), EVS_REPLY_ERROR);
    evs_batch_free(batch);
}

static void stop_holds_back_what_is_behind_an_error(void **state)
{
    (void)state;
    char here[32], there[32], command[64];
    evs_batch *batch = new_batch(EVS_BATCH_STOP);
    shards_key(&set, 0, here);
    shards_key(&set, 1, there);
    add(batch, incr, here, NULL);
    add(batch, incr, there, NULL);
    add(batch, fail, here, NULL);
    add(batch, incr, here, NULL);
    add(batch, incr, there, NULL);
    add(batch, incr, here, NULL);
    run(batch);

    static const evs_status expected[] = {EVS_OK,         EVS_OK, EVS_E_SCRIPT,
                                          EVS_E_CANCELED, EVS_OK, EVS_E_CANCELED};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(evs_batch_result(batch, i)->status, expected[i]);
    assert_int_equal(evs_batch_result(batch, 5)->outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(evs_batch_result(batch, 5)->error->message, "EVS_E_SCRIPT"));
    snprintf(command, sizeof command, "INCR %s", here);
    assert_int_equal(shards_do(&set, 0, command), 2);
    snprintf(command, sizeof command, "INCR %s", there);
    assert_int_equal(shards_do(&set, 1, command), 3);
    evs_batch_free(batch);
}

/* A refusal before anything is sent stops its shard too. */
static void stop_counts_refusals(void **state)
{
    (void)state;
    char here[32];
    evs_batch *batch = new_batch(EVS_BATCH_STOP);
    shards_key(&set, 0, here);
    evs_bytes key = evs_text(here);
    evs_invocation unknown = {.script = "nowhere", .keys = &key, .nkeys = 1};
    assert_int_equal(evs_batch_add(batch, &unknown, NULL), EVS_OK);
    add(batch, incr, here, NULL);
    run(batch);
    assert_int_equal(evs_batch_result(batch, 0)->status, EVS_E_NO_SCRIPT);
    assert_int_equal(evs_batch_result(batch, 1)->status, EVS_E_CANCELED);
    evs_batch_free(batch);
}

static void a_full_queue_holds_the_rest_back(void **state)
{
    (void)state;
    evs_client *narrow;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    evs_batch *batch;
    options.max_in_flight = 4;
    assert_int_equal(evs_client_open(&narrow, set.map, set.registry, &options, NULL), EVS_OK);
    assert_int_equal(evs_batch_new(&batch, narrow, NULL, NULL), EVS_OK);
    fill_echo(batch);
    run(batch);
    check_echo(batch);
    evs_batch_free(batch);
    evs_client_free(narrow);
}

static void a_rule_for_errors_that_there_is_not_is_refused(void **state)
{
    (void)state;
    evs_error err;
    evs_batch *batch = NULL;
    evs_batch_options options = EVS_BATCH_OPTIONS_INIT;
    options.on_error = (evs_batch_error)2;
    assert_int_equal(evs_batch_new(&batch, set.client, &options, &err), EVS_E_INVALID);
    assert_null(batch);
}

static void an_empty_batch_is_done_at_once(void **state)
{
    (void)state;
    evs_batch *batch = new_batch(EVS_BATCH_GO_ON);
    evs_invocation call = {.handle = incr};
    run(batch);
    assert_int_equal(evs_batch_run(batch, NULL), EVS_E_STATE);
    assert_int_equal(evs_batch_add(batch, &call, NULL), EVS_E_STATE);
    evs_batch_free(batch);
}

typedef struct rounds {
    int left, done;
} rounds;

static void once_more(void *arg, evs_batch *batch)
{
    rounds *r = arg;
    check_echo(batch);
    r->done++;
    if (--r->left == 0) {
        evs_batch_free(batch);
        return;
    }
    evs_batch_clear(batch);
    fill_echo(batch);
    assert_int_equal(evs_batch_run(batch, NULL), EVS_E_STATE); /* it would wait */
    assert_int_equal(evs_batch_submit(batch, once_more, r, NULL), EVS_OK);
}

static void a_completion_may_submit_the_batch_again(void **state)
{
    (void)state;
    rounds r = {3, 0};
    evs_batch *batch = new_batch(EVS_BATCH_GO_ON);
    fill_echo(batch);
    assert_int_equal(evs_batch_submit(batch, once_more, &r, NULL), EVS_OK);
    while (evs_client_pending(set.client) > 0)
        assert_int_equal(evs_client_process(set.client, -1, NULL), EVS_OK);
    assert_int_equal(r.done, 3);
}

static void note_done(void *arg, evs_batch *batch)
{
    int *times = arg;
    check_echo(batch);
    ++*times;
}

/* It ends as it was submitted, whatever is tried meanwhile. */
static void a_batch_that_runs_is_not_started_again(void **state)
{
    (void)state;
    int first = 0, second = 0;
    evs_batch *batch = new_batch(EVS_BATCH_GO_ON);
    fill_echo(batch);
    assert_int_equal(evs_batch_submit(batch, note_done, &first, NULL), EVS_OK);
    assert_int_equal(evs_batch_submit(batch, note_done, &second, NULL), EVS_E_STATE);
    assert_int_equal(evs_batch_run(batch, NULL), EVS_E_STATE);
    while (evs_client_pending(set.client) > 0)
        assert_int_equal(evs_client_process(set.client, -1, NULL), EVS_OK);
    assert_int_equal(first, 1);
    assert_int_equal(second, 0);
    assert_int_equal(evs_batch_run(batch, NULL), EVS_E_STATE);
    evs_batch_free(batch);
}

typedef struct fold {
    size_t count, failed;
    int64_t sum;
    unsigned char seen[MANY];
    evs_client *to_free;
} fold;

static void gather(void *arg, size_t index, const evs_result *result)
{
    fold *f = arg;
    f->count++;
    f->failed += result->status != EVS_OK;
    f->sum += result->status == EVS_OK ? evs_reply_integer(result->reply) : 0;
    f->seen[index]++;
    if (f->to_free != NULL && f->count == 1)
        evs_client_free(f->to_free);
}

static size_t make_groups(evs_key_group *groups, evs_bytes *keys, char (*texts)[32])
{
    for (size_t i = 0; i < MANY; i++) {
        snprintf(texts[i], 32, "{user:%zu}", i % 500);
        keys[i] = evs_text(texts[i]);
        groups[i] = (evs_key_group){&keys[i], 1};
    }
    return MANY;
}

static evs_key_group groups[MANY];
static evs_bytes group_keys[MANY];
static char key_texts[MANY][32];

static void scatter_folds_every_result(void **state)
{
    (void)state;
    fold f = {0};
    evs_error err;
    size_t count = make_groups(groups, group_keys, key_texts);
    evs_invocation call = {.handle = incr};
    assert_int_equal(evs_scatter(set.client, &call, groups, count, gather, &f, &err), EVS_OK);
    assert_int_equal(f.count, MANY);
    assert_int_equal(f.sum, 500 * (1 + 2));
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(f.seen[i], 1);
}

static void scatter_says_what_failed_first(void **state)
{
    (void)state;
    fold f = {0};
    evs_error err;
    size_t count = make_groups(groups, group_keys, key_texts);
    evs_invocation call = {.handle = fail};
    assert_int_equal(evs_scatter(set.client, &call, groups, count, gather, &f, &err), EVS_E_SCRIPT);
    assert_int_equal(f.failed, MANY);
    assert_non_null(strstr(err.message, "not an integer"));
    assert_int_equal(evs_scatter(set.client, &call, groups, 0, gather, &f, &err), EVS_OK);
    assert_int_equal(evs_scatter(set.client, &call, groups, 1, NULL, &f, &err), EVS_E_INVALID);
}

static void broadcast_reaches_every_shard_once(void **state)
{
    (void)state;
    fold f = {0};
    evs_error err;
    for (size_t i = 0; i < 3; i++) {
        char key[32], command[64];
        snprintf(command, sizeof command, "SET %s x", shards_key(&set, i, key));
        shards_do(&set, i, command);
    }
    evs_invocation call = {.handle = where};
    assert_int_equal(evs_broadcast(set.client, &call, gather, &f, &err), EVS_OK);
    assert_int_equal(f.count, 3);
    assert_int_equal(f.sum, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(f.seen[i], 1);
    call.pool = "main";
    assert_int_equal(evs_broadcast(set.client, &call, gather, &f, &err), EVS_OK);
    assert_int_equal(f.count, 6);
    call.pool = "elsewhere";
    assert_int_equal(evs_broadcast(set.client, &call, gather, &f, &err), EVS_E_INVALID);
    call.pool = NULL;
    call.shard = "s0";
    assert_int_equal(evs_broadcast(set.client, &call, gather, &f, &err), EVS_E_INVALID);
}

static void a_fold_may_free_the_client(void **state)
{
    (void)state;
    fold f = {0};
    evs_client *own;
    evs_invocation call = {.handle = incr};
    size_t count = make_groups(groups, group_keys, key_texts);
    assert_int_equal(evs_client_open(&own, set.map, set.registry, NULL, NULL), EVS_OK);
    f.to_free = own;
    evs_status status = evs_scatter(own, &call, groups, count, gather, &f, NULL);
    assert_true(status == EVS_E_CANCELED || status == EVS_OK); /* all may have answered by then */
    assert_int_equal(f.count, MANY);
}

/* Whatever allocation fails, every call has a result, and none is said not to have run when it did.
 */
static void failing_allocations_lose_no_result(void **state)
{
    (void)state;
    char key[32], command[64];
    shards_key(&set, 0, key);
    snprintf(command, sizeof command, "INCRBY %s 0", key);
    for (size_t n = 1; n < 60; n++) {
        evs_batch *batch = new_batch(n % 2 == 0 ? EVS_BATCH_STOP : EVS_BATCH_GO_ON);
        long long before = shards_do(&set, 0, command), most = 0, least = 0;
        for (int i = 0; i < 3; i++)
            add(batch, incr, key, NULL);
        evs__mem_fail_at(n);
        evs_status status = evs_batch_run(batch, NULL);
        evs__mem_fail_at(0);
        assert_true(status == EVS_OK || status == EVS_E_NOMEM);
        for (size_t i = 0; status == EVS_OK && i < 3; i++) {
            least += evs_batch_result(batch, i)->outcome == EVS_EXECUTED;
            most += evs_batch_result(batch, i)->outcome != EVS_NOT_EXECUTED;
        }
        long long ran = shards_do(&set, 0, command) - before;
        assert_in_range(ran, least, most);
        evs_batch_free(batch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(results_come_in_the_order_of_adding, empty_servers),
        cmocka_unit_test_setup(one_write_per_shard, empty_servers),
        cmocka_unit_test_setup(the_memory_is_used_again, empty_servers),
        cmocka_unit_test_setup(each_failure_is_a_result_of_its_own, empty_servers),
        cmocka_unit_test_setup(stop_holds_back_what_is_behind_an_error, empty_servers),
        cmocka_unit_test_setup(stop_counts_refusals, empty_servers),
        cmocka_unit_test_setup(a_full_queue_holds_the_rest_back, empty_servers),
        cmocka_unit_test(a_rule_for_errors_that_there_is_not_is_refused),
        cmocka_unit_test_setup(an_empty_batch_is_done_at_once, empty_servers),
        cmocka_unit_test_setup(a_completion_may_submit_the_batch_again, empty_servers),
        cmocka_unit_test_setup(a_batch_that_runs_is_not_started_again, empty_servers),
        cmocka_unit_test_setup(scatter_folds_every_result, empty_servers),
        cmocka_unit_test_setup(scatter_says_what_failed_first, empty_servers),
        cmocka_unit_test_setup(broadcast_reaches_every_shard_once, empty_servers),
        cmocka_unit_test_setup(a_fold_may_free_the_client, empty_servers),
        cmocka_unit_test_setup(failing_allocations_lose_no_result, empty_servers),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
