/*
 * decide.h - what an answer, or none, means for a call. Pure: a table and a few string tests; the
 * whole of it is in docs/calls.md.
 *
 * A reply can lie. A script may return the very sentence of a server error after it wrote, so such
 * a sentence proves something only for a script that provably returns no errors, or for a plain
 * command. The trailing ` script: <sha>, on @user_script:N.` proves that the script had started;
 * its absence proves nothing.
 */
#ifndef EVS_SCRIPTS_ENGINE_DECIDE_H
#define EVS_SCRIPTS_ENGINE_DECIDE_H

#include <evalshard/script.h>

/* Who answered: how far the words of an error can be trusted. */
typedef enum evs__speaker {
    EVS__SPEAKER_COMMAND, /* a plain command: every error is the server's */
    EVS__SPEAKER_EVAL,    /* a plain command that runs a script, such as EVAL */
    EVS__SPEAKER_HONEST,  /* a script that provably returns no error and no pcall result */
    EVS__SPEAKER_SCRIPT   /* any other script */
} evs__speaker;

typedef enum evs__event {
    EVS__EVENT_ERROR,  /* an error reply, `text` */
    EVS__EVENT_UNSENT, /* the connection ended before its last byte was accepted */
    EVS__EVENT_SENT    /* the connection ended behind it */
} evs__event;

typedef struct evs__situation {
    evs__speaker speaker;
    evs_retry retry; /* EVS_RETRY_ONCE: never again once it may have run */
    evs__event event;
    evs_bytes text;
} evs__situation;

typedef enum evs__action {
    EVS__RETURN,    /* hand the decision to the caller */
    EVS__HEAL,      /* the shard says that it does not know the script */
    EVS__RESEND,    /* once more, at once */
    EVS__BACK_OFF,  /* later, until the deadline */
    EVS__RECONNECT, /* the server is not the primary any more, or we are not logged in: the same on
                     * a new connection */
    EVS__REROUTE    /* the slot is elsewhere; where nobody follows slots: RETURN */
} evs__action;

typedef struct evs__decision {
    evs__action action;
    evs_status status; /* EVS_OK: an error reply that is the caller's to read */
    evs_outcome outcome;
    int unfit; /* a word for RECONNECT: the connection will be answered so for ever, whether this
                * call is asked again or not */
} evs__decision;

evs__decision evs__decide(const evs__situation *situation);

/* The same for an error of something that runs once. */
static inline evs__decision evs__decide_error(evs__speaker speaker, evs_bytes text)
{
    evs__situation situation = {speaker, EVS_RETRY_ONCE, EVS__EVENT_ERROR, text};
    return evs__decide(&situation);
}

/* The words that have a meaning of their own, for the documentation's test. NULL past the end. */
const char *evs__decide_word(size_t index);

#endif
