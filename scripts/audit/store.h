/*
 * store.h - the state of a script at one point: a value for every variable, contents for every
 * table.
 *
 * Both live in numbered slots. A slot is written in place and the old content goes to a journal, so
 * that a branch costs what it writes and not what there is:
 *
 *     mark = evs__store_mark     then-branch runs, evs__store_diff is what it changed
 *     evs__store_undo(mark)      else-branch runs
 *     evs__store_merge           both are joined
 *
 * A slot may stand for several concrete variables or tables at once (a captured local of a loop's
 * body, a table made in a loop). Writes to such a slot add to it and never replace: whoever writes
 * asks evs__store_is_many. That property only ever grows.
 */
#ifndef EVS_SCRIPTS_AUDIT_STORE_H
#define EVS_SCRIPTS_AUDIT_STORE_H

#include "scripts/audit/object.h"

/* What is in a slot: a variable's value, or a table's contents. NULL: nothing yet. */
typedef struct evs__cell {
    const evs__value *value;
    const evs__object *object;
} evs__cell;

typedef struct evs__change {
    size_t slot;
    evs__cell before;
    evs__cell after;
} evs__change;

/* What changed since a mark; `dead` when that point is never reached. All zero is such a dead one
 * only if `dead` is set. The memory is the pool's. */
typedef struct evs__changes {
    evs__change *items;
    size_t count;
    int dead;
} evs__changes;

typedef struct evs__store {
    evs__pool *pool;
    evs__cell *cells;     /* ours */
    unsigned char *many;  /* ours; per slot */
    unsigned char *known; /* ours; per slot: was ever made */
    size_t *seen;         /* ours; per slot: the diff that met it last */
    size_t nslots, cap;
    evs__change *journal; /* ours */
    size_t njournal, journal_cap;
    size_t diffs;
    size_t work;          /* entries looked at by diffs and joins */
    size_t promotions;    /* how many slots became many: a loop that saw one goes round again */
    evs__changes *writes; /* NULL, or collects every write (inside pcall); the pool's memory */
    size_t writes_cap;
} evs__store;

void evs__store_init(evs__store *store, evs__pool *pool);
void evs__store_free(evs__store *store);

/* The first of `count` new slots. */
size_t evs__store_slots(evs__store *store, size_t count);

const evs__value *evs__store_value(const evs__store *store, size_t slot);
const evs__object *evs__store_object(const evs__store *store, size_t slot);
void evs__store_set(evs__store *store, size_t slot, const evs__value *value);
void evs__store_set_object(evs__store *store, size_t slot, const evs__object *object);

/* Says that a variable or table comes into being in `slot`; the second time makes it many. */
void evs__store_make(evs__store *store, size_t slot);
int evs__store_is_many(const evs__store *store, size_t slot);
void evs__store_promote(evs__store *store, size_t slot);

size_t evs__store_mark(const evs__store *store);
void evs__store_undo(evs__store *store, size_t mark);
evs__changes evs__store_diff(evs__store *store, size_t mark);

/* Redoes `changes` on top of the state in which they were made. */
void evs__store_apply(evs__store *store, const evs__changes *changes);

/* The state becomes the join of itself and of `other`, both told from `mark`. */
void evs__store_merge(evs__store *store, size_t mark, const evs__changes *other);

/* Adds `more` to `into`; both told from the same mark. */
void evs__changes_join(evs__store *store, evs__changes *into, const evs__changes *more);

/* The same, widened, so that it ends; 1 when that changed something. `more` is used up. */
int evs__changes_widen(evs__store *store, evs__changes *into, evs__changes *more);

/* Would evs__changes_widen find nothing new in what changed since `mark`? 0 also when that is not
 * quickly told. */
int evs__changes_cover(evs__store *store, const evs__changes *into, size_t mark);

/* Adds `tail` to the state at the head of a loop; 1 when that changed something. */
int evs__store_grow(evs__store *store, const evs__changes *tail, int widen);

/* While collecting, every write is remembered, also those that are undone. Collections nest: keep
 * what evs__store_collect returns for evs__store_collected, which adds all that was ever written
 * since to the present state. */
typedef struct evs__collection {
    evs__changes writes;
    size_t cap;
    evs__changes *outer;
    size_t outer_cap;
} evs__collection;
void evs__store_collect(evs__store *store, evs__collection *collection);
void evs__store_collected(evs__store *store, evs__collection *collection);

#endif
