/*
 * script.h - a loaded script, as the engine sees it.
 *
 * A script never changes once loaded and stays where it is until its registry is freed.
 */
#ifndef EVS_SCRIPTS_SCRIPT_H
#define EVS_SCRIPTS_SCRIPT_H

#include "core/arena.h"
#include "scripts/audit/contract.h"
#include "scripts/render.h"

#include <evalshard/script.h>

/* What every call asks, worked out once when the script joins its registry. */
typedef struct evs__script_use {
    const evs_registry *registry; /* that the script is in */
    size_t min_keys, max_keys, min_args, max_args;
    int denied;  /* the audit policy deny refuses it */
    int one_key; /* takes one, and nothing refuses it */
    int reads;   /* says that it only reads, and can be run by EVALSHA_RO */
    evs__head head;
} evs__script_use;

struct evs_script {
    size_t id; /* its place in its registry: 0, 1, 2, ... without gaps */
    evs__script_use use;
    const char *name;
    const char *origin; /* what messages call it: "script NAME", or the path of its file */
    const char *sha1;   /* of the report */
    evs_bytes source;   /* the copy of the report */
    evs_retry retry;
    int may_write;         /* 0: surely not */
    int may_return_errors; /* 0: no error reply of this text can be a value it returned */
    evs__contract contract;
    const char *allow_unproven; /* why unproven keys are fine; NULL when they are not */
    evs_report *report;         /* ours */
    evs__arena arena;           /* ours: the texts */
};

/* A script that is about to be loaded. All borrowed. */
typedef struct evs__script_text {
    const char *name;
    const char *path; /* of its file; NULL when it comes from memory */
    evs_bytes source;
    const char *allow_unproven; /* NULL or "" when unproven keys are not fine */
} evs__script_text;

/* Reads the header block and audits. `*out` is yours; its id is 0.
 * Fails with EVS_E_INVALID (header block), EVS_E_COMPILE, EVS_E_NOMEM. */
evs_status evs__script_new(evs_script **out, const evs__script_text *text, evs_error *err);

void evs__script_free(evs_script *script);

/* Fills `use` of a script that joins `registry`. */
void evs__script_join(evs_script *script, const evs_registry *registry);

/* Whether `policy` lets the script run. Fails with EVS_E_AUDIT; the message names the script, its
 * verdict and the finding. */
evs_status evs__script_allowed(const evs_script *script, evs_audit_policy policy, evs_error *err);

/* 1 when evs_script_check_arity would be fine. */
static inline int evs__script_takes(const evs_script *script, size_t nkeys, size_t nargs)
{
    const evs__script_use *use = &script->use;
    return nkeys >= use->min_keys && nkeys <= use->max_keys && nargs >= use->min_args &&
           nargs <= use->max_args;
}

#endif
