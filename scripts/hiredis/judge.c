#include "scripts/hiredis/bound.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/decide.h"

#include <hiredis/hiredis.h>

/* ---- endings ---- */

static void keep_error(evs__sent *sent, const evs_error *err)
{
    sent->error = evs__alloc_array(1, sizeof *sent->error);
    if (sent->error != NULL)
        *sent->error = *err;
}

void evs__sent_fail(evs__sent *sent, evs_outcome outcome, const evs_error *err)
{
    sent->state = EVS__SENT_DONE;
    sent->status = err->status;
    sent->outcome = outcome == EVS_NOT_EXECUTED && sent->maybe ? EVS_MAYBE_EXECUTED : outcome;
    evs_reply_free(sent->reply);
    sent->reply = NULL;
    keep_error(sent, err);
}

void evs__sent_finish(evs__sent *sent, evs_status status, evs_outcome outcome, evs_reply *reply)
{
    sent->state = EVS__SENT_DONE;
    sent->status = status;
    sent->outcome = outcome;
    sent->reply = reply;
    if (status == EVS_OK)
        return;
    evs_error err;
    evs__subject subject = evs__sent_subject(sent);
    evs_bytes text = evs_reply_bytes(reply);
    evs__explain(&err, &subject, status, "%.*s", (int)text.len, text.data);
    err.line = evs__line_in(text);
    keep_error(sent, &err);
}

/* ---- values ---- */

static evs_bytes text_of(const redisReply *reply)
{
    return (evs_bytes){reply->str, reply->str == NULL ? 0 : (size_t)reply->len};
}

/* A reply that cannot be converted was still one: what happened stays what it was. */
static void finish_with(evs__sent *sent, evs_status status, evs_outcome outcome,
                        const redisReply *reply)
{
    evs_reply *ours = NULL;
    evs_error err;
    if (evs_reply_from_redis(&ours, reply, &err) == EVS_OK)
        evs__sent_finish(sent, status, outcome, ours);
    else
        evs__sent_fail(sent, outcome, &err);
}

static void claim(evs__sent *sent, const redisReply *reply)
{
    evs_error err;
    sent->state = EVS__SENT_CLAIMS;
    if (evs_reply_from_redis(&sent->reply, reply, &err) != EVS_OK)
        evs__sent_fail(sent, evs__sent_is_honest(sent) ? EVS_NOT_EXECUTED : EVS_MAYBE_EXECUTED,
                       &err);
}

static void judge_error(evs__sent *sent, const redisReply *reply)
{
    evs_bytes text = text_of(reply);
    evs__speaker speaker = EVS__SPEAKER_COMMAND;
    if (sent->kind == EVS__SENT_CALL)
        speaker = evs__sent_is_honest(sent) ? EVS__SPEAKER_HONEST : EVS__SPEAKER_SCRIPT;
    evs__decision decision = evs__decide_error(speaker, text);
    if (decision.action == EVS__HEAL) {
        claim(sent, reply);
    } else if (decision.status == EVS_OK || decision.status == EVS_E_SCRIPT) {
        finish_with(sent, decision.status, decision.outcome, reply);
    } else {
        evs_error err;
        evs__subject subject = evs__sent_subject(sent);
        evs__explain(&err, &subject, decision.status, "%.*s", (int)text.len, text.data);
        sent->maybe |= sent->may_lie;
        evs__sent_fail(sent, decision.outcome, &err);
    }
}

static void judge_value(evs__sent *sent, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ERROR) {
        judge_error(sent, reply);
        return;
    }
    if (sent->kind == EVS__SENT_CALL)
        evs__bound_set_known(sent->bound, sent->script);
    finish_with(sent, EVS_OK, EVS_EXECUTED, reply);
}

static void loaded(evs__bound *bound, const evs_script *script, const redisReply *reply)
{
    evs_bytes text = text_of(reply);
    if (reply->type == REDIS_REPLY_ERROR)
        evs__bound_keep_refusal(bound, script, text);
    else if (text.len == 40 && memcmp(text.data, script->sha1, 40) == 0)
        evs__bound_set_known(bound, script);
}

/* ---- transactions ---- */

static int is_status(const redisReply *reply, const char *word)
{
    return reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, word) == 0;
}

/* Inside a transaction, before EXEC: only the server speaks. */
static void judge_queueing(evs__sent *sent, const redisReply *reply)
{
    if (is_status(reply, "QUEUED")) {
        sent->state = EVS__SENT_QUEUED;
        evs__sent_push(&sent->bound->queued, sent);
        return;
    }
    if (sent->kind == EVS__SENT_LOAD) {
        evs__sent_free(sent);
        return;
    }
    evs_error err;
    evs_bytes text = text_of(reply);
    evs__subject subject = evs__sent_subject(sent);
    evs_status status = evs__decide_error(EVS__SPEAKER_COMMAND, text).status;
    evs__explain(&err, &subject, status == EVS_OK ? EVS_E_INVALID : status,
                 "not queued in the transaction: %.*s", (int)text.len, text.data);
    evs__sent_fail(sent, EVS_NOT_EXECUTED, &err);
}

static void settle_queued(evs__sent *sent, const redisReply *element)
{
    if (sent->kind != EVS__SENT_LOAD) {
        judge_value(sent, element);
        return;
    }
    loaded(sent->bound, sent->script, element);
    evs__sent_free(sent);
}

static void cancel_queued(evs__sent *sent, const redisReply *reply)
{
    if (sent->kind == EVS__SENT_LOAD) {
        evs__sent_free(sent);
        return;
    }
    evs_error err;
    evs_bytes text = text_of(reply);
    evs__subject subject = evs__sent_subject(sent);
    if (text.len == 0)
        evs__explain(&err, &subject, EVS_E_CANCELED,
                     "nothing of the transaction was executed: a watched key changed");
    else
        evs__explain(&err, &subject, EVS_E_CANCELED,
                     "nothing of the transaction was executed: %.*s", (int)text.len, text.data);
    evs__sent_fail(sent, EVS_NOT_EXECUTED, &err);
}

static void judge_exec(evs__bound *bound, const redisReply *reply)
{
    evs__sent *sent = bound->queued.head;
    bound->queued = (evs__sent_line){NULL, NULL};
    bound->multi = 0;
    for (size_t i = 0; sent != NULL; i++) {
        evs__sent *next = sent->next;
        if (reply->type == REDIS_REPLY_ARRAY && i < reply->elements)
            settle_queued(sent, reply->element[i]);
        else
            cancel_queued(sent, reply);
        sent = next;
    }
}

void evs__sent_judge(evs__sent *sent, const redisReply *reply)
{
    evs__bound *bound = sent->bound;
    int inside = sent->transaction != 0 && sent->transaction == bound->multi;
    switch (sent->kind) {
    case EVS__SENT_MULTI:
        bound->multi = is_status(reply, "OK") ? sent->transaction : 0;
        evs__sent_free(sent);
        return;
    case EVS__SENT_EXEC:
        judge_exec(bound, reply);
        evs__sent_free(sent);
        return;
    case EVS__SENT_LOAD:
        if (inside) {
            judge_queueing(sent, reply);
            return;
        }
        loaded(bound, sent->script, reply);
        evs__sent_free(sent);
        return;
    case EVS__SENT_CALL:
    case EVS__SENT_COMMAND:
        if (inside)
            judge_queueing(sent, reply);
        else
            judge_value(sent, reply);
        return;
    }
}
