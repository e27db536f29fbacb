/*
 * exec_reply.c - what replies to MULTI ... EXEC mean.
 *
 *   an error instead of +QUEUED   EXEC will discard the whole; this part is why
 *   EXEC: an array                each element has its own result; SCRIPT LOAD its own mark
 *   EXEC: nil                     a watched key was changed
 *   EXEC: EXECABORT               nothing ran
 *   MULTI itself refused          the server took the commands one by one, and so do we
 *
 * NOSCRIPT in the array is never healed: what is behind it has run. It proves that the script did
 * not run when the script returns no errors of its own, or when its SCRIPT LOAD failed a moment
 * before; else exec_settle.c asks. Right behind a SCRIPT LOAD that worked it is the script's own
 * word.
 */
#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/decide.h"
#include "scripts/engine/exec_inner.h"
#include "scripts/engine/plain.h"
#include "scripts/engine/unfit.h"

static int starts(evs_bytes text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.data, with, len) == 0;
}

static int multi_was_refused(const evs__exec *exec)
{
    return exec->culprit != NULL && exec->culprit->kind == EVS__PART_MULTI;
}

/* ---- one reply of an element that ran, or was refused when its turn came ---- */

static evs__decision decide(const evs__element *element, evs_bytes text)
{
    evs__speaker speaker = EVS__SPEAKER_COMMAND;
    if (element->script != NULL)
        speaker = element->script->may_return_errors ? EVS__SPEAKER_SCRIPT : EVS__SPEAKER_HONEST;
    else if (evs__command_runs_script(element->cmd.args[0]))
        speaker = EVS__SPEAKER_EVAL;
    return evs__decide_error(speaker, text);
}

static int was_loaded_here(const evs__exec *exec, const evs_script *script)
{
    for (size_t i = 0; i < exec->nparts; i++) {
        const evs__part *part = &exec->parts[i];
        if (part->kind == EVS__PART_LOAD && exec->tx->elements[part->element].script == script)
            return evs__lane_knows(exec->lane, script);
    }
    return 0;
}

/* NOSCRIPT. */
static void take_unknown(evs__exec *exec, size_t index, const evs_reply *reply)
{
    evs_error err;
    const evs_script *script = exec->tx->elements[index].script;
    const evs__refusal *refusal = evs__refusal_find(exec->lane->refusals, script);
    evs_bytes text = evs_reply_bytes(reply);
    evs__subject subject = evs__transaction_subject(exec->tx, index);
    evs_outcome outcome = EVS_NOT_EXECUTED;
    evs_result result = {EVS_E_NO_SCRIPT, outcome, NULL, &err};
    if (was_loaded_here(exec, script)) {
        outcome = EVS_EXECUTED;
        result.reply = reply;
        evs__explain(&err, &subject, EVS_E_SCRIPT, "%.*s", (int)text.len, text.data);
    } else if (refusal != NULL) {
        evs__explain_refusal(&err, &subject, refusal);
    } else {
        evs__lane_set_unknown(exec->lane, script);
        if (script->may_return_errors)
            outcome = EVS_MAYBE_EXECUTED;
        evs__explain(&err, &subject, EVS_E_NO_SCRIPT, "%.*s", (int)text.len, text.data);
    }
    err.outcome = result.outcome = outcome;
    result.status = err.status;
    evs__transaction_keep(exec->tx, index, &result);
}

static void take_error(evs__exec *exec, size_t index, const evs_reply *reply)
{
    evs_bytes text = evs_reply_bytes(reply);
    evs__decision decision = decide(&exec->tx->elements[index], text);
    evs_result result = {decision.status, decision.outcome, NULL, NULL};
    evs__unfit_note(exec->lane, &decision);
    if (decision.action == EVS__HEAL) {
        take_unknown(exec, index, reply);
        return;
    }
    if (decision.status == EVS_OK || decision.status == EVS_E_SCRIPT)
        result.reply = reply;
    evs_error err;
    evs__subject subject = evs__transaction_subject(exec->tx, index);
    evs__explain(&err, &subject, decision.status, "%.*s", (int)text.len, text.data);
    err.outcome = decision.outcome;
    err.line = evs__line_in(text);
    if (decision.status != EVS_OK)
        result.error = &err;
    evs__transaction_keep(exec->tx, index, &result);
}

static void take_load(evs__exec *exec, size_t index, const evs_reply *reply)
{
    const evs_script *script = exec->tx->elements[index].script;
    evs_bytes text = evs_reply_bytes(reply);
    if (evs_reply_kind(reply) == EVS_REPLY_ERROR)
        evs__lane_refuse(exec->lane, script, text);
    else if (text.len == 40 && memcmp(text.data, script->sha1, 40) == 0)
        evs__lane_set_known(exec->lane, script);
}

