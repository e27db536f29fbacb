/*
 * tally.h - counters of scripts on one lane.
 *
 * There may be a million, one per script and shard, so a script has two small numbers, eight
 * scripts to a page, in order of their ids. A page is there from the first call on that ended; the
 * first page always is. What rarely happens, and how often a small number went round, is beside
 * them.
 */
#ifndef EVS_SCRIPTS_ENGINE_TALLY_H
#define EVS_SCRIPTS_ENGINE_TALLY_H

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
    uint64_t calls, bytes; /* to be added to the small numbers */
    size_t nerrors;
    evs_status_count errors[]; /* few */
} evs__trouble;

typedef struct evs__tally {
    uint32_t calls;
    uint32_t bytes;
} evs__tally;

enum { EVS__TALLY_PAGE = 8 };

typedef struct evs__tally_page {
    evs__tally tallies[EVS__TALLY_PAGE];
    evs__trouble **troubles; /* as many; NULL while there was none; ours */
} evs__tally_page;

/* Those of one shard. Lanes that are one after the other that shard's share them. */
typedef struct evs__tallies {
    evs__tally_page first;
    evs__tally_page **more; /* those behind, or NULL; ours */
    uint32_t nmore;
    unsigned holders; /* lanes */
    uint32_t *flying; /* calls in flight by place, while somebody counts them (stats.c); ours */
    uint32_t nflying;
} evs__tallies;

/* With one holder; NULL when out of memory. */
evs__tallies *evs__tallies_new(void);

/* Drops a holder; the last one frees. Accepts NULL. */
void evs__tallies_free(evs__tallies *tallies);

/* Where a script's numbers are; NULL stands for plain commands. */
static inline size_t evs__tally_place(const evs_script *script)
{
    return script == NULL ? 0 : script->id + 1;
}

/* Bytes of a request that was sent. When memory runs out, for a page or for what is beside it,
 * things go uncounted: here and below. */
void evs__tally_bytes(evs__tallies *tallies, const evs_script *script, uint64_t bytes);

void evs__tally_any_call(evs__tallies *tallies, size_t place, uint64_t bytes);

/* A call that ended, and the bytes of its last request. Nearly always its numbers are on the first
 * page and do not go round. */
static inline void evs__tally_call(evs__tallies *tallies, const evs_script *script, uint64_t bytes)
{
    size_t place = evs__tally_place(script);
    if (place < EVS__TALLY_PAGE) {
        evs__tally *tally = &tallies->first.tallies[place];
        uint32_t calls = tally->calls + 1;
        uint64_t sum = tally->bytes + bytes;
        if (__builtin_expect(calls != 0 && sum <= UINT32_MAX, 1)) {
            *tally = (evs__tally){calls, (uint32_t)sum};
            return;
        }
    }
    evs__tally_any_call(tallies, place, bytes);
}

/* A failure, and what is no failure yet. */
void evs__tally_error(evs__tallies *tallies, const evs_script *script, evs_status status);
void evs__tally_mishap(evs__tallies *tallies, const evs_script *script, evs__mishap what);

/* What was counted at a place. */
typedef struct evs__tally_sum {
    uint64_t calls, bytes, flying;
    const evs__trouble *trouble; /* NULL when there is none; borrowed */
} evs__tally_sum;

/* Places are 0 .. evs__tally_places - 1. 0 when nothing ever happened there. */
size_t evs__tally_places(const evs__tallies *tallies);
int evs__tally_at(evs__tally_sum *out, const evs__tallies *tallies, size_t place);

/* One call in flight more, until evs__tally_land; `nplaces` is more than any place. 0 when out of
 * memory. */
int evs__tally_fly(evs__tallies *tallies, const evs_script *script, uint32_t nplaces);
void evs__tally_land(evs__tallies *tallies);

#endif
