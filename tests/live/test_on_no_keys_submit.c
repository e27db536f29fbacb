/* Calls without keys that run on every shard, submitted: one completion each, and what it says is
 * true by the servers' own counts.
 *
 * A shard is held up by CLIENT PAUSE: it takes requests and answers when the pause ends. */
#include "core/mem.h"
#include "tests/support/nodes.h"
#include "tests/support/runs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

enum { LONG_MS = 60000 };

static shards set;

/* What a completion was told. */
typedef struct told {
    int done;
    evs_status status;
    evs_outcome outcome;
    size_t count;
    long long first;
    evs_error error;
    evs_client *to_free;
} told;

static void note(void *arg, const evs_result *result)
{
    told *self = arg;
    self->done++;
    self->status = result->status;
    self->outcome = result->outcome;
    self->count = 0;
    if (result->status == EVS_OK) {
        self->count = evs_reply_count(result->reply);
        self->first = evs_reply_integer(evs_reply_at(result->reply, 0));
    } else
        self->error = *result->error;
    evs_client_free(self->to_free);
    self->to_free = NULL;
}

static const evs_invocation count_all = {.script = "count", .timeout_ms = LONG_MS};

static void finish(evs_client *client)
{
    while (evs_client_pending(client) > 0)
        assert_int_equal(evs_client_process(client, -1, NULL), EVS_OK);
}

