/*
 * api.h - what of the sandbox came and went with the versions of the servers.
 */
#ifndef EVS_SCRIPTS_AUDIT_API_H
#define EVS_SCRIPTS_AUDIT_API_H

#include "scripts/audit/target.h"

typedef struct evs__api {
    const char *table; /* "" for a global */
    const char *name;
    evs__since from;
    evs__since until; /* the first version without it */
} evs__api;

/* NULL when it always was there, or never heard of. Static. */
const evs__api *evs__api_find(evs_bytes table, evs_bytes name);

/* Does no server have it any more, or did none ever? */
int evs__api_is_gone(const evs__api *api);

/* A server of the targets without it, because it is too old, or too new. */
const evs__target *evs__api_missing(const evs__api *api, const evs__targets *targets);

#endif
