/*
 * refusal.h - why a server would not take a script, as its answer to SCRIPT LOAD says.
 */
#ifndef EVS_SCRIPTS_ENGINE_REFUSAL_H
#define EVS_SCRIPTS_ENGINE_REFUSAL_H

#include "scripts/engine/explain.h"
#include "scripts/script.h"

typedef struct evs__refusal {
    struct evs__refusal *next;
    size_t script; /* its id */
    evs_status status;
    char *text; /* the server's words; ours */
} evs__refusal;

/* What an error reply to SCRIPT LOAD means: COMPILE, a state of the shard, or NO_SCRIPT. */
evs_status evs__refusal_status(evs_bytes text);

/* Lists of them, at most one for each script; an empty one is NULL. */

/* NULL when there is none. */
const evs__refusal *evs__refusal_find(const evs__refusal *list, const evs_script *script);

/* In place of an older one, which stays when there is no memory. */
void evs__refusal_keep(evs__refusal **list, const evs_script *script, evs_bytes text);

/* One that is not there is fine, too. */
void evs__refusal_drop(evs__refusal **list, const evs_script *script);
void evs__refusals_free(evs__refusal **list);

/* Fills `err` with why the server does not run the script: the refusal, or NO_SCRIPT without one.
 */
evs_status evs__explain_refusal(evs_error *err, const evs__subject *subject,
                                const evs__refusal *refusal);

#endif
