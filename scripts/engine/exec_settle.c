/*
 * exec_settle.c - NOSCRIPT inside of EXEC, said of a script that may return that very word.
 *
 * SCRIPT EXISTS on the same connection settles it as heal.c does: 0 means that it did not run. 1,
 * or no answer, leaves it at MAYBE. Nothing is sent again.
 */
#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/exec_inner.h"
#include "scripts/engine/queue.h"
#include "scripts/render.h"

static int is_doubtful(const evs__element *element)
{
    return element->result.status == EVS_E_NO_SCRIPT &&
           element->result.outcome == EVS_MAYBE_EXECUTED;
}

static void set_not_executed(evs_transaction *tx, evs__element *element)
{
    evs_error *error = evs__arena_alloc(&tx->arena, 1, sizeof *error);
    if (error == NULL)
        return;
    *error = *element->result.error;
    error->outcome = element->result.outcome = EVS_NOT_EXECUTED;
    element->result.error = error;
}

/* One answer for each doubtful element, in their order. */
static void answered(void *arg, const evs_result *result)
{
    evs_transaction *tx = arg;
    size_t asked = 0;
    for (size_t i = 0; result->status == EVS_OK && i < tx->count; i++) {
        evs__element *element = &tx->elements[i];
        if (!is_doubtful(element))
            continue;
        const evs_reply *exists = evs_reply_at(result->reply, asked++);
        if (evs_reply_kind(exists) == EVS_REPLY_INTEGER && evs_reply_integer(exists) == 0)
            set_not_executed(tx, element);
    }
    evs__transaction_done(tx);
}

static evs_status ask(evs_transaction *tx, evs__lane *lane, evs_bytes *words, size_t nwords)
{
    evs__buf *out;
    evs_client *client = lane->client;
    evs__call *call = evs__lane_call(lane, EVS__ANY_SLOT, NULL);
    if (call == NULL)
        return EVS_E_NOMEM;
    call->done = answered;
    call->arg = tx;
    call->state.retry = EVS_RETRY_ONCE;
    call->state.patience = 0;
    call->state.resent = 1; /* another connection may lead to another server */
    evs__call_set_time(client, call, evs__transaction_timeout(tx));
    evs_status status = evs__queue_begin(&out, call, NULL);
    if (status == EVS_OK) {
        evs__render_command(out, words, nwords);
        status = evs__queue_end(call, NULL);
    }
    if (status == EVS_OK)
        evs__call_start(client, call);
    else
        evs__queue_drop(call);
    return status;
}

void evs__exec_settle(evs_transaction *tx, evs__lane *lane)
{
    size_t count = 0;
    for (size_t i = 0; i < tx->count; i++)
        count += (size_t)is_doubtful(&tx->elements[i]);
    evs_bytes *words = count == 0 ? NULL : evs__arena_alloc(&tx->arena, count + 2, sizeof *words);
    if (words == NULL || lane->client->closing || lane->client->shut) {
        evs__transaction_done(tx);
        return;
    }
    size_t n = 2;
    words[0] = evs_text("SCRIPT");
    words[1] = evs_text("EXISTS");
    for (size_t i = 0; i < tx->count; i++)
        if (is_doubtful(&tx->elements[i]))
            words[n++] = evs_text(tx->elements[i].script->sha1);
    if (ask(tx, lane, words, n) != EVS_OK)
        evs__transaction_done(tx);
}
