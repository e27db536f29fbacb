/*
 * ballots.h - the answers of a group of sentinels about one primary, which keeps them (primary.h).
 */
#ifndef EVS_SCRIPTS_ENGINE_BALLOTS_H
#define EVS_SCRIPTS_ENGINE_BALLOTS_H

#include "scripts/engine/primary.h"

/* Another try, perhaps elsewhere, may work where the server is not there or not the primary. */
static inline int evs__may_work_elsewhere(evs_status status)
{
    return evs__conn_may_mend(status) || status == EVS_E_READONLY;
}

/* Forgets what was answered; makes room for answers when the round is about this primary. 0 when
 * there is none. */
int evs__ballots_begin(evs__primary *primary);

void evs__ballots_free(evs__primary *primary);

/* The number of the sentinel whose word counts; -1: none does. `works`: there is a connection to
 * the primary that is known. */
int evs__ballots_elect(const evs__primary *primary, int works);

/* Asking again helps nobody: no sentinel will say anything else. */
int evs__ballots_are_final(const evs__primary *primary);

/* Why nobody was elected: what each sentinel said. */
void evs__ballots_explain(evs_error *err, const evs__primary *primary);

#endif
