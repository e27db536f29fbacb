/*
 * question.h - one primary, asked of one sentinel: where it is, since which failover, and who its
 * replicas are, where those are read from.
 *
 * The three commands leave together. When the last answer is there the primary is told, and the
 * round that the question belongs to.
 */
#ifndef EVS_SCRIPTS_ENGINE_QUESTION_H
#define EVS_SCRIPTS_ENGINE_QUESTION_H

#include "scripts/engine/primary.h"

/* Over the connection of `sentinel`, which was prepared. Out of memory, it is not asked. */
void evs__question_ask(evs__sentinel *sentinel, evs__primary *primary);

#endif
