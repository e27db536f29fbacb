/*
 * watch_note.h - notes that are found again by what they are about: two pointers and a letter.
 */
#ifndef EVS_SCRIPTS_AUDIT_INTERP_WATCH_NOTE_H
#define EVS_SCRIPTS_AUDIT_INTERP_WATCH_NOTE_H

#include "scripts/audit/interp/watch.h"

typedef struct evs__subject {
    const void *a, *b;
    size_t tag;
} evs__subject;

/* The note about `subject`; a new zeroed one of `size` when there is none (`*fresh`). NULL when out
 * of memory. */
void *evs__watch_note(evs__watch *watch, const evs__subject *subject, size_t size, int *fresh);

/* Both; `old` may be NULL. */
const evs__value *evs__watch_joined(evs__watch *watch, const evs__value *old,
                                    const evs__value *more);

/* What happened before this point, of the kind that `slot` holds. */
const evs__value *evs__watch_before(const evs__interp *in, size_t slot);

/* Something is raised as an error; it may be a table. */
void evs__watch_raised(evs__interp *in, const evs__value *value, evs__span at);

#endif
