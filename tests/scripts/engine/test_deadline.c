/*
 * EVS_E_TIMEOUT never comes before its time, whichever way a call is made: at a shard that stopped
 * answering, by the caller's own clock. How late it comes is not looked at.
 */
#include "core/mem.h"
#include "tests/support/fake_shard.h"
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <semaphore.h>
#include <time.h>

enum { TIMEOUT_MS = 20, TRIES = 6, AT_ONCE = 3, MS = 1000000 };

#define SHA_REPLY "$40\r\ne0e1f9fabfc9d4800c877a703b823ac0578ff8db\r\n" /* of "return 1" */

/* One connection is answered until the script is known there; others wait for ever. */
static const fake_step hangs[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY ":1\r\n"),
                                  FAKE_EOF};

/* Nobody takes it for down or silent. */
#define PATIENT "    connect_timeout: 10m\n    command_timeout: 10m\n    down_after: 1000\n"

typedef struct stage {
    shards set;
    fake_shard *fake;
    const evs_script *script;
    evs_client *client;
    int threaded;
} stage;

/* A call that is submitted. */
typedef struct timed {
    stage *on;
    struct timed *next; /* is submitted by its completion; NULL: none */
    int64_t begun, ended;
    evs_status submitted, status;
    sem_t done;
} timed;

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 * MS + now.tv_nsec;
}

/* Until the system's cheap clock, which is not always right, is as far behind as it may get; a
 * while at most. Meanwhile nobody drives the client. */
static void await_wrong_clock(void)
{
    int64_t start = now_ns(CLOCK_MONOTONIC), now = start, behind = 0;
    while (now - start < (int64_t)60 * MS && behind < (int64_t)7 * MS + MS / 2) {
        now = now_ns(CLOCK_MONOTONIC);
        behind = now - now_ns(CLOCK_MONOTONIC_COARSE);
    }
}

static void assert_not_early(evs_status status, int64_t begun, int64_t ended)
{
    assert_int_equal(status, EVS_E_TIMEOUT);
    if (ended - begun < (int64_t)TIMEOUT_MS * MS)
        fail_msg("%.3f ms early", TIMEOUT_MS - (double)(ended - begun) / MS);
}

/* ---- who waits ---- */

static const evs_bytes key = {"k", 1};

static evs_invocation call_of(const stage *s)
{
    return (evs_invocation){
        .handle = s->script, .keys = &key, .nkeys = 1, .timeout_ms = TIMEOUT_MS};
}

static evs_status run_call(const stage *s)
{
    evs_reply *reply = NULL;
    evs_invocation call = call_of(s);
    return evs_call(&reply, s->client, &call, NULL);
}

static evs_status run_command(const stage *s)
{
    evs_reply *reply = NULL;
    evs_bytes words[] = {evs_text("GET"), key};
    evs_plain_command cmd = {.args = words, .nargs = 2, .timeout_ms = TIMEOUT_MS};
    return evs_command(&reply, s->client, &cmd, NULL);
}

static evs_status run_batch(const stage *s)
{
    evs_batch *batch = NULL;
    evs_invocation call = call_of(s);
    assert_int_equal(evs_batch_new(&batch, s->client, NULL, NULL), EVS_OK);
    for (int i = 0; i < AT_ONCE; i++)
        assert_int_equal(evs_batch_add(batch, &call, NULL), EVS_OK);
    assert_int_equal(evs_batch_run(batch, NULL), EVS_OK);
    evs_status status = evs_batch_result(batch, 0)->status;
    evs_batch_free(batch);
    return status;
}

static evs_transaction *new_transaction(const stage *s)
{
    evs_transaction *tx = NULL;
    evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
    options.timeout_ms = TIMEOUT_MS;
    assert_int_equal(evs_transaction_new(&tx, s->client, &options, NULL), EVS_OK);
    return tx;
}

static evs_status run_transaction(const stage *s)
{
    evs_invocation call = call_of(s);
    evs_transaction *tx = new_transaction(s);
    assert_int_equal(evs_transaction_add(tx, &call, NULL), EVS_OK);
    evs_status status = evs_transaction_exec(tx, NULL);
    evs_transaction_free(tx);
    return status;
}

