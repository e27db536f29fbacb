/*
 * Transactions in a real cluster: they are all or nothing while slots move and a primary dies, and
 * what they say of themselves is what the counters on the nodes say.
 */
#include "core/mem.h"
#include "tests/support/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>

enum { PRIMARIES = 3, OPEN = 16, MOVES = 6, THREADS = 4, EACH = 100, TIMEOUT_MS = 20000 };

static nodes set;
static evs_registry *registry;

static const char ADD[] = "--- Counts.\n-- @key k a counter\nreturn redis.call('INCR', KEYS[1])";

static evs_client *open_with(const evs_client_options *options)
{
    char yaml[512];
    evs_error err;
    evs_shardmap *map;
    evs_client *client = NULL;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\n"
                       "pools:\n  c:\n    cluster: {seeds: [\"127.0.0.1:%d\"], tryagain_backoff: "
                       "5ms}\n",
                       scratch_port(set.servers[1]));
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) !=
            EVS_OK ||
        evs_client_open(&client, map, registry, options, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
    return client;
}

static evs_client *open_client(void)
{
    return open_with(NULL);
}

static evs_transaction *new_on(evs_client *client, unsigned timeout_ms)
{
    evs_transaction *tx;
    evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
    options.timeout_ms = timeout_ms;
    assert_int_equal(evs_transaction_new(&tx, client, &options, NULL), EVS_OK);
    return tx;
}

static void add_script(evs_transaction *tx, const char *key)
{
    evs_bytes keys = evs_text(key);
    evs_invocation one = {.script = "add", .keys = &keys, .nkeys = 1};
    assert_int_equal(evs_transaction_add(tx, &one, NULL), EVS_OK);
}

static void add_incr(evs_transaction *tx, const char *key)
{
    evs_bytes words[] = {evs_text("INCR"), evs_text(key)};
    evs_plain_command one = {.args = words, .nargs = 2};
    assert_int_equal(evs_transaction_add_command(tx, &one, NULL), EVS_OK);
}

static void add_set(evs_transaction *tx, const char *key, long long value)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", value);
    evs_bytes words[] = {evs_text("SET"), evs_text(key), evs_text(text)};
    evs_plain_command one = {.args = words, .nargs = 3};
    assert_int_equal(evs_transaction_add_command(tx, &one, NULL), EVS_OK);
}

static evs_status run_pair(evs_transaction *tx, const char *a, const char *b, evs_error *err)
{
    evs_transaction_clear(tx);
    add_script(tx, a);
    add_incr(tx, b);
    return evs_transaction_exec(tx, err);
}

static size_t home_of(const char *key)
{
    return nodes_owner(&set, 1, load_slot(&set, key));
}

static long long count(const char *key)
{
    return nodes_number(&set, home_of(key), "GET %s", key);
}

/* ---- what they are ---- */

static void scripts_and_commands_run_together(void **state)
{
    (void)state;
    char a[32], b[32];
    evs_error err;
    evs_client *client = open_client();
    evs_transaction *tx = new_on(client, 0);
    for (int i = 0; i < 20; i++) {
        snprintf(a, sizeof a, "{t:%d}a", i % 10);
        snprintf(b, sizeof b, "{t:%d}b", i % 10);
        if (run_pair(tx, a, b, &err) != EVS_OK)
            fail_msg("%s", err.message);
        assert_int_equal(evs_transaction_count(tx), 2);
        assert_int_equal(evs_reply_integer(evs_transaction_result(tx, 0)->reply), i / 10 + 1);
        assert_int_equal(evs_reply_integer(evs_transaction_result(tx, 1)->reply), i / 10 + 1);
    }
    evs_transaction_free(tx);
    evs_client_free(client);
}

static void elements_in_two_slots_are_named(void **state)
{
    (void)state;
    evs_error err;
    evs_client *client = open_client();
    evs_transaction *tx = new_on(client, 0);
    assert_int_equal(run_pair(tx, "one", "other", &err), EVS_E_CROSS_SLOT);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "element 1 (add), key \"one\", is in slot"));
    assert_non_null(strstr(err.message, "element 2 (INCR), key \"other\", in slot"));
    evs_transaction_free(tx);
    evs_client_free(client);
}