static void count_script(const evs__exec *exec, size_t index)
{
    const evs_script *script = exec->tx->elements[index].script;
    evs_status status = exec->tx->elements[index].result.status;
    if (script == NULL)
        return;
    evs__tally_call(exec->lane->tallies, script, 0);
    if (status != EVS_OK)
        evs__tally_error(exec->lane->tallies, script, status);
}

static void take(evs__exec *exec, const evs__part *part, const evs_reply *reply)
{
    if (part->kind == EVS__PART_LOAD) {
        take_load(exec, part->element, reply);
        return;
    }
    evs_result result = {EVS_OK, EVS_EXECUTED, reply, NULL};
    if (evs_reply_kind(reply) == EVS_REPLY_ERROR)
        take_error(exec, part->element, reply);
    else
        evs__transaction_keep(exec->tx, part->element, &result);
    count_script(exec, part->element);
}

/* ---- before EXEC ---- */

/* What a refusal means is the server's own word, whoever's element it is: nothing has run. */
static evs_status status_of(evs_bytes text)
{
    evs_status status = evs__decide_error(EVS__SPEAKER_COMMAND, text).status;
    if (status != EVS_OK)
        return status;
    return starts(text, "ERR wrong number of arguments") ? EVS_E_ARITY : EVS_E_INVALID;
}

/* What was watched is on a node that does not have the slot any more: as if it had been changed. */
static evs_status status_when(const evs_transaction *tx, evs_bytes text)
{
    evs_status status = status_of(text);
    return status == EVS_E_MOVED && tx->lease != NULL ? EVS_E_ABORTED : status;
}

static void refused(evs__exec *exec, const evs__part *part, evs_bytes text)
{
    static const char *const what[] = {"MULTI", "SCRIPT LOAD for element", "element"};
    evs_transaction *tx = exec->tx;
    evs__decision decision = evs__decide_error(EVS__SPEAKER_COMMAND, text);
    evs_status status = status_when(tx, text);
    evs__unfit_note(exec->lane, &decision);
    if (part->kind == EVS__PART_LOAD && evs__refusal_status(text) == EVS_E_DENIED)
        evs__lane_refuse(exec->lane, tx->elements[part->element].script, text);
    if (exec->culprit != NULL)
        return;
    exec->culprit = part;
    evs__subject subject = evs__transaction_subject(tx, part->element);
    if (part->kind == EVS__PART_MULTI) {
        subject.script = NULL;
        subject.key = (evs_bytes){NULL, 0};
        evs__explain(&tx->error, &subject, status,
                     "MULTI was refused, so that each element was on its own: %.*s", (int)text.len,
                     text.data);
        return;
    }
    evs__explain(&tx->error, &subject, status, "%s %zu was refused: %.*s", what[part->kind],
                 part->element + 1, (int)text.len, text.data);
}

void evs__exec_part_replied(evs__part *part, const evs_reply *reply)
{
    evs__exec *exec = part->exec;
    if (multi_was_refused(exec))
        take(exec, part, reply);
    else if (evs_reply_kind(reply) == EVS_REPLY_ERROR) {
        int first = exec->culprit == NULL;
        refused(exec, part, evs_reply_bytes(reply));
        if (first && exec->lane->cluster != NULL)
            evs_reply_copy(&exec->refusal, reply, NULL); /* else it is reported, not followed */
    }
}

/* EXEC itself was refused for what it would have run. */
static int is_about_slots(evs_bytes text)
{
    evs_status status = evs__decide_error(EVS__SPEAKER_COMMAND, text).status;
    return status == EVS_E_MOVED || status == EVS_E_CLUSTER || status == EVS_E_CROSS_SLOT;
}

const evs_reply *evs__exec_refusal(const evs__exec *exec, const evs_reply *reply)
{
    evs_bytes text = evs_reply_bytes(reply);
    if (multi_was_refused(exec))
        return NULL;
    if (exec->culprit != NULL)
        return starts(text, "EXECABORT") ? exec->refusal : NULL;
    return is_about_slots(text) ? reply : NULL;
}

const evs__part *evs__exec_forgive(evs__exec *exec)
{
    const evs__part *culprit = exec->culprit;
    exec->culprit = NULL;
    return culprit;
}

void evs__exec_blame(evs__exec *exec, const evs__part *culprit)
{
    exec->culprit = culprit;
}

/* ---- EXEC ---- */

