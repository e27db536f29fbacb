/*
 * Real servers that hang, stopped in the middle of steady traffic: how many calls end without
 * anybody knowing whether they ran, who is refused, who waits, and that everything is as before
 * when a server goes on. Every call has a field of its own in one hash, so what ran, and how often,
 * can be read off afterwards.
 */
#include "tests/support/nodes.h"
#include "tests/support/shards.h"

#include <evalshard/transaction.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

enum { LONG_MS = 60000, SHORT_MS = 30, MOST = 20000, THREADS = 4 };

static const char COUNT[] =
    "--- Counts.\n-- @key h a hash\n-- @arg field of the call\nreturn redis.call('HINCRBY', "
    "KEYS[1], ARGV[1], 1)";

/* ---- calls that can be told apart ---- */

typedef struct one {
    struct world *w;
    int done;
    evs_status status;
    evs_outcome outcome;
    char text[200];
    long ran;
} one;

typedef struct world {
    shards set;
    evs_client *client;
    one *all;
    atomic_size_t count;
    size_t done;
    char key[32];
    evs_client_stats before; /* anything happened */
} world;

static void set_up(world *w, const char *pool_keys)
{
    *w = (world){.all = calloc(MOST, sizeof(one))};
    assert_non_null(w->all);
    shards_start(&w->set, 1, pool_keys);
    shards_script(&w->set, "count", COUNT);
    shards_key(&w->set, 0, w->key);
    w->client = w->set.client;
}

static void hang(const world *w)
{
    assert_int_equal(kill(scratch_pid(w->set.servers[0]), SIGSTOP), 0);
}

static void go_on(const world *w)
{
    assert_int_equal(kill(scratch_pid(w->set.servers[0]), SIGCONT), 0);
}

/* Since the first call. */
static evs_client_stats stats_of(const world *w)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, w->client);
    stats.downs -= w->before.downs;
    stats.ups -= w->before.ups;
    stats.connects -= w->before.connects;
    stats.down_refusals -= w->before.down_refusals;
    return stats;
}

static one *new_one(world *w)
{
    size_t number = atomic_fetch_add(&w->count, 1);
    assert_true(number < MOST);
    w->all[number].w = w;
    return &w->all[number];
}

static void ended(one *self, evs_status status, const evs_error *err)
{
    self->done++;
    self->status = status;
    self->outcome = status == EVS_OK ? EVS_EXECUTED : err->outcome;
    if (status != EVS_OK)
        snprintf(self->text, sizeof self->text, "%.199s", err->message);
}

static void note(void *arg, const evs_result *result)
{
    one *self = arg;
    self->w->done++;
    ended(self, result->status, result->error);
}

static evs_invocation invocation_of(const one *self, evs_bytes word[2], char field[24],
                                    unsigned timeout_ms)
{
    snprintf(field, 24, "%zu", (size_t)(self - self->w->all));
    word[0] = evs_text(self->w->key);
    word[1] = evs_text(field);
    return (evs_invocation){.script = "count",
                            .keys = word,
                            .nkeys = 1,
                            .args = word + 1,
                            .nargs = 1,
                            .timeout_ms = timeout_ms};
}

static one *submit(world *w, unsigned timeout_ms)
{
    evs_bytes word[2];
    char field[24];
    evs_error err;
    one *self = new_one(w);
    evs_invocation call = invocation_of(self, word, field, timeout_ms);
    evs_status status = evs_submit(w->client, &call, note, self, &err);
    if (status == EVS_OK)
        return self;
    ended(self, status, &err);
    w->done++;
    return self;
}

static one *call(world *w, unsigned timeout_ms)
{
    evs_bytes word[2];
    char field[24];
    evs_error err;
    evs_reply *reply = NULL;
    one *self = new_one(w);
    evs_invocation one_call = invocation_of(self, word, field, timeout_ms);
    ended(self, evs_call(&reply, w->client, &one_call, &err), &err);
    evs_reply_free(reply);
    return self;
}

/* A slow machine may need several tries to connect. */
static void call_until_fine(world *w)
{
    const one *last;
    do {
        last = call(w, LONG_MS);
        assert_true(last->status == EVS_OK || last->outcome == EVS_NOT_EXECUTED);
    } while (last->status != EVS_OK);
}

static void begin(world *w)
{
    call_until_fine(w);
    w->before = stats_of(w);
}

static void drive(world *w, int ms)
{
    assert_int_equal(evs_client_process(w->client, ms, NULL), EVS_OK);
}

