/*
 * reach.h - calls of redis.call that are never executed.
 */
#ifndef EVS_SCRIPTS_AUDIT_REACH_H
#define EVS_SCRIPTS_AUDIT_REACH_H

#include "scripts/audit/extra.h"
#include "scripts/audit/recorder.h"

/* Notes the key arguments of calls that `followed` did not reach, as far as they can be told from
 * the text alone: redis.call and variables that were set to it once. */
void evs__find_unreached(evs__recorder *out, const evs__recorder *followed, const evs__chunk *chunk,
                         const evs__extra *extra);

#endif
