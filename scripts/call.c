#include "scripts/call.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/client.h"
#include "scripts/decide.h"
#include "scripts/heal.h"
#include "scripts/render.h"

#include <stdlib.h>

enum {
    FIRST_KEY = 3, /* EVALSHA sha numkeys key... */
    BLOCK = 62     /* calls allocated together, about 8 KiB */
};

struct evs__call_block {
    evs__call_block *next;
    evs__call calls[BLOCK];
};

/* ---- where calls come from ---- */

int evs__calls_grow(evs__calls *calls)
{
    evs__call_block *block = evs__alloc_array(1, sizeof *block);
    if (block == NULL)
        return 0;
    block->next = calls->blocks;
    calls->blocks = block;
    for (size_t i = BLOCK; i-- > 0;) {
        evs__call *call = &block->calls[i];
        call->state.held = EVS__FREE;
        call->with.next = calls->free;
        calls->free = call;
    }
    return 1;
}

static int is_unused(const evs__call_block *block)
{
    for (size_t i = 0; i < BLOCK; i++)
        if (block->calls[i].state.held != EVS__FREE)
            return 0;
    return 1;
}

void evs__calls_trim(evs__calls *calls)
{
    for (const evs__call_block *block = calls->blocks; block != NULL; block = block->next)
        if (!is_unused(block))
            return;
    calls->free = NULL;
    evs__calls_free(calls);
}

static void free_aside(evs__call *call)
{
    if (call->with.aside == NULL)
        return;
    evs__buf_free(&call->with.aside->bytes);
    evs_reply_free(call->with.aside->claim);
    evs__free(call->with.aside);
}

void evs__calls_free(evs__calls *calls)
{
    while (calls->blocks != NULL) {
        evs__call_block *block = calls->blocks;
        calls->blocks = block->next;
        for (size_t i = 0; i < BLOCK; i++)
            if (block->calls[i].state.held != EVS__FREE)
                free_aside(&block->calls[i]);
        evs__free(block);
    }
}

static inline void release(evs__call *call)
{
    evs__calls *calls = &call->lane->client->calls;
    free_aside(call);
    call->state.held = EVS__FREE;
    call->with.next = calls->free;
    calls->free = call;
}

void evs__call_drop(evs__call *call)
{
    release(call);
}

/* ---- how they end ---- */

evs__subject evs__call_subject(const evs__call *call)
{
    evs_bytes request;
    const evs__aside *aside = call->with.aside;
    if (aside != NULL && aside->bytes.len > 0)
        request = (evs_bytes){aside->bytes.data, aside->bytes.len};
    else
        request = evs__conn_bytes(call->lane->conn, &call->request);

    evs__subject subject = {NULL, {NULL, 0}, NULL};
    if (call->script != NULL) {
        subject.script = call->script->name;
        evs_bytes nkeys = evs__rendered_argument(request, FIRST_KEY - 1);
        if (nkeys.len > 0 && nkeys.data[0] != '0')
            subject.key = evs__rendered_argument(request, FIRST_KEY);
    }
    subject.shard = call->lane->client->map->shards[call->lane->shard].name;
    return subject;
}

static inline void complete(evs__call *call, const evs_result *result)
{
    evs_client *client = call->lane->client;
    evs__wheel_remove(&call->due);
    client->pending--;
    client->stats.calls++;
    call->state.finished = 1;
    call->done(call->arg, result);
    if (call->state.held == EVS__HELD_BY_NOBODY)
        release(call);
}

void evs__call_fail(evs__call *call, evs_outcome outcome, evs_error *err)
{
    if (outcome == EVS_NOT_EXECUTED && call->state.maybe)
        outcome = EVS_MAYBE_EXECUTED;
    err->outcome = outcome;
    evs_result result = {err->status, outcome, NULL, err};
    complete(call, &result);
}

void evs__call_finish(evs__call *call, evs_status status, evs_outcome outcome,
                      const evs_reply *reply)
{
    evs_error err;
    evs__subject subject = evs__call_subject(call);
    evs_bytes text = evs_reply_bytes(reply);
    evs__explain(&err, &subject, status, "%.*s", (int)text.len, text.data);
    err.line = evs__line_in(text);
    err.outcome = outcome;
    evs_result result = {status, outcome, reply, &err};
    complete(call, &result);
}

static inline void succeed(evs__call *call, const evs_reply *reply)
{
    evs_result result = {EVS_OK, EVS_EXECUTED, reply, NULL};
    complete(call, &result);
}

static void refused(evs__call *call, const evs_reply *reply)
{
    evs_bytes text = evs_reply_bytes(reply);
    evs__speaker speaker = EVS__SPEAKER_COMMAND;
    if (call->script != NULL)
        speaker = call->script->may_return_errors ? EVS__SPEAKER_SCRIPT : EVS__SPEAKER_HONEST;
    evs__decision decision = evs__decide(speaker, text);

    if (decision.action == EVS__HEAL) {
        evs__heal_call(call, reply);
    } else if (decision.status == EVS_OK) {
        succeed(call, reply);
    } else if (decision.status == EVS_E_SCRIPT) {
        evs__call_finish(call, decision.status, decision.outcome, reply);
    } else {
        evs_error err;
        evs__subject subject = evs__call_subject(call);
        evs__explain(&err, &subject, decision.status, "%.*s", (int)text.len, text.data);
        call->state.maybe |= call->state.may_lie;
        evs__call_fail(call, decision.outcome, &err);
    }
}

