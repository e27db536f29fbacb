/*
 * judge.h - is this text a script?
 *
 * It is one when it speaks of Redis (redis.call and its kin, server.call, KEYS, ARGV) and parses as
 * Lua. What does not parse is one all the same, in part, when it came far: the first tokens of
 * prose that mentions redis.call do not make a program. Where code of the host stands and Lua wants
 * a statement, the code becomes the call of a function that nobody knows.
 *
 * A_SCRIPT is one that parses, or that goes as it stands to something that runs scripts.
 */
#ifndef EVS_SCRIPTS_AUDIT_EXTRACT_JUDGE_H
#define EVS_SCRIPTS_AUDIT_EXTRACT_JUDGE_H

#include "scripts/audit/extract/gather.h"

typedef enum evs__judgement { EVS__NO_SCRIPT, EVS__A_SCRIPT, EVS__A_PART } evs__judgement;

/* May change what stands in the holes of `weave`. A_PART also when memory ran out. */
evs__judgement evs__judge(evs__weave *weave, const evs__gathered *gathered);

/* Can there be a script in this at all? A look at the bytes. */
int evs__mentions_redis(evs_bytes text);

#endif
