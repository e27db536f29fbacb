/*
 * Adding to a draft, and making it fit: an atom that another one covers is left out, and too many
 * atoms become one per kind.
 */
#include "scripts/audit/draft.h"

#include <assert.h>
#include <string.h>

const evs__atom evs__lost_atom = {
    .kind = EVS__ATOM_TOP,
    .text = {"there is too much to follow", sizeof "there is too much to follow" - 1}};

/* The same atom, so general that at most one per kind is left. */
static const evs__atom *generalize(evs__pool *pool, const evs__atom *atom)
{
    evs__atom *copy = evs__pool_room(pool, 1, sizeof *copy);
    if (copy == NULL)
        return &evs__lost_atom;
    *copy = *atom;
    copy->index = 0;
    copy->shape = EVS__SHAPE_OPAQUE;
    if (atom->kind == EVS__ATOM_CONSTANT || atom->kind == EVS__ATOM_NUMBER) {
        copy->kind = EVS__ATOM_DATA;
        copy->sources = atom->kind == EVS__ATOM_NUMBER ? EVS__SOURCE_NUMBER : EVS__SOURCE_CONSTANT;
        copy->text = evs_text(NULL);
    }
    return copy;
}

/* One reply that is either: it keeps the name of the first one. */
static const evs__atom *merge_replies(evs__pool *pool, const evs__atom *a, const evs__atom *b)
{
    evs__atom *copy = evs__pool_room(pool, 1, sizeof *copy);
    if (copy == NULL)
        return &evs__lost_atom;
    *copy = *a;
    copy->forms |= b->forms;
    copy->first |= b->first;
    copy->elements |= b->elements;
    copy->row = a->row == b->row ? a->row : NULL;
    return copy;
}

static const evs__atom *merge(evs__pool *pool, const evs__atom *a, const evs__atom *b)
{
    if (a->kind == EVS__ATOM_REPLY)
        return merge_replies(pool, a, b);
    if (a->kind != EVS__ATOM_DATA || (a->sources | b->sources) == a->sources)
        return a;
    evs__atom *copy = evs__pool_room(pool, 1, sizeof *copy);
    if (copy == NULL)
        return &evs__lost_atom;
    *copy = b->sources > a->sources ? *b : *a;
    copy->sources = a->sources | b->sources;
    return copy;
}

void evs__draft_squeeze(evs__pool *pool, evs__draft *d)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->natoms; i++) {
        const evs__atom *atom = generalize(pool, d->atoms[i]);
        size_t j = 0;
        while (j < kept && d->atoms[j]->kind != atom->kind)
            j++;
        if (j < kept)
            d->atoms[j] = merge(pool, d->atoms[j], atom);
        else
            d->atoms[kept++] = atom;
    }
    d->natoms = kept;
}

/* Does `a` stand for all that `b` stands for? */
static int covers(const evs__atom *a, const evs__atom *b)
{
    if (a->kind == EVS__ATOM_DATA) {
        unsigned sources = b->kind == EVS__ATOM_CONSTANT ? EVS__SOURCE_CONSTANT
                           : b->kind == EVS__ATOM_NUMBER ? EVS__SOURCE_NUMBER
                                                         : 0;
        if (sources != 0)
            return a->sources == sources;
    }
    if (a->kind != b->kind)
        return 0;
    if (a->kind == EVS__ATOM_KEY || a->kind == EVS__ATOM_ARGUMENT)
        return a->index == 0 || a->index == b->index;
    if (a->kind == EVS__ATOM_REPLY)
        return a->enters.start == b->enters.start && (a->forms & b->forms) == b->forms &&
               (a->first & b->first) == b->first && (a->elements & b->elements) == b->elements &&
               (a->row == NULL || a->row == b->row);
    if (a->kind == EVS__ATOM_DERIVED && a->index == 0 && a->shape == EVS__SHAPE_OPAQUE)
        return 1;
    return evs__atom_same(a, b);
}

/* True when it was not there yet. */
int evs__draft_atom(evs__draft *d, const evs__atom *atom)
{
    for (size_t i = 0; i < d->natoms; i++)
        if (covers(d->atoms[i], atom))
            return 0;
    assert(d->natoms < EVS__DRAFT_ATOMS);
    d->atoms[d->natoms++] = atom;
    return 1;
}

unsigned evs__draft_carried(const evs__draft *d)
{
    unsigned types = EVS__TYPE_NIL | EVS__TYPE_BOOLEAN;
    for (size_t i = 0; i < d->natoms; i++)
        types |= evs__atom_types(d->atoms[i]);
    if (d->ncalls > 0)
        types |= EVS__TYPE_FUNCTION;
    if (d->ntables > 0)
        types |= EVS__TYPE_TABLE;
    return types;
}

static int same_callable(const evs__callable *a, const evs__callable *b)
{
    return a == b || (a->builtin == b->builtin && a->bound == b->bound &&
                      a->function == b->function && a->outer == b->outer);
}

static const evs__atom *top_atom(evs__pool *pool, const char *reason, evs__span at)
{
    evs__atom *atom = evs__pool_alloc(pool, 1, sizeof *atom);
    if (atom == NULL)
        return &evs__lost_atom;
    atom->kind = EVS__ATOM_TOP;
    atom->text = evs_text(reason);
    atom->enters = at;
    return atom;
}

int evs__draft_lose(evs__pool *pool, evs__draft *d, const char *reason)
{
    evs__span nowhere = {0, 0, 0, 0};
    d->types = EVS__TYPE_ANY;
    d->missing = 0;
    return evs__draft_atom(d, top_atom(pool, reason, nowhere));
}

