#include "scripts/hiredis/bound.h"

#include "core/error.h"
#include "core/mem.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <hiredis/sds.h>
#include <pthread.h>
#include <signal.h>

/* ---- the end of a context ---- */

/* Bytes that the kernel did not accept: what hiredis still has. */
static uint64_t unsent(const evs__bound *bound)
{
    const redisContext *context = bound->context;
    return context == NULL || context->obuf == NULL ? 0 : sdslen(context->obuf);
}

/* Where the request ends that makes the server execute `sent`: its own, or EXEC; 0 when it is not
 * even appended. A refused MULTI would mean that commands behind it are executed at once, so only
 * one that was answered is believed. */
static uint64_t decisive_end(const evs__bound *bound, const evs__sent *sent)
{
    if (sent->transaction == 0 || sent->transaction != bound->multi)
        return sent->end;
    for (const evs__sent *at = bound->line.head; at != NULL; at = at->next)
        if (at->kind == EVS__SENT_EXEC && at->transaction == sent->transaction)
            return at->end;
    return UINT64_MAX;
}

static void tell(evs__sent *sent, uint64_t end, uint64_t written, const evs_error *why)
{
    if (sent->kind == EVS__SENT_CALL || sent->kind == EVS__SENT_COMMAND) {
        evs_error err = *why;
        evs__subject subject = evs__sent_subject(sent);
        evs__explain_below(&err, &subject);
        evs__sent_fail(sent, end <= written ? EVS_MAYBE_EXECUTED : EVS_NOT_EXECUTED, &err);
    } else {
        evs__sent_free(sent);
    }
}

/* Ends are computed before anything is freed: they look along the line. */
static void tell_all(evs__bound *bound, evs__sent_line line, uint64_t written, const evs_error *why)
{
    for (evs__sent *sent = line.head; sent != NULL; sent = sent->next)
        sent->end = decisive_end(bound, sent);
    for (evs__sent *sent = line.head, *next; sent != NULL; sent = next) {
        next = sent->next;
        tell(sent, sent->end, written, why);
    }
}

void evs__bound_lose(evs__bound *bound, evs_status status, const char *why)
{
    evs_error err;
    evs__fail(&err, status, "%s", why);
    uint64_t written = bound->appended - unsent(bound);
    tell_all(bound, bound->queued, written, &err);
    evs__sent_line line = bound->line;
    tell_all(bound, line, written, &err);
    bound->line = bound->queued = (evs__sent_line){NULL, NULL};
    bound->dirty = 0;
    bound->multi = 0;
    bound->broken = bound->open;
    evs__bound_forget(bound);
}

static void lose(evs__bound *bound, int problem)
{
    const redisContext *context = bound->context;
    switch (context->err) {
    case REDIS_ERR_PROTOCOL:
        evs__bound_lose(bound, EVS_E_PROTOCOL, context->errstr);
        return;
    case REDIS_ERR_OOM:
        evs__bound_lose(bound, EVS_E_NOMEM, "out of memory for the reply");
        return;
#ifdef REDIS_ERR_TIMEOUT
    case REDIS_ERR_TIMEOUT:
        evs__bound_lose(bound, EVS_E_TIMEOUT, "no reply within the context's time limit");
        return;
#endif
    case REDIS_ERR_IO:
        if (problem == EAGAIN || problem == ETIMEDOUT) {
            evs__bound_lose(bound, EVS_E_TIMEOUT, "no reply within the context's time limit");
            return;
        }
        break;
    default:
        break;
    }
    evs__bound_lose(bound, EVS_E_CLOSED, context->errstr);
}

/* ---- sending and reading ---- */

/* hiredis writes in a way that raises SIGPIPE. It is held back meanwhile, and taken when it came. A
 * context with TLS writes through functions of its own, so this is the one way for all. */
static int write_all(redisContext *context)
{
    sigset_t pipe, before, waiting;
    int all = 0, result = REDIS_OK;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&waiting);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    while (!all && result == REDIS_OK) /* ends: each round writes something, or fails */
        result = redisBufferWrite(context, &all);
    int problem = errno;
    if (result != REDIS_OK && !sigismember(&waiting, SIGPIPE))
        sigtimedwait(&pipe, NULL, &(struct timespec){0, 0});
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = problem;
    return result == REDIS_OK;
}

int evs__bound_flush(evs__bound *bound)
{
    if (bound->dirty && !write_all(bound->context)) {
        lose(bound, errno);
        return 0;
    }
    bound->dirty = 0;
    return 1;
}

int evs__bound_read_alone(evs__bound *bound, struct redisReply **out)
{
    void *reply = NULL;
    if (!evs__bound_flush(bound))
        return 0;
    errno = 0;
    if (redisGetReply(bound->context, &reply) != REDIS_OK || reply == NULL) {
        lose(bound, errno);
        return 0;
    }
    *out = reply;
    return 1;
}

int evs__bound_read(evs__bound *bound)
{
    redisReply *reply;
    if (!evs__bound_read_alone(bound, &reply))
        return 0;
    evs__sent *sent = bound->line.head;
    bound->line.head = sent->next;
    evs__sent_judge(sent, reply);
    freeReplyObject(reply);
    return 1;
}

/* ---- handing out ---- */

static void flush_all(evs_hiredis *scripts)
{
    for (size_t i = 0; i < scripts->nbounds; i++)
        if (scripts->bounds[i].dirty)
            evs__bound_flush(&scripts->bounds[i]);
}

void evs__hiredis_drain(evs_hiredis *scripts)
{
    for (size_t i = 0; i < scripts->nbounds; i++) {
        evs__bound *bound = &scripts->bounds[i];
        while (bound->line.head != NULL && !bound->open)
            evs__bound_read(bound); /* ends: a lost context ends what waits for it */
    }
}

static int is_open(const evs__sent *sent)
{
    return sent->state != EVS__SENT_DONE && sent->bound->open && !sent->bound->broken;
}

static evs_status hand_out(evs_reply **out, evs__sent *sent, evs_error *err)
{
    evs_status status = sent->status;
    if (sent->reply != NULL)
        *out = sent->reply;
    sent->reply = NULL;
    if (status != EVS_OK && sent->error != NULL)
        evs__fail_with(err, sent->error);
    else if (status != EVS_OK)
        evs__fail(err, status, "%s", evs_status_text(status));
    if (status != EVS_OK && err != NULL)
        err->outcome = sent->outcome;
    evs__sent_free(sent);
    return status;
}

evs_status evs_hiredis_get_reply(evs_reply **out, evs_hiredis *scripts, evs_error *err)
{
    evs__sent *sent = scripts->results;
    if (sent == NULL)
        return evs__fail(err, EVS_E_STATE, "nothing was appended");
    if (is_open(sent))
        return evs__fail(err, EVS_E_STATE, "a transaction is open on its shard");
    flush_all(scripts);
    while (sent->state == EVS__SENT_WAITS || sent->state == EVS__SENT_QUEUED)
        evs__bound_read(sent->bound); /* ends: a lost context ends what waits for it */
    if (sent->state == EVS__SENT_CLAIMS)
        evs__sent_heal(sent);
    scripts->results = sent->next_result;
    scripts->pending--;
    sent->bound->unfetched--;
    if (scripts->pending == 0)
        evs__hiredis_drain(scripts);
    return hand_out(out, sent, err);
}