/* ---- a slot that moves ---- */

static void a_slot_that_has_moved_is_followed(void **state)
{
    (void)state;
    evs_error err;
    evs_client_stats stats;
    evs_client *client = open_client();
    evs_transaction *tx = new_on(client, 0);
    assert_int_equal(run_pair(tx, "{moved}a", "{moved}b", &err), EVS_OK);
    size_t from = home_of("{moved}"), to = (from + 1) % PRIMARIES;
    nodes_open_slot(&set, load_slot(&set, "{moved}"), from, to);
    nodes_move_key(&set, "{moved}a", from, to);
    nodes_move_key(&set, "{moved}b", from, to);
    nodes_hand_over(&set, load_slot(&set, "{moved}"), to);
    if (run_pair(tx, "{moved}a", "{moved}b", &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_client_stats_get(&stats, client);
    assert_int_equal(stats.redirects, 1);
    assert_int_equal(count("{moved}a"), 2);
    assert_int_equal(count("{moved}b"), 2);
    evs_transaction_free(tx);
    evs_client_free(client);
}

/* ASKING in front of MULTI holds inside. */
static void a_key_that_is_there_already_is_asked_for(void **state)
{
    (void)state;
    evs_error err;
    evs_client_stats stats;
    evs_client *client = open_client();
    evs_transaction *tx = new_on(client, 0);
    assert_int_equal(run_pair(tx, "asked", "asked", &err), EVS_OK);
    size_t from = home_of("asked"), to = (from + 1) % PRIMARIES;
    nodes_open_slot(&set, load_slot(&set, "asked"), from, to);
    nodes_move_key(&set, "asked", from, to);
    for (int i = 0; i < 2; i++)
        if (run_pair(tx, "asked", "asked", &err) != EVS_OK)
            fail_msg("%s", err.message);
    evs_client_stats_get(&stats, client);
    assert_int_equal(stats.redirects, 2);
    nodes_hand_over(&set, load_slot(&set, "asked"), to);
    assert_int_equal(run_pair(tx, "asked", "asked", &err), EVS_OK);
    assert_int_equal(count("asked"), 8);
    evs_transaction_free(tx);
    evs_client_free(client);
}

/* What is under way at its deadline is not known to have been refused: then it is tried anew. */
static evs_status refused_pair(evs_transaction *tx, const char *a, const char *b, evs_error *err)
{
    evs_status status = EVS_E_TIMEOUT;
    for (int i = 0; i < 30 && status == EVS_E_TIMEOUT; i++)
        status = run_pair(tx, a, b, err);
    return status;
}

/* Half of the keys here, half there: neither node runs it. */
static void what_cannot_run_while_a_slot_moves_rests_and_says_so(void **state)
{
    (void)state;
    evs_error err;
    evs_client *client = open_client();
    evs_transaction *tx = new_on(client, 0), *short_one = new_on(client, 2000);
    assert_int_equal(run_pair(tx, "{half}a", "{half}b", &err), EVS_OK);
    size_t from = home_of("{half}"), to = (from + 1) % PRIMARIES;
    nodes_open_slot(&set, load_slot(&set, "{half}"), from, to);
    nodes_move_key(&set, "{half}a", from, to);
    assert_int_equal(refused_pair(short_one, "{half}a", "{half}b", &err), EVS_E_CLUSTER);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "TRYAGAIN"));
    assert_int_equal(nodes_number(&set, from, "GET {half}b"), 1);
    nodes_move_key(&set, "{half}b", from, to);
    nodes_hand_over(&set, load_slot(&set, "{half}"), to);
    assert_int_equal(run_pair(tx, "{half}a", "{half}b", &err), EVS_OK);
    assert_int_equal(count("{half}a"), 2);
    assert_int_equal(count("{half}b"), 2);
    evs_transaction_free(tx);
    evs_transaction_free(short_one);
    evs_client_free(client);
}

