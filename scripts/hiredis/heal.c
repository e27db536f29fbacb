/*
 * NOSCRIPT may be a lie, so SCRIPT EXISTS is asked on the same context, behind everything that was
 * sent there, with SCRIPT LOAD right behind it. One question settles all calls that met NOSCRIPT
 * for the script. What is said in which case is as in scripts/engine/heal.c.
 */
#include "scripts/hiredis/bound.h"

#include "core/error.h"

#include <hiredis/hiredis.h>

typedef enum settled { ABSENT, PRESENT, UNSETTLED } settled;

static void fail_refused(evs__sent *sent)
{
    evs_error err;
    evs__subject subject = evs__sent_subject(sent);
    evs__explain_refusal(&err, &subject, evs__refusal_find(sent->bound->refusals, sent->script));
    evs__sent_fail(sent, EVS_NOT_EXECUTED, &err);
}

/* Once more, when memory lacked for it behind the question. */
static int is_loaded(evs__bound *bound, const evs_script *script)
{
    return evs__bound_knows(bound, script) || evs__refusal_find(bound->refusals, script) != NULL ||
           evs__bound_load(bound, script);
}

static void send_again(evs__sent *sent)
{
    evs_error err;
    evs_bytes bytes = {sent->bytes.data, sent->bytes.len};
    sent->healed = 1;
    evs_reply_free(sent->reply);
    sent->reply = NULL;
    if (is_loaded(sent->bound, sent->script) && evs__bound_append(sent->bound, sent, bytes))
        return;
    evs__fail_nomem(&err);
    evs__sent_fail(sent, EVS_NOT_EXECUTED, &err);
}

static void absent(evs__sent *sent)
{
    if (sent->transaction != 0) {
        evs_error err;
        evs__subject subject = evs__sent_subject(sent);
        evs__explain(&err, &subject, EVS_E_NO_SCRIPT,
                     "the server did not have the script inside the transaction");
        evs__sent_fail(sent, EVS_NOT_EXECUTED, &err);
    } else if (sent->healed || evs__refusal_find(sent->bound->refusals, sent->script) != NULL) {
        fail_refused(sent);
    } else {
        send_again(sent);
    }
}

/* Somebody else was faster, or the NOSCRIPT may be the script's own words, said after it ran. */
static void present(evs__sent *sent)
{
    int honest = evs__sent_is_honest(sent);
    if (sent->transaction == 0 && !sent->healed &&
        (honest || sent->script->retry != EVS_RETRY_ONCE)) {
        sent->maybe |= (unsigned char)!honest;
        send_again(sent);
        return;
    }
    if (honest) {
        absent(sent);
        return;
    }
    evs_reply *said = sent->reply;
    evs__sent_finish(sent, EVS_E_SCRIPT, EVS_MAYBE_EXECUTED, said);
}

static void unsettled(evs__sent *sent)
{
    evs_error err;
    evs__subject subject = evs__sent_subject(sent);
    const redisContext *context = sent->bound->context;
    int lost = context == NULL || context->err != 0;
    evs__explain(
        &err, &subject, lost ? EVS_E_CLOSED : EVS_E_DENIED,
        lost ? "answered NOSCRIPT, and the connection ended before SCRIPT EXISTS was answered"
             : "answered NOSCRIPT, and SCRIPT EXISTS could not confirm it");
    evs__sent_fail(sent, evs__sent_is_honest(sent) ? EVS_NOT_EXECUTED : EVS_MAYBE_EXECUTED, &err);
}

/* Asks, and loads behind the question. */
static settled ask(evs__bound *bound, const evs_script *script, int load)
{
    redisReply *reply;
    if (bound->context == NULL || bound->context->err != 0)
        return UNSETTLED;
    if (redisAppendCommand(bound->context, "SCRIPT EXISTS %s", script->sha1) != REDIS_OK)
        return UNSETTLED;
    bound->dirty = 1; /* nothing of the line is behind it, so its bytes need not be counted */
    evs__bound_set_unknown(bound, script);
    if (load)
        evs__bound_load(bound, script); /* out of memory, who is sent again tries again */
    if (!evs__bound_read_alone(bound, &reply))
        return UNSETTLED;
    settled answer = UNSETTLED;
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 1)
        answer = reply->element[0]->integer == 0 ? ABSENT : PRESENT;
    freeReplyObject(reply);
    while (bound->line.head != NULL) /* the load */
        evs__bound_read(bound);
    return answer;
}

static int is_compile_error(const evs__bound *bound, const evs_script *script)
{
    const evs__refusal *refusal = evs__refusal_find(bound->refusals, script);
    return refusal != NULL && refusal->status == EVS_E_COMPILE;
}

static int claims(const evs__sent *sent, const evs__bound *bound, const evs_script *script)
{
    return sent->bound == bound && sent->script == script && sent->state == EVS__SENT_CLAIMS;
}

/* Every call of the script that waits for an answer of the question; calls are sent again in order.
 */
static void settle(evs__bound *bound, const evs_script *script)
{
    int broken = is_compile_error(bound, script); /* then the server cannot have it */
    int load = evs__refusal_find(bound->refusals, script) == NULL;
    settled answer = broken ? ABSENT : ask(bound, script, load);
    for (evs__sent *sent = bound->owner->results; sent != NULL; sent = sent->next_result) {
        if (!claims(sent, bound, script))
            continue;
        if (answer == ABSENT)
            absent(sent);
        else if (answer == PRESENT)
            present(sent);
        else
            unsettled(sent);
    }
}

void evs__sent_heal(evs__sent *sent)
{
    evs__bound *bound = sent->bound;
    while (sent->state == EVS__SENT_CLAIMS) { /* twice at most: it is sent again once */
        while (bound->line.head != NULL)
            evs__bound_read(bound); /* ends: a lost context ends what waits for it */
        settle(bound, sent->script);
        while (sent->state == EVS__SENT_WAITS)
            evs__bound_read(bound);
    }
}
