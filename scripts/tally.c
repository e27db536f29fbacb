#include "scripts/tally.h"

#include "core/mem.h"

enum { FIRST_SLOTS = 4 };

static void insert(evs__tally **slots, size_t nslots, evs__tally *tally)
{
    size_t i = evs__tally_key(tally->script);
    while (slots[i & (nslots - 1)] != NULL)
        i++;
    slots[i & (nslots - 1)] = tally;
}

static int grow(evs__tallies *tallies)
{
    if (tallies->count < tallies->nslots / 4 * 3)
        return 1;
    size_t nslots = tallies->nslots == 0 ? FIRST_SLOTS : 2 * tallies->nslots;
    evs__tally **slots = evs__zalloc_array(nslots, sizeof *slots);
    if (slots == NULL)
        return 0;
    for (size_t i = 0; i < tallies->nslots; i++)
        if (tallies->slots[i] != NULL)
            insert(slots, nslots, tallies->slots[i]);
    evs__free(tallies->slots);
    tallies->slots = slots;
    tallies->nslots = nslots;
    return 1;
}

evs__tally *evs__tally_add(evs__tallies *tallies, const evs_script *script)
{
    if (!grow(tallies))
        return NULL;
    evs__tally *tally = evs__zalloc_array(1, sizeof *tally);
    if (tally == NULL)
        return NULL;
    tally->script = script;
    tally->order = (uint32_t)tallies->count++;
    insert(tallies->slots, tallies->nslots, tally);
    return tally;
}

evs__tallies *evs__tallies_new(void)
{
    evs__tallies *tallies = evs__zalloc_array(1, sizeof *tallies);
    if (tallies != NULL)
        tallies->holders = 1;
    return tallies;
}

void evs__tallies_free(evs__tallies *tallies)
{
    if (tallies == NULL || --tallies->holders > 0)
        return;
    for (size_t i = 0; i < tallies->nslots; i++) {
        if (tallies->slots[i] != NULL)
            evs__free(tallies->slots[i]->trouble);
        evs__free(tallies->slots[i]);
    }
    evs__free(tallies->slots);
    evs__free(tallies);
}

/* Room for `nerrors` statuses; NULL when out of memory. */
static evs__trouble *trouble_of(evs__tally *tally, size_t nerrors)
{
    evs__trouble *trouble = tally->trouble;
    size_t size = sizeof *trouble + nerrors * sizeof trouble->errors[0];
    if (trouble != NULL && trouble->nerrors >= nerrors)
        return trouble;
    trouble = evs__realloc_array(trouble, size, 1);
    if (trouble == NULL)
        return NULL;
    if (tally->trouble == NULL)
        memset(trouble, 0, sizeof *trouble);
    tally->trouble = trouble;
    return trouble;
}

void evs__tally_error(evs__tally *tally, evs_status status)
{
    size_t nerrors = tally->trouble == NULL ? 0 : tally->trouble->nerrors;
    for (size_t i = 0; i < nerrors; i++) {
        if (tally->trouble->errors[i].status != status)
            continue;
        tally->trouble->errors[i].count++;
        return;
    }
    evs__trouble *trouble = trouble_of(tally, nerrors + 1);
    if (trouble != NULL)
        trouble->errors[trouble->nerrors++] = (evs_status_count){status, 1};
}

void evs__tally_mishap(evs__tally *tally, evs__mishap what)
{
    evs__trouble *trouble = trouble_of(tally, 0);
    if (trouble != NULL)
        trouble->mishaps[what]++;
}