static void finish(world *w)
{
    while (evs_client_pending(w->client) > 0)
        drive(w, -1);
}

/* One call in each turn, until the server is taken for silent. Fails when it never is. */
static void call_until_silent(world *w)
{
    uint64_t before = stats_of(w).downs;
    while (stats_of(w).downs == before) {
        assert_true(atomic_load(&w->count) < MOST / 2);
        submit(w, SHORT_MS);
        drive(w, 5);
    }
}

static void drive_until_up(world *w)
{
    while (stats_of(w).ups < stats_of(w).downs)
        drive(w, 20);
}

/* ---- what came of them ---- */

static void read_fields(world *w)
{
    redisReply *reply = redisCommand(shards_side(&w->set), "HGETALL %s", w->key);
    assert_non_null(reply);
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        size_t number = strtoul(reply->element[i]->str, NULL, 10);
        assert_true(number < atomic_load(&w->count));
        w->all[number].ran = strtol(reply->element[i + 1]->str, NULL, 10);
    }
    freeReplyObject(reply);
}

/* What ran late, of those that are MAYBE, may still be running; nothing else is open. */
static void check_all(world *w)
{
    read_fields(w);
    for (size_t i = 0; i < atomic_load(&w->count); i++) {
        const one *self = &w->all[i];
        assert_int_equal(self->done, 1);
        assert_in_range(self->ran, 0, 1);
        if (self->outcome == EVS_EXECUTED)
            assert_int_equal(self->ran, 1);
        if (self->outcome == EVS_NOT_EXECUTED)
            assert_int_equal(self->ran, 0);
    }
}

static void tear_down(world *w)
{
    check_all(w);
    shards_stop(&w->set);
    free(w->all);
}

static int is_refused(const one *self)
{
    return self->status == EVS_E_CONNECT && self->outcome == EVS_NOT_EXECUTED &&
           (strstr(self->text, ": no answer since 20") != NULL ||
            strstr(self->text, ": down since 20") != NULL); /* from the first try on */
}

static void expect_refused(const one *self)
{
    assert_int_equal(self->done, 1);
    if (!is_refused(self))
        fail_msg("%d %d %s", self->status, self->outcome, self->text);
}

static void expect_fine(const one *self)
{
    if (self->done != 1 || self->status != EVS_OK)
        fail_msg("%d %d %s", self->done, self->status, self->text);
}

static void print_figures(const world *w, size_t first)
{
    size_t maybe = 0, count = atomic_load(&w->count);
    for (size_t i = 0; i < count; i++)
        maybe += w->all[i].outcome == EVS_MAYBE_EXECUTED;
    printf("FIGURES hung server: calls %zu, maybe %zu, all of the %zu before it was silent; of the "
           "%zu behind, refused %zu\n",
           count, maybe, first, count - first, (size_t)stats_of(w).down_refusals);
}

/* ---- fail_fast ---- */

static void a_server_that_hangs_leaves_few_calls_in_doubt(void **state)
{
    (void)state;
    world w;
    set_up(&w, "    retry_after: 100ms\n    connect_timeout: 100ms\n");
    begin(&w);
    hang(&w);
    call_until_silent(&w);
    size_t first = atomic_load(&w.count);
    while (strstr(submit(&w, SHORT_MS)->text, "last: timed out") == NULL) { /* a try of it */
        drive(&w, 5);
        usleep(1000);
    }
    finish(&w);
    for (size_t i = first; i < atomic_load(&w.count); i++)
        expect_refused(&w.all[i]);
    print_figures(&w, first);
    assert_true(stats_of(&w).down_refusals > 0);
    assert_int_equal(stats_of(&w).downs, 1);

    go_on(&w);
    drive_until_up(&w);
    call_until_fine(&w);
    assert_int_equal(stats_of(&w).heals, 0); /* what the server knows was known */
    tear_down(&w);
}

/* Nothing is closed, so what was sent is answered, and what was held back leaves behind it. */
static void the_first_byte_ends_it(void **state)
{
    (void)state;
    world w;
    set_up(&w, "    retry_after: 10m\n");
    begin(&w);
    hang(&w);
    call_until_silent(&w);
    one *patient = submit(&w, LONG_MS);
    for (int i = 0; i < 5; i++)
        drive(&w, 5);
    assert_int_equal(patient->done, 0);
    go_on(&w);
    while (patient->done == 0)
        drive(&w, 20);
    expect_fine(patient);
    assert_int_equal(stats_of(&w).ups, 1);
    assert_int_equal(stats_of(&w).connects, 0);
    finish(&w);
    for (size_t i = 0; i < atomic_load(&w.count); i++) /* what was sent before has run as well */
        w.all[i].outcome = w.all[i].outcome == EVS_MAYBE_EXECUTED ? EVS_EXECUTED : w.all[i].outcome;
    tear_down(&w);
}

