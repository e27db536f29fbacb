#include "scripts/engine/exec_inner.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/lease.h"
#include "scripts/engine/queue.h"
#include "scripts/engine/redirect.h"
#include "scripts/render.h"

#include <assert.h>
#include <limits.h>

/* ---- life ---- */

static void drop(evs__exec *exec)
{
    evs__ring_remove(&exec->ring);
    evs_reply_free(exec->refusal);
    evs__buf_free(&exec->bytes);
    evs__free(exec->parts);
    evs__free(exec);
}

void evs__execs_drop(evs__lane *lane)
{
    while (!evs__ring_empty(&lane->execs))
        drop((evs__exec *)lane->execs.next);
}

static void drop_when_over(evs__exec *exec)
{
    if (exec->open == 0 && exec->call == NULL)
        drop(exec);
}

/* ---- replies ---- */

static void note_beginning(evs__exec *exec, const evs__part *part, const evs__answer *answer)
{
    if (part->kind == EVS__PART_MULTI)
        exec->begun = answer->got == EVS__GOT_REPLY && answer->reply != NULL &&
                      evs_reply_kind(answer->reply) != EVS_REPLY_ERROR;
    if (part->kind == EVS__PART_ELEMENT && answer->got == EVS__GOT_LOST)
        exec->bare |= answer->sent && !exec->begun;
}

int evs__exec_may_have_run(const evs__exec *exec)
{
    return exec->bare;
}

static void part_answered(evs__request *request, const evs__answer *answer)
{
    evs__part *part = (evs__part *)request;
    evs__exec *exec = part->exec;
    exec->open--;
    note_beginning(exec, part, answer);
    if (exec->tx != NULL && answer->got == EVS__GOT_REPLY && answer->reply != NULL)
        evs__exec_part_replied(part, answer->reply);
    drop_when_over(exec);
}

/* The completion of the call: its caller is released, whatever is still to come. */
static void answered(void *arg, const evs_result *result)
{
    evs__exec *exec = arg;
    evs_transaction *tx = exec->tx;
    evs__lane *lane = exec->lane;
    evs__exec_replied(exec, result);
    exec->tx = NULL;
    exec->call = NULL;
    drop_when_over(exec);
    evs__exec_settle(tx, lane);
}

/* ---- requests ---- */

static evs__part *add_part(evs__exec *exec, evs__part_kind kind, size_t element)
{
    evs__part *part = &exec->parts[exec->nparts++];
    part->request.done = part_answered;
    part->request.unwanted = 0;
    part->request.servant = 1;
    part->exec = exec;
    part->kind = kind;
    part->element = element;
    return part;
}

static void render_words(evs__exec *exec, evs__part *part, const evs_bytes *words, size_t count)
{
    evs__render_command(&exec->bytes, words, count);
    part->end = exec->bytes.len;
}

static int is_loaded_here(const evs__exec *exec, const evs_script *script)
{
    for (size_t i = 0; i < exec->nparts; i++) {
        const evs__part *part = &exec->parts[i];
        if (part->kind == EVS__PART_LOAD && exec->tx->elements[part->element].script == script)
            return 1;
    }
    return 0;
}

/* Who may not load a script may still run what somebody else has loaded: a SCRIPT LOAD that was
 * denied once would only abort every transaction. */
static int needs_load(const evs__exec *exec, const evs_script *script, evs__mark mark)
{
    const evs__refusal *refusal = evs__refusal_find(exec->lane->refusals, script);
    return mark == EVS__MARK_UNKNOWN && (refusal == NULL || refusal->status != EVS_E_DENIED) &&
           !is_loaded_here(exec, script);
}

static evs_status render_script(evs__exec *exec, size_t index, evs_error *err)
{
    const evs__element *element = &exec->tx->elements[index];
    const evs_script *script = element->script;
    evs__mark mark = evs__lane_mark(exec->lane, script);
    if (mark == EVS__MARK_BROKEN) {
        evs__subject subject = evs__transaction_subject(exec->tx, index);
        return evs__explain_refusal(err, &subject, evs__refusal_find(exec->lane->refusals, script));
    }
    if (needs_load(exec, script, mark)) {
        evs_bytes words[] = {evs_text("SCRIPT"), evs_text("LOAD"), evs_script_source(script)};
        render_words(exec, add_part(exec, EVS__PART_LOAD, index), words, 3);
    }
    evs__part *part = add_part(exec, EVS__PART_ELEMENT, index);
    evs__render_evalsha(&exec->bytes, &script->use.head, &element->call);
    part->end = exec->bytes.len;
    return EVS_OK;
}

static evs_status render(evs__exec *exec, evs_error *err)
{
    const evs_transaction *tx = exec->tx;
    evs_bytes multi = evs_text("MULTI");
    render_words(exec, add_part(exec, EVS__PART_MULTI, 0), &multi, 1);
    for (size_t i = 0; i < tx->count; i++) {
        const evs__element *element = &tx->elements[i];
        if (element->script == NULL)
            render_words(exec, add_part(exec, EVS__PART_ELEMENT, i), element->cmd.args,
                         element->cmd.nargs);
        else if (render_script(exec, i, err) != EVS_OK)
            return err == NULL ? EVS_E_COMPILE : err->status;
    }
    return evs__buf_ok(&exec->bytes) ? EVS_OK : evs__fail_nomem(err);
}

static void queue_request(evs__exec *exec, evs__request *request, const char *bytes, size_t len)
{
    evs__conn *conn = exec->lane->conn;
    evs__buf_append(evs__conn_begin(conn, request), bytes, len);
    int queued = evs__conn_end(conn, request);
    assert(queued); /* there is room for all of them */
    (void)queued;
}

