/*
 * explain.h - errors of calls, in one form: what was called, for which key, where, and why not.
 */
#ifndef EVS_SCRIPTS_ENGINE_EXPLAIN_H
#define EVS_SCRIPTS_ENGINE_EXPLAIN_H

#include <evalshard/base.h>

/* What a call is about. Anything may be missing (NULL or empty). */
typedef struct evs__subject {
    const char *script; /* NULL for a plain command */
    evs_bytes key;      /* the first one */
    const char *shard;
} evs__subject;

/* Fills `err`: "script X, key \"k\", shard S: " and the formatted rest. Returns `status`. */
evs_status evs__explain(evs_error *err, const evs__subject *subject, evs_status status,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Puts the subject in front of an error that something below has filled; keeps its status. */
evs_status evs__explain_below(evs_error *err, const evs__subject *subject);

/* The line in "... script: <sha>, on @user_script:12." and in "user_script:12: ..."; 0 when there
 * is none. */
int evs__line_in(evs_bytes text);

#endif