static void nothing_is_closed_while_somebody_waits(void **state)
{
    (void)state;
    world w;
    set_up(&w, "    retry_after: 10ms\n");
    begin(&w);
    hang(&w);
    one *slow = submit(&w, LONG_MS);
    call_until_silent(&w);
    for (int i = 0; i < 20; i++) {
        submit(&w, SHORT_MS);
        drive(&w, 5);
    }
    assert_int_equal(slow->done, 0);
    go_on(&w);
    while (slow->done == 0)
        drive(&w, 20);
    expect_fine(slow);
    assert_int_equal(stats_of(&w).connects, 0);
    finish(&w);
    tear_down(&w);
}

/* Nobody drives the client between its calls. */
static void blocking_calls_find_out_by_themselves(void **state)
{
    (void)state;
    world w;
    set_up(&w, "    down_after: 1\n    retry_after: 10ms\n    connect_timeout: 50ms\n");
    begin(&w);
    hang(&w);
    const one *last;
    while (stats_of(&w).downs == 0)
        call(&w, SHORT_MS);
    for (int i = 0; i < 20; i++)
        expect_refused(call(&w, SHORT_MS));
    go_on(&w);
    do {
        last = call(&w, SHORT_MS);
        assert_true(atomic_load(&w.count) < MOST);
    } while (last->status != EVS_OK);
    tear_down(&w);
}

static void transactions_and_commands_are_refused_as_well(void **state)
{
    (void)state;
    world w;
    evs_error err;
    evs_bytes word[2], ping = evs_text("PING");
    char field[24];
    set_up(&w, "    retry_after: 10m\n");
    begin(&w);
    hang(&w);
    call_until_silent(&w);
    one *self = new_one(&w);
    evs_invocation element = invocation_of(self, word, field, 0);
    evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
    options.timeout_ms = SHORT_MS;
    evs_transaction *tx;
    assert_int_equal(evs_transaction_new(&tx, w.client, &options, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add(tx, &element, NULL), EVS_OK);
    ended(self, evs_transaction_exec(tx, &err), &err);
    expect_refused(self);
    evs_transaction_free(tx);

    evs_plain_command command = {.args = &ping, .nargs = 1, .shard = "s0", .timeout_ms = LONG_MS};
    one *pinged = new_one(&w);
    ended(pinged, evs_command(NULL, w.client, &command, &err), &err);
    expect_refused(pinged);
    go_on(&w);
    drive_until_up(&w);
    call_until_fine(&w);
    tear_down(&w);
}

/* ---- wait ---- */

static void calls_wait_where_the_map_says_so(void **state)
{
    (void)state;
    world w;
    one *patient[20];
    set_up(&w, "    on_shard_down: wait\n    retry_after: 50ms\n    connect_timeout: 50ms\n");
    begin(&w);
    hang(&w);
    call_until_silent(&w);
    for (int i = 0; i < 20; i++) {
        patient[i] = submit(&w, LONG_MS);
        one *hasty = submit(&w, SHORT_MS);
        while (hasty->done == 0)
            drive(&w, 20);
        expect_refused(hasty);
    }
    go_on(&w);
    finish(&w);
    for (int i = 0; i < 20; i++)
        expect_fine(patient[i]);
    assert_int_equal(stats_of(&w).downs, 1);
    assert_int_equal(stats_of(&w).ups, 1);
    tear_down(&w);
}

/* ---- many threads ---- */

typedef struct caller {
    pthread_t thread;
    world *w;
    atomic_int *stop;
} caller;

static void *run_caller(void *arg)
{
    caller *self = arg;
    while (!atomic_load(self->stop) && atomic_load(&self->w->count) < MOST - 2 * THREADS)
        if (call(self->w, SHORT_MS)->status != EVS_OK)
            usleep(1000);
    return NULL;
}

static void threads_go_on_after_it(void **state)
{
    (void)state;
    world w;
    atomic_int stop = 0;
    caller callers[THREADS];
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    set_up(&w, "    retry_after: 50ms\n    connect_timeout: 50ms\n");
    assert_int_equal(evs_client_open(&w.client, w.set.map, w.set.registry, &options, NULL), EVS_OK);
    begin(&w);
    hang(&w);
    for (size_t i = 0; i < THREADS; i++) {
        callers[i] = (caller){.w = &w, .stop = &stop};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, run_caller, &callers[i]), 0);
    }
    while (stats_of(&w).down_refusals < 50)
        usleep(1000);
    go_on(&w);
    while (stats_of(&w).ups == 0)
        usleep(1000);
    atomic_store(&stop, 1);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(callers[i].thread, NULL);
    call_until_fine(&w);
    evs_client_free(w.client);
    tear_down(&w);
}

