#include "scripts/call.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/client.h"
#include "scripts/decide.h"
#include "scripts/heal.h"
#include "scripts/render.h"

#include <stdlib.h>

enum { FIRST_KEY = 3 }; /* EVALSHA sha numkeys key... */

static void link_call(evs_client *client, evs__call *call)
{
    call->next = NULL;
    call->prev = client->newest;
    if (client->newest != NULL)
        client->newest->next = call;
    else
        client->live = call;
    client->newest = call;
    client->pending++;
}

static void unlink_call(evs_client *client, evs__call *call)
{
    if (call->prev != NULL)
        call->prev->next = call->next;
    else
        client->live = call->next;
    if (call->next != NULL)
        call->next->prev = call->prev;
    else
        client->newest = call->prev;
    client->pending--;
}

evs__call *evs__call_new(evs__lane *lane, const evs_script *script, evs_done_fn done, void *arg)
{
    evs_client *client = lane->client;
    evs__call *call = client->spare;
    if (call != NULL)
        client->spare = call->next;
    else
        call = evs__alloc_array(1, sizeof *call);
    if (call == NULL)
        return NULL;

    memset(call, 0, sizeof *call);
    call->request.done = evs__call_answered;
    call->lane = lane;
    call->script = script;
    call->done = done;
    call->arg = arg;
    link_call(client, call);
    return call;
}

/* A spare call keeps no memory but its own. */
static void release(evs__call *call)
{
    evs_client *client = call->lane->client;
    evs__buf_free(&call->kept);
    evs_reply_free(call->claim);
    call->next = client->spare;
    client->spare = call;
}

void evs__call_drop(evs__call *call)
{
    if (!call->finished)
        unlink_call(call->lane->client, call);
    release(call);
}

evs__subject evs__call_subject(const evs__call *call)
{
    evs_bytes request = {call->kept.data, call->kept.len};
    if (call->held != EVS__HELD_BY_HEAL && call->kept.len == 0)
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

static void complete(evs__call *call, evs_result result)
{
    evs_client *client = call->lane->client;
    unlink_call(client, call);
    call->finished = 1;
    client->stats.calls++;
    call->done(call->arg, &result);
    if (call->held == EVS__HELD_BY_NOBODY)
        release(call);
}

void evs__call_fail(evs__call *call, evs_outcome outcome, evs_error *err)
{
    if (outcome == EVS_NOT_EXECUTED && call->maybe)
        outcome = EVS_MAYBE_EXECUTED;
    err->outcome = outcome;
    evs_result result = {err->status, outcome, NULL, err};
    complete(call, result);
}

/* The line in " script: <sha>, on @user_script:12."; 0 when it is not there. */
static int line_in(evs_bytes text)
{
    static const char mark[] = "@user_script:";
    const char *at = memmem(text.data, text.len, mark, sizeof mark - 1);
    return at == NULL ? 0 : (int)strtol(at + sizeof mark - 1, NULL, 10);
}

void evs__call_finish(evs__call *call, evs_status status, evs_outcome outcome,
                      const evs_reply *reply)
{
    evs_result result = {status, outcome, reply, NULL};
    if (status == EVS_OK) {
        complete(call, result);
        return;
    }
    evs_error err;
    evs__subject subject = evs__call_subject(call);
    evs_bytes text = evs_reply_bytes(reply);
    evs__explain(&err, &subject, status, "%.*s", (int)text.len, text.data);
    err.line = line_in(text);
    err.outcome = outcome;
    result.error = &err;
    complete(call, result);
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
    } else if (decision.status == EVS_OK || decision.status == EVS_E_SCRIPT) {
        evs__call_finish(call, decision.status, decision.outcome, reply);
    } else {
        evs_error err;
        evs__subject subject = evs__call_subject(call);
        evs__explain(&err, &subject, decision.status, "%.*s", (int)text.len, text.data);
        call->maybe |= call->may_lie;
        evs__call_fail(call, decision.outcome, &err);
    }
}

static void replied(evs__call *call, const evs_reply *reply)
{
    if (evs_reply_kind(reply) == EVS_REPLY_ERROR) {
        refused(call, reply);
        return;
    }
    if (call->script != NULL && evs__lane_mark(call->lane, call->script) != EVS__MARK_KNOWN)
        evs__lane_set_mark(call->lane, call->script, EVS__MARK_KNOWN);
    evs__call_finish(call, EVS_OK, EVS_EXECUTED, reply);
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

static int keep_bytes(evs__call *call)
{
    evs_bytes bytes = evs__conn_bytes(call->lane->conn, &call->request);
    evs__buf_clear(&call->kept);
    evs__buf_append(&call->kept, bytes.data, bytes.len);
    return evs__buf_ok(&call->kept);
}

/* A lost connection: what did not run, or may run twice, goes out once more on a new one. */
static int may_send_again(const evs__call *call, const evs__answer *answer)
{
    evs_client *client = call->lane->client;
    if (call->resent || client->closing || answer->why->status != EVS_E_CLOSED)
        return 0;
    if (answer->sent && call->retry == EVS_RETRY_ONCE)
        return 0;
    return evs__loop_now_ms(client->loop) < call->deadline;
}

static void lost(evs__call *call, const evs__answer *answer)
{
    if (may_send_again(call, answer) && keep_bytes(call)) {
        call->resent = 1;
        call->maybe |= (unsigned char)(answer->sent != 0);
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
    call->held = EVS__HELD_BY_NOBODY;
    if (call->finished)
        evs__call_drop(call);
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
    if (call->script != NULL && evs__lane_mark(lane, call->script) == EVS__MARK_UNKNOWN &&
        !evs__lane_load(lane, call->script))
        return evs__fail_nomem(err);

    evs__buf *out = evs__conn_begin(lane->conn, &call->request);
    evs__buf_append(out, call->kept.data, call->kept.len);
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
    call->held = EVS__HELD_BY_CONN;
    evs__buf_free(&call->kept);
}

void evs__call_expire(evs__call *call)
{
    evs_error err;
    evs__subject subject = evs__call_subject(call);
    evs__explain(&err, &subject, EVS_E_TIMEOUT, "no reply before the deadline");

    evs_outcome outcome = EVS_MAYBE_EXECUTED;
    if (call->held == EVS__HELD_BY_CONN) {
        if (evs__conn_withdraw(call->lane->conn, &call->request)) {
            call->held = EVS__HELD_BY_NOBODY;
            outcome = EVS_NOT_EXECUTED;
        } else {
            call->request.unwanted = 1;
        }
    }
    evs__call_fail(call, outcome, &err);
}
