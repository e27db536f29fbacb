#include "scripts/tally.h"

#include "core/mem.h"

enum { FIRST_SLOTS = 4 };

static void insert(evs__tally **slots, size_t nslots, evs__tally *tally)
{
    size_t i = tally->key;
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
    tally->key = script == NULL ? 0 : script->id + 1;
    tally->script = script;
    tally->order = tallies->count++;
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
            evs__free(tallies->slots[i]->errors);
        evs__free(tallies->slots[i]);
    }
    evs__free(tallies->slots);
    evs__free(tallies);
}

void evs__tally_error(evs__tally *tally, evs_status status)
{
    for (size_t i = 0; i < tally->nerrors; i++) {
        if (tally->errors[i].status != status)
            continue;
        tally->errors[i].count++;
        return;
    }
    evs_status_count *errors = evs__realloc_array(tally->errors, tally->nerrors + 1,
                                                  sizeof *errors);
    if (errors == NULL)
        return;
    tally->errors = errors;
    errors[tally->nerrors++] = (evs_status_count){status, 1};
}