/* ---- under load ---- */

typedef struct crowd {
    evs_client *client;
    evs_transaction *all[OPEN];
    char a[32], b[32];
    int sent, open, good, maybe, failed, stop;
} crowd;

static void submit(crowd *self, evs_transaction *tx);

static void done(void *arg, evs_transaction *tx)
{
    crowd *self = arg;
    const evs_result *whole = evs_transaction_outcome(tx);
    self->open--;
    if (whole->status == EVS_OK) {
        assert_int_equal(evs_transaction_failures(tx), 0);
        self->good++;
    } else {
        self->failed++;
        self->maybe += whole->outcome == EVS_MAYBE_EXECUTED;
        if (self->failed < 4)
            print_message("%s: %s\n", evs_status_name(whole->status), whole->error->message);
    }
    if (!self->stop)
        submit(self, tx);
}

static void submit(crowd *self, evs_transaction *tx)
{
    evs_error err;
    evs_transaction_clear(tx);
    add_script(tx, self->a);
    add_incr(tx, self->b);
    if (evs_transaction_submit(tx, done, self, &err) != EVS_OK)
        fail_msg("%s", err.message);
    self->sent++;
    self->open++;
}

static void start(crowd *self, evs_client *client, const char *tag)
{
    *self = (crowd){.client = client};
    snprintf(self->a, sizeof self->a, "%sa", tag);
    snprintf(self->b, sizeof self->b, "%sb", tag);
    for (int i = 0; i < OPEN; i++) {
        self->all[i] = new_on(client, TIMEOUT_MS);
        submit(self, self->all[i]);
    }
}

static void drive(crowd *self, int more)
{
    int until = self->good + more;
    while (self->good < until && self->open > 0 && self->failed < 10 * OPEN)
        assert_int_equal(evs_client_process(self->client, 1000, NULL), EVS_OK);
}

static void stop(crowd *self, const char *what)
{
    self->stop = 1;
    while (self->open > 0)
        assert_int_equal(evs_client_process(self->client, 1000, NULL), EVS_OK);
    for (int i = 0; i < OPEN; i++)
        evs_transaction_free(self->all[i]);
    print_message("%s: %d sent, %d fine, %d failed, of those %d MAYBE\n", what, self->sent,
                  self->good, self->failed, self->maybe);
    assert_int_equal(self->good + self->failed, self->sent);
}

static void move(crowd *self, size_t from, size_t to)
{
    nodes_open_slot(&set, load_slot(&set, self->a), from, to);
    evs_client_process(self->client, 0, NULL);
    nodes_move_key(&set, self->a, from, to);
    for (int i = 0; i < 5; i++)
        evs_client_process(self->client, 2, NULL);
    nodes_move_key(&set, self->b, from, to);
    drive(self, 2);
    nodes_hand_over(&set, load_slot(&set, self->a), to);
    nodes_settle(&set);
}

static void none_is_lost_or_doubled_while_a_slot_moves(void **state)
{
    (void)state;
    crowd self;
    evs_client_stats stats;
    evs_client *client = open_client();
    start(&self, client, "{moving}");
    drive(&self, OPEN);
    size_t at = home_of(self.a);
    for (int i = 0; i < MOVES; i++, at = (at + 1) % PRIMARIES) {
        move(&self, at, (at + 1) % PRIMARIES);
        drive(&self, 3 * OPEN);
    }
    stop(&self, "moving slot");
    evs_client_stats_get(&stats, client);
    assert_true(stats.redirects > 0);
    assert_int_equal(self.failed, 0);
    assert_int_equal(count(self.a), self.good);
    assert_int_equal(count(self.b), self.good);
    evs_client_free(client);
}

static void strict_order_holds_while_a_slot_moves(void **state)
{
    (void)state;
    crowd self;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.order = EVS_ORDER_STRICT;
    evs_client *client = open_with(&options);
    start(&self, client, "{strict}");
    drive(&self, OPEN);
    size_t at = home_of(self.a);
    move(&self, at, (at + 1) % PRIMARIES);
    drive(&self, 2 * OPEN);
    stop(&self, "strict order");
    assert_int_equal(self.failed, 0);
    assert_int_equal(count(self.a), self.good);
    evs_client_free(client);
}

