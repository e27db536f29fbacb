/*
 * A client with a thread of its own, called by many threads: every call completes exactly once,
 * counters on the servers agree, completions run where they should. How such a client ends:
 * test_threaded_end.c.
 */
#include "tests/support/crowd.h"

#include <evalshard/batch.h>
#include <evalshard/transaction.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <poll.h>
#include <sched.h>

static const evs_script *nothing;

static int set_up(void **state)
{
    crowd_set_up(state);
    nothing = shards_script(&crowd.set, "nothing", "return 1");
    return 0;
}

static void *call_often(void *arg)
{
    crowd_worker *self = arg;
    char text[32];
    snprintf(text, sizeof text, "{c:%zu}", self->number);
    evs_bytes key = evs_text(text);
    evs_invocation call = crowd_call(crowd.incr, &key);
    for (int i = 1; i <= CROWD_EACH; i++) {
        evs_reply *reply = NULL;
        evs_status status = evs_call(&reply, self->client, &call, NULL);
        self->ok += status == EVS_OK && evs_reply_integer(reply) == i;
        evs_reply_free(reply);
    }
    return NULL;
}

static void many_threads_call_and_wait(void **state)
{
    (void)state;
    crowd_worker workers[CROWD_MOST];
    evs_client *client = crowd_open(NULL);
    evs_client_stats stats;
    crowd_run(workers, CROWD_MOST, client, call_often);
    crowd_join(workers, CROWD_MOST);
    for (size_t i = 0; i < CROWD_MOST; i++)
        assert_int_equal(workers[i].ok, CROWD_EACH);
    evs_client_stats_get(&stats, client);
    assert_int_equal(stats.calls, CROWD_MOST * CROWD_EACH);
    assert_int_equal(stats.loads, 3);
    assert_true(stats.connects == 3);
    assert_true(stats.writes < stats.calls); /* they pipeline; how much is the scheduler's to say */
    evs_stats *snapshot;
    uint64_t calls = 0;
    assert_int_equal(evs_stats_snapshot(&snapshot, client, NULL), EVS_OK);
    for (size_t i = 0; i < evs_stats_count(snapshot); i++)
        calls += evs_stats_at(snapshot, i)->calls;
    assert_int_equal(calls, CROWD_MOST * CROWD_EACH);
    evs_stats_free(snapshot);
    evs_client_free(client);
    assert_int_equal(crowd_sum(), CROWD_MOST * CROWD_EACH);
}

static void completions_run_on_the_thread_of_the_client(void **state)
{
    (void)state;
    crowd_worker workers[CROWD_MOST];
    sem_t all_done;
    sem_init(&all_done, 0, 0);
    evs_client *client = crowd_open(NULL);
    crowd_begin(CROWD_MOST * CROWD_EACH, client, &all_done);
    crowd_run(workers, CROWD_MOST, client, crowd_submit_often);
    crowd_join(workers, CROWD_MOST);
    crowd_wait(&all_done);
    while (evs_client_pending(client) > 0) /* the last completion is about to return */
        sched_yield();
    evs_client_free(client);
    assert_int_equal(crowd.totals.ok, CROWD_MOST * CROWD_EACH);
    assert_int_equal(crowd.totals.elsewhere, CROWD_MOST * CROWD_EACH);
    assert_int_equal(crowd.totals.waited, CROWD_MOST * CROWD_EACH);
    assert_int_equal(crowd_sum(), CROWD_MOST * CROWD_EACH);
    sem_destroy(&all_done);
}

/* Who sees that nothing is pending may free what completions use. */
static void a_call_is_pending_until_its_completion_has_returned(void **state)
{
    (void)state;
    crowd_hold self;
    crowd_hold_init(&self);
    evs_client *client = crowd_open(NULL);
    evs_bytes key = evs_text("slow");
    evs_invocation call = crowd_call(crowd.incr, &key);
    assert_int_equal(evs_submit(client, &call, crowd_hold_up, &self, NULL), EVS_OK);
    crowd_wait(&self.begun);
    assert_int_equal(evs_client_pending(client), 1);
    sem_post(&self.go);
    while (evs_client_pending(client) > 0)
        sched_yield();
    crowd_hold_destroy(&self);
    evs_client_free(client);
}