/* The whole has failed, and `tx->error` says why. */
static void fail_all(evs__exec *exec, evs_outcome outcome)
{
    evs_transaction *tx = exec->tx;
    tx->error.outcome = outcome;
    tx->whole = (evs_result){tx->error.status, outcome, NULL, &tx->error};
    evs__transaction_keep_rest(tx, outcome == EVS_EXECUTED ? EVS_MAYBE_EXECUTED : outcome,
                               &tx->error);
    for (size_t i = 0; i < tx->count; i++)
        count_script(exec, i);
}

/* The one that was refused has the reason; the others were not to blame. */
static void fail_refused(evs__exec *exec)
{
    evs_error others;
    evs_transaction *tx = exec->tx;
    size_t index = exec->culprit->element;
    tx->error.outcome = EVS_NOT_EXECUTED;
    evs_result why = {tx->error.status, EVS_NOT_EXECUTED, NULL, &tx->error};
    evs__transaction_keep(tx, index, &why);
    evs__fail(&others, EVS_E_CANCELED, "not executed: element %zu was refused (%s)", index + 1,
              evs_status_name(why.status));
    evs__transaction_keep_rest(tx, EVS_NOT_EXECUTED, &others);
    fail_all(exec, EVS_NOT_EXECUTED);
}

static void say(evs__exec *exec, evs_status status, evs_bytes text)
{
    evs__subject subject = {.shard = exec->lane->at->name};
    evs__explain(&exec->tx->error, &subject, status, "%.*s", (int)text.len, text.data);
}

static void not_understood(evs__exec *exec)
{
    say(exec, EVS_E_PROTOCOL, evs_text("EXEC was answered with something else than its results"));
    fail_all(exec, EVS_MAYBE_EXECUTED);
}

/* EXEC was answered with an error. */
static void discarded(evs__exec *exec, evs_bytes text)
{
    static const char inner[] = "EXECABORT Transaction discarded because of: ";
    evs_bytes cause = text;
    if (starts(text, inner))
        cause = (evs_bytes){text.data + sizeof inner - 1, text.len - (sizeof inner - 1)};
    evs__decision decision = evs__decide_error(EVS__SPEAKER_COMMAND, cause);
    evs__unfit_note(exec->lane, &decision);
    say(exec, status_when(exec->tx, cause), text);
    int ran_not = starts(text, "EXECABORT") || is_about_slots(text);
    fail_all(exec, ran_not ? EVS_NOT_EXECUTED : EVS_MAYBE_EXECUTED);
}

static void ran(evs__exec *exec, const evs_reply *reply)
{
    evs_transaction *tx = exec->tx;
    if (evs_reply_kind(reply) != EVS_REPLY_ARRAY || evs_reply_count(reply) != exec->nparts - 1) {
        not_understood(exec);
        return;
    }
    tx->whole = (evs_result){EVS_OK, EVS_EXECUTED, NULL, NULL};
    for (size_t i = 1; i < exec->nparts; i++)
        take(exec, &exec->parts[i], evs_reply_at(reply, i - 1));
}

static void replied(evs__exec *exec, const evs_reply *reply)
{
    switch (evs_reply_kind(reply)) {
    case EVS_REPLY_NIL:
        say(exec, EVS_E_ABORTED, evs_text("a watched key was changed before EXEC"));
        fail_all(exec, EVS_NOT_EXECUTED);
        break;
    case EVS_REPLY_ERROR:
        discarded(exec, evs_reply_bytes(reply));
        break;
    default:
        ran(exec, reply);
    }
}

static int none_ran(const evs_transaction *tx)
{
    for (size_t i = 0; i < tx->count; i++)
        if (tx->elements[i].result.outcome != EVS_NOT_EXECUTED)
            return 0;
    return 1;
}

/* Elements that have answered have their results already. */
static void ran_one_by_one(evs__exec *exec)
{
    evs_transaction *tx = exec->tx;
    evs_error lost = tx->error;
    evs__transaction_keep_rest(tx, EVS_MAYBE_EXECUTED, &lost);
    evs_outcome outcome = none_ran(tx) ? EVS_NOT_EXECUTED : EVS_MAYBE_EXECUTED;
    tx->error.outcome = outcome;
    tx->whole = (evs_result){tx->error.status, outcome, NULL, &tx->error};
}

void evs__exec_replied(evs__exec *exec, const evs_result *result)
{
    if (multi_was_refused(exec)) {
        ran_one_by_one(exec);
    } else if (exec->culprit != NULL && evs_reply_kind(result->reply) == EVS_REPLY_ARRAY) {
        not_understood(exec); /* a server that goes on without what it refused */
    } else if (exec->culprit != NULL) {
        fail_refused(exec); /* even when the connection was lost before EXEC said so */
    } else if (result->reply != NULL) {
        replied(exec, result->reply);
    } else {
        exec->tx->error = *result->error;
        fail_all(exec, result->outcome);
    }
}