static void closing_ends_those_that_wait(void **state)
{
    (void)state;
    crowd self;
    evs_error err;
    evs_client *client = open_client();
    start(&self, client, "{ends}");
    self.stop = 1;
    assert_int_equal(evs_client_close(client, EVS_CLOSE_ABORT, -1, &err), EVS_OK);
    assert_int_equal(self.open, 0);
    assert_int_equal(self.failed, OPEN);
    assert_int_equal(self.maybe, 0);
    for (int i = 0; i < OPEN; i++)
        evs_transaction_free(self.all[i]);
    evs_client_free(client);
}

/* ---- watching ---- */

static evs_status watch(evs_transaction *tx, const char *key, evs_error *err)
{
    evs_bytes keys = evs_text(key);
    return evs_transaction_watch(tx, &keys, 1, err);
}

static evs_status refused_watch(evs_transaction *tx, const char *key, evs_error *err)
{
    evs_status status = EVS_E_TIMEOUT;
    for (int i = 0; i < 30 && status == EVS_E_TIMEOUT; i++) {
        evs_transaction_clear(tx);
        status = watch(tx, key, err);
    }
    return status;
}

static void must_watch(evs_transaction *tx, const char *key)
{
    evs_error err;
    evs_transaction_clear(tx);
    if (watch(tx, key, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static evs_status read_key(evs_transaction *tx, const char *key, long long *value, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes words[] = {evs_text("GET"), evs_text(key)};
    evs_plain_command get = {.args = words, .nargs = 2};
    evs_status status = evs_transaction_read(&reply, tx, &get, err);
    if (status == EVS_OK)
        *value = evs_reply_kind(reply) == EVS_REPLY_NIL
                     ? 0
                     : strtoll(evs_reply_bytes(reply).data, NULL, 10);
    evs_reply_free(reply);
    return status;
}

static void a_watched_key_decides(void **state)
{
    (void)state;
    evs_error err;
    long long value = 0;
    evs_client *client = open_client(); /* which knows no node yet */
    evs_transaction *tx = new_on(client, 0);
    nodes_do(&set, home_of("{w}a"), "SET {w}a 5");
    must_watch(tx, "{w}a");
    assert_int_equal(read_key(tx, "{w}a", &value, &err), EVS_OK);
    assert_int_equal(value, 5);
    add_script(tx, "{w}a");
    add_incr(tx, "{w}b");
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_OK);

    must_watch(tx, "{w}a");
    nodes_do(&set, home_of("{w}a"), "INCR {w}a");
    add_incr(tx, "{w}b");
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_ABORTED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_int_equal(count("{w}a"), 7);
    assert_int_equal(count("{w}b"), 1);
    evs_transaction_free(tx);
    evs_client_free(client);
}

static void what_is_watched_is_in_one_slot(void **state)
{
    (void)state;
    evs_error err;
    long long value;
    evs_client *client = open_client();
    evs_transaction *tx = new_on(client, 0);
    must_watch(tx, "{w}a");
    assert_int_equal(read_key(tx, "other", &value, &err), EVS_E_CROSS_SLOT);
    add_incr(tx, "other");
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_CROSS_SLOT);
    assert_non_null(strstr(err.message, "what is watched"));
    assert_int_equal(watch(tx, "other", &err), EVS_E_CROSS_SLOT);
    evs_transaction_free(tx);
    evs_client_free(client);
}

static void move_key(const char *key, size_t to)
{
    size_t from = home_of(key);
    nodes_open_slot(&set, load_slot(&set, key), from, to);
    nodes_move_key(&set, key, from, to);
    nodes_hand_over(&set, load_slot(&set, key), to);
    nodes_settle(&set);
}

static void watching_goes_where_the_slot_is(void **state)
{
    (void)state;
    evs_error err;
    long long value = 0;
    evs_client *client = open_client();
    evs_transaction *tx = new_on(client, 0);
    size_t at = home_of("follows");
    for (int i = 1; i <= 6; i++) {
        if (i > 1)
            move_key("follows", at = (at + 1) % PRIMARIES);
        must_watch(tx, "follows");
        add_script(tx, "follows");
        assert_int_equal(evs_transaction_exec(tx, &err), EVS_OK);
        assert_int_equal(count("follows"), i);
    }
    /* between WATCH and EXEC, and between WATCH and a read */
    must_watch(tx, "follows");
    move_key("follows", at = (at + 1) % PRIMARIES);
    add_incr(tx, "follows");
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_ABORTED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    must_watch(tx, "follows");
    move_key("follows", at = (at + 1) % PRIMARIES);
    assert_int_equal(read_key(tx, "follows", &value, &err), EVS_E_ABORTED);
    assert_int_equal(watch(tx, "follows", &err), EVS_E_ABORTED);
    must_watch(tx, "follows");
    add_incr(tx, "follows");
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_OK);
    assert_int_equal(count("follows"), 7);
    evs_transaction_free(tx);
    evs_client_free(client);
}

