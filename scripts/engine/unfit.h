/*
 * unfit.h - what an answer says of the connection that it came on: the server is a replica now, or
 * does not take us for logged in. Every further call there would be told the same.
 */
#ifndef EVS_SCRIPTS_ENGINE_UNFIT_H
#define EVS_SCRIPTS_ENGINE_UNFIT_H

#include "scripts/engine/decide.h"
#include "scripts/engine/lane.h"

/* Gives the lane's connection up when the answer says so. Where the call is not asked again, the
 * word may be a script's own, so a connection that is very young is left alone then. */
void evs__unfit_note(evs__lane *lane, const evs__decision *decision);

#endif
