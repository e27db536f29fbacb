/*
 * tally.h - counters of one script on one lane.
 *
 * A lane has tallies only for scripts that were called on it. They are found by the script's id in
 * a table of open addressing: ids have no gaps, so they are their own hash.
 */
#ifndef EVS_SCRIPTS_TALLY_H
#define EVS_SCRIPTS_TALLY_H

#include "scripts/script.h"
#include <evalshard/stats.h>

typedef enum evs__mishap {
    EVS__MISHAP_HEAL,
    EVS__MISHAP_RESEND,
    EVS__MISHAP_RETRY,
    EVS__MISHAP_REDIRECT,
    EVS__MISHAPS
} evs__mishap;

/* What most scripts on most shards never have. */
typedef struct evs__trouble {
    uint64_t mishaps[EVS__MISHAPS];
    size_t nerrors;
    evs_status_count errors[]; /* few */
} evs__trouble;

/* Small: there may be a million, one per script and shard. */
typedef struct evs__tally {
    const evs_script *script; /* NULL for plain commands */
    uint64_t calls;
    uint64_t bytes;
    evs__trouble *trouble; /* NULL while there was none; ours */
    uint32_t in_flight;
    uint32_t order; /* among the lane's tallies */
} evs__tally;

/* Those of one shard. Lanes that are one after the other that shard's share them. */
typedef struct evs__tallies {
    evs__tally **slots; /* ours; a power of two, or none */
    size_t nslots;
    size_t count;
    unsigned holders; /* lanes */
} evs__tallies;

/* With one holder; NULL when out of memory. */
evs__tallies *evs__tallies_new(void);

/* Drops a holder; the last one frees. Accepts NULL. */
void evs__tallies_free(evs__tallies *tallies);

evs__tally *evs__tally_add(evs__tallies *tallies, const evs_script *script);

/* Count a failure, and what is no failure yet. When memory runs out they go uncounted. */
void evs__tally_error(evs__tally *tally, evs_status status);
void evs__tally_mishap(evs__tally *tally, evs__mishap what);

/* Where a script is looked for first. */
static inline size_t evs__tally_key(const evs_script *script)
{
    return script == NULL ? 0 : script->id + 1;
}

/* The tally of a script, NULL for plain commands; made when it is missing. NULL when out of memory.
 */
static inline evs__tally *evs__tally_of(evs__tallies *tallies, const evs_script *script)
{
    for (size_t i = evs__tally_key(script); tallies->nslots > 0;
         i++) { /* ends: a quarter of the slots is empty */
        evs__tally *tally = tallies->slots[i & (tallies->nslots - 1)];
        if (tally == NULL)
            break;
        if (tally->script == script)
            return tally;
    }
    return evs__tally_add(tallies, script);
}

#endif