/* All or nothing: room is made for every byte before the first request is queued. */
static int commit(evs__exec *exec)
{
    static const char last[] = "*1\r\n$4\r\nEXEC\r\n";
    evs__conn *conn = exec->lane->conn;
    evs__buf *out = evs__conn_begin(conn, &exec->parts[0].request);
    if (evs__buf_reserve(out, exec->bytes.len + sizeof last) == NULL)
        return evs__conn_end(conn, &exec->parts[0].request);
    size_t at = 0;
    for (size_t i = 0; i < exec->nparts; i++) {
        evs__part *part = &exec->parts[i];
        queue_request(exec, &part->request, exec->bytes.data + at, part->end - at);
        exec->lane->client->stats.loads += part->kind == EVS__PART_LOAD;
        at = part->end;
    }
    exec->open = exec->nparts;
    queue_request(exec, &exec->call->request, last, sizeof last - 1);
    evs__tally_bytes(exec->lane->tallies, NULL, at); /* EXEC is counted with the call */
    return 1;
}

/* To the lane of its call, which is another one when the slot moved. */
static void begin_anew(evs__exec *exec)
{
    exec->nparts = 0;
    exec->begun = exec->bare = 0;
    exec->culprit = NULL;
    evs_reply_free(exec->refusal);
    exec->refusal = NULL;
    exec->lane = exec->call->lane;
    evs__ring_remove(&exec->ring);
    evs__ring_append(&exec->lane->execs, &exec->ring);
}

/* ASKING, if need be, and all requests behind it. */
static int commit_asking(evs__exec *exec)
{
    evs__call *call = exec->call;
    if (!call->state.asking)
        return commit(exec);
    if (!evs__redirect_ask(call))
        return 0;
    if (commit(exec))
        return 1;
    evs__conn_withdraw(exec->lane->conn, &call->with.aside->side);
    return 0;
}

evs_status evs__exec_queue(evs__exec *exec, evs_error *err)
{
    const evs_transaction *tx = exec->tx;
    begin_anew(exec);
    evs_status status = evs__lane_readmit(exec->lane, evs__call_awaits(exec->call), err);
    if (status == EVS_OK && tx->lease != NULL)
        status = evs__lease_check(tx->lease, err);
    if (status != EVS_OK)
        return status;
    evs__lane_preload(exec->lane);
    status = render(exec, err);
    if (status == EVS_OK && !commit_asking(exec))
        status = evs__fail_nomem(err);
    evs__buf_free(&exec->bytes);
    return status;
}

int evs__exec_withdraw(evs__exec *exec)
{
    evs__conn *conn = exec->lane->conn;
    const evs__call *call = exec->call;
    int may = exec->open == exec->nparts &&
              (!call->state.asking || evs__conn_withdraw(conn, &call->with.aside->side));
    if (may && evs__conn_withdraw(conn, &exec->parts[0].request)) {
        for (size_t i = 1; i < exec->nparts; i++)
            evs__conn_withdraw(conn, &exec->parts[i].request);
        exec->open = 0;
        return evs__conn_withdraw(conn, &exec->call->request);
    }
    for (size_t i = exec->nparts - exec->open; i < exec->nparts; i++)
        exec->parts[i].request.unwanted = 1;
    return 0;
}

/* ---- starting ---- */

static evs__exec *make(evs_transaction *tx, evs__lane *lane)
{
    evs__exec *exec = evs__zalloc_array(1, sizeof *exec);
    if (exec == NULL)
        return NULL;
    exec->tx = tx;
    exec->lane = lane;
    evs__ring_append(&lane->execs, &exec->ring);
    exec->parts = evs__alloc_array(1 + 2 * tx->count, sizeof *exec->parts);
    if (exec->parts != NULL)
        return exec;
    drop(exec);
    return NULL;
}

/* Counts as a plain command; never sent again when it may have run. On a shard it may wait for a
 * connection; in a cluster for whatever a call waits for. */
static evs__call *new_call(evs__exec *exec)
{
    const evs__lane *lane = exec->lane;
    evs__call *call = evs__lane_call(exec->lane, EVS__ANY_SLOT, NULL);
    if (call == NULL)
        return NULL;
    call->done = answered;
    call->arg = exec;
    call->state.is_exec = 1;
    call->state.retry = EVS_RETRY_ONCE;
    call->state.resent = UCHAR_MAX;
    if (lane->cluster != NULL)
        call->slot = (uint16_t)exec->tx->target.slot;
    else
        call->state.patience &= EVS__MAY_AWAIT;
    exec->call = call;
    return call;
}

/* At once, or when the calls before are settled, or when a node of the slot is known. */
static evs_status queue(evs__exec *exec, evs_error *err)
{
    evs__buf *unused;
    evs__call *call = exec->call;
    evs_status status = evs__queue_begin(&unused, call, err);
    if (status != EVS_OK)
        return status;
    if (call->with.aside != NULL)
        return evs__queue_end(call, err);
    status = evs__exec_queue(exec, err);
    if (status == EVS_OK)
        call->state.held = EVS__HELD_BY_CONN;
    return status;
}

evs_status evs__exec_start(evs_transaction *tx, evs__lane *lane, evs_error *err)
{
    evs_client *client = lane->client;
    evs__exec *exec = make(tx, lane);
    if (exec == NULL)
        return evs__fail_nomem(err);
    evs__call *call = new_call(exec);
    if (call != NULL)
        evs__call_set_time(client, call, evs__transaction_timeout(tx));
    evs_status status = call == NULL ? evs__fail_nomem(err) : queue(exec, err);
    if (status == EVS_OK) {
        evs__call_start(client, call);
        return EVS_OK;
    }
    if (call != NULL)
        evs__queue_drop(call);
    drop(exec);
    return status;
}
