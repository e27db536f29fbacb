/*
 * The rows follow what Redis 7.0 to 8.0 and Valkey 8 answer. All words of the first table are
 * checked by the server before a script starts and cannot come from redis.call inside one;
 * READONLY, OOM, MISCONF and NOREPLICAS can, and then carry the suffix and mean that nothing was
 * written.
 */
#include "scripts/engine/decide.h"

typedef struct evs__row {
    const char *word; /* the first word of the error */
    evs_status status;
    int may_come_from_inside; /* redis.call can raise it; then it has the suffix */
    evs__action action;       /* when the call did not run, or may run twice */
} evs__row;

static const evs__row rows[] = {
    {"BUSY", EVS_E_BUSY, 0, EVS__BACK_OFF},
    {"LOADING", EVS_E_LOADING, 0, EVS__BACK_OFF},
    {"READONLY", EVS_E_READONLY, 1, EVS__RECONNECT},
    {"MASTERDOWN", EVS_E_READONLY, 0, EVS__RECONNECT},
    {"REDIRECT", EVS_E_READONLY, 0, EVS__RECONNECT},
    {"OOM", EVS_E_OOM, 1, EVS__RETURN},
    {"NOREPLICAS", EVS_E_NOREPLICAS, 1, EVS__RETURN},
    {"MISCONF", EVS_E_MISCONF, 1, EVS__RETURN},
    {"NOAUTH", EVS_E_AUTH, 0, EVS__RECONNECT},
    {"WRONGPASS", EVS_E_AUTH, 0, EVS__RETURN},
    {"NOPERM", EVS_E_DENIED, 0, EVS__RETURN},
    {"DENIED", EVS_E_DENIED, 0, EVS__RETURN},
    {"MOVED", EVS_E_MOVED, 0, EVS__REROUTE},
    {"ASK", EVS_E_MOVED, 0, EVS__REROUTE},
    {"CROSSSLOT", EVS_E_CROSS_SLOT, 0, EVS__RETURN},
    {"TRYAGAIN", EVS_E_CLUSTER, 0, EVS__BACK_OFF},
    {"CLUSTERDOWN", EVS_E_CLUSTER, 0, EVS__BACK_OFF},
};

const char *evs__decide_word(size_t index)
{
    return index < sizeof rows / sizeof rows[0] ? rows[index].word : NULL;
}

/* Sentences with the code ERR that a server says instead of running a script. */
static const char *const refusals[] = {
    "ERR unknown command",
    "ERR wrong number of arguments for",
    "ERR Number of keys can't be",
    "ERR Can not execute a script with write flag",
    "ERR Can not run script on cluster",
    "ERR max number of clients reached",
    "ERR Protocol error",
};

static int starts(evs_bytes text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.data, with, len) == 0;
}

static int has_word(evs_bytes text, const char *word)
{
    size_t len = strlen(word);
    return starts(text, word) && (text.len == len || text.data[len] == ' ');
}

/* "... script: <40 hex or a name>, on @user_script:12." */
static int has_suffix(evs_bytes text)
{
    static const char script[] = " script: ";
    static const char place[] = ", on @user_";
    if (text.len == 0 || text.data[text.len - 1] != '.')
        return 0;
    const char *at = memmem(text.data, text.len, script, sizeof script - 1);
    if (at == NULL)
        return 0;
    size_t left = text.len - (size_t)(at - text.data);
    return memmem(at, left, place, sizeof place - 1) != NULL;
}

static const evs__row *find_row(evs_bytes text)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (has_word(text, rows[i].word))
            return &rows[i];
    return NULL;
}

static int is_refusal(evs_bytes text)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (starts(text, refusals[i]))
            return 1;
    return 0;
}

static evs__decision give(evs_status status, evs_outcome outcome)
{
    evs__decision decision = {EVS__RETURN, status, outcome, 0};
    return decision;
}

/* Without a word about what follows from it. */
static evs__decision read_error(const evs__row *row, evs__speaker speaker, evs_bytes text)
{
    if (speaker == EVS__SPEAKER_COMMAND)
        return row != NULL ? give(row->status, EVS_NOT_EXECUTED) : give(EVS_OK, EVS_EXECUTED);
    if (speaker == EVS__SPEAKER_EVAL)
        return row != NULL ? give(row->status, EVS_MAYBE_EXECUTED) : give(EVS_OK, EVS_EXECUTED);
    if (has_suffix(text) || starts(text, "ERR Error running script"))
        return give(row != NULL && row->may_come_from_inside ? row->status : EVS_E_SCRIPT,
                    EVS_EXECUTED);
    evs_outcome unless_it_lies = speaker == EVS__SPEAKER_HONEST ? EVS_NOT_EXECUTED
                                                                : EVS_MAYBE_EXECUTED;
    if (row != NULL)
        return give(row->status, unless_it_lies);
    return give(EVS_E_SCRIPT, is_refusal(text) ? unless_it_lies : EVS_EXECUTED);
}

static evs__decision decide_error(const evs__situation *s)
{
    const evs__row *row = find_row(s->text);
    if (s->speaker >= EVS__SPEAKER_HONEST && has_word(s->text, "NOSCRIPT") &&
        !has_suffix(s->text)) {
        evs__decision heal = {EVS__HEAL, EVS_E_NO_SCRIPT, EVS_NOT_EXECUTED, 0};
        return heal;
    }
    evs__decision decision = read_error(row, s->speaker, s->text);
    int again = decision.outcome == EVS_NOT_EXECUTED || s->retry != EVS_RETRY_ONCE;
    if (row == NULL || decision.status != row->status)
        return decision;
    decision.unfit = row->action == EVS__RECONNECT;
    if (again)
        decision.action = row->action;
    return decision;
}

evs__decision evs__decide(const evs__situation *s)
{
    evs__decision lost = {EVS__RESEND, EVS_E_CLOSED, EVS_NOT_EXECUTED, 0};
    switch (s->event) {
    case EVS__EVENT_ERROR:
        return decide_error(s);
    case EVS__EVENT_SENT:
        lost.outcome = EVS_MAYBE_EXECUTED;
        lost.action = s->retry == EVS_RETRY_ONCE ? EVS__RETURN : EVS__RESEND;
        break;
    case EVS__EVENT_UNSENT:
        break;
    }
    return lost;
}
