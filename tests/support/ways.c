#include "tests/support/ways.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* ---- noting ---- */

static void note(void *arg, const evs_result *result)
{
    way_call *call = arg;
    call->done++;
    call->status = result->status;
    call->outcome = result->outcome;
}

static void note_status(way_call *call, evs_status status, const evs_error *err)
{
    evs_result result = {.status = status,
                         .outcome = status == EVS_OK ? EVS_EXECUTED : err->outcome};
    note(call, &result);
}

/* What was never begun did not run. */
static int begun(way_run *run, evs_status status)
{
    evs_result result = {.status = status, .outcome = EVS_NOT_EXECUTED};
    for (size_t i = 0; status != EVS_OK && i < run->ncalls; i++)
        note(&run->calls[i], &result);
    return status == EVS_OK;
}

static evs_invocation call_of(const way_run *run, const evs_bytes *key)
{
    return (evs_invocation){
        .script = run->script, .keys = key, .nkeys = 1, .timeout_ms = WAYS_TIMEOUT_MS};
}

static void finish(way_run *run)
{
    while (evs_client_pending(run->client) > 0)
        evs_client_process(run->client, -1, NULL);
}

/* ---- one call ---- */

/* Without keys: what it counts is its argument. */
static evs_invocation keyless(const way_run *run, const evs_bytes *arg)
{
    return (evs_invocation){
        .script = run->script, .args = arg, .nargs = 1, .timeout_ms = WAYS_TIMEOUT_MS};
}

static evs_invocation either(const way_run *run, const evs_bytes *key)
{
    int has_keys = strcmp(run->script, "everywhere") != 0;
    return has_keys ? call_of(run, key) : keyless(run, key);
}

/* A completion says what happened, or evs_submit itself when it is known at once. */
static void submit_one(way_run *run)
{
    evs_error err = {0};
    evs_bytes key = evs_text(run->calls[0].key);
    evs_invocation call = either(run, &key);
    evs_status status = evs_submit(run->client, &call, note, &run->calls[0], &err);
    if (status != EVS_OK)
        note_status(&run->calls[0], status, &err);
    finish(run);
}

static void call_one(way_run *run)
{
    evs_error err = {0};
    evs_reply *reply = NULL;
    evs_bytes key = evs_text(run->calls[0].key);
    evs_invocation call = either(run, &key);
    note_status(&run->calls[0], evs_call(&reply, run->client, &call, &err), &err);
    evs_reply_free(reply);
}

static void plain_command(way_run *run)
{
    evs_error err = {0};
    evs_reply *reply = NULL;
    evs_bytes words[] = {evs_text("INCR"), evs_text(run->calls[0].key)};
    evs_plain_command command = {.args = words, .nargs = 2, .timeout_ms = WAYS_TIMEOUT_MS};
    note_status(&run->calls[0], evs_command(&reply, run->client, &command, &err), &err);
    evs_reply_free(reply);
}

/* ---- several ---- */

static evs_status fill_batch(way_run *run, evs_batch *batch)
{
    evs_status status = EVS_OK;
    for (size_t i = 0; i < run->ncalls && status == EVS_OK; i++) {
        evs_bytes key = evs_text(run->calls[i].key);
        evs_invocation call = either(run, &key);
        status = evs_batch_add(batch, &call, NULL);
    }
    return status;
}

static void batch_of_three(way_run *run)
{
    evs_batch *batch = NULL;
    evs_status status = evs_batch_new(&batch, run->client, NULL, NULL);
    if (status == EVS_OK)
        status = fill_batch(run, batch);
    if (status == EVS_OK)
        status = evs_batch_run(batch, NULL);
    if (begun(run, status))
        for (size_t i = 0; i < run->ncalls; i++)
            note(&run->calls[i], evs_batch_result(batch, i));
    evs_batch_free(batch);
}

static void fold(void *arg, size_t index, const evs_result *result)
{
    way_run *run = arg;
    note(&run->calls[index], result);
}