/* Submits a call whose server is held up. */
typedef struct chain {
    evs_client *client;
    evs_bytes key;
    sem_t submitted;
} chain;

static void submit_the_next(void *arg, const evs_result *result)
{
    chain *self = arg;
    evs_invocation call = crowd_call(crowd.incr, &self->key);
    (void)result;
    crowd.totals.full += evs_submit(self->client, &call, crowd_count, &crowd.totals, NULL) !=
                         EVS_OK;
    sem_post(&self->submitted);
}

static void so_are_the_calls_that_completions_submit(void **state)
{
    (void)state;
    char held_up[32], other[32];
    evs_client_stats stats;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 1;
    chain self = {.client = crowd_open(&options)};
    evs_bytes key = evs_text(shards_key(&crowd.set, 1, other));
    evs_invocation call = crowd_call(crowd.incr, &key);
    self.key = evs_text(shards_key(&crowd.set, 0, held_up));
    sem_init(&self.submitted, 0, 0);
    crowd_begin(1, NULL, NULL);
    shards_do(&crowd.set, 0, "CLIENT PAUSE 60000 WRITE");
    assert_int_equal(evs_submit(self.client, &call, submit_the_next, &self, NULL), EVS_OK);
    crowd_wait(&self.submitted);
    evs_client_stats_get(&stats, self.client); /* when the completion has returned */
    assert_int_equal(evs_client_pending(self.client), 1);
    shards_do(&crowd.set, 0, "CLIENT UNPAUSE");
    while (evs_client_pending(self.client) > 0)
        sched_yield();
    assert_int_equal(crowd.totals.ok, 1);
    assert_int_equal(crowd.totals.full, 0);
    evs_client_free(self.client);
    sem_destroy(&self.submitted);
}

static void completions_can_be_queued_for_the_caller(void **state)
{
    (void)state;
    crowd_worker workers[8];
    int fd;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.completions = EVS_COMPLETIONS_QUEUED;
    evs_client *client = crowd_open(&options);
    crowd_begin(8 * CROWD_EACH, NULL, NULL);
    assert_int_equal(evs_client_fd(&fd, client, NULL), EVS_OK);
    crowd_run(workers, 8, client, crowd_submit_often);
    while (crowd.totals.done < 8 * CROWD_EACH) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, CROWD_TIMEOUT_MS), 1);
        assert_int_equal(evs_client_process(client, 0, NULL), EVS_OK);
    }
    crowd_join(workers, 8);
    assert_int_equal(crowd.totals.ok, 8 * CROWD_EACH);
    assert_int_equal(crowd.totals.elsewhere, 0);
    assert_int_equal(evs_client_pending(client), 0);

    /* What nobody took is completed by freeing. */
    crowd_begin(CROWD_EACH, NULL, NULL);
    crowd_run(workers, 1, client, crowd_submit_often);
    crowd_join(workers, 1);
    evs_client_free(client);
    assert_int_equal(crowd.totals.done, CROWD_EACH);
    assert_int_equal(crowd.totals.elsewhere, 0);
}

static void *take_until_none_is_pending(void *arg)
{
    crowd_worker *self = arg;
    while (evs_client_pending(self->client) > 0)
        self->ok += evs_client_process(self->client, -1, NULL) == EVS_OK;
    return NULL;
}

/* Whoever takes the last one tells the others that nothing will come any more. */
static void many_may_wait_for_completions(void **state)
{
    (void)state;
    crowd_worker workers[4];
    char key_text[32];
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.completions = EVS_COMPLETIONS_QUEUED;
    evs_client *client = crowd_open(&options);
    evs_bytes key = evs_text(shards_key(&crowd.set, 0, key_text));
    evs_invocation call = crowd_call(crowd.incr, &key);
    crowd_begin(1, NULL, NULL);
    shards_do(&crowd.set, 0, "CLIENT PAUSE 60000 WRITE");
    assert_int_equal(evs_submit(client, &call, crowd_count, &crowd.totals, NULL), EVS_OK);
    crowd_run(workers, 4, client, take_until_none_is_pending);
    for (int i = 0; i < 1000; i++)
        sched_yield();
    shards_do(&crowd.set, 0, "CLIENT UNPAUSE");
    crowd_join(workers, 4);
    assert_int_equal(crowd.totals.ok, 1);
    evs_client_free(client);
}

