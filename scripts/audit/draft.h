/*
 * draft.h - a value while it is being put together, on the stack.
 *
 * A draft has room for the atoms of a concatenation of all with all. Freezing it makes a value:
 * when it holds more atoms than a value can, they are made general enough to fit.
 */
#ifndef EVS_SCRIPTS_AUDIT_DRAFT_H
#define EVS_SCRIPTS_AUDIT_DRAFT_H

#include "scripts/audit/value.h"

enum { EVS__DRAFT_ATOMS = EVS__ATOMS_MAX * EVS__ATOMS_MAX + EVS__ATOMS_MAX };

typedef struct evs__draft {
    unsigned types;
    unsigned guarded;
    unsigned missing;
    evs__range range; /* none: it was not said, and means any */
    size_t natoms, ncalls, ntables;
    const evs__atom *atoms[EVS__DRAFT_ATOMS];
    const evs__callable *calls[EVS__CALLS_MAX];
    size_t tables[EVS__TABLES_MAX];
} evs__draft;

/* What takes the place of an atom when memory ran out. */
extern const evs__atom evs__lost_atom;

/* Starts from `value`, or from nothing when it is NULL. */
void evs__draft_begin(evs__pool *pool, evs__draft *d, const evs__value *value);

/* These return 1 when something was new. */
int evs__draft_add(evs__pool *pool, evs__draft *d, const evs__value *value);
int evs__draft_atom(evs__draft *d, const evs__atom *atom);
int evs__draft_callable(evs__pool *pool, evs__draft *d, const evs__callable *callable);
int evs__draft_table(evs__pool *pool, evs__draft *d, size_t slot);

/* What its atoms, its functions and its tables can be; nil and booleans need none. */
unsigned evs__draft_carried(const evs__draft *d);

/* It may be anything, for this reason. */
int evs__draft_lose(evs__pool *pool, evs__draft *d, const char *reason);

/* Leaves at most one atom of a kind, and no constants. */
void evs__draft_squeeze(evs__pool *pool, evs__draft *d);

/* Would a draft that begins with `a` learn nothing from `b`? */
int evs__value_covers(const evs__value *a, const evs__value *b);

const evs__value *evs__draft_freeze(evs__pool *pool, evs__draft *d);

#endif