static int any_done(const way_run *run)
{
    int done = 0;
    for (size_t i = 0; i < run->ncalls; i++)
        done += run->calls[i].done;
    return done;
}

static void scatter(way_run *run)
{
    evs_bytes keys[WAYS_CALLS_MOST];
    evs_key_group groups[WAYS_CALLS_MOST];
    for (size_t i = 0; i < run->ncalls; i++) {
        keys[i] = evs_text(run->calls[i].key);
        groups[i] = (evs_key_group){&keys[i], 1};
    }
    evs_invocation call = call_of(run, NULL);
    call.nkeys = 0;
    evs_status status = evs_scatter(run->client, &call, groups, run->ncalls, fold, run, NULL);
    if (!any_done(run))
        begun(run, status);
}

static void broadcast(way_run *run)
{
    evs_bytes arg = evs_text(run->calls[0].key);
    evs_invocation call = keyless(run, &arg);
    evs_status status = evs_broadcast(run->client, &call, fold, run, NULL);
    if (!any_done(run))
        begun(run, status);
}

/* ---- transactions ---- */

/* The script on one key, INCR on another. */
static evs_status fill_transaction(way_run *run, evs_transaction *tx)
{
    evs_bytes key = evs_text(run->calls[0].key);
    evs_bytes words[] = {evs_text("INCR"), evs_text(run->calls[1].key)};
    evs_invocation call = call_of(run, &key);
    evs_plain_command command = {.args = words, .nargs = 2};
    evs_status status = evs_transaction_add(tx, &call, NULL);
    return status == EVS_OK ? evs_transaction_add_command(tx, &command, NULL) : status;
}

static evs_status watch_and_read(way_run *run, evs_transaction *tx)
{
    evs_reply *reply = NULL;
    evs_bytes key = evs_text(run->calls[0].key);
    evs_bytes words[] = {evs_text("GET"), key};
    evs_plain_command get = {.args = words, .nargs = 2, .timeout_ms = WAYS_TIMEOUT_MS};
    evs_status status = evs_transaction_watch(tx, &key, 1, NULL);
    if (status == EVS_OK)
        status = evs_transaction_read(&reply, tx, &get, NULL);
    evs_reply_free(reply);
    return status;
}

static void exec(way_run *run, evs_status (*first)(way_run *, evs_transaction *))
{
    evs_error err = {0};
    evs_transaction *tx = NULL;
    evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
    options.timeout_ms = WAYS_TIMEOUT_MS;
    evs_status status = evs_transaction_new(&tx, run->client, &options, NULL);
    if (status == EVS_OK && first != NULL)
        status = first(run, tx);
    if (status == EVS_OK)
        status = fill_transaction(run, tx);
    if (begun(run, status)) {
        status = evs_transaction_exec(tx, &err);
        for (size_t i = 0; i < run->ncalls; i++) {
            const evs_result *result = evs_transaction_result(tx, i);
            if (result != NULL)
                note(&run->calls[i], result);
            else
                note_status(&run->calls[i], status, &err);
        }
    }
    evs_transaction_free(tx);
}

static void transaction(way_run *run)
{
    exec(run, NULL);
}

static void watching_transaction(way_run *run)
{
    exec(run, watch_and_read);
}

/* ---- before ---- */