static void submit(evs_client *client, told *self)
{
    evs_error err;
    memset(self, 0, sizeof *self);
    if (evs_submit(client, &count_all, note, self, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static void expect_all(const told *self)
{
    if (self->done != 1 || self->status != EVS_OK)
        fail_msg("done %d: %s", self->done, self->error.message);
    assert_int_equal(self->outcome, EVS_EXECUTED);
    assert_int_equal(self->count, RUNS_SERVERS);
}

/* ---- one completion ---- */

static void one_completion_has_the_replies_of_all(void **state)
{
    (void)state;
    told self;
    runs before = runs_now(&set);
    submit(set.client, &self);
    assert_int_equal(evs_client_pending(set.client), 1);
    finish(set.client);
    expect_all(&self);
    assert_true(self.first > 0);
    runs_expect(&set, &before, 1, 1, 1);
}

static void many_at_once_and_calls_between_them(void **state)
{
    (void)state;
    told all[20], one[20];
    runs before = runs_now(&set);
    evs_invocation there = {.script = "count", .shard = "s1", .timeout_ms = LONG_MS};
    memset(one, 0, sizeof one);
    for (size_t i = 0; i < 20; i++) {
        submit(set.client, &all[i]);
        assert_int_equal(evs_submit(set.client, &there, note, &one[i], NULL), EVS_OK);
    }
    assert_int_equal(evs_client_pending(set.client), 40);
    finish(set.client);
    for (size_t i = 0; i < 20; i++) {
        expect_all(&all[i]);
        assert_int_equal(one[i].done, 1);
    }
    runs_expect(&set, &before, 20, 40, 20);
}

static void a_threaded_client_does_it_too(void **state)
{
    (void)state;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    for (int queued = 0; queued < 2; queued++) {
        told self;
        runs before = runs_now(&set);
        options.completions = queued ? EVS_COMPLETIONS_QUEUED : EVS_COMPLETIONS_AT_ONCE;
        evs_client *client = shards_client(&set, &options);
        submit(client, &self);
        if (queued)
            finish(client);
        else
            assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
        evs_client_free(client);
        expect_all(&self);
        runs_expect(&set, &before, 1, 1, 1);
    }
}

static void an_error_of_one_script_comes_with_its_reply(void **state)
{
    (void)state;
    told self = {0};
    evs_invocation call = {.script = "picky", .timeout_ms = LONG_MS};
    shards_do(&set, 1, "SET picky yes");
    assert_int_equal(evs_submit(set.client, &call, note, &self, NULL), EVS_OK);
    finish(set.client);
    assert_int_equal(self.done, 1);
    assert_int_equal(self.status, EVS_E_SCRIPT);
    assert_int_equal(self.outcome, EVS_EXECUTED);
    assert_string_equal(self.error.shard, "s1");
    assert_non_null(strstr(self.error.message, "ran on 3 of 3 shards: "));
}

static void what_nobody_takes_is_refused_when_submitted(void **state)
{
    (void)state;
    evs_error err;
    told self = {0};
    evs_invocation call = {.script = "unheard"};
    assert_int_equal(evs_submit(set.client, &call, note, &self, &err), EVS_E_NO_SCRIPT);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_int_equal(self.done, 0);
    assert_int_equal(evs_client_pending(set.client), 0);
}

static void the_client_may_be_freed_in_the_completion(void **state)
{
    (void)state;
    told self;
    evs_client *client = shards_client(&set, NULL);
    submit(client, &self);
    self.to_free = client;
    while (self.to_free != NULL) /* the client is gone when it is NULL */
        evs_client_process(client, -1, NULL);
    expect_all(&self);
}

static void a_forked_child_forgets_it(void **state)
{
    (void)state;
    told self;
    submit(set.client, &self);
    pid_t child = fork();
    if (child == 0) {
        evs_client_free(set.client);
        _exit(self.done);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    finish(set.client);
    expect_all(&self);
}

/* ---- a shard that is held up ---- */

static void pause_shard(size_t server)
{
    shards_do(&set, server, "CLIENT PAUSE 600000 WRITE");
}

static void unpause_shard(size_t server)
{
    shards_do(&set, server, "CLIENT UNPAUSE");
}

/* Until so many more calls, parts included, were answered. */
static void await_answers(evs_client *client, size_t count)
{
    evs_client_stats first, now;
    evs_client_stats_get(&first, client);
    do {
        assert_int_equal(evs_client_process(client, -1, NULL), EVS_OK);
        evs_client_stats_get(&now, client);
    } while (now.calls < first.calls + count);
}

static void cancel_takes_back_what_did_not_leave(void **state)
{
    (void)state;
    told self = {0};
    evs_ticket ticket = 0;
    runs before = runs_now(&set);
    evs_invocation call = count_all;
    call.ticket = &ticket;
    assert_int_equal(evs_submit(set.client, &call, note, &self, NULL), EVS_OK);
    assert_int_not_equal(ticket, 0);
    assert_int_equal(evs_cancel(set.client, ticket, NULL), EVS_OK);
    assert_int_equal(self.done, 1);
    assert_int_equal(self.status, EVS_E_CANCELED);
    assert_int_equal(self.outcome, EVS_NOT_EXECUTED);
    assert_string_equal(self.error.script, "count");
    assert_int_equal(evs_client_pending(set.client), 0);
    assert_int_equal(evs_cancel(set.client, ticket, NULL), EVS_E_STATE);
    runs_expect(&set, &before, 0, 0, 0);
}

static void cancel_says_where_it_ran(void **state)
{
    (void)state;
    told self = {0}, after;
    evs_ticket ticket = 0;
    runs before = runs_now(&set);
    evs_invocation call = count_all;
    call.ticket = &ticket;
    pause_shard(1);
    assert_int_equal(evs_submit(set.client, &call, note, &self, NULL), EVS_OK);
    await_answers(set.client, 2);
    assert_int_equal(self.done, 0);
    assert_int_equal(evs_client_pending(set.client), 1);
    assert_int_equal(evs_cancel(set.client, ticket, NULL), EVS_OK);
    assert_int_equal(self.done, 1);
    assert_int_equal(self.status, EVS_E_CANCELED);
    assert_int_equal(self.outcome, EVS_MAYBE_EXECUTED);
    assert_non_null(strstr(self.error.message, "ran on 2 or more of 3 shards: "));
    assert_non_null(strstr(self.error.message, "canceled by the caller"));
    assert_int_equal(evs_cancel(set.client, ticket, NULL), EVS_E_STATE);
    unpause_shard(1);
    submit(set.client, &after);
    finish(set.client);
    expect_all(&after);
    runs_expect(&set, &before, 2, 2, 2); /* what had left ran on all */
}

static void a_threaded_client_cancels_it(void **state)
{
    (void)state;
    told self = {0};
    evs_ticket ticket = 0;
    evs_invocation call = count_all;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    evs_client *client = shards_client(&set, &options);
    call.ticket = &ticket;
    pause_shard(1);
    assert_int_equal(evs_submit(client, &call, note, &self, NULL), EVS_OK);
    assert_int_equal(evs_cancel(client, ticket, NULL), EVS_OK);
    assert_int_equal(self.done, 1);
    assert_int_equal(self.status, EVS_E_CANCELED);
    assert_int_not_equal(self.outcome, EVS_EXECUTED);
    unpause_shard(1);
    evs_client_free(client);
}

static void a_deadline_is_that_of_all(void **state)
{
    (void)state;
    told self = {0};
    runs before = runs_now(&set);
    evs_invocation call = {.script = "count", .timeout_ms = 50};
    pause_shard(1);
    assert_int_equal(evs_submit(set.client, &call, note, &self, NULL), EVS_OK);
    finish(set.client);
    assert_int_equal(self.done, 1);
    assert_int_equal(self.status, EVS_E_TIMEOUT);
    runs now = runs_now(&set);
    int ran = now.of[0] > before.of[0] || now.of[2] > before.of[2];
    assert_int_equal(self.outcome, ran ? EVS_MAYBE_EXECUTED : self.outcome);
    assert_int_not_equal(self.outcome, EVS_EXECUTED);
    unpause_shard(1);
}

static void closing_waits_for_all_or_cuts_them_off(void **state)
{
    (void)state;
    told self;
    runs before = runs_now(&set);
    evs_client *client = shards_client(&set, NULL);
    submit(client, &self);
    assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
    expect_all(&self);
    evs_client_free(client);
    runs_expect(&set, &before, 1, 1, 1);

    client = shards_client(&set, NULL);
    submit(client, &self);
    assert_int_equal(evs_client_close(client, EVS_CLOSE_ABORT, 0, NULL), EVS_OK);
    assert_int_equal(self.done, 1);
    assert_int_equal(self.status, EVS_E_CANCELED);
    assert_int_equal(self.outcome, EVS_NOT_EXECUTED);
    evs_client_free(client);
    runs_expect(&set, &before, 1, 1, 1);
}

static void freeing_completes_what_is_half_done(void **state)
{
    (void)state;
    told self;
    evs_client *client = shards_client(&set, NULL);
    pause_shard(2);
    submit(client, &self);
    await_answers(client, 2);
    evs_client_free(client);
    assert_int_equal(self.done, 1);
    assert_int_equal(self.status, EVS_E_CANCELED);
    assert_int_equal(self.outcome, EVS_MAYBE_EXECUTED);
    unpause_shard(2);
}

/* ---- a full queue ---- */

static void room(void *arg, const char *shard)
{
    assert_string_equal(shard, "s1");
    (*(int *)arg)++;
}

/* A client of which shard s1 has all the calls that it may have: one. */
static evs_client *open_full(evs_on_full on_full, told *filler, int *rooms)
{
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    evs_invocation there = {.script = "count", .shard = "s1", .timeout_ms = LONG_MS};
    options.max_in_flight = 1;
    options.on_full = on_full;
    options.room = room;
    options.room_arg = rooms;
    evs_client *client = shards_client(&set, &options);
    memset(filler, 0, sizeof *filler);
    assert_int_equal(evs_submit(client, &there, note, filler, NULL), EVS_OK);
    return client;
}

static void one_full_queue_refuses_the_whole(void **state)
{
    (void)state;
    static const evs_on_full rules[] = {EVS_FULL_FAIL, EVS_FULL_SIGNAL};
    for (size_t i = 0; i < 2; i++) {
        evs_error err;
        told self = {0}, filler;
        int rooms = 0;
        runs before = runs_now(&set);
        evs_client *client = open_full(rules[i], &filler, &rooms);
        assert_int_equal(evs_submit(client, &count_all, note, &self, &err), EVS_E_QUEUE_FULL);
        assert_string_equal(err.shard, "s1");
        assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
        assert_int_equal(evs_client_pending(client), 1);
        finish(client);
        assert_int_equal(filler.done, 1);
        assert_int_equal(self.done, 0);
        assert_int_equal(rooms, rules[i] == EVS_FULL_SIGNAL);
        runs_expect(&set, &before, 0, 1, 0);
        submit(client, &self);
        finish(client);
        expect_all(&self);
        evs_client_free(client);
    }
}

static void or_waits_for_room(void **state)
{
    (void)state;
    told self, filler;
    runs before = runs_now(&set);
    evs_client *client = open_full(EVS_FULL_BLOCK, &filler, NULL);
    submit(client, &self);
    assert_int_equal(filler.done, 1);
    finish(client);
    expect_all(&self);
    runs_expect(&set, &before, 1, 2, 1);
    evs_client_free(client);
}

static void a_threaded_client_waits_for_room(void **state)
{
    (void)state;
    enum { CALLS = 50 };
    static told all[CALLS];
    runs before = runs_now(&set);
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    options.max_in_flight = 2;
    options.on_full = EVS_FULL_BLOCK;
    evs_client *client = shards_client(&set, &options);
    for (size_t i = 0; i < CALLS; i++)
        submit(client, &all[i]);
    assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
    for (size_t i = 0; i < CALLS; i++)
        expect_all(&all[i]);
    runs_expect(&set, &before, CALLS, CALLS, CALLS);
    evs_client_free(client);
}

/* ---- another map ---- */

static void another_map_leaves_it_where_it_was(void **state)
{
    (void)state;
    told self;
    evs_error err;
    char yaml[512];
    evs_shardmap *next;
    runs before = runs_now(&set);
    evs_client *client = shards_client(&set, NULL);
    snprintf(
        yaml, sizeof yaml,
        "evalshard: 1\ngeneration: 2\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\n"
        "pools:\n  main:\n    on_no_keys: all\n    shards:\n      s0: \"%s\"\n      s2: \"%s\"\n",
        scratch_address(set.servers[0]), scratch_address(set.servers[2]));
    assert_int_equal(evs_shardmap_parse(&next, evs_text(yaml), "next.yaml", NULL, &err), EVS_OK);
    submit(client, &self);
    assert_int_equal(evs_client_reload(client, next, NULL), EVS_OK);
    finish(client);
    expect_all(&self);
    runs_expect(&set, &before, 1, 1, 1);
    submit(client, &self);
    finish(client);
    assert_int_equal(self.status, EVS_OK);
    assert_int_equal(self.count, 2);
    runs_expect(&set, &before, 2, 1, 2);
    evs_client_free(client);
    evs_shardmap_free(next);
}

/* ---- without memory ---- */

/* Whatever allocation fails: one completion, or none when submitting failed. */
static void memory_that_lacks_changes_no_truth(void **state)
{
    (void)state;
    static void (*const ways[])(size_t) = {evs__mem_fail_at, evs__mem_fail_once_at};
    for (size_t n = 0; n < 160; n++) {
        told self = {0};
        evs_error err = {0};
        runs before = runs_now(&set);
        evs_client *client = shards_client(&set, NULL);
        ways[n % 2](1 + n / 2);
        evs_status status = evs_submit(client, &count_all, note, &self, &err);
        if (status != EVS_OK)
            note(&self, &(evs_result){status, err.outcome, NULL, &err});
        finish(client);
        evs__mem_fail_at(0);
        runs now = runs_now(&set);
        long long ran = 0;
        for (size_t i = 0; i < RUNS_SERVERS; i++)
            ran += now.of[i] - before.of[i];
        if (self.done != 1 || (self.outcome == EVS_NOT_EXECUTED && ran > 0) ||
            (self.outcome == EVS_EXECUTED && ran < RUNS_SERVERS) ||
            (self.status != EVS_OK && self.status != EVS_E_NOMEM))
            fail_msg("allocation %zu: done %d, %s, %s, ran %lld times: %s", 1 + n / 2, self.done,
                     evs_status_name(self.status), evs_outcome_text(self.outcome), ran,
                     self.error.message);
        evs_client_free(client);
        assert_int_equal(self.done, 1);
    }
}

/* ---- a cluster ---- */

static evs_shardmap *cluster_map(int port, int generation, const char *on_no_keys)
{
    evs_error err;
    char yaml[300];
    evs_shardmap *map;
    snprintf(yaml, sizeof yaml,
             "evalshard: 1\ngeneration: %d\n"
             "defaults: {connect_timeout: 20s, command_timeout: 20s}\npools:\n  c:\n"
             "    on_no_keys: %s\n    cluster: {seeds: [\"127.0.0.1:%d\"]}\n",
             generation, on_no_keys, port);
    if (evs_shardmap_parse(&map, evs_text(yaml), "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return map;
}

static evs_client *open_cluster(int port, const evs_client_options *options)
{
    evs_error err;
    evs_client *client = NULL;
    evs_shardmap *map = cluster_map(port, 1, "all");
    if (evs_client_open(&client, map, set.registry, options, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
    return client;
}

static void submit_size(evs_client *client, told *self, evs_ticket *ticket)
{
    evs_error err;
    evs_invocation call = {.script = "size", .timeout_ms = LONG_MS, .ticket = ticket};
    memset(self, 0, sizeof *self);
    if (evs_submit(client, &call, note, self, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static void take_map(evs_client *client, evs_shardmap *map)
{
    evs_error err;
    if (evs_client_reload(client, map, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
}

/* The cluster is still to tell its primaries when another map comes. */
static void another_map_while_a_cluster_is_asked(int port)
{
    told self;
    evs_client *client = open_cluster(port, NULL);
    submit_size(client, &self, NULL);
    take_map(client, cluster_map(port, 2, "all"));
    finish(client);
    expect_all(&self);
    evs_client_free(client);
    client = open_cluster(port, NULL);
    submit_size(client, &self, NULL);
    take_map(client, cluster_map(port, 2, "any"));
    finish(client);
    assert_int_equal(self.done, 1);
    assert_int_equal(self.status, EVS_E_CANCELED);
    assert_int_equal(self.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(self.error.message, "the shard map was replaced"));
    evs_client_free(client);
}

static void every_primary_of_a_cluster_replies(void **state)
{
    (void)state;
    nodes cluster;
    told first, second;
    evs_ticket ticket;
    nodes_start(&cluster, 3, 0);
    int port = scratch_port(cluster.servers[0]);
    evs_client *client = open_cluster(port, NULL);
    submit_size(client, &first, &ticket); /* while the cluster is not known */
    assert_int_equal(evs_client_pending(client), 1);
    assert_int_equal(evs_cancel(client, ticket, NULL), EVS_OK);
    assert_int_equal(first.done, 1);
    assert_int_equal(first.status, EVS_E_CANCELED);
    assert_int_equal(first.outcome, EVS_NOT_EXECUTED);
    assert_int_equal(evs_client_pending(client), 0);
    submit_size(client, &first, NULL);
    submit_size(client, &second, NULL);
    assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
    expect_all(&first);
    expect_all(&second);
    evs_client_free(client);

    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 1;
    options.order = EVS_ORDER_STRICT; /* in a cluster, one call after the other */
    client = open_cluster(port, &options);
    for (int i = 0; i < 3; i++) {
        submit_size(client, &first, NULL);
        finish(client);
        expect_all(&first);
    }
    evs_client_free(client);
    client = open_cluster(port, NULL);
    submit_size(client, &first, NULL);
    evs_client_free(client);
    assert_int_equal(first.done, 1);
    assert_int_equal(first.outcome, EVS_NOT_EXECUTED);
    another_map_while_a_cluster_is_asked(port);
    nodes_stop(&cluster);
}

static int set_up(void **state)
{
    (void)state;
    runs_start(&set);
    shards_script(&set, "size", "return redis.call('DBSIZE') + 1");
    shards_script(&set, "picky",
                  "if redis.call('EXISTS', 'picky') == 1 then return redis.error_reply('ERR no') "
                  "end return 'fine'");
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
        cmocka_unit_test(one_completion_has_the_replies_of_all),
        cmocka_unit_test(many_at_once_and_calls_between_them),
        cmocka_unit_test(a_threaded_client_does_it_too),
        cmocka_unit_test(an_error_of_one_script_comes_with_its_reply),
        cmocka_unit_test(what_nobody_takes_is_refused_when_submitted),
        cmocka_unit_test(the_client_may_be_freed_in_the_completion),
        cmocka_unit_test(a_forked_child_forgets_it),
        cmocka_unit_test(cancel_takes_back_what_did_not_leave),
        cmocka_unit_test(cancel_says_where_it_ran),
        cmocka_unit_test(a_threaded_client_cancels_it),
        cmocka_unit_test(a_deadline_is_that_of_all),
        cmocka_unit_test(closing_waits_for_all_or_cuts_them_off),
        cmocka_unit_test(freeing_completes_what_is_half_done),
        cmocka_unit_test(one_full_queue_refuses_the_whole),
        cmocka_unit_test(or_waits_for_room),
        cmocka_unit_test(a_threaded_client_waits_for_room),
        cmocka_unit_test(another_map_leaves_it_where_it_was),
        cmocka_unit_test(memory_that_lacks_changes_no_truth),
        cmocka_unit_test(every_primary_of_a_cluster_replies),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
