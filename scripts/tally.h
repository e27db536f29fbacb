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

typedef struct evs__tally {
    size_t key;               /* the script's id and 1; 0 for plain commands */
    const evs_script *script; /* NULL for plain commands */
    uint64_t calls;
    uint64_t in_flight;
    uint64_t bytes;
    uint64_t heals;
    uint64_t resends;
    uint64_t retries;
    uint64_t redirects;
    evs_status_count *errors; /* ours; few */
    size_t nerrors;
    size_t order; /* among the lane's tallies */
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

/* Counts a failure. When memory runs out the status goes uncounted. */
void evs__tally_error(evs__tally *tally, evs_status status);

/* The tally of a script, NULL for plain commands; made when it is missing. NULL when out of memory.
 */
static inline evs__tally *evs__tally_of(evs__tallies *tallies, const evs_script *script)
{
    size_t key = script == NULL ? 0 : script->id + 1;
    for (size_t i = key; tallies->nslots > 0; i++) { /* ends: a quarter of the slots is empty */
        evs__tally *tally = tallies->slots[i & (tallies->nslots - 1)];
        if (tally == NULL)
            break;
        if (tally->key == key)
            return tally;
    }
    return evs__tally_add(tallies, script);
}

#endif