static void know(way_run *run)
{
    evs_error err;
    evs_reply *reply = NULL;
    evs_bytes word = evs_text("warm");
    evs_invocation call = either(run, &word);
    if (evs_call(&reply, run->client, &call, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_reply_free(reply);
}

static void know_and_flush(way_run *run)
{
    know(run);
    shards_do(run->set, 0, "SCRIPT FLUSH");
}

static void know_and_watch(way_run *run)
{
    know(run);
    evs_transaction *tx;
    assert_int_equal(evs_transaction_new(&tx, run->client, NULL, NULL), EVS_OK);
    assert_int_equal(watch_and_read(run, tx), EVS_OK);
    evs_transaction_free(tx);
}

/* ---- all of them ---- */

const way ways[] = {
    {"a first call, with its load", "count", 1, NULL, submit_one, NULL, 2, 0, 1, 0},
    {"a first call, blocking, RESP3", "count", 1, NULL, call_one, NULL, 3, 0, 1, 0},
    {"a call of a known script", "count", 1, know, submit_one, NULL, 2, 0, 1, 0},
    {"a call that is healed", "count", 1, know_and_flush, submit_one, NULL, 2, 0, 1, 1},
    {"a script that may lie, healed", "liar", 1, know_and_flush, call_one, NULL, 2, 0, 1, 0},
    {"an idempotent script", "again", 1, know, call_one, NULL, 2, 0, 2, 0},
    {"a batch of three", "count", 3, NULL, batch_of_three, NULL, 2, 0, 1, 0},
    {"three groups of keys", "count", 3, know, scatter, NULL, 2, 0, 1, 0},
    {"a script everywhere", "everywhere", 1, know, broadcast, NULL, 2, 0, 1, 0},
    {"without keys, a first call", "everywhere", 1, NULL, submit_one, NULL, 2, 0, 1, 0},
    {"without keys, blocking", "everywhere", 1, know, call_one, NULL, 3, 0, 1, 0},
    {"without keys, healed", "everywhere", 1, know_and_flush, submit_one, NULL, 2, 0, 1, 0},
    {"a batch of three without keys", "everywhere", 3, NULL, batch_of_three, NULL, 2, 0, 1, 0},
    {"without keys, a threaded client", "everywhere", 1, know, submit_one, NULL, 2, 1, 1, 0},
    {"a transaction with its load", "count", 2, NULL, transaction, "EXEC\r\n", 2, 0, 1, 0},
    {"a transaction of what is known", "count", 2, know, transaction, "EXEC\r\n", 3, 0, 1, 0},
    {"a transaction that watches", "count", 2, know_and_watch, watching_transaction, "EXEC\r\n", 2,
     0, 1, 0},
    {"a plain command", "count", 1, NULL, plain_command, NULL, 2, 0, 1, 0},
    {"a threaded client", "count", 1, NULL, submit_one, NULL, 2, 1, 1, 0},
    {"a threaded client with a queue", "count", 1, know, submit_one, NULL, 2, 2, 1, 0},
    {"a threaded client, blocking", "count", 1, know, call_one, NULL, 3, 1, 1, 0},
};
const size_t ways_count = sizeof ways / sizeof ways[0];

void ways_load(shards *set)
{
    shards_script(set, "count", "redis.call('INCR', KEYS[1]) return 'done'");
    shards_script(set, "liar", "return redis.pcall('INCR', KEYS[1])");
    shards_script(set, "again",
                  "--- Counts.\n-- @key k any\n-- @retry idempotent\n"
                  "return redis.call('INCR', KEYS[1])");
    shards_script(set, "everywhere", "return redis.call('INCR', ARGV[1])");
}

evs_client *way_open(const way *how, const shards *set)
{
    evs_error err;
    evs_client *client = NULL;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.protocol = how->protocol;
    options.threaded = how->threaded != 0;
    options.completions = how->threaded == 2 ? EVS_COMPLETIONS_QUEUED : EVS_COMPLETIONS_AT_ONCE;
    if (evs_client_open(&client, set->map, set->registry, &options, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return client;
}

void way_begin(way_run *run, const way *how, evs_client *client, shards *set)
{
    static unsigned serial;
    memset(run, 0, sizeof *run);
    run->client = client;
    run->set = set;
    run->script = how->script;
    run->ncalls = how->ncalls;
    for (size_t i = 0; i < WAYS_CALLS_MOST; i++)
        snprintf(run->calls[i].key, sizeof run->calls[i].key, "{k%07u}:%zu", serial, i);
    serial++;
    if (how->before != NULL)
        how->before(run);
}
