/*
 * Nothing grows without a bound, on a real server: a queue that is full in calls or in bytes and
 * fails, blocks or signals; replies over a limit in every way to call; closing while there is work.
 * Each call that was taken is completed exactly once, and the server's count agrees.
 */
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 400, LONG_MS = 60000, TEN_KB = 10000 };

static shards set;
static const evs_script *incr, *incr_again, *echo, *big, *deep;
static char ten_kb[TEN_KB + 1];

/* ---- calls ---- */

typedef struct slot {
    int done;
    evs_status status;
    evs_outcome outcome;
} slot;

typedef struct crowd {
    evs_client *client;
    slot slots[MOST];
    size_t taken, rooms, again; /* `again`: how many are still to be submitted for room */
} crowd;

static void note(void *arg, const evs_result *result)
{
    slot *self = arg;
    self->done++;
    self->status = result->status;
    self->outcome = result->outcome;
}

static evs_status submit(crowd *all, const evs_script *script, const char *arg, unsigned timeout_ms)
{
    evs_bytes key = evs_text("n"), value = evs_text(arg);
    evs_invocation call = {.handle = script,
                           .keys = &key,
                           .nkeys = 1,
                           .args = &value,
                           .nargs = 1,
                           .timeout_ms = timeout_ms};
    evs_status status = evs_submit(all->client, &call, note, &all->slots[all->taken], NULL);
    all->taken += status == EVS_OK;
    return status;
}

static void finish(evs_client *client)
{
    while (evs_client_pending(client) > 0)
        evs_client_process(client, -1, NULL);
}

static size_t count_of(const crowd *all, evs_status status)
{
    size_t n = 0;
    for (size_t i = 0; i < all->taken; i++)
        n += all->slots[i].status == status;
    return n;
}

static void each_completed_once(const crowd *all)
{
    for (size_t i = 0; i < MOST; i++)
        assert_int_equal(all->slots[i].done, i < all->taken ? 1 : 0);
}

static long long counted(void)
{
    return shards_do(&set, 0, "INCRBY n 0");
}

static void open_crowd(crowd *all, const evs_client_options *options)
{
    memset(all, 0, sizeof *all);
    shards_do(&set, 0, "FLUSHALL");
    assert_int_equal(evs_client_open(&all->client, set.map, set.registry, options, NULL), EVS_OK);
}

/* ---- a queue that is full ---- */

static void so_many_calls_and_no_more(void **state)
{
    (void)state;
    crowd all;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 20;
    open_crowd(&all, &options);
    for (int round = 0; round < 5; round++) {
        while (submit(&all, incr, "", LONG_MS) == EVS_OK)
            ;
        finish(all.client);
    }
    assert_in_range(all.taken, 5 * 19, 5 * 20); /* a load counts, too */
    each_completed_once(&all);
    assert_int_equal(counted(), (long long)all.taken);
    evs_client_free(all.client);
}

static void so_many_bytes_and_no_more(void **state)
{
    (void)state;
    crowd all;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_queued_bytes = 10 * TEN_KB;
    open_crowd(&all, &options);
    for (int round = 0; round < 5; round++) {
        while (submit(&all, incr, ten_kb, LONG_MS) == EVS_OK)
            ;
        finish(all.client);
    }
    assert_in_range(all.taken, 5 * 9, 5 * 11);
    each_completed_once(&all);
    assert_int_equal(counted(), (long long)all.taken);
    evs_client_free(all.client);
}

static void who_blocks_gets_in(void **state)
{
    (void)state;
    for (int by_bytes = 0; by_bytes < 2; by_bytes++) {
        crowd all;
        evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
        options.on_full = EVS_FULL_BLOCK;
        options.max_in_flight = by_bytes ? 0 : 8;
        options.max_queued_bytes = by_bytes ? 5 * TEN_KB : 0;
        open_crowd(&all, &options);
        for (int i = 0; i < MOST; i++)
            assert_int_equal(submit(&all, incr, ten_kb, LONG_MS), EVS_OK);
        finish(all.client);
        each_completed_once(&all);
        assert_int_equal(count_of(&all, EVS_OK), MOST);
        assert_int_equal(counted(), MOST);
        evs_client_free(all.client);
    }
}

