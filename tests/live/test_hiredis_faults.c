/*
 * Scripts on a context of hiredis whose wire is cut at every byte, and whose memory runs out at
 * every allocation: what is said of each call is true by the server's own count.
 */
#include "core/mem.h"
#include "tests/support/shards.h"
#include <evalshard/hiredis.h>

#include <hiredis/hiredis.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CALLS_MOST = 3 };

static struct {
    shards set;
    unsigned serial;
} world;

typedef struct outcome {
    char key[24];
    evs_status status;
    evs_outcome outcome;
    int done;
} outcome;

typedef struct trial {
    redisContext *context;
    evs_hiredis *scripts;
    const char *script;
    size_t before[2];
    outcome calls[CALLS_MOST];
} trial;

/* ---- calls ---- */

static void note(outcome *call, evs_status status, const evs_error *err)
{
    call->done++;
    call->status = status;
    call->outcome = status == EVS_OK ? EVS_EXECUTED : err->outcome;
}

static evs_invocation call_of(const trial *self, const evs_bytes *key)
{
    return (evs_invocation){.script = self->script, .keys = key, .nkeys = 1};
}

static void call_one(trial *self)
{
    evs_error err = {0};
    evs_reply *reply = NULL;
    evs_bytes key = evs_text(self->calls[0].key);
    evs_invocation call = call_of(self, &key);
    note(&self->calls[0], evs_hiredis_call(&reply, self->scripts, &call, &err), &err);
    evs_reply_free(reply);
}

/* What cannot be appended did not run. */
static void append(trial *self, int *appended)
{
    for (size_t i = 0; i < CALLS_MOST; i++) {
        evs_error err = {0};
        evs_bytes key = evs_text(self->calls[i].key);
        evs_bytes words[] = {evs_text("INCR"), key};
        evs_invocation call = call_of(self, &key);
        evs_plain_command command = {.args = words, .nargs = 2};
        evs_status status = i == 1 ? evs_hiredis_append_command(self->scripts, &command, &err)
                                   : evs_hiredis_append(self->scripts, &call, &err);
        appended[i] = status == EVS_OK;
        if (status != EVS_OK)
            note(&self->calls[i], status, &err);
    }
}

static void fetch(trial *self, const int *appended)
{
    for (size_t i = 0; i < CALLS_MOST; i++) {
        evs_error err = {0};
        evs_reply *reply = NULL;
        if (!appended[i])
            continue;
        note(&self->calls[i], evs_hiredis_get_reply(&reply, self->scripts, &err), &err);
        evs_reply_free(reply);
    }
    assert_int_equal(evs_hiredis_pending(self->scripts), 0);
}

static void pipeline(trial *self)
{
    int appended[CALLS_MOST];
    append(self, appended);
    fetch(self, appended);
}

static void transaction(trial *self)
{
    evs_error err = {0};
    int appended[CALLS_MOST];
    evs_status status = evs_hiredis_multi(self->scripts, NULL, &err);
    if (status != EVS_OK) {
        for (size_t i = 0; i < CALLS_MOST; i++)
            note(&self->calls[i], status, &err);
        return;
    }
    append(self, appended);
    while (evs_hiredis_exec(self->scripts, &err) != EVS_OK) /* there is memory again */
        evs__mem_fail_at(0);
    fetch(self, appended);
}

static void know(trial *self)
{
    evs_reply *reply = NULL;
    evs_bytes key = evs_text("warm");
    evs_invocation call = call_of(self, &key);
    assert_int_equal(evs_hiredis_call(&reply, self->scripts, &call, NULL), EVS_OK);
    evs_reply_free(reply);
}

static void know_and_flush(trial *self)
{
    know(self);
    freeReplyObject(redisCommand(shards_side(&world.set), "SCRIPT FLUSH"));
}

/* ---- ways ---- */

typedef struct way {
    const char *name;
    const char *script;
    size_t ncalls;
    void (*before)(trial *);
    void (*act)(trial *);
} way;

static const way ways[] = {
    {"a first call", "count", 1, NULL, call_one},
    {"a call of a known script", "count", 1, know, call_one},
    {"a call that is healed", "count", 1, know_and_flush, call_one},
    {"a script that may lie, healed", "liar", 1, know_and_flush, call_one},
    {"a pipeline", "count", 3, NULL, pipeline},
    {"a pipeline that is healed", "count", 3, know_and_flush, pipeline},
    {"a transaction", "count", 3, NULL, transaction},
    {"a transaction of what is known", "count", 3, know, transaction},
};
enum { WAYS = sizeof ways / sizeof ways[0] };

typedef struct tally {
    size_t cuts, ran, said[3], unsound;
} tally;

/* ---- one trial ---- */

