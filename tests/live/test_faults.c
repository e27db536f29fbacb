/*
 * The wire between a client and a real server is cut at every byte of the requests and of the
 * replies, in the ways a wire can end, for each kind of call. The server's own count of what ran is
 * held against the outcome that was reported:
 *
 *   - sound: never NOT_EXECUTED of what ran, never EXECUTED of what did not, never twice
 *   - tight: never MAYBE_EXECUTED when the kernel had not taken the last byte of the request
 *
 * Each prints how many cuts there were, how often what was called ran, and what was said.
 */
#include "tests/support/kernel.h"
#include "tests/support/proxy.h"
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>
#include <sys/socket.h>

enum { CALLS_MOST = 3, TIMEOUT_MS = 60000 };

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    return kernel_send(fd, data, len, flags);
}

static struct {
    shards set;
    proxy *wire;
    redisContext *side;
    unsigned serial;
    size_t noscript; /* bytes of the server's NOSCRIPT */
} world;

/* ---- calls ---- */

typedef struct outcome {
    char key[24];
    int done;
    evs_status status;
    evs_outcome outcome;
} outcome;

typedef struct trial {
    evs_client *client;
    const char *script;
    size_t before[2]; /* bytes that went either way before what is tried */
    outcome calls[CALLS_MOST];
} trial;

static void note(void *arg, const evs_result *result)
{
    outcome *call = arg;
    call->done++;
    call->status = result->status;
    call->outcome = result->outcome;
}

static void note_status(outcome *call, evs_status status, const evs_error *err)
{
    evs_result result = {.status = status,
                         .outcome = status == EVS_OK ? EVS_EXECUTED : err->outcome};
    note(call, &result);
}

static evs_invocation call_of(const trial *self, const evs_bytes *key)
{
    return (evs_invocation){
        .script = self->script, .keys = key, .nkeys = 1, .timeout_ms = TIMEOUT_MS};
}

/* A completion may say what happened, or evs_submit itself when the wire is down already. */
static void submit_one(trial *self)
{
    evs_error err = {0};
    evs_bytes key = evs_text(self->calls[0].key);
    evs_invocation call = call_of(self, &key);
    evs_status status = evs_submit(self->client, &call, note, &self->calls[0], &err);
    if (status != EVS_OK)
        note_status(&self->calls[0], status, &err);
    while (evs_client_pending(self->client) > 0)
        evs_client_process(self->client, -1, NULL);
}

static void call_one(trial *self)
{
    evs_error err = {0};
    evs_reply *reply = NULL;
    evs_bytes key = evs_text(self->calls[0].key);
    evs_invocation call = call_of(self, &key);
    note_status(&self->calls[0], evs_call(&reply, self->client, &call, &err), &err);
    evs_reply_free(reply);
}

static void plain_command(trial *self)
{
    evs_error err = {0};
    evs_reply *reply = NULL;
    evs_bytes words[] = {evs_text("INCR"), evs_text(self->calls[0].key)};
    evs_plain_command command = {.args = words, .nargs = 2, .timeout_ms = TIMEOUT_MS};
    note_status(&self->calls[0], evs_command(&reply, self->client, &command, &err), &err);
    evs_reply_free(reply);
}

static void batch_of_three(trial *self)
{
    evs_batch *batch;
    assert_int_equal(evs_batch_new(&batch, self->client, NULL, NULL), EVS_OK);
    for (size_t i = 0; i < 3; i++) {
        evs_bytes key = evs_text(self->calls[i].key);
        evs_invocation call = call_of(self, &key);
        assert_int_equal(evs_batch_add(batch, &call, NULL), EVS_OK);
    }
    assert_int_equal(evs_batch_run(batch, NULL), EVS_OK);
    for (size_t i = 0; i < 3; i++)
        note(&self->calls[i], evs_batch_result(batch, i));
    evs_batch_free(batch);
}