/* The server is held up, so there is no room before the call's time is over. */
static void who_blocks_is_released_at_the_deadline(void **state)
{
    (void)state;
    crowd all;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.on_full = EVS_FULL_BLOCK;
    options.max_in_flight = 8;
    open_crowd(&all, &options);
    shards_do(&set, 0, "CLIENT PAUSE 60000 WRITE");
    for (int i = 0; i < 8; i++)
        assert_int_equal(submit(&all, incr, "", LONG_MS), EVS_OK);
    assert_int_equal(submit(&all, incr, "", 20), EVS_E_QUEUE_FULL);
    shards_do(&set, 0, "CLIENT UNPAUSE");
    finish(all.client);
    each_completed_once(&all);
    assert_int_equal(counted(), 8);
    evs_client_free(all.client);
}

/* Runs once there is room: the rest goes in, until it is full again. */
static void go_on(void *arg, const char *shard)
{
    crowd *all = arg;
    assert_string_equal(shard, "s0");
    all->rooms++;
    while (all->again > 0 && submit(all, incr, "", LONG_MS) == EVS_OK)
        all->again--;
}

static void who_is_told_of_room_gets_in(void **state)
{
    (void)state;
    crowd all;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.on_full = EVS_FULL_SIGNAL;
    options.max_in_flight = 16;
    options.room = go_on;
    options.room_arg = &all;
    open_crowd(&all, &options);
    all.again = MOST;
    while (submit(&all, incr, "", LONG_MS) == EVS_OK)
        all.again--;
    assert_int_equal(all.rooms, 0);
    finish(all.client);
    assert_int_equal(all.again, 0);
    assert_true(all.rooms >= MOST / 16);
    each_completed_once(&all);
    assert_int_equal(counted(), MOST);
    evs_client_free(all.client);
}

/* ---- replies over a limit ---- */

static evs_client *open_narrow(unsigned protocol, int threaded)
{
    evs_client *client;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.protocol = protocol;
    options.threaded = threaded;
    options.max_reply_bytes = 4096;
    options.max_reply_depth = 10;
    assert_int_equal(evs_client_open(&client, set.map, set.registry, &options, NULL), EVS_OK);
    return client;
}

static uint64_t connects(const evs_client *client)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, client);
    return stats.connects;
}

/* Between calls that are fine, in one write. */
static void in_a_batch(evs_client *client)
{
    const evs_script *scripts[] = {echo, big, echo, deep, echo};
    const evs_status statuses[] = {EVS_OK, EVS_E_REPLY_TOO_BIG, EVS_OK, EVS_E_REPLY_TOO_DEEP,
                                   EVS_OK};
    evs_batch *batch;
    char word[8];
    evs_bytes key = evs_text("n"), arg = {word, 5};
    assert_int_equal(evs_batch_new(&batch, client, NULL, NULL), EVS_OK);
    for (int i = 0; i < 5; i++) {
        snprintf(word, sizeof word, "word%d", i);
        evs_invocation call = {.handle = scripts[i],
                               .keys = &key,
                               .nkeys = 1,
                               .args = &arg,
                               .nargs = 1,
                               .timeout_ms = LONG_MS};
        assert_int_equal(evs_batch_add(batch, &call, NULL), EVS_OK);
    }
    assert_int_equal(evs_batch_run(batch, NULL), EVS_OK);
    for (size_t i = 0; i < 5; i++) {
        const evs_result *result = evs_batch_result(batch, i);
        assert_int_equal(result->status, statuses[i]);
        assert_int_equal(result->outcome, EVS_EXECUTED);
        if (result->status == EVS_OK)
            assert_int_equal(evs_reply_bytes(result->reply).data[4], '0' + (char)i);
    }
    evs_batch_free(batch);
}