/* ---- a cluster ---- */

typedef struct counts {
    long long fine, maybe;
} counts;

static evs_status count_one(counts *c, evs_client *client, const char *text, unsigned timeout_ms,
                            evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes word[] = {evs_text(text), evs_text("f")};
    evs_invocation one_call = {.script = "count",
                               .keys = word,
                               .nkeys = 1,
                               .args = word + 1,
                               .nargs = 1,
                               .timeout_ms = timeout_ms};
    evs_status status = evs_call(&reply, client, &one_call, err);
    evs_reply_free(reply);
    c->fine += status == EVS_OK;
    c->maybe += status != EVS_OK && err->outcome == EVS_MAYBE_EXECUTED;
    return status;
}

#define HASTY "    retry_after: 50ms\n    connect_timeout: 50ms\n"

/* A slow machine may need several tries to connect. */
static void count_until_fine(counts *c, evs_client *client, const char *key)
{
    evs_error err;
    while (count_one(c, client, key, LONG_MS, &err) != EVS_OK)
        assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
}

/* It goes on to be asked and is not in doubt any more: the call waits for who serves its slot, or
 * is refused at once. */
static void expect_no_doubt(counts *c, evs_client *client, const char *key)
{
    evs_error err;
    evs_client_stats before, stats;
    evs_client_stats_get(&before, client);
    do {
        assert_int_not_equal(count_one(c, client, key, SHORT_MS, &err), EVS_OK);
        evs_client_stats_get(&stats, client);
    } while (stats.downs == before.downs);
    for (int i = 0; i < 10; i++) {
        assert_int_not_equal(count_one(c, client, key, SHORT_MS, &err), EVS_OK);
        assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    }
}

static void a_node_that_hangs_leaves_few_calls_in_doubt(void **state)
{
    (void)state;
    nodes set;
    evs_error err;
    evs_registry *registry;
    char here[32];
    counts c = {0, 0};
    nodes_start(&set, 3, 0);
    for (size_t i = 0; i < 3; i++)
        nodes_do(&set, i, "CONFIG SET cluster-require-full-coverage no");
    assert_int_equal(evs_registry_new(&registry, NULL, NULL), EVS_OK);
    assert_int_equal(evs_script_load(registry, "count", evs_text(COUNT), NULL, &err), EVS_OK);
    evs_client *fast = nodes_client(&set, registry, HASTY "    on_shard_down: fail_fast\n");
    evs_client *patient = nodes_client(&set, registry, HASTY);
    nodes_key(&set, 0, here);
    count_until_fine(&c, fast, here);
    count_until_fine(&c, patient, here);
    kill(scratch_pid(set.servers[0]), SIGSTOP);
    expect_no_doubt(&c, fast, here);
    expect_no_doubt(&c, patient, here);
    kill(scratch_pid(set.servers[0]), SIGCONT);
    count_until_fine(&c, patient, here);
    count_until_fine(&c, fast, here);
    evs_client_free(fast);
    evs_client_free(patient);
    assert_in_range(nodes_number(&set, 0, "HGET %s f", here), c.fine, c.fine + c.maybe);
    evs_registry_free(registry);
    nodes_stop(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_hangs_leaves_few_calls_in_doubt),
        cmocka_unit_test(the_first_byte_ends_it),
        cmocka_unit_test(nothing_is_closed_while_somebody_waits),
        cmocka_unit_test(blocking_calls_find_out_by_themselves),
        cmocka_unit_test(transactions_and_commands_are_refused_as_well),
        cmocka_unit_test(calls_wait_where_the_map_says_so),
        cmocka_unit_test(threads_go_on_after_it),
        cmocka_unit_test(a_node_that_hangs_leaves_few_calls_in_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
