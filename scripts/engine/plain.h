/*
 * plain.h - what a plain command is: whether it may be sent at all, and where to.
 */
#ifndef EVS_SCRIPTS_ENGINE_PLAIN_H
#define EVS_SCRIPTS_ENGINE_PLAIN_H

#include "core/command.h"
#include "sharding/route.h"
#include <evalshard/client.h>

enum { EVS__PLAIN_MOST_KEYS = 64 }; /* of one plain command that is routed by them */

/* The keys of a command, at most EVS__PLAIN_MOST_KEYS. Fails with INVALID (of an unknown command,
 * or too many) and ARITY. */
evs_status evs__plain_keys(evs_bytes *keys, size_t *nkeys, const evs_plain_command *cmd,
                           const evs__command *known, evs_error *err);

/* Fails with INVALID for what changes the state of its connection. */
evs_status evs__plain_check(const evs_plain_command *cmd, evs_error *err);

/* NULL when the command is not known; static. */
const evs__command *evs__plain_find(const evs_plain_command *cmd);

#endif
