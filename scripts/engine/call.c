#include "scripts/engine/call.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/aim.h"
#include "scripts/engine/client.h"
#include "scripts/engine/decide.h"
#include "scripts/engine/exec.h"
#include "scripts/engine/heal.h"
#include "scripts/engine/note.h"
#include "scripts/engine/park.h"
#include "scripts/engine/reader.h"
#include "scripts/engine/redirect.h"
#include "scripts/engine/unfit.h"

#include <limits.h>
#include <stdlib.h>

enum { FIRST_KEY = 3 }; /* EVALSHA sha numkeys key... */

/* ---- how they go ---- */

static inline void release(evs__call *call)
{
    if (call->with.aside != NULL)
        evs__call_drop_aside(call);
    evs__calls_give_back(&call->lane->client->calls, call);
}

void evs__call_drop(evs__call *call)
{
    release(call);
}

/* ---- how they end ---- */

static evs_bytes bytes_of(const evs__call *call)
{
    const evs__aside *aside = call->with.aside;
    if (aside != NULL && aside->bytes.len > 0)
        return (evs_bytes){aside->bytes.data, aside->bytes.len};
    return evs__conn_bytes(call->lane->conn, &call->request);
}

evs__subject evs__call_subject(const evs__call *call)
{
    evs__subject subject = {NULL, {NULL, 0}, NULL};
    if (call->script != NULL) {
        evs_bytes request = bytes_of(call);
        subject.script = call->script->name;
        evs_bytes nkeys = evs__rendered_argument(request, FIRST_KEY - 1);
        if (nkeys.len > 0 && nkeys.data[0] != '0')
            subject.key = evs__rendered_argument(request, FIRST_KEY);
    }
    subject.shard = call->lane->at->name;
    return subject;
}

/* Its lane may have something to do now. */
static inline __attribute__((always_inline)) void settle(const evs__call *call)
{
    evs__lane *lane = call->lane;
    if (lane->watched)
        evs__park_settled(lane, call);
    if ((lane->cluster != NULL || call->state.reads) && lane->home != lane && lane->home->watched)
        evs__park_settled(lane->home, call);
}

static inline __attribute__((always_inline)) void complete(evs__call *call,
                                                           const evs_result *result)
{
    evs_client *client = call->lane->client;
    evs__wheel_remove(&call->due);
    client->pending--;
    client->stats.calls++;
    evs__tally_call(call->lane->tallies, call->script, call->request.end - call->request.start);
    call->state.finished = 1;
    call->done(call->arg, result);
    settle(call);
    if (call->state.held == EVS__HELD_BY_NOBODY)
        release(call);
}

static __attribute__((noinline)) void complete_failed(evs__call *call, const evs_result *result)
{
    complete(call, result);
}

void evs__call_mishap(const evs__call *call, evs__mishap what)
{
    evs__tally_mishap(call->lane->tallies, call->script, what);
}

void evs__call_fail(evs__call *call, evs_outcome outcome, evs_error *err)
{
    if (outcome == EVS_NOT_EXECUTED && call->state.maybe)
        outcome = EVS_MAYBE_EXECUTED;
    err->outcome = outcome;
    evs__tally_error(call->lane->tallies, call->script, err->status);
    evs_result result = {err->status, outcome, NULL, err};
    complete_failed(call, &result);
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
    evs__tally_error(call->lane->tallies, call->script, status);
    evs_result result = {status, outcome, reply, &err};
    complete_failed(call, &result);
}

static inline __attribute__((always_inline)) void succeed(evs__call *call, const evs_reply *reply)
{
    evs_result result = {EVS_OK, EVS_EXECUTED, reply, NULL};
    complete(call, &result);
}

static __attribute__((noinline)) void succeed_late(evs__call *call, const evs_reply *reply)
{
    succeed(call, reply);
}

static evs__decision decide(const evs__call *call, evs__event event, evs_bytes text)
{
    evs__situation s = {EVS__SPEAKER_COMMAND, (evs_retry)call->state.retry, event, text};
    if (call->script != NULL)
        s.speaker = call->script->may_return_errors ? EVS__SPEAKER_SCRIPT : EVS__SPEAKER_HONEST;
    else if (call->state.may_lie)
        s.speaker = EVS__SPEAKER_EVAL;
    return evs__decide(&s);
}

