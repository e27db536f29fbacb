/*
 * decide.h - what an error reply means for a call. Pure: a table and a few string tests.
 *
 * A reply can lie. A script may return the very sentence of a server error after it wrote, so such
 * a sentence proves something only for a script that provably returns no errors, or for a plain
 * command. The trailing ` script: <sha>, on @user_script:N.` proves that the script had started;
 * its absence proves nothing.
 */
#ifndef EVS_SCRIPTS_DECIDE_H
#define EVS_SCRIPTS_DECIDE_H

#include <evalshard/base.h>

/* Who answered: how far the words of an error can be trusted. */
typedef enum evs__speaker {
    EVS__SPEAKER_COMMAND, /* a plain command: every error is the server's */
    EVS__SPEAKER_HONEST,  /* a script that provably returns no error and no pcall result */
    EVS__SPEAKER_SCRIPT   /* any other script */
} evs__speaker;

typedef enum evs__action {
    EVS__RETURN, /* hand the decision to the caller */
    EVS__HEAL    /* the shard says that it does not know the script */
} evs__action;

typedef struct evs__decision {
    evs__action action;
    evs_status status; /* EVS_OK: an error reply that is the caller's to read */
    evs_outcome outcome;
} evs__decision;

evs__decision evs__decide(evs__speaker speaker, evs_bytes error_text);

#endif
