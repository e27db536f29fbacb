/*
 * unfit.h - what an answer says of the connection that it came on: the server is a replica now, or
 * does not take us for logged in. Every further call there would be told the same.
 */
#ifndef EVS_SCRIPTS_ENGINE_UNFIT_H
#define EVS_SCRIPTS_ENGINE_UNFIT_H

#include "scripts/engine/decide.h"
#include "scripts/engine/lane.h"

/* Gives the lane's connection up when the answer says so. Where that does not prove that the call
 * did not run, the word may be a script's own: then a connection that is very young is left alone,
 * and of a shard that sentinels watch they are asked. */
void evs__unfit_note(evs__lane *lane, const evs__decision *decision);

#endif