/* EXEC ran; which of its elements did is in the reply that nobody may read. */
static void in_a_transaction(evs_client *client)
{
    evs_error err;
    evs_transaction *tx;
    evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
    options.timeout_ms = LONG_MS;
    evs_bytes key = evs_text("n"), words[] = {evs_text("INCR"), key};
    evs_invocation call = {.handle = big, .keys = &key, .nkeys = 1, .args = &key, .nargs = 1};
    evs_plain_command command = {.args = words, .nargs = 2};
    long long before = counted();
    assert_int_equal(evs_transaction_new(&tx, client, &options, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add_command(tx, &command, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add(tx, &call, NULL), EVS_OK);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_REPLY_TOO_BIG);
    assert_int_equal(err.outcome, EVS_EXECUTED);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(evs_transaction_result(tx, i)->outcome, EVS_MAYBE_EXECUTED);
    assert_int_equal(counted() - before, 1);
    evs_transaction_free(tx);
}

static void in_a_plain_command(evs_client *client)
{
    evs_error err;
    evs_reply *reply = NULL;
    evs_bytes set_it[] = {evs_text("SET"), evs_text("long"), {ten_kb, TEN_KB}};
    evs_bytes get_it[] = {evs_text("GET"), evs_text("long")};
    evs_plain_command put = {.args = set_it, .nargs = 3, .timeout_ms = LONG_MS};
    evs_plain_command get = {.args = get_it, .nargs = 2, .timeout_ms = LONG_MS};
    assert_int_equal(evs_command(&reply, client, &put, &err), EVS_OK);
    evs_reply_free(reply);
    assert_int_equal(evs_command(&reply, client, &get, &err), EVS_E_REPLY_TOO_BIG);
    assert_int_equal(err.outcome, EVS_EXECUTED);
}

/* Its call was lost; others, that are large, take what room there is. */
static void lose_and_fill(void *arg, const evs_result *result)
{
    crowd *all = arg;
    note(&all->slots[0], result);
    while (submit(all, incr, ten_kb, LONG_MS) == EVS_OK)
        ;
}

/* Calls that were taken before are sent again however full the queue is by then. */
static void who_got_in_stays_in(void **state)
{
    (void)state;
    crowd all;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_queued_bytes = 5 * TEN_KB;
    open_crowd(&all, &options);
    assert_int_equal(submit(&all, incr, "", LONG_MS), EVS_OK);
    assert_int_equal(submit(&all, incr_again, "", LONG_MS), EVS_OK);
    finish(all.client); /* connected, and the scripts are known */
    shards_do(&set, 0, "FLUSHALL");
    memset(all.slots, 0, sizeof all.slots);

    shards_do(&set, 0, "CLIENT PAUSE 60000 WRITE");
    evs_bytes key = evs_text("n");
    evs_invocation first = {.handle = incr, .keys = &key, .nkeys = 1, .timeout_ms = LONG_MS};
    assert_int_equal(evs_submit(all.client, &first, lose_and_fill, &all, NULL), EVS_OK);
    all.taken = 1;
    for (int i = 0; i < 3; i++)
        assert_int_equal(submit(&all, incr_again, "", LONG_MS), EVS_OK);
    assert_int_equal(evs_client_process(all.client, 0, NULL), EVS_OK); /* all is written */
    shards_do(&set, 0, "CLIENT KILL TYPE normal");
    shards_do(&set, 0, "CLIENT UNPAUSE");
    finish(all.client);

    each_completed_once(&all);
    assert_int_equal(all.slots[0].outcome, EVS_MAYBE_EXECUTED);
    assert_true(all.taken > 4); /* it was full */
    assert_int_equal(count_of(&all, EVS_OK), all.taken - 1);
    assert_int_equal(counted(), (long long)all.taken - 1);
    evs_client_free(all.client);
}

static void replies_over_a_limit_cost_nobody_else(void **state)
{
    (void)state;
    for (unsigned protocol = 2; protocol <= 3; protocol++) {
        for (int threaded = 0; threaded < 2; threaded++) {
            evs_client *client = open_narrow(protocol, threaded);
            in_a_batch(client);
            in_a_transaction(client);
            in_a_plain_command(client);
            in_a_batch(client);
            assert_int_equal(connects(client), 1);
            evs_client_free(client);
        }
    }
}

/* ---- closing ---- */

static void fill(crowd *all)
{
    for (int i = 0; i < MOST; i++)
        assert_int_equal(submit(all, incr, "", LONG_MS), EVS_OK);
}

static void a_drain_finishes_what_there_is(void **state)
{
    (void)state;
    for (int order = EVS_ORDER_LOOSE; order <= EVS_ORDER_STRICT; order++) {
        crowd all;
        evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
        options.order = (evs_order)order;
        open_crowd(&all, &options);
        fill(&all);
        for (int turn = 0; turn < 3; turn++)
            evs_client_process(all.client, 0, NULL);
        shards_do(&set, 0, "SCRIPT FLUSH"); /* some have to be healed meanwhile */
        assert_int_equal(evs_client_close(all.client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
        each_completed_once(&all);
        assert_int_equal(count_of(&all, EVS_OK), MOST);
        assert_int_equal(counted(), MOST);
        evs_client_free(all.client);
    }
}

/* By closing, by a drain that has no time, by freeing. */
static void an_abort_completes_all_at_once(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        crowd all;
        open_crowd(&all, NULL);
        shards_do(&set, 0, "CLIENT PAUSE 60000 WRITE");
        fill(&all);
        evs_client_process(all.client, 0, NULL); /* perhaps connects */
        if (how == 0)
            assert_int_equal(evs_client_close(all.client, EVS_CLOSE_ABORT, 0, NULL), EVS_OK);
        if (how == 1)
            assert_int_equal(evs_client_close(all.client, EVS_CLOSE_DRAIN, 5, NULL), EVS_E_TIMEOUT);
        evs_client_free(all.client);
        each_completed_once(&all);
        assert_int_equal(count_of(&all, EVS_E_CANCELED), MOST);
        shards_do(&set, 0, "CLIENT UNPAUSE");
        long long most = 0;
        for (int i = 0; i < MOST; i++)
            most += all.slots[i].outcome != EVS_NOT_EXECUTED;
        assert_true(counted() <= most);
    }
}

static int set_up(void **state)
{
    (void)state;
    memset(ten_kb, 'x', TEN_KB);
    shards_start(&set, 1, NULL);
    incr = shards_script(&set, "incr", "redis.call('INCR', KEYS[1]) return #ARGV");
    incr_again = shards_script(&set, "incr_again",
                               "--- Counts.\n-- @key n {n}\n-- @arg what any text\n"
                               "-- @retry idempotent\n-- @returns integer\n"
                               "redis.call('INCR', KEYS[1]) return #ARGV");
    echo = shards_script(&set, "echo", "return ARGV[1]");
    big = shards_script(&set, "big", "return string.rep('x', 10000)");
    deep = shards_script(&set, "deep", "local t = {} for i = 1, 20 do t = {t} end return t");
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
        cmocka_unit_test(so_many_calls_and_no_more),
        cmocka_unit_test(so_many_bytes_and_no_more),
        cmocka_unit_test(who_blocks_gets_in),
        cmocka_unit_test(who_blocks_is_released_at_the_deadline),
        cmocka_unit_test(who_is_told_of_room_gets_in),
        cmocka_unit_test(who_got_in_stays_in),
        cmocka_unit_test(replies_over_a_limit_cost_nobody_else),
        cmocka_unit_test(a_drain_finishes_what_there_is),
        cmocka_unit_test(an_abort_completes_all_at_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