/* A key that left a slot which is still moving. */
static void watching_rests_while_its_key_is_elsewhere(void **state)
{
    (void)state;
    evs_error err;
    evs_client *client = open_client();
    evs_transaction *tx = new_on(client, 0), *short_one = new_on(client, 2000);
    nodes_do(&set, home_of("left"), "SET left 1");
    size_t from = home_of("left"), to = (from + 1) % PRIMARIES;
    must_watch(tx, "left");
    nodes_open_slot(&set, load_slot(&set, "left"), from, to);
    nodes_move_key(&set, "left", from, to);
    assert_int_equal(refused_watch(short_one, "left", &err), EVS_E_MOVED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "ASK"));
    add_incr(tx, "left");
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_ABORTED);
    nodes_hand_over(&set, load_slot(&set, "left"), to);
    must_watch(tx, "left");
    add_incr(tx, "left");
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_OK);
    assert_int_equal(count("left"), 2);
    evs_transaction_free(tx);
    evs_transaction_free(short_one);
    evs_client_free(client);
}

/* ---- threads ---- */

static void *work(void *arg)
{
    evs_error err;
    evs_client *client = arg;
    evs_transaction *tx = new_on(client, TIMEOUT_MS);
    void *failed = NULL;
    for (int i = 0; i < EACH && failed == NULL; i++)
        if (run_pair(tx, i % 2 == 0 ? "{thr1}a" : "{thr2}a", i % 2 == 0 ? "{thr1}b" : "{thr2}b",
                     &err) != EVS_OK)
            failed = arg;
    for (int i = 0; i < EACH / 10 && failed == NULL; i++) {
        evs_status status;
        do {
            long long value = 0;
            evs_transaction_clear(tx);
            status = watch(tx, "{thr}w", &err);
            if (status == EVS_OK)
                status = read_key(tx, "{thr}w", &value, &err);
            if (status != EVS_OK)
                break;
            add_set(tx, "{thr}w", value + 1);
            status = evs_transaction_exec(tx, &err);
        } while (status == EVS_E_ABORTED);
        failed = status == EVS_OK ? NULL : arg;
    }
    evs_transaction_free(tx);
    return failed;
}

static void many_threads_share_a_client(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    evs_client *client = open_with(&options);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, client), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    evs_client_free(client);
    assert_int_equal(count("{thr1}a") + count("{thr2}b"), THREADS * EACH);
    assert_int_equal(count("{thr}w"), THREADS * EACH / 10);
}

/* ---- without memory ---- */