/* The script on one key, INCR on another. */
static void transaction(trial *self)
{
    evs_transaction *tx;
    evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
    options.timeout_ms = TIMEOUT_MS;
    evs_bytes key = evs_text(self->calls[0].key);
    evs_bytes words[] = {evs_text("INCR"), evs_text(self->calls[1].key)};
    evs_invocation call = call_of(self, &key);
    evs_plain_command command = {.args = words, .nargs = 2};
    assert_int_equal(evs_transaction_new(&tx, self->client, &options, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add(tx, &call, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add_command(tx, &command, NULL), EVS_OK);
    evs_transaction_exec(tx, NULL);
    for (size_t i = 0; i < 2; i++)
        note(&self->calls[i], evs_transaction_result(tx, i));
    evs_transaction_free(tx);
}

/* ---- before the bytes are counted ---- */

static void know(trial *self)
{
    evs_reply *reply;
    evs_bytes key = evs_text("warm");
    evs_invocation call = call_of(self, &key);
    assert_int_equal(evs_call(&reply, self->client, &call, NULL), EVS_OK);
    evs_reply_free(reply);
}

static void know_and_flush(trial *self)
{
    know(self);
    freeReplyObject(redisCommand(world.side, "SCRIPT FLUSH"));
}

/* ---- scenarios ---- */

typedef struct scenario {
    const char *name;
    const char *script;
    size_t ncalls;
    void (*before)(trial *); /* NULL: the greeting counts, too */
    void (*act)(trial *);
    const char *last; /* what the request ends with; NULL: with its key */
    unsigned protocol;
    int threaded;
    long long most; /* that it may run */
    int believed;   /* its NOSCRIPT is the server's */
} scenario;

static const scenario scenarios[] = {
    {"a first call, with its load", "count", 1, NULL, submit_one, NULL, 2, 0, 1, 0},
    {"a first call, blocking, RESP3", "count", 1, NULL, call_one, NULL, 3, 0, 1, 0},
    {"a call of a known script", "count", 1, know, submit_one, NULL, 2, 0, 1, 0},
    {"a call that is healed", "count", 1, know_and_flush, submit_one, NULL, 2, 0, 1, 1},
    {"a script that may lie, healed", "liar", 1, know_and_flush, call_one, NULL, 2, 0, 1, 0},
    {"an idempotent script", "again", 1, know, call_one, NULL, 2, 0, 2, 0},
    {"a batch of three", "count", 3, NULL, batch_of_three, NULL, 2, 0, 1, 0},
    {"a transaction with its load", "count", 2, NULL, transaction, "EXEC\r\n", 2, 0, 1, 0},
    {"a transaction of what is known", "count", 2, know, transaction, "EXEC\r\n", 3, 0, 1, 0},
    {"a plain command", "count", 1, NULL, plain_command, NULL, 2, 0, 1, 0},
    {"a threaded client", "count", 1, NULL, submit_one, NULL, 2, 1, 1, 0},
};

/* ---- ways to be cut ---- */

typedef struct cut {
    proxy_way way;
    proxy_what what;
    int by_kernel; /* it takes no more than the proxy forwards */
    int alone;     /* the server cannot be reached afterwards */
} cut;

static const cut cuts[] = {
    {PROXY_UP, PROXY_CLOSE, 0, 1},   {PROXY_UP, PROXY_RESET, 0, 0}, {PROXY_UP, PROXY_CLOSE, 1, 1},
    {PROXY_UP, PROXY_RESET, 1, 1},   {PROXY_UP, PROXY_CLOSE, 1, 0}, {PROXY_DOWN, PROXY_CLOSE, 0, 1},
    {PROXY_DOWN, PROXY_RESET, 0, 0},
};

typedef struct tally {
    size_t cuts, ran, said[3], unsound, not_tight;
} tally;

/* ---- one trial ---- */

static long long times_run(const char *key)
{
    redisReply *reply = redisCommand(world.side, "GET %s", key);
    assert_non_null(reply);
    long long number = reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10) : 0;
    freeReplyObject(reply);
    return number;
}

static size_t count_of(const char *end, evs_bytes taken)
{
    size_t n = 0, len = strlen(end);
    const char *stop = taken.data + taken.len;
    for (const char *at = taken.data; at != NULL && at < stop; n += at != NULL) {
        at = memmem(at, (size_t)(stop - at), end, len);
        at = at == NULL ? NULL : at + len;
    }
    return n;
}

/* How often a request as a whole was taken by the kernel and not refused: NOSCRIPT of an honest
 * script, arrived, proves that that time it did not run. */
static size_t times_left(const trial *self, const scenario *how, const outcome *call)
{
    char key[32];
    size_t n = 0;
    snprintf(key, sizeof key, "%s\r\n", call->key);
    const char *end = how->last == NULL ? key : how->last;
    for (size_t i = 0; i < kernel_connections(); i++)
        n += count_of(end, kernel_taken(i));
    int refused = how->believed && proxy_forwarded(world.wire, PROXY_DOWN) >=
                                       self->before[PROXY_DOWN] + world.noscript;
    return refused ? n - 1 : n;
}

static void open_trial(trial *self, const scenario *how)
{
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.protocol = how->protocol;
    options.threaded = how->threaded;
    memset(self, 0, sizeof *self);
    self->script = how->script;
    for (size_t i = 0; i < CALLS_MOST; i++)
        snprintf(self->calls[i].key, sizeof self->calls[i].key, "k%07u:%zu", world.serial, i);
    world.serial++;
    proxy_harm(world.wire, NULL);
    kernel_watch(proxy_port(world.wire));
    freeReplyObject(redisCommand(world.side, "SCRIPT FLUSH"));
    assert_int_equal(
        evs_client_open(&self->client, world.set.map, world.set.registry, &options, NULL), EVS_OK);
    if (how->before == NULL)
        return;
    how->before(self);
    for (int way = 0; way < 2; way++)
        self->before[way] = proxy_forwarded(world.wire, (proxy_way)way);
}

static void judge(const trial *self, const scenario *how, tally *seen)
{
    for (size_t i = 0; i < how->ncalls; i++) {
        const outcome *call = &self->calls[i];
        long long ran = times_run(call->key);
        int unsound = (call->outcome == EVS_NOT_EXECUTED && ran > 0) ||
                      (call->outcome == EVS_EXECUTED && ran == 0) || ran > how->most;
        int not_tight = call->outcome == EVS_MAYBE_EXECUTED && times_left(self, how, call) == 0;
        if (unsound || not_tight)
            print_error("%s: call %zu: %s, %s, ran %lld times\n", how->name, i,
                        evs_status_name(call->status), evs_outcome_text(call->outcome), ran);
        assert_int_equal(call->done, 1);
        seen->ran += ran > 0;
        seen->said[call->outcome]++;
        seen->unsound += (size_t)unsound;
        seen->not_tight += (size_t)not_tight;
    }
    seen->cuts++;
}

static void finish(trial *self, const scenario *how, tally *seen)
{
    how->act(self);
    while (evs_client_pending(self->client) > 0)
        evs_client_process(self->client, 1, NULL);
    evs_client_free(self->client);
    proxy_settle(world.wire);
    judge(self, how, seen);
}

static void cut_at(const scenario *how, const cut *by, size_t at, tally *seen)
{
    trial self;
    open_trial(&self, how);
    at += self.before[by->way];
    if (by->by_kernel)
        kernel_limit(at);
    proxy_harm(world.wire, &(proxy_fault){.what = by->what,
                                          .way = by->way,
                                          .at = at,
                                          .at_once = by->by_kernel,
                                          .alone = by->alone});
    finish(&self, how, seen);
}

/* Without a cut: how many bytes go each way. */
static void measure(const scenario *how, size_t total[2])
{
    trial self;
    tally seen = {0};
    open_trial(&self, how);
    finish(&self, how, &seen);
    assert_int_equal(seen.said[EVS_EXECUTED], how->ncalls);
    assert_int_equal(seen.ran, how->ncalls);
    for (int way = 0; way < 2; way++)
        total[way] = proxy_forwarded(world.wire, (proxy_way)way) - self.before[way];
}

static void cut_everywhere(const scenario *how, tally *sum)
{
    size_t total[2];
    measure(how, total);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++)
        for (size_t at = 0; at < total[cuts[i].way]; at++)
            cut_at(how, &cuts[i], at, sum);
}