static void fail_as_said(evs__call *call, const evs__decision *decision, evs_bytes text)
{
    evs_error err;
    evs__subject subject = evs__call_subject(call);
    unsigned tries = call->with.aside == NULL ? 0 : call->with.aside->tries;
    if (tries > 0)
        evs__explain(&err, &subject, decision->status, "%.*s (asked %u times)", (int)text.len,
                     text.data, tries + 1);
    else
        evs__explain(&err, &subject, decision->status, "%.*s", (int)text.len, text.data);
    evs__call_fail(call, decision->outcome, &err);
}

void evs__call_give_up(evs__call *call, const evs_reply *reply)
{
    evs_bytes text = evs_reply_bytes(reply);
    evs__decision decision = decide(call, EVS__EVENT_ERROR, text);
    fail_as_said(call, &decision, text);
}

static int is_down(const evs_reply *reply)
{
    static const char word[] = "CLUSTERDOWN";
    evs_bytes text = evs_reply_bytes(reply);
    return text.len >= sizeof word - 1 && memcmp(text.data, word, sizeof word - 1) == 0;
}

/* 1 when the call will be asked again later. */
static int rest(evs__call *call, const evs__decision *decision, const evs_reply *reply)
{
    if (decision->action != EVS__BACK_OFF && decision->action != EVS__RECONNECT)
        return 0;
    if (decision->action == EVS__RECONNECT || is_down(reply))
        evs__aim_look(call->lane);
    if ((call->state.patience & EVS__MAY_REST) == 0 || call->lane->client->closing ||
        call->lane->client->ending || !evs__park_rest(call, reply))
        return 0;
    call->state.asking = 0; /* the owner of the slot is asked again */
    call->with.aside->redirects = 0;
    call->state.maybe |= (unsigned char)(decision->outcome != EVS_NOT_EXECUTED);
    evs__call_mishap(call, EVS__MISHAP_RETRY);
    if (call->with.aside->tries == 1)
        evs__note(call->lane, call->script, decision->status, "will be asked again: %.*s",
                  (int)evs_reply_bytes(reply).len, evs_reply_bytes(reply).data);
    return 1;
}

/* A replica that cannot serve now; another node may. 1 when the call was sent there. */
static int read_elsewhere(evs__call *call, const evs__decision *decision)
{
    const evs_client *client = call->lane->client;
    int cannot = decision->action == EVS__RECONNECT || decision->status == EVS_E_LOADING ||
                 decision->status == EVS_E_BUSY;
    if (!call->lane->reads || !cannot || client->closing || client->ending ||
        evs__call_set_aside(call) == NULL)
        return 0;
    evs__reader_leave(call->lane);
    evs__aim_look(call->lane);
    call->state.maybe |= (unsigned char)(decision->outcome != EVS_NOT_EXECUTED);
    call->lane->client->stats.retries++;
    evs__call_mishap(call, EVS__MISHAP_RETRY);
    evs__call_send_again(call);
    return 1;
}

/* 1 when the transaction, of which nothing ran, goes elsewhere in its cluster or rests. It may be
 * gone by then. */
static int exec_again(evs__call *call, const evs_reply *reply)
{
    evs__exec *exec = call->arg;
    const evs_reply *why = evs__exec_refusal(exec, reply);
    if (why == NULL || call->lane->cluster == NULL)
        return 0;
    evs__decision decision = decide(call, EVS__EVENT_ERROR, evs_reply_bytes(why));
    const evs__part *culprit = evs__exec_forgive(exec);
    if (decision.action == EVS__REROUTE ? evs__redirect_call(call, &decision, why)
                                        : rest(call, &decision, why))
        return 1;
    evs__exec_blame(exec, culprit);
    return 0;
}

static void refused(evs__call *call, const evs_reply *reply)
{
    if (call->state.is_exec) {
        if (!exec_again(call, reply))
            succeed_late(call, reply);
        return;
    }
    evs_bytes text = evs_reply_bytes(reply);
    evs__decision decision = decide(call, EVS__EVENT_ERROR, text);
    if (call->state.stays && decision.action == EVS__REROUTE && text.data[0] == 'A')
        decision.action = EVS__BACK_OFF;
    evs__unfit_note(call->lane, &decision);
    if (decision.action == EVS__HEAL)
        evs__heal_call(call, reply);
    else if (decision.status == EVS_E_MOVED && evs__redirect_call(call, &decision, reply))
        return;
    else if (decision.status == EVS_OK)
        succeed_late(call, reply);
    else if (decision.status == EVS_E_SCRIPT)
        evs__call_finish(call, decision.status, decision.outcome, reply);
    else if (!read_elsewhere(call, &decision) && !rest(call, &decision, reply))
        fail_as_said(call, &decision, text);
}