/* Each allocation fails in turn, from opening to the reply, with an ASK on the way. */
static void failing_allocations_leave_outcomes_true(void **state)
{
    (void)state;
    int failures = 0;
    evs_error err = {0};
    evs_client *client = open_client();
    evs_transaction *tx = new_on(client, 0);
    assert_int_equal(run_pair(tx, "lacks", "lacks", &err), EVS_OK);
    evs_transaction_free(tx);
    evs_client_free(client);
    size_t from = home_of("lacks"), to = (from + 1) % PRIMARIES;
    nodes_open_slot(&set, load_slot(&set, "lacks"), from, to);
    nodes_move_key(&set, "lacks", from, to);
    long long before = 2;
    for (size_t n = 1; n < 160; n++) {
        client = open_client();
        tx = new_on(client, 100);
        add_script(tx, "lacks");
        add_incr(tx, "lacks");
        evs__mem_fail_once_at(n);
        evs_status status = evs_transaction_exec(tx, &err);
        evs__mem_fail_at(0);
        evs_transaction_free(tx);
        evs_client_free(client);
        nodes_await_leave(&set, to);
        nodes_do(&set, to, "ASKING");
        long long now = nodes_number(&set, to, "GET lacks");
        failures += status != EVS_OK;
        if (status == EVS_OK)
            assert_int_equal(now - before, 2);
        else if (err.outcome == EVS_NOT_EXECUTED)
            assert_int_equal(now - before, 0);
        before = now;
    }
    assert_true(failures > 5);
    nodes_hand_over(&set, load_slot(&set, "lacks"), to);
}

/* ---- last: a primary dies ---- */

static void what_is_said_is_true_when_a_primary_dies(void **state)
{
    (void)state;
    crowd self;
    evs_client *client = open_client();
    char tag[32] = "";
    for (int i = 0; tag[0] == '\0' || home_of(tag) != 0; i++)
        snprintf(tag, sizeof tag, "{dies%d}", i);
    start(&self, client, tag);
    drive(&self, 5 * OPEN);
    freeReplyObject(nodes_ask(&set, 0, "WAIT 1 5000"));
    scratch_kill(set.servers[0]);
    nodes_do(&set, PRIMARIES, "CLUSTER FAILOVER TAKEOVER");
    drive(&self, 5 * OPEN);
    stop(&self, "a primary killed");
    long long a = nodes_number(&set, PRIMARIES, "GET %s", self.a);
    long long b = nodes_number(&set, PRIMARIES, "GET %s", self.b);
    print_message("counted %lld and %lld\n", a, b);
    assert_int_equal(a, b);
    assert_int_equal(self.failed, self.maybe);
    assert_true(self.maybe <= OPEN);
    assert_true(a <= self.good + self.maybe);

    evs_error err;
    evs_transaction *tx = new_on(client, TIMEOUT_MS);
    must_watch(tx, self.a);
    add_incr(tx, self.a);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_OK);
    assert_int_equal(nodes_number(&set, PRIMARIES, "GET %s", self.a), a + 1);
    evs_transaction_free(tx);
    evs_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_and_commands_run_together),
        cmocka_unit_test(elements_in_two_slots_are_named),
        cmocka_unit_test(a_slot_that_has_moved_is_followed),
        cmocka_unit_test(a_key_that_is_there_already_is_asked_for),
        cmocka_unit_test(what_cannot_run_while_a_slot_moves_rests_and_says_so),
        cmocka_unit_test(none_is_lost_or_doubled_while_a_slot_moves),
        cmocka_unit_test(strict_order_holds_while_a_slot_moves),
        cmocka_unit_test(closing_ends_those_that_wait),
        cmocka_unit_test(a_watched_key_decides),
        cmocka_unit_test(what_is_watched_is_in_one_slot),
        cmocka_unit_test(watching_goes_where_the_slot_is),
        cmocka_unit_test(watching_rests_while_its_key_is_elsewhere),
        cmocka_unit_test(many_threads_share_a_client),
        cmocka_unit_test(failing_allocations_leave_outcomes_true),
        cmocka_unit_test(what_is_said_is_true_when_a_primary_dies),
    };
    nodes_start(&set, PRIMARIES, 1);
    if (evs_registry_new(&registry, NULL, NULL) != EVS_OK ||
        evs_script_load(registry, "add", evs_text(ADD), NULL, NULL) != EVS_OK)
        abort();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    evs_registry_free(registry);
    nodes_stop(&set);
    return failed;
}