/* ---- the tests ---- */

static void outcomes_are_true_wherever_the_wire_is_cut(void **state)
{
    (void)state;
    tally all = {0};
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        tally one = {0};
        cut_everywhere(&scenarios[i], &one);
        print_message("%s: cuts %zu, ran %zu, NOT %zu, EXECUTED %zu, MAYBE %zu, unsound %zu, "
                      "not tight %zu\n",
                      scenarios[i].name, one.cuts, one.ran, one.said[EVS_NOT_EXECUTED],
                      one.said[EVS_EXECUTED], one.said[EVS_MAYBE_EXECUTED], one.unsound,
                      one.not_tight);
        all.cuts += one.cuts;
        all.ran += one.ran;
        all.said[EVS_MAYBE_EXECUTED] += one.said[EVS_MAYBE_EXECUTED];
        all.unsound += one.unsound;
        all.not_tight += one.not_tight;
    }
    print_message("cuts %zu, ran %zu, MAYBE %zu, unsound %zu, not tight %zu\n", all.cuts, all.ran,
                  all.said[EVS_MAYBE_EXECUTED], all.unsound, all.not_tight);
    assert_int_equal(all.unsound, 0);
    assert_int_equal(all.not_tight, 0);
}

static size_t length_of_noscript(void)
{
    redisReply *reply = redisCommand(world.side, "EVALSHA %s 0", "unknown");
    assert_int_equal(reply->type, REDIS_REPLY_ERROR);
    size_t len = 1 + reply->len + 2;
    freeReplyObject(reply);
    return len;
}

static int set_up(void **state)
{
    (void)state;
    shards_start_behind(&world.set, &world.wire);
    world.side = redisConnectUnix(scratch_socket(world.set.servers[0]));
    world.noscript = length_of_noscript();
    shards_script(&world.set, "count", "redis.call('INCR', KEYS[1]) return 'done'");
    shards_script(&world.set, "liar", "return redis.pcall('INCR', KEYS[1])");
    shards_script(&world.set, "again",
                  "--- Counts.\n-- @key k any\n-- @retry idempotent\n"
                  "return redis.call('INCR', KEYS[1])");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kernel_watch(0);
    shards_stop(&world.set);
    proxy_stop(world.wire);
    redisFree(world.side);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes_are_true_wherever_the_wire_is_cut),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