static void begin(trial *self, const way *how)
{
    memset(self, 0, sizeof *self);
    self->script = how->script;
    for (size_t i = 0; i < CALLS_MOST; i++)
        snprintf(self->calls[i].key, sizeof self->calls[i].key, "k%07u:%zu", world.serial, i);
    world.serial++;
    proxy_harm(world.set.wire, NULL);
    freeReplyObject(redisCommand(shards_side(&world.set), "SCRIPT FLUSH"));
    self->context = redisConnect("127.0.0.1", proxy_port(world.set.wire));
    assert_int_equal(self->context->err, 0);
    assert_int_equal(evs_hiredis_attach(&self->scripts, world.set.registry, self->context, NULL),
                     EVS_OK);
    if (how->before == NULL)
        return;
    how->before(self);
    for (int to = 0; to < 2; to++)
        self->before[to] = proxy_forwarded(world.set.wire, (proxy_way)to);
}

static void judge(const trial *self, const way *how, tally *seen)
{
    for (size_t i = 0; i < how->ncalls; i++) {
        const outcome *call = &self->calls[i];
        long long ran = shards_counter(&world.set, call->key);
        int unsound = (call->outcome == EVS_NOT_EXECUTED && ran > 0) ||
                      (call->outcome == EVS_EXECUTED && ran == 0) || ran > 1;
        if (unsound)
            print_error("%s: call %zu: %s, %s, ran %lld times\n", how->name, i,
                        evs_status_name(call->status), evs_outcome_text(call->outcome), ran);
        assert_int_equal(call->done, 1);
        seen->ran += ran > 0;
        seen->said[call->outcome]++;
        seen->unsound += (size_t)unsound;
    }
    seen->cuts++;
}

static void end(trial *self)
{
    evs_hiredis_free(self->scripts);
    redisFree(self->context);
    proxy_settle(world.set.wire);
}

static void print(const char *what, const way *how, const tally *seen)
{
    print_message("%s: %s %zu, ran %zu, NOT %zu, EXECUTED %zu, MAYBE %zu, unsound %zu\n", how->name,
                  what, seen->cuts, seen->ran, seen->said[EVS_NOT_EXECUTED],
                  seen->said[EVS_EXECUTED], seen->said[EVS_MAYBE_EXECUTED], seen->unsound);
    assert_int_equal(seen->unsound, 0);
}

/* ---- wires ---- */

/* Without a cut: how many bytes go each way. */
static void measure(const way *how, size_t total[2])
{
    trial self;
    tally seen = {0};
    begin(&self, how);
    how->act(&self);
    end(&self);
    judge(&self, how, &seen);
    assert_int_equal(seen.said[EVS_EXECUTED], how->ncalls);
    for (int to = 0; to < 2; to++)
        total[to] = proxy_forwarded(world.set.wire, (proxy_way)to) - self.before[to];
}

static void cut_at(const way *how, proxy_way to, size_t at, tally *seen)
{
    trial self;
    begin(&self, how);
    proxy_harm(world.set.wire, &(proxy_fault){.what = at % 2 == 0 ? PROXY_CLOSE : PROXY_RESET,
                                              .way = to,
                                              .at = self.before[to] + at});
    how->act(&self);
    end(&self);
    judge(&self, how, seen);
}

static void outcomes_are_true_wherever_the_wire_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        tally seen = {0};
        size_t total[2];
        measure(&ways[i], total);
        for (int to = 0; to < 2; to++)
            for (size_t at = 0; at < total[to]; at++)
                cut_at(&ways[i], (proxy_way)to, at, &seen);
        print("cuts", &ways[i], &seen);
    }
}

/* ---- memory ---- */

typedef void fail_fn(size_t n);
static fail_fn *const lacks[] = {evs__mem_fail_once_at, evs__mem_fail_at};

/* The context is as good as before: it had no part in it. */
static void works(trial *self)
{
    trial again = *self;
    memset(again.calls, 0, sizeof again.calls);
    snprintf(again.calls[0].key, sizeof again.calls[0].key, "k%07u", world.serial++);
    call_one(&again);
    assert_int_equal(again.calls[0].status, EVS_OK);
    assert_int_equal(shards_counter(&world.set, again.calls[0].key), 1);
}

/* 0 when the n-th allocation was not even asked for. */
static int lack_at(const way *how, fail_fn *lack, size_t n, tally *seen)
{
    trial self;
    begin(&self, how);
    lack(n);
    how->act(&self);
    size_t count = evs__mem_count();
    evs__mem_fail_at(0);
    for (size_t i = 0; i < how->ncalls; i++)
        assert_true(self.calls[i].status == EVS_OK || self.calls[i].status == EVS_E_NOMEM);
    judge(&self, how, seen);
    works(&self);
    end(&self);
    return count >= n;
}

static void every_call_survives_a_lack_of_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        tally seen = {0};
        for (size_t l = 0; l < sizeof lacks / sizeof lacks[0]; l++)
            for (size_t n = 1; lack_at(&ways[i], lacks[l], n, &seen); n++)
                ;
        print("lacks", &ways[i], &seen);
    }
}

static int set_up(void **state)
{
    (void)state;
    shards_start_behind(&world.set);
    shards_script(&world.set, "count", "redis.call('INCR', KEYS[1]) return 'done'");
    shards_script(&world.set, "liar", "return redis.pcall('INCR', KEYS[1])");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    shards_stop(&world.set);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes_are_true_wherever_the_wire_is_cut),
        cmocka_unit_test(every_call_survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
