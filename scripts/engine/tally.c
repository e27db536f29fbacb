#include "scripts/engine/tally.h"

#include "core/mem.h"

/* ---- pages ---- */

evs__tallies *evs__tallies_new(void)
{
    evs__tallies *tallies = evs__zalloc_array(1, sizeof *tallies);
    if (tallies != NULL)
        tallies->holders = 1;
    return tallies;
}

static void clear(evs__tally_page *page)
{
    for (size_t i = 0; page->troubles != NULL && i < EVS__TALLY_PAGE; i++)
        evs__free(page->troubles[i]);
    evs__free(page->troubles);
}

void evs__tallies_free(evs__tallies *tallies)
{
    if (tallies == NULL || --tallies->holders > 0)
        return;
    clear(&tallies->first);
    for (size_t i = 0; i < tallies->nmore; i++) {
        if (tallies->more[i] != NULL)
            clear(tallies->more[i]);
        evs__free(tallies->more[i]);
    }
    evs__free(tallies->more);
    evs__free(tallies->flying);
    evs__free(tallies);
}

/* The page of a place; NULL when it is not there. */
static const evs__tally_page *find_page(const evs__tallies *tallies, size_t place)
{
    size_t number = place / EVS__TALLY_PAGE;
    if (number == 0)
        return &tallies->first;
    return number <= tallies->nmore ? tallies->more[number - 1] : NULL;
}

/* Room for pages up to `number`, a few more at a time. 0 when out of memory. */
static int grow(evs__tallies *tallies, size_t number)
{
    if (number <= tallies->nmore)
        return 1;
    size_t count = number + number / 8;
    evs__tally_page **more = evs__realloc_array(tallies->more, count, sizeof(evs__tally_page *));
    if (more == NULL)
        return 0;
    for (size_t i = tallies->nmore; i < count; i++)
        more[i] = NULL;
    tallies->more = more;
    tallies->nmore = (uint32_t)count;
    return 1;
}

/* The same, made when it is missing. NULL when out of memory. */
static evs__tally_page *page_of(evs__tallies *tallies, size_t place)
{
    size_t number = place / EVS__TALLY_PAGE;
    if (number == 0)
        return &tallies->first;
    if (!grow(tallies, number))
        return NULL;
    evs__tally_page **page = &tallies->more[number - 1];
    if (*page == NULL)
        *page = evs__zalloc_array(1, sizeof **page);
    return *page;
}

/* ---- what is beside ---- */

/* With room for `nerrors` statuses; NULL when out of memory. */
static evs__trouble *enlarge(evs__trouble *trouble, size_t nerrors)
{
    size_t size = sizeof *trouble + nerrors * sizeof trouble->errors[0];
    evs__trouble *larger = evs__realloc_array(trouble, size, 1);
    if (larger != NULL && trouble == NULL)
        memset(larger, 0, sizeof *larger);
    return larger;
}

/* The same of a place. */
static evs__trouble *trouble_at(evs__tallies *tallies, size_t place, size_t nerrors)
{
    evs__tally_page *page = page_of(tallies, place);
    if (page == NULL)
        return NULL;
    if (page->troubles == NULL)
        page->troubles = evs__zalloc_array(EVS__TALLY_PAGE, sizeof(evs__trouble *));
    if (page->troubles == NULL)
        return NULL;
    evs__trouble **at = &page->troubles[place % EVS__TALLY_PAGE];
    if (*at != NULL && (*at)->nerrors >= nerrors)
        return *at;
    evs__trouble *larger = enlarge(*at, nerrors);
    if (larger != NULL)
        *at = larger;
    return larger;
}

void evs__tally_error(evs__tallies *tallies, const evs_script *script, evs_status status)
{
    size_t place = evs__tally_place(script), count = 0;
    evs__trouble *trouble = trouble_at(tallies, place, 0);
    for (; trouble != NULL && count < trouble->nerrors; count++) {
        if (trouble->errors[count].status != status)
            continue;
        trouble->errors[count].count++;
        return;
    }
    trouble = trouble_at(tallies, place, count + 1);
    if (trouble != NULL)
        trouble->errors[trouble->nerrors++] = (evs_status_count){status, 1};
}

void evs__tally_mishap(evs__tallies *tallies, const evs_script *script, evs__mishap what)
{
    evs__trouble *trouble = trouble_at(tallies, evs__tally_place(script), 0);
    if (trouble != NULL)
        trouble->mishaps[what]++;
}

/* ---- calls and bytes ---- */

static void carry(evs__tallies *tallies, size_t place, int calls, int bytes)
{
    const uint64_t round = (uint64_t)1 << 32;
    evs__trouble *trouble = trouble_at(tallies, place, 0);
    if (trouble == NULL)
        return;
    trouble->calls += calls ? round : 0;
    trouble->bytes += bytes ? round : 0;
}

static void add(evs__tallies *tallies, size_t place, uint32_t calls, uint64_t bytes)
{
    evs__tally_page *page = page_of(tallies, place);
    if (page == NULL)
        return;
    evs__tally *tally = &page->tallies[place % EVS__TALLY_PAGE];
    int calls_over = __builtin_add_overflow(tally->calls, calls, &tally->calls);
    int bytes_over = __builtin_add_overflow(tally->bytes, (uint32_t)bytes, &tally->bytes);
    if (calls_over || bytes_over)
        carry(tallies, place, calls_over, bytes_over);
    for (uint64_t left = bytes >> 32; left > 0; left--) /* a request of some gigabytes */
        carry(tallies, place, 0, 1);
}

void evs__tally_any_call(evs__tallies *tallies, size_t place, uint64_t bytes)
{
    add(tallies, place, 1, bytes);
}

void evs__tally_bytes(evs__tallies *tallies, const evs_script *script, uint64_t bytes)
{
    add(tallies, evs__tally_place(script), 0, bytes);
}

/* ---- looking ---- */

size_t evs__tally_places(const evs__tallies *tallies)
{
    size_t places = (1 + (size_t)tallies->nmore) * EVS__TALLY_PAGE;
    return places > tallies->nflying ? places : tallies->nflying;
}

int evs__tally_at(evs__tally_sum *out, const evs__tallies *tallies, size_t place)
{
    const evs__tally_page *page = find_page(tallies, place);
    *out = (evs__tally_sum){0};
    if (page != NULL) {
        const evs__tally *tally = &page->tallies[place % EVS__TALLY_PAGE];
        if (page->troubles != NULL)
            out->trouble = page->troubles[place % EVS__TALLY_PAGE];
        out->calls = tally->calls + (out->trouble == NULL ? 0 : out->trouble->calls);
        out->bytes = tally->bytes + (out->trouble == NULL ? 0 : out->trouble->bytes);
    }
    out->flying = place < tallies->nflying ? tallies->flying[place] : 0;
    return out->calls > 0 || out->bytes > 0 || out->flying > 0 || out->trouble != NULL;
}

int evs__tally_fly(evs__tallies *tallies, const evs_script *script, uint32_t nplaces)
{
    if (tallies->flying == NULL) {
        tallies->flying = evs__zalloc_array(nplaces, sizeof *tallies->flying);
        tallies->nflying = tallies->flying == NULL ? 0 : nplaces;
    }
    size_t place = evs__tally_place(script);
    if (place >= tallies->nflying)
        return 0;
    tallies->flying[place]++;
    return 1;
}

void evs__tally_land(evs__tallies *tallies)
{
    evs__free(tallies->flying);
    tallies->flying = NULL;
    tallies->nflying = 0;
}
