#include "scripts/audit/suppress.h"

#include "scripts/audit/profile.h"

#include <stdlib.h>
#include <string.h>

/* ---- by comments ---- */

/* What says that the script is none cannot be waved through; nor can what late rules say. */
static int is_final(const evs_finding *finding)
{
    return strcmp(finding->code, "ES001") == 0;
}

static int covers(evs__ignore *ignore, const evs_finding *finding)
{
    if (finding->at.line < ignore->first_line || finding->at.line > ignore->last_line)
        return 0;
    if (ignore->nrules == 0) {
        ignore->used = 1;
        return 1;
    }
    int found = 0;
    for (size_t i = 0; i < ignore->nrules; i++) {
        if (strcmp(ignore->rules[i].rule->code, finding->code) != 0)
            continue;
        ignore->rules[i].used = 1;
        found = 1;
    }
    return found;
}

static void accept_in_source(evs_finding *finding, evs__ignore *ignore)
{
    if (!covers(ignore, finding))
        return;
    finding->suppressed = EVS_SUPPRESSED_IN_SOURCE;
    finding->reason = ignore->reason;
}

static int is_wide(const evs__ignore *ignore)
{
    return ignore->first_line != ignore->last_line;
}

static int by_line(const void *a, const void *b)
{
    const evs__ignore *x = *(evs__ignore *const *)a, *y = *(evs__ignore *const *)b;
    if (x->first_line != y->first_line)
        return x->first_line < y->first_line ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* The first that is not before `line`. */
static size_t first_at(evs__ignore *const *sorted, size_t count, int line)
{
    size_t low = 0;
    while (count > 0) {
        size_t half = count / 2;
        if (sorted[low + half]->first_line < line) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

/* Comments about one line are found by it, those about more are tried one by one. */
void evs__suppress_in_source(evs__directives *directives, evs__findings *findings)
{
    size_t narrow = 0, all = directives->nignores;
    evs__ignore **sorted = evs__pool_alloc(findings->pool, all, sizeof *sorted);
    if (sorted == NULL || all == 0)
        return;
    size_t wide = all;
    for (size_t i = all; i > 0; i--)
        if (is_wide(&directives->ignores[i - 1]))
            sorted[--wide] = &directives->ignores[i - 1];
    for (size_t i = 0; i < all; i++)
        if (!is_wide(&directives->ignores[i]))
            sorted[narrow++] = &directives->ignores[i];
    qsort(sorted, narrow, sizeof *sorted, by_line);
    for (size_t i = 0; i < findings->count; i++) {
        evs_finding *finding = &findings->items[i];
        if (is_final(finding))
            continue;
        for (size_t k = wide; k < all; k++)
            accept_in_source(finding, sorted[k]);
        size_t k = first_at(sorted, narrow, finding->at.line);
        for (; k < narrow && sorted[k]->first_line == finding->at.line; k++)
            accept_in_source(finding, sorted[k]);
    }
}

/* ---- by a baseline ---- */

static int is_open(const evs_finding *finding, const evs_known *known)
{
    return finding->suppressed == EVS_SUPPRESSED_NOT && !is_final(finding) &&
           strcmp(finding->code, known->code) == 0;
}

static void accept(evs_finding *finding, size_t *left)
{
    finding->suppressed = EVS_SUPPRESSED_BASELINE;
    finding->reason = "in the baseline";
    --*left;
}

static int has_print(const evs_known *known, const char *print)
{
    for (size_t i = 0; i < known->nfingerprints; i++)
        if (strcmp(known->fingerprints[i], print) == 0)
            return 1;
    return 0;
}

/* First those whose line did not change, then, up to the number, those that were edited. */
static size_t accept_known(evs__findings *findings, const evs_known *known)
{
    size_t left = known->count;
    for (size_t i = 0; i < findings->count && left > 0; i++) {
        evs_finding *finding = &findings->items[i];
        if (is_open(finding, known) && has_print(known, finding->fingerprint))
            accept(finding, &left);
    }
    for (size_t i = 0; i < findings->count && left > 0; i++)
        if (is_open(&findings->items[i], known))
            accept(&findings->items[i], &left);
    return left;
}

int evs__suppress_known(evs__directives *directives, evs__findings *findings,
                        const evs_audit_options *o)
{
    directives->stale_path = o->known_path;
    for (size_t i = 0; i < o->nknown; i++) {
        const evs_known *known = &o->known[i];
        evs_span at = {known->line, 1, known->line, 1};
        size_t left = accept_known(findings, known);
        if (left > 0 && o->known_path != NULL &&
            !evs__remark_add(&directives->stale, findings->pool, at,
                             "the baseline has %zu %s of %s here that %s not there any more", left,
                             left == 1 ? "finding" : "findings", known->code,
                             left == 1 ? "is" : "are"))
            return 0;
    }
    return 1;
}
