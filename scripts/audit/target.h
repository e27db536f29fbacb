/*
 * target.h - the servers that a script has to run on.
 *
 * Redis and Valkey share their past up to 7.2; what came later came to each in a version of its
 * own, or never. Whatever a rule asks, it asks about every server of the target: a command is
 * missing when one of them is too old for it.
 */
#ifndef EVS_SCRIPTS_AUDIT_TARGET_H
#define EVS_SCRIPTS_AUDIT_TARGET_H

#include "core/version.h"

#include <evalshard/base.h>

enum { EVS__TARGETS_MAX = 8 };

/* The versions from `min` to `max` of one server. */
typedef struct evs__target {
    int is_valkey;
    int min, max;
} evs__target;

typedef struct evs__targets {
    evs__target items[EVS__TARGETS_MAX];
    size_t count;
} evs__targets;

/* Reads "redis:6.2..7.4,valkey:8.0". Fails with EVS_E_INVALID. */
evs_status evs__targets_read(evs__targets *out, const char *text, evs_error *err);

/* A target with a server older than that; NULL when there is none. */
const evs__target *evs__target_before(const evs__targets *targets, evs__since since);

/* A target with a server of that version or a newer one; NULL when there is none. */
const evs__target *evs__target_from(const evs__targets *targets, evs__since since);

/* "Redis" or "Valkey". */
const char *evs__target_name(const evs__target *target);

#endif
