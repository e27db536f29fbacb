/* Elements in, results out; starting, and releasing whoever waits. */
#include "scripts/engine/transaction.h"

#include "core/error.h"
#include "core/mem.h"
#include "core/reply.h"
#include "scripts/engine/exec.h"
#include "scripts/engine/invocation.h"

/* ---- life ---- */

static evs_transaction_options complete_options(const evs_transaction_options *given)
{
    evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
    if (given != NULL)
        memcpy(&options, given,
               given->struct_size < sizeof options ? given->struct_size : sizeof options);
    return options;
}

evs_status evs_transaction_new(evs_transaction **out, evs_client *client,
                               const evs_transaction_options *opts, evs_error *err)
{
    if (opts != NULL && opts->struct_size == 0)
        return evs__fail(err, EVS_E_INVALID, "options without EVS_TRANSACTION_OPTIONS_INIT");
    evs_transaction_options options = complete_options(opts);
    evs_transaction *tx = evs__zalloc_array(1, sizeof *tx);
    if (tx == NULL)
        return evs__fail_nomem(err);
    tx->client = client;
    tx->timeout_ms = options.timeout_ms;
    if (options.shard != NULL)
        tx->shard = evs__copy_text(options.shard, strlen(options.shard));
    if (options.shard != NULL && tx->shard == NULL) {
        evs__free(tx);
        return evs__fail_nomem(err);
    }
    *out = tx;
    return EVS_OK;
}

void evs__transaction_unwatch(evs_transaction *tx)
{
    if (tx->lease != NULL)
        evs__lease_return(tx->lease);
    tx->lease = NULL;
}

static evs_status unwatch(void *job, evs_error *err)
{
    (void)err;
    evs__transaction_unwatch(job);
    return EVS_OK;
}

void evs_transaction_clear(evs_transaction *tx)
{
    if (tx->lease != NULL)
        evs__client_look(tx->client, unwatch, tx, NULL);
    tx->watch_failed = 0;
    evs_shardmap_free(tx->map);
    tx->map = NULL;
    evs__arena_recycle(&tx->arena);
    tx->count = tx->failures = 0;
    tx->stage = EVS__STAGE_FILLING;
}

void evs_transaction_free(evs_transaction *tx)
{
    if (tx == NULL)
        return;
    evs_transaction_clear(tx);
    evs__arena_free(&tx->arena);
    evs__free(tx->elements);
    evs__free(tx->shard);
    evs__free(tx);
}

/* ---- adding ---- */

static int reserve(evs_transaction *tx)
{
    if (tx->count < tx->cap)
        return 1;
    size_t cap = tx->cap == 0 ? 8 : tx->cap * 2;
    evs__element *elements = evs__realloc_array(tx->elements, cap, sizeof *elements);
    if (elements == NULL)
        return 0;
    tx->elements = elements;
    tx->cap = cap;
    return 1;
}

static evs_status may_add(const evs_transaction *tx, evs_error *err)
{
    if (tx->stage == EVS__STAGE_FILLING)
        return EVS_OK;
    return evs__fail(err, EVS_E_STATE, "the transaction %s; clear it before it is filled again",
                     tx->stage == EVS__STAGE_RUNNING ? "is running" : "has run");
}

static evs_status add(evs_transaction *tx, const evs__element *element, evs_error *err)
{
    evs_status status = may_add(tx, err);
    if (status != EVS_OK)
        return status;
    if (!reserve(tx))
        return evs__fail_nomem(err);
    evs__element copy = *element;
    evs__arena *arena = &tx->arena;
    int copied = copy.cmd.args != NULL ? evs__plain_command_keep(arena, &copy.cmd)
                                       : evs__invocation_keep(arena, &copy.call);
    if (!copied)
        return evs__fail_nomem(err);
    tx->elements[tx->count++] = copy;
    return EVS_OK;
}

evs_status evs_transaction_add(evs_transaction *tx, const evs_invocation *call, evs_error *err)
{
    evs__element element = {.call = *call};
    return add(tx, &element, err);
}

evs_status evs_transaction_add_command(evs_transaction *tx, const evs_plain_command *cmd,
                                       evs_error *err)
{
    static const evs_bytes none = {NULL, 0};
    evs__element element = {.cmd = *cmd};
    if (cmd->nargs == 0)
        element.cmd.args = &none;
    return add(tx, &element, err);
}

/* ---- results ---- */

static void no_memory(evs_result *result, evs_outcome outcome)
{
    static const evs_error none = {.status = EVS_E_NOMEM, .message = "out of memory"};
    *result = (evs_result){EVS_E_NOMEM, outcome, NULL, &none};
}

static const evs_error *copy_error(evs__arena *arena, const evs_error *error)
{
    evs_error *copy = evs__arena_alloc(arena, 1, sizeof *copy);
    if (copy != NULL)
        *copy = *error;
    return copy;
}

static void keep(evs_transaction *tx, evs__element *element, const evs_result *result)
{
    element->result = *result;
    element->has_result = 1;
    tx->failures += result->status != EVS_OK;
}