int evs__draft_callable(evs__pool *pool, evs__draft *d, const evs__callable *callable)
{
    for (size_t i = 0; i < d->ncalls; i++)
        if (same_callable(d->calls[i], callable))
            return 0;
    if (d->ncalls == EVS__CALLS_MAX)
        return evs__draft_lose(pool, d, "it may be any of too many functions");
    d->calls[d->ncalls++] = callable;
    return 1;
}

int evs__draft_table(evs__pool *pool, evs__draft *d, size_t slot)
{
    for (size_t i = 0; i < d->ntables; i++)
        if (d->tables[i] == slot)
            return 0;
    if (d->ntables == EVS__TABLES_MAX)
        return evs__draft_lose(pool, d, "it may be any of too many tables");
    d->tables[d->ntables++] = slot;
    return 1;
}

/* The numbers of a value matter as far as it may be a number, or be read as one. */
static int add_range(evs__draft *d, const evs__value *value)
{
    if ((value->types & EVS__TYPE_KEYABLE) == 0)
        return 0;
    evs__range all = evs__range_join(&d->range, &value->range);
    int grew = !evs__range_same(&all, &d->range);
    d->range = all;
    return grew;
}

/* One nil that means more than a missing key is enough. */
static int add_missing(evs__draft *d, const evs__value *value)
{
    if ((value->types & EVS__TYPE_NIL) == 0)
        return 0;
    unsigned before = d->missing;
    int first = (d->types & EVS__TYPE_NIL) == 0;
    d->missing = value->missing && (first || before);
    return d->missing != before;
}

/* Adds all of `value`; true when something was new. */
int evs__draft_add(evs__pool *pool, evs__draft *d, const evs__value *value)
{
    int grew = (d->types | value->types) != d->types || value->guarded > d->guarded;
    grew |= add_range(d, value);
    grew |= add_missing(d, value);
    d->types |= value->types;
    d->guarded |= value->guarded;
    for (size_t i = 0; i < value->natoms; i++)
        grew |= evs__draft_atom(d, value->atoms[i]);
    for (size_t i = 0; i < value->ncalls; i++)
        grew |= evs__draft_callable(pool, d, value->calls[i]);
    for (size_t i = 0; i < value->ntables; i++)
        grew |= evs__draft_table(pool, d, value->tables[i]);
    return grew;
}

static int has_atom(const evs__value *value, const evs__atom *atom)
{
    for (size_t i = 0; i < value->natoms; i++)
        if (value->atoms[i] == atom || covers(value->atoms[i], atom))
            return 1;
    return 0;
}

static int has_callable(const evs__value *value, const evs__callable *callable)
{
    for (size_t i = 0; i < value->ncalls; i++)
        if (same_callable(value->calls[i], callable))
            return 1;
    return 0;
}

static int has_table(const evs__value *value, size_t slot)
{
    for (size_t i = 0; i < value->ntables; i++)
        if (value->tables[i] == slot)
            return 1;
    return 0;
}

static int has_range(const evs__value *a, const evs__value *b)
{
    if ((b->types & EVS__TYPE_KEYABLE) == 0)
        return 1;
    evs__range all = evs__range_join(&a->range, &b->range);
    return evs__range_same(&all, &a->range);
}

int evs__value_covers(const evs__value *a, const evs__value *b)
{
    if ((a->types | b->types) != a->types || b->guarded > a->guarded || b->ncalls > a->ncalls ||
        b->ntables > a->ntables || ((b->types & EVS__TYPE_NIL) != 0 && a->missing && !b->missing))
        return 0;
    for (size_t i = 0; i < b->natoms; i++)
        if (!has_atom(a, b->atoms[i]))
            return 0;
    for (size_t i = 0; i < b->ncalls; i++)
        if (!has_callable(a, b->calls[i]))
            return 0;
    for (size_t i = 0; i < b->ntables; i++)
        if (!has_table(a, b->tables[i]))
            return 0;
    return has_range(a, b);
}

/* A value with room for the three lists of the draft, which it points to. */
static evs__value *value_for(evs__pool *pool, const evs__draft *d)
{
    size_t atoms = d->natoms * sizeof d->atoms[0], calls = d->ncalls * sizeof d->calls[0];
    size_t tables = d->ntables * sizeof d->tables[0];
    evs__value *value = evs__pool_room(pool, 1, sizeof *value + atoms + calls + tables);
    if (value == NULL)
        return NULL;
    char *lists = (char *)(value + 1);
    value->atoms = memcpy(lists, d->atoms, atoms);
    value->calls = memcpy(lists + atoms, d->calls, calls);
    value->tables = memcpy(lists + atoms + calls, d->tables, tables);
    return value;
}

const evs__value *evs__draft_freeze(evs__pool *pool, evs__draft *d)
{
    if (d->natoms > EVS__ATOMS_MAX)
        evs__draft_squeeze(pool, d);
    evs__value *value = value_for(pool, d);
    if (value == NULL)
        return evs__value_lost();
    value->range = evs__range_is_none(&d->range) ? evs__range_any() : d->range;
    value->types = (unsigned char)d->types;
    value->guarded = (unsigned char)d->guarded;
    value->missing = (d->types & EVS__TYPE_NIL) != 0 && d->missing;
    value->natoms = (unsigned char)d->natoms;
    value->ncalls = (unsigned char)d->ncalls;
    value->ntables = (unsigned char)d->ntables;
    return value;
}

void evs__draft_begin(evs__pool *pool, evs__draft *d, const evs__value *value)
{
    d->types = 0;
    d->guarded = 0;
    d->missing = 0;
    d->range = evs__range_none();
    d->natoms = d->ncalls = d->ntables = 0;
    if (value != NULL)
        evs__draft_add(pool, d, value);
}
