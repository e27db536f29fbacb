#include "scripts/engine/heal.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/client.h"
#include "scripts/engine/lane.h"
#include "scripts/engine/note.h"
#include "scripts/render.h"

typedef struct evs__heal {
    evs__request request; /* of SCRIPT EXISTS; first */
    evs__ring ring;       /* in the lane's heals */
    evs__lane *lane;
    const evs_script *script;
    evs__call *first; /* waiting calls in the order of their replies */
    evs__call **last;
    int loads; /* SCRIPT LOAD is behind the SCRIPT EXISTS */
} evs__heal;

typedef enum evs__settled { SETTLED_ABSENT, SETTLED_PRESENT, SETTLED_UNKNOWN } evs__settled;

/* It returns no errors of its own, so its NOSCRIPT is the server's. */
static int is_honest(const evs__call *call)
{
    return call->script != NULL && !call->script->may_return_errors;
}

static void fail_refused(evs__call *call, const evs__refusal *refusal)
{
    evs_error err;
    evs__subject subject = evs__call_subject(call);
    evs__explain_refusal(&err, &subject, refusal);
    evs__call_fail(call, EVS_NOT_EXECUTED, &err);
}

/* The server did not have it. The next call brings the script along. */
static void fail_unknown(evs__call *call, const evs__refusal *refusal)
{
    evs_error err;
    evs__subject subject = evs__call_subject(call);
    if (call->lane->attempts > 0) {
        fail_refused(call, refusal);
        return;
    }
    evs__lane_set_unknown(call->lane, call->script);
    evs__explain(&err, &subject, EVS_E_NO_SCRIPT,
                 "the server did not know the script, and the map has retry.attempts: 0");
    evs__call_fail(call, EVS_NOT_EXECUTED, &err);
}

static int may_heal(const evs__call *call)
{
    return call->with.aside->healed < call->lane->attempts;
}

static void send_again(evs__call *call)
{
    call->with.aside->healed++;
    call->lane->client->stats.heals++;
    evs__call_mishap(call, EVS__MISHAP_HEAL);
    evs__call_send_again(call);
}

/* The script exists: somebody else was faster, or the NOSCRIPT may be its own words, said after it
 * ran. */
static void present(evs__call *call)
{
    int honest = is_honest(call);
    if (may_heal(call) && (honest || call->state.retry != EVS_RETRY_ONCE)) {
        call->state.maybe |= (unsigned char)!honest;
        send_again(call);
        return;
    }
    if (honest)
        fail_unknown(call, NULL);
    else
        evs__call_finish(call, EVS_E_SCRIPT, EVS_MAYBE_EXECUTED, call->with.aside->claim);
}

static void absent(evs__call *call)
{
    const evs__refusal *refusal = evs__refusal_find(call->lane->refusals, call->script);
    if (!may_heal(call) || refusal != NULL)
        fail_unknown(call, refusal);
    else
        send_again(call);
}

evs_outcome evs__heal_outcome(const evs__call *call)
{
    return is_honest(call) ? EVS_NOT_EXECUTED : EVS_MAYBE_EXECUTED;
}

static void unsettled(evs__call *call, const evs__answer *answer)
{
    evs_error err;
    evs__subject subject = evs__call_subject(call);
    if (answer->got == EVS__GOT_LOST) {
        err = *answer->why;
        evs__explain_below(&err, &subject);
    } else {
        evs_bytes text = evs_reply_bytes(answer->reply);
        evs__explain(&err, &subject, EVS_E_DENIED,
                     "answered NOSCRIPT, and SCRIPT EXISTS could not confirm it: %.*s",
                     (int)text.len, text.len == 0 ? "" : text.data);
    }
    evs__call_fail(call, evs__heal_outcome(call), &err);
}

static evs__settled settle(const evs__answer *answer)
{
    if (answer->got != EVS__GOT_REPLY || evs_reply_count(answer->reply) != 1)
        return SETTLED_UNKNOWN;
    return evs_reply_integer(evs_reply_at(answer->reply, 0)) == 0 ? SETTLED_ABSENT
                                                                  : SETTLED_PRESENT;
}