static void replied(evs__call *call, const evs_reply *reply)
{
    if (evs_reply_kind(reply) == EVS_REPLY_ERROR) {
        refused(call, reply);
        return;
    }
    if (call->state.unsure)
        evs__lane_set_known(call->lane, call->script);
    succeed_late(call, reply);
}

/* Does a reply that could not be kept say that the script ran? Over a limit it is no error of the
 * server. For lack of memory it may be one, unless it began as something else; that of EXEC may
 * then still be the nil of a transaction that was aborted. */
static int proves(const evs__call *call, evs__got got)
{
    return got != EVS__GOT_NOMEM && (got != EVS__GOT_NOMEM_VALUE || !call->state.is_exec);
}

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
    evs__call_fail(call, proves(call, got) ? EVS_EXECUTED : EVS_MAYBE_EXECUTED, &err);
}

evs__aside *evs__call_set_aside(evs__call *call)
{
    evs__aside *aside = call->with.aside;
    if (aside == NULL)
        aside = call->with.aside = evs__zalloc_array(1, sizeof *aside);
    if (aside == NULL)
        return NULL;
    if (call->request.start == call->request.end) /* they are there already */
        return aside;
    evs_bytes bytes = evs__conn_bytes(call->lane->conn, &call->request);
    evs__buf_clear(&aside->bytes);
    evs__buf_append(&aside->bytes, bytes.data, bytes.len);
    if (!evs__buf_ok(&aside->bytes))
        return NULL;
    evs__tally_bytes(call->lane->tallies, call->script, bytes.len);
    call->request.start = call->request.end = 0;
    return aside;
}

static void count_up(unsigned char *times)
{
    *times = (unsigned char)(*times + (*times < UCHAR_MAX));
}

static int is_in_time(const evs__call *call)
{
    const evs_client *client = call->lane->client;
    return !client->closing && !client->ending && evs__loop_now_ms(client->loop) < call->due.at;
}

/* A lost connection: what did not run, or may run twice, goes out once more on a new one, or as
 * often as the map says. */
static int may_send_again(const evs__call *call, const evs__answer *answer,
                          const evs__decision *decision)
{
    int waits = call->lane->at->login.link.waits && decision->outcome == EVS_NOT_EXECUTED;
    return decision->action == EVS__RESEND && answer->why->status == EVS_E_CLOSED &&
           (call->state.resent < call->lane->attempts ||
            (waits && (call->state.patience & EVS__MAY_AWAIT) != 0)) &&
           is_in_time(call);
}

uint64_t evs__call_awaits(const evs__call *call)
{
    const evs__lane *lane = call->lane;
    int may = (call->state.patience & EVS__MAY_AWAIT) != 0 && lane->cluster == NULL &&
              !lane->reads &&
              (lane->at->login.link.waits ||
               (lane->attempts > 0 && call->state.tried <= lane->attempts));
    return may ? call->due.at : 0;
}

/* No connection came about, so nothing ran: the next one may. */
static int may_await(evs__call *call, const evs__answer *answer)
{
    if (answer->sent || answer->why->status == EVS_E_CLOSED ||
        !evs__conn_may_mend(answer->why->status))
        return 0;
    count_up(&call->state.tried);
    return evs__call_awaits(call) != 0 && is_in_time(call);
}

static void await_connection(evs__call *call)
{
    call->lane->client->stats.retries++;
    evs__call_mishap(call, EVS__MISHAP_RETRY);
    evs__call_send_again(call);
}

/* A lost node of a cluster: what did not run waits for whoever serves its slot next, as often as
 * there is time for; what may run twice does so once. */
static int may_look(const evs__call *call, const evs__answer *answer, const evs__decision *decision)
{
    if (decision->action != EVS__RESEND || !evs__aim_may_help(call, answer->why->status))
        return 0;
    return decision->outcome == EVS_NOT_EXECUTED || call->state.resent < call->lane->attempts;
}

static void note_resend(evs__call *call, const evs__answer *answer, const evs__decision *decision)
{
    call->state.maybe |= (unsigned char)(decision->outcome != EVS_NOT_EXECUTED);
    call->lane->client->stats.resends++;
    evs__call_mishap(call, EVS__MISHAP_RESEND);
    evs__note(call->lane, call->script, answer->why->status, "sent again: %s",
              answer->why->message);
}