static void replied(evs__call *call, const evs_reply *reply)
{
    if (evs_reply_kind(reply) == EVS_REPLY_ERROR) {
        refused(call, reply);
        return;
    }
    if (call->state.unsure)
        evs__lane_set_known(call->lane, call->script);
    succeed(call, reply);
}

/* A reply came and could not be kept. Over a limit it is no error of the server, so the script ran;
 * for lack of memory it may be anything. */
static void unreadable(evs__call *call, evs__got got)
{
    evs_error err;
    evs__subject subject = evs__call_subject(call);
    if (got == EVS__GOT_TOO_BIG)
        evs__explain(&err, &subject, EVS_E_REPLY_TOO_BIG, "the reply is over the size limit");
    else if (got == EVS__GOT_TOO_DEEP)
        evs__explain(&err, &subject, EVS_E_REPLY_TOO_DEEP, "the reply is over the depth limit");
    else
        evs__explain(&err, &subject, EVS_E_NOMEM, "out of memory for the reply");
    evs__call_fail(call, got == EVS__GOT_NOMEM ? EVS_MAYBE_EXECUTED : EVS_EXECUTED, &err);
}

evs__aside *evs__call_set_aside(evs__call *call)
{
    evs__aside *aside = call->with.aside;
    if (aside == NULL)
        aside = call->with.aside = evs__zalloc_array(1, sizeof *aside);
    if (aside == NULL)
        return NULL;
    evs_bytes bytes = evs__conn_bytes(call->lane->conn, &call->request);
    evs__buf_clear(&aside->bytes);
    evs__buf_append(&aside->bytes, bytes.data, bytes.len);
    return evs__buf_ok(&aside->bytes) ? aside : NULL;
}

/* A lost connection: what did not run, or may run twice, goes out once more on a new one. */
static int may_send_again(const evs__call *call, const evs__answer *answer)
{
    evs_client *client = call->lane->client;
    if (call->state.resent || client->closing || answer->why->status != EVS_E_CLOSED)
        return 0;
    if (answer->sent && call->state.retry == EVS_RETRY_ONCE)
        return 0;
    return evs__loop_now_ms(client->loop) < call->due.at;
}

static void lost(evs__call *call, const evs__answer *answer)
{
    if (may_send_again(call, answer) && evs__call_set_aside(call) != NULL) {
        call->state.resent = 1;
        call->state.maybe |= (unsigned char)(answer->sent != 0);
        call->lane->client->stats.resends++;
        evs__call_send_again(call);
        return;
    }
    evs_error err = *answer->why;
    evs__subject subject = evs__call_subject(call);
    evs__explain_below(&err, &subject);
    evs__call_fail(call, answer->sent ? EVS_MAYBE_EXECUTED : EVS_NOT_EXECUTED, &err);
}

void evs__call_answered(evs__request *request, const evs__answer *answer)
{
    evs__call *call = (evs__call *)request;
    call->state.held = EVS__HELD_BY_NOBODY;
    if (call->state.finished)
        release(call);
    else if (answer->got == EVS__GOT_REPLY)
        replied(call, answer->reply);
    else if (answer->got == EVS__GOT_LOST)
        lost(call, answer);
    else
        unreadable(call, answer->got);
}

static evs_status queue_kept(evs__call *call, evs_error *err)
{
    evs__lane *lane = call->lane;
    evs_status status = evs__lane_prepare(lane, err);
    if (status != EVS_OK)
        return status;
    call->state.unsure = call->script != NULL && !evs__lane_knows(lane, call->script);
    if (call->state.unsure && evs__lane_mark(lane, call->script) == EVS__MARK_UNKNOWN &&
        !evs__lane_load(lane, call->script))
        return evs__fail_nomem(err);

    evs__buf *out = evs__conn_begin(lane->conn, &call->request);
    evs__buf_append(out, call->with.aside->bytes.data, call->with.aside->bytes.len);
    if (!evs__conn_end(lane->conn, &call->request))
        return evs__fail_nomem(err);
    return EVS_OK;
}

void evs__call_send_again(evs__call *call)
{
    evs_error err;
    if (queue_kept(call, &err) != EVS_OK) {
        evs__subject subject = evs__call_subject(call);
        evs__explain_below(&err, &subject);
        evs__call_fail(call, EVS_NOT_EXECUTED, &err);
        return;
    }
    call->state.held = EVS__HELD_BY_CONN;
    evs__buf_free(&call->with.aside->bytes);
}

void evs__call_expire(evs__due *due)
{
    evs__call *call = (evs__call *)((char *)due - offsetof(evs__call, due));
    evs__ring_init(&due->ring); /* leaving it again is harmless */
    evs_error err;
    evs__subject subject = evs__call_subject(call);
    evs__explain(&err, &subject, EVS_E_TIMEOUT, "no reply before the deadline");

    evs_outcome outcome = EVS_MAYBE_EXECUTED;
    if (call->state.held == EVS__HELD_BY_CONN) {
        if (evs__conn_withdraw(call->lane->conn, &call->request)) {
            call->state.held = EVS__HELD_BY_NOBODY;
            outcome = EVS_NOT_EXECUTED;
        } else {
            call->request.unwanted = 1;
        }
    }
    evs__call_fail(call, outcome, &err);
}