static evs_status run_watch(const stage *s)
{
    evs_transaction *tx = new_transaction(s);
    evs_status status = evs_transaction_watch(tx, &key, 1, NULL);
    evs_transaction_free(tx);
    return status;
}

static evs_status run_everywhere(const stage *s)
{
    evs_reply *reply = NULL;
    evs_invocation call = {.handle = s->script, .timeout_ms = TIMEOUT_MS};
    return evs_call(&reply, s->client, &call, NULL);
}

/* ---- who does not ---- */

static void start(timed *self);

static void note(void *arg, const evs_result *result)
{
    timed *self = arg;
    self->ended = now_ns(CLOCK_MONOTONIC);
    self->status = result->status;
    if (self->next != NULL)
        start(self->next);
    sem_post(&self->done);
}

static void start(timed *self)
{
    evs_invocation call = call_of(self->on);
    self->begun = now_ns(CLOCK_MONOTONIC);
    self->submitted = evs_submit(self->on->client, &call, note, self, NULL);
    if (self->submitted != EVS_OK)
        sem_post(&self->done);
}

static void finish(timed *self)
{
    const stage *s = self->on;
    if (s->threaded)
        sem_wait(&self->done);
    else
        while (sem_trywait(&self->done) != 0)
            assert_int_equal(evs_client_process(s->client, -1, NULL), EVS_OK);
    sem_destroy(&self->done);
    assert_int_equal(self->submitted, EVS_OK);
    assert_not_early(self->status, self->begun, self->ended);
}

/* Several in one turn, each of which submits another when its time is over. */
static void submit_some(stage *s)
{
    timed first[AT_ONCE] = {0}, second[AT_ONCE] = {0};
    for (int i = 0; i < AT_ONCE; i++) {
        first[i].on = second[i].on = s;
        first[i].next = &second[i];
        sem_init(&first[i].done, 0, 0);
        sem_init(&second[i].done, 0, 0);
        start(&first[i]);
    }
    await_wrong_clock(); /* some of the time is over before anybody drives */
    for (int i = 0; i < AT_ONCE; i++)
        finish(&first[i]);
    for (int i = 0; i < AT_ONCE; i++)
        finish(&second[i]);
}

/* ---- the tests ---- */

static void open_stage(stage *s, int threaded)
{
    *s = (stage){.threaded = threaded, .fake = FAKE_START(FAKE_UNIX, hangs)};
    const char *address = fake_shard_address(s->fake);
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = threaded;
    shards_open(&s->set, &address, 1, PATIENT "    on_no_keys: all\n");
    s->script = shards_script(&s->set, "one", "return 1");
    s->client = shards_client(&s->set, &options);
    evs_invocation call = call_of(s);
    evs_reply *reply = NULL;
    call.timeout_ms = 60000;
    assert_int_equal(evs_call(&reply, s->client, &call, NULL), EVS_OK);
    evs_reply_free(reply);
}

static void close_stage(stage *s)
{
    evs_client_free(s->client);
    fake_shard_stop(s->fake);
    shards_stop(&s->set);
}

static void no_way_is_early(void **state)
{
    static evs_status (*const ways[])(const stage *) = {
        run_call, run_command, run_batch, run_transaction, run_watch, run_everywhere};
    stage s;
    open_stage(&s, *state != NULL);
    for (size_t i = 0; i < sizeof ways / sizeof *ways * TRIES; i++) {
        await_wrong_clock();
        int64_t begun = now_ns(CLOCK_MONOTONIC);
        evs_status status = ways[i / TRIES](&s);
        assert_not_early(status, begun, now_ns(CLOCK_MONOTONIC));
    }
    close_stage(&s);
}

static void nor_is_what_nobody_waits_for(void **state)
{
    stage s;
    open_stage(&s, *state != NULL);
    for (int i = 0; i < TRIES; i++) {
        await_wrong_clock();
        submit_some(&s);
    }
    close_stage(&s);
}

#define DRIVEN(test)   cmocka_unit_test_prestate(test, NULL)
#define THREADED(test) cmocka_unit_test_prestate(test, (void *)(uintptr_t)1)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRIVEN(no_way_is_early),
        THREADED(no_way_is_early),
        DRIVEN(nor_is_what_nobody_waits_for),
        THREADED(nor_is_what_nobody_waits_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