static evs__heal *heal_of(evs__ring *ring)
{
    return (evs__heal *)((char *)ring - offsetof(evs__heal, ring));
}

static void drop(evs__heal *heal)
{
    evs__ring_remove(&heal->ring);
    evs__free(heal);
}

void evs__heals_drop(evs__lane *lane)
{
    while (!evs__ring_empty(&lane->heals))
        drop(heal_of(lane->heals.next));
}

/* SCRIPT EXISTS was answered. The heal is closed first: what the calls do may open another one. */
static void answered(evs__request *request, const evs__answer *answer)
{
    evs__heal *heal = (evs__heal *)request;
    evs__call *call = heal->first;
    evs__settled settled = settle(answer);
    drop(heal);

    while (call != NULL) {
        evs__call *next = call->with.aside->next_waiting;
        call->state.held = EVS__HELD_BY_NOBODY;
        if (call->state.finished)
            evs__call_drop(call);
        else if (settled == SETTLED_ABSENT)
            absent(call);
        else if (settled == SETTLED_PRESENT)
            present(call);
        else
            unsettled(call, answer);
        call = next;
    }
}

static evs__heal *find_open(const evs__call *call)
{
    evs__ring *heals = &call->lane->heals;
    for (evs__ring *at = heals->next; at != heals; at = at->next)
        if (strcmp(heal_of(at)->script->sha1, call->script->sha1) == 0) /* one text, two names */
            return heal_of(at);
    return NULL;
}

static evs__heal *open_heal(evs__lane *lane, const evs_script *script)
{
    evs__heal *heal = evs__zalloc_array(1, sizeof *heal);
    if (heal == NULL)
        return NULL;
    heal->request.done = answered;
    heal->request.servant = 1;
    heal->lane = lane;
    heal->script = script;
    heal->last = &heal->first;

    evs_bytes args[] = {evs_text("SCRIPT"), evs_text("EXISTS"), evs_text(script->sha1)};
    evs__render_command(evs__conn_begin(lane->conn, &heal->request), args, 3);
    if (!evs__conn_end(lane->conn, &heal->request)) {
        evs__free(heal);
        return NULL;
    }
    evs__ring_append(&lane->heals, &heal->ring);
    evs__note(lane, script, EVS_E_NO_SCRIPT, "the server did not know the script: NOSCRIPT");
    return heal;
}

/* Without memory for it now, who is sent again brings the script along. */
static void load(evs__heal *heal)
{
    heal->loads = evs__lane_load(heal->lane, heal->script);
    if (!heal->loads)
        evs__lane_set_unknown(heal->lane, heal->script);
}

/* Keeps what is needed to send the call again, or to hand its reply on. 0 when out of memory. */
static int keep(evs__call *call, const evs_reply *reply)
{
    evs__aside *aside = evs__call_set_aside(call);
    if (aside == NULL)
        return 0;
    evs_reply_free(aside->claim);
    aside->claim = NULL;
    return evs_reply_copy(&aside->claim, reply, NULL) == EVS_OK;
}

static void fail_nomem(evs__call *call)
{
    evs_error err;
    evs__fail_nomem(&err);
    evs__call_fail(call, evs__heal_outcome(call), &err);
}

void evs__heal_call(evs__call *call, const evs_reply *reply)
{
    evs__lane *lane = call->lane;
    const evs__refusal *refusal = evs__refusal_find(lane->refusals, call->script);
    if (evs__lane_mark(lane, call->script) == EVS__MARK_BROKEN) {
        fail_refused(call, refusal);
        return;
    }
    if (!keep(call, reply)) {
        fail_nomem(call);
        return;
    }
    evs__heal *heal = find_open(call);
    if (heal == NULL)
        heal = open_heal(lane, call->script);
    if (heal != NULL && !heal->loads && refusal == NULL && may_heal(call))
        load(heal);
    if (heal == NULL) {
        fail_nomem(call);
        return;
    }
    call->state.held = EVS__HELD_BY_HEAL;
    call->with.aside->next_waiting = NULL;
    *heal->last = call;
    heal->last = &call->with.aside->next_waiting;
}