static void submit_behind(void *arg, evs_transaction *tx)
{
    evs_bytes key = evs_text("{c:0}");
    evs_invocation call = crowd_call(crowd.incr, &key);
    evs_client *client = arg;
    crowd.totals.full += evs_submit(client, &call, crowd_count, &crowd.totals, NULL) != EVS_OK;
    evs_transaction_free(tx);
}

static void note_batch(void *arg, evs_batch *batch)
{
    size_t *ok = arg;
    *ok = evs_batch_count(batch) - evs_batch_failures(batch);
}

/* They end on the thread of the client; what is submitted there is queued like any other call. */
static void transactions_and_batches_are_pending_until_they_are_done(void **state)
{
    (void)state;
    size_t ok = 0;
    evs_batch *batch;
    evs_transaction *tx;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.completions = EVS_COMPLETIONS_QUEUED;
    evs_client *client = crowd_open(&options);
    evs_bytes key = evs_text("{c:0}");
    evs_invocation call = crowd_call(crowd.incr, &key);
    crowd_begin(1, NULL, NULL);
    assert_int_equal(evs_transaction_new(&tx, client, NULL, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add(tx, &call, NULL), EVS_OK);
    assert_int_equal(evs_transaction_submit(tx, submit_behind, client, NULL), EVS_OK);
    while (evs_client_pending(client) > 0)
        assert_int_equal(evs_client_process(client, -1, NULL), EVS_OK);
    assert_int_equal(crowd.totals.full, 0);
    assert_int_equal(crowd.totals.ok, 1);
    assert_int_equal(crowd.totals.elsewhere, 0);

    assert_int_equal(evs_batch_new(&batch, client, NULL, NULL), EVS_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(evs_batch_add(batch, &call, NULL), EVS_OK);
    assert_int_equal(evs_batch_submit(batch, note_batch, &ok, NULL), EVS_OK);
    while (evs_client_pending(client) > 0)
        assert_int_equal(evs_client_process(client, -1, NULL), EVS_OK);
    assert_int_equal(ok, 3);
    evs_batch_free(batch);
    evs_client_free(client);
}

/* Without a queue there is nothing to process and no descriptor to watch. */
static void a_client_that_drives_itself_need_not_be_driven(void **state)
{
    (void)state;
    int fd;
    evs_client *client = crowd_open(NULL);
    assert_int_equal(evs_client_process(client, 0, NULL), EVS_E_STATE);
    assert_int_equal(evs_client_fd(&fd, client, NULL), EVS_E_STATE);
    evs_client_free(client);
}

static void a_full_queue_holds_threads_up(void **state)
{
    (void)state;
    crowd_worker workers[16];
    sem_t all_done;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 4;
    options.on_full = EVS_FULL_BLOCK;
    sem_init(&all_done, 0, 0);
    evs_client *client = crowd_open(&options);
    crowd_begin(16 * CROWD_EACH, NULL, &all_done);
    crowd_run(workers, 16, client, crowd_submit_often);
    crowd_join(workers, 16);
    crowd_wait(&all_done);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(workers[i].ok, CROWD_EACH);
    assert_int_equal(crowd.totals.ok, 16 * CROWD_EACH);
    crowd_run(workers, 16, client, crowd_call_until_closed);
    assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
    crowd_join(workers, 16);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(workers[i].other, 0);
    evs_client_free(client);
    sem_destroy(&all_done);
}

static void a_full_queue_may_fail_instead(void **state)
{
    (void)state;
    char key_text[32];
    size_t accepted = 0;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 4;
    evs_client *client = crowd_open(&options);
    evs_bytes key = evs_text(shards_key(&crowd.set, 1, key_text));
    evs_invocation call = crowd_call(crowd.incr, &key);
    shards_do(&crowd.set, 1, "CLIENT PAUSE 60000 WRITE");
    crowd_begin(0, NULL, NULL);
    for (int i = 0; i < 100; i++)
        accepted += evs_submit(client, &call, crowd_count, &crowd.totals, NULL) == EVS_OK;
    assert_true(accepted >= 4); /* those that the thread has refused by now made room for others */
    shards_do(&crowd.set, 1, "CLIENT UNPAUSE");
    assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
    assert_int_equal(crowd.totals.done, accepted);
    assert_int_equal(crowd.totals.ok + crowd.totals.full, accepted);
    assert_in_range(crowd.totals.ok, 1, 4);
    evs_client_free(client);
}

/* Of all shards together there may be more than a number can say. */
static void a_queue_may_be_as_long_as_can_be(void **state)
{
    (void)state;
    char key_text[32];
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = SIZE_MAX / 3 + 1;
    evs_client *client = crowd_open(&options);
    evs_bytes key = evs_text(shards_key(&crowd.set, 1, key_text));
    evs_invocation call = crowd_call(crowd.incr, &key);
    shards_do(&crowd.set, 1, "CLIENT PAUSE 60000 WRITE");
    crowd_begin(0, NULL, NULL);
    for (int i = 0; i < 10; i++)
        assert_int_equal(evs_submit(client, &call, crowd_count, &crowd.totals, NULL), EVS_OK);
    shards_do(&crowd.set, 1, "CLIENT UNPAUSE");
    assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
    assert_int_equal(crowd.totals.ok, 10);
    evs_client_free(client);
}

static void another_thread_may_cancel(void **state)
{
    (void)state;
    char key_text[32];
    evs_ticket ticket = 0;
    evs_client *client = crowd_open(NULL);
    evs_bytes key = evs_text(shards_key(&crowd.set, 2, key_text));
    evs_invocation call = crowd_call(crowd.incr, &key);
    call.ticket = &ticket;
    shards_do(&crowd.set, 2, "CLIENT PAUSE 60000 WRITE");
    crowd_begin(1, NULL, NULL);
    assert_int_equal(evs_submit(client, &call, crowd_count, &crowd.totals, NULL), EVS_OK);
    assert_true(ticket != 0);
    assert_int_equal(evs_cancel(client, ticket, NULL), EVS_OK);
    assert_int_equal(crowd.totals.canceled, 1);
    assert_int_equal(evs_cancel(client, ticket, NULL), EVS_E_STATE);
    shards_do(&crowd.set, 2, "CLIENT UNPAUSE");
    evs_client_free(client);
}

static void gather(void *arg, size_t index, const evs_result *result)
{
    crowd_worker *self = arg;
    (void)index;
    self->ok += result->status == EVS_OK;
}

static void use_everything(crowd_worker *self, const evs_bytes *key)
{
    evs_batch *batch;
    evs_invocation call = crowd_call(crowd.incr, key), everywhere = {.handle = nothing};
    evs_key_group groups[2] = {{key, 1}, {key, 1}};
    evs_bytes words[] = {evs_text("GET"), *key};
    evs_plain_command get = {.args = words, .nargs = 2, .timeout_ms = CROWD_TIMEOUT_MS};
    evs_reply *reply = NULL;
    if (evs_batch_new(&batch, self->client, NULL, NULL) != EVS_OK)
        return;
    for (int i = 0; i < 3; i++)
        evs_batch_add(batch, &call, NULL);
    if (evs_batch_run(batch, NULL) == EVS_OK)
        self->ok += evs_batch_count(batch) - evs_batch_failures(batch);
    evs_batch_free(batch);
    evs_scatter(self->client, &call, groups, 2, gather, self, NULL);
    evs_broadcast(self->client, &everywhere, gather, self, NULL);
    self->ok += evs_command(&reply, self->client, &get, NULL) == EVS_OK;
    evs_reply_free(reply);
}

static void *use_everything_often(void *arg)
{
    crowd_worker *self = arg;
    char text[32];
    snprintf(text, sizeof text, "{c:%zu}", self->number);
    evs_bytes key = evs_text(text);
    for (int i = 0; i < 20; i++)
        use_everything(self, &key);
    return NULL;
}

static void batches_scatters_and_commands_work_from_any_thread(void **state)
{
    (void)state;
    crowd_worker workers[16];
    evs_client *client = crowd_open(NULL);
    crowd_run(workers, 16, client, use_everything_often);
    crowd_join(workers, 16);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(workers[i].ok, 20 * (3 + 2 + 3 + 1));
    evs_client_free(client);
    assert_int_equal(crowd_sum(), 16 * 20 * 5);
}

static void take_refusal(void *arg, size_t index, const evs_result *result)
{
    size_t *refused = arg;
    (void)index;
    *refused += result->status == EVS_E_NO_SCRIPT;
}

/* Everything is refused at once: the caller goes on while the client's thread still has to do with
 * the scatter. */
static void a_scatter_of_which_nothing_is_sent_ends(void **state)
{
    (void)state;
    size_t refused = 0;
    evs_client *client = crowd_open(NULL);
    evs_bytes key = evs_text("{c:0}");
    evs_key_group group = {&key, 1};
    evs_invocation call = {.script = "no/such", .timeout_ms = CROWD_TIMEOUT_MS};
    for (int i = 0; i < 1000; i++)
        assert_int_equal(evs_scatter(client, &call, &group, 1, take_refusal, &refused, NULL),
                         EVS_E_NO_SCRIPT);
    assert_int_equal(refused, 1000);
    evs_client_free(client);
}

static void refusals_that_need_no_server_come_at_once(void **state)
{
    (void)state;
    evs_client *client = crowd_open(NULL);
    evs_error err;
    char here[32], there[32];
    shards_key(&crowd.set, 0, here);
    shards_key(&crowd.set, 1, there);
    evs_bytes apart[] = {evs_text(here), evs_text(there)};
    evs_invocation call = {.handle = crowd.incr, .keys = apart, .nkeys = 2};
    assert_int_equal(evs_submit(client, &call, crowd_count, &crowd.totals, &err),
                     EVS_E_CROSS_SHARD);
    assert_int_equal(evs_submit(client, &call, NULL, NULL, &err), EVS_E_INVALID);
    assert_int_equal(evs_call(NULL, client, &call, &err), EVS_E_CROSS_SHARD);
    evs_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(many_threads_call_and_wait, crowd_empty_servers),
        cmocka_unit_test_setup(completions_run_on_the_thread_of_the_client, crowd_empty_servers),
        cmocka_unit_test(a_call_is_pending_until_its_completion_has_returned),
        cmocka_unit_test(so_are_the_calls_that_completions_submit),
        cmocka_unit_test_setup(completions_can_be_queued_for_the_caller, crowd_empty_servers),
        cmocka_unit_test_setup(many_may_wait_for_completions, crowd_empty_servers),
        cmocka_unit_test_setup(transactions_and_batches_are_pending_until_they_are_done,
                               crowd_empty_servers),
        cmocka_unit_test_setup(a_client_that_drives_itself_need_not_be_driven, crowd_empty_servers),
        cmocka_unit_test_setup(a_full_queue_holds_threads_up, crowd_empty_servers),
        cmocka_unit_test_setup(a_full_queue_may_fail_instead, crowd_empty_servers),
        cmocka_unit_test_setup(a_queue_may_be_as_long_as_can_be, crowd_empty_servers),
        cmocka_unit_test_setup(another_thread_may_cancel, crowd_empty_servers),
        cmocka_unit_test_setup(batches_scatters_and_commands_work_from_any_thread,
                               crowd_empty_servers),
        cmocka_unit_test_setup(a_scatter_of_which_nothing_is_sent_ends, crowd_empty_servers),
        cmocka_unit_test_setup(refusals_that_need_no_server_come_at_once, crowd_empty_servers),
    };
    return cmocka_run_group_tests(tests, set_up, crowd_tear_down);
}