static void lost(evs__call *call, const evs__answer *answer)
{
    evs_bytes none = {NULL, 0};
    int may_have_run = answer->sent || (call->state.is_exec && evs__exec_may_have_run(call->arg));
    evs__event event = may_have_run ? EVS__EVENT_SENT : EVS__EVENT_UNSENT;
    evs__decision decision = decide(call, event, none);
    int elsewhere = evs__reader_leave(call->lane); /* there are others, which are known */
    evs__aim_look(call->lane);
    if (may_look(call, answer, &decision) && evs__call_set_aside(call) != NULL) {
        if (decision.outcome != EVS_NOT_EXECUTED)
            count_up(&call->state.resent);
        note_resend(call, answer, &decision);
        if (elsewhere)
            evs__call_send_again(call);
        else
            evs__aim_wait(call, answer->why);
        return;
    }
    if (may_send_again(call, answer, &decision) && evs__call_set_aside(call) != NULL) {
        count_up(&call->state.resent);
        call->state.asking = 0;
        note_resend(call, answer, &decision);
        evs__call_send_again(call);
        return;
    }
    if (may_await(call, answer) && evs__call_set_aside(call) != NULL) {
        await_connection(call);
        return;
    }
    evs_error err = *answer->why;
    evs__subject subject = evs__call_subject(call);
    if (!answer->sent && err.status != EVS_E_CANCELED && evs__conn_is_down(call->lane->conn))
        evs__conn_why(call->lane->conn, &err);
    evs__explain_below(&err, &subject);
    evs__call_fail(call, decision.outcome, &err);
}

/* Nobody waits for it any more; but its place is free only now. */
static void skip(evs__call *call)
{
    settle(call);
    release(call);
}

static __attribute__((noinline)) void answered(evs__call *call, const evs__answer *answer)
{
    if (call->state.finished)
        skip(call);
    else if (answer->got == EVS__GOT_REPLY)
        replied(call, answer->reply);
    else if (answer->got == EVS__GOT_LOST)
        lost(call, answer);
    else
        unreadable(call, answer->got);
}

/* A value from a server that knows the script is what nearly every call gets; the rest is kept
 * apart, so that this needs few registers. */
void evs__call_answered(evs__request *request, const evs__answer *answer)
{
    evs__call *call = (evs__call *)request;
    call->state.held = EVS__HELD_BY_NOBODY;
    if (answer->got == EVS__GOT_REPLY && !call->state.finished && !call->state.unsure &&
        evs__reply_type(answer->reply) != EVS_REPLY_ERROR)
        succeed(call, answer->reply);
    else
        answered(call, answer);
}

static evs_status queue_kept(evs__call *call, evs_error *err)
{
    evs__lane *lane = call->lane;
    if (call->state.is_exec)
        return evs__exec_queue(call->arg, err);
    evs_status status = evs__lane_readmit(lane, evs__call_awaits(call), err);
    if (status != EVS_OK)
        return status;
    evs__lane_preload(lane);
    call->state.unsure = call->script != NULL && !evs__lane_knows(lane, call->script);
    if (call->state.unsure && evs__lane_mark(lane, call->script) == EVS__MARK_UNKNOWN &&
        !evs__lane_load(lane, call->script))
        return evs__fail_nomem(err);

    if (call->state.asking && !evs__redirect_ask(call))
        return evs__fail_nomem(err);
    evs__buf *out = evs__conn_begin(lane->conn, &call->request);
    evs__buf_append(out, call->with.aside->bytes.data, call->with.aside->bytes.len);
    if (!evs__conn_end(lane->conn, &call->request)) {
        if (call->state.asking)
            evs__conn_withdraw(lane->conn, &call->with.aside->side);
        return evs__fail_nomem(err);
    }
    return EVS_OK;
}

void evs__call_send_again(evs__call *call)
{
    evs_error err;
    evs_status status;
    do { /* ends: a replica that was left is not chosen again for a while */
        if (!evs__aim_call(call))
            return;
        status = queue_kept(call, &err);
    } while (evs__reader_refuse(call->lane, status));
    if (status != EVS_OK && evs__aim_may_help(call, status)) {
        evs__aim_wait(call, &err);
        return;
    }
    if (status != EVS_OK) {
        evs__subject subject = evs__call_subject(call);
        evs__explain_below(&err, &subject);
        evs__call_fail(call, EVS_NOT_EXECUTED, &err);
        return;
    }
    call->state.held = EVS__HELD_BY_CONN;
    evs__buf_free(&call->with.aside->bytes);
}