void evs__transaction_keep(evs_transaction *tx, size_t index, const evs_result *result)
{
    evs_result kept = *result;
    if (result->error != NULL)
        kept.error = copy_error(&tx->arena, result->error);
    if (result->reply != NULL)
        kept.reply = evs__reply_copy_to(&tx->arena, result->reply);
    if ((result->error != NULL && kept.error == NULL) ||
        (result->reply != NULL && kept.reply == NULL))
        no_memory(&kept, result->outcome);
    keep(tx, &tx->elements[index], &kept);
}

void evs__transaction_keep_rest(evs_transaction *tx, evs_outcome outcome, const evs_error *error)
{
    evs_error same = *error;
    same.outcome = outcome;
    evs_result result = {error->status, outcome, NULL, copy_error(&tx->arena, &same)};
    if (result.error == NULL)
        no_memory(&result, outcome);
    for (size_t i = 0; i < tx->count; i++)
        if (!tx->elements[i].has_result)
            keep(tx, &tx->elements[i], &result);
}

size_t evs_transaction_count(const evs_transaction *tx)
{
    return tx->count;
}

size_t evs_transaction_failures(const evs_transaction *tx)
{
    return tx->failures;
}

const evs_result *evs_transaction_result(const evs_transaction *tx, size_t index)
{
    if (tx->stage != EVS__STAGE_FINISHED || index >= tx->count)
        return NULL;
    return &tx->elements[index].result;
}

const evs_result *evs_transaction_outcome(const evs_transaction *tx)
{
    return tx->stage == EVS__STAGE_FINISHED ? &tx->whole : NULL;
}

/* ---- running ---- */

unsigned evs__transaction_timeout(const evs_transaction *tx)
{
    const evs__shard *shard = &tx->map->shards[tx->target.shard];
    if (tx->timeout_ms != 0)
        return tx->timeout_ms;
    for (size_t i = 0; i < tx->count; i++)
        if (tx->elements[i].script != NULL)
            return shard->script_timeout_ms;
    return shard->command_timeout_ms;
}

/* In this order: who waits may free the transaction. */
void evs__transaction_done(evs_transaction *tx)
{
    evs__thread *thread = tx->client->thread;
    evs__transaction_unwatch(tx);
    tx->stage = EVS__STAGE_FINISHED;
    if (tx->done == NULL) {
        evs__gate_open(&tx->gate);
        return;
    }
    tx->done(tx->arg, tx);
    evs__thread_forget(thread);
}

static evs_status begin(evs_transaction *tx, evs_error *err)
{
    evs_client *client = tx->client;
    evs_status status = evs__client_check(client, 0, err);
    if (status != EVS_OK)
        return status;
    if (evs__transaction_is_stale(tx))
        status = tx->lease != NULL ? evs__transaction_fail_stale(tx, err)
                                   : evs__transaction_plan(tx, err);
    if (status != EVS_OK)
        return status;
    evs__lane *lane = tx->lease != NULL ? &tx->lease->lane
                                        : evs__client_target(client, &tx->target);
    client->stats.mixed_tags += (uint64_t)(tx->target.mixed_tags != 0);
    tx->stage = EVS__STAGE_RUNNING;
    status = evs__exec_start(tx, lane, err);
    if (status != EVS_OK)
        tx->stage = EVS__STAGE_FILLING;
    return status;
}

static evs_status start(void *job, evs_error *err)
{
    return begin(job, err);
}

static evs_status plan(evs_transaction *tx, evs_error *err)
{
    evs_status status = may_add(tx, err);
    if (status != EVS_OK)
        return status;
    if (tx->watch_failed)
        return evs__fail(err, EVS_E_STATE, "watching failed; clear the transaction");
    return evs__transaction_plan(tx, err);
}

evs_status evs_transaction_exec(evs_transaction *tx, evs_error *err)
{
    evs__start what = {.start = start, .job = tx, .gate = &tx->gate};
    evs_status status = evs__client_may_wait(tx->client, err);
    if (status == EVS_OK)
        status = plan(tx, err);
    if (status != EVS_OK)
        return status;
    tx->done = NULL;
    what.timeout_ms = evs__transaction_timeout(tx);
    status = evs__client_await(tx->client, &what, err);
    if (status != EVS_OK)
        return status;
    return tx->whole.status == EVS_OK ? EVS_OK : evs__fail_with(err, &tx->error);
}

evs_status evs_transaction_submit(evs_transaction *tx, evs_transaction_done_fn done, void *arg,
                                  evs_error *err)
{
    evs__start what = {.start = start, .job = tx};
    if (done == NULL)
        return evs__fail(err, EVS_E_INVALID, "a submitted transaction needs a completion");
    evs_status status = plan(tx, err);
    if (status != EVS_OK)
        return status;
    tx->done = done;
    tx->arg = arg;
    what.timeout_ms = evs__transaction_timeout(tx);
    evs__thread *thread = tx->client->thread;
    evs__thread_count(thread);
    status = evs__client_is_elsewhere(tx->client)
                 ? evs__thread_run(tx->client, &what, err)
                 : evs__client_insist(tx->client, what.timeout_ms, start, tx, err);
    if (status != EVS_OK)
        evs__thread_forget(thread);
    return status;
}
