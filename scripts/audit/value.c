/*
 * Values: making them, joining and narrowing them, asking them.
 */
#include "scripts/audit/draft.h"

#include "scripts/syntax/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const evs__atom *const lost_atoms[] = {&evs__lost_atom};
static const evs__value lost_value = {.types = EVS__TYPE_ANY,
                                      .natoms = 1,
                                      .range = {-HUGE_VAL, HUGE_VAL, EVS__FRACTION_MAYBE, 1},
                                      .atoms = lost_atoms};
static const evs__value nil_value = {.types = EVS__TYPE_NIL};
static const evs__value boolean_value = {.types = EVS__TYPE_BOOLEAN};
static const evs__value none_value = {.types = 0};

void *evs__pool_alloc(evs__pool *pool, size_t count, size_t size)
{
    void *block = evs__pool_room(pool, count, size);
    if (block != NULL)
        memset(block, 0, count * size);
    return block;
}

void *evs__pool_room(evs__pool *pool, size_t count, size_t size)
{
    void *block = count == 1 ? evs__arena_one(&pool->arena, size)
                             : evs__arena_alloc(&pool->arena, count, size);
    if (block == NULL)
        pool->failed = 1;
    return block;
}

/* ---- making ---- */

const evs__value *evs__value_nil(void)
{
    return &nil_value;
}

const evs__value *evs__value_boolean(void)
{
    return &boolean_value;
}

const evs__value *evs__value_none(void)
{
    return &none_value;
}

const evs__value *evs__value_lost(void)
{
    return &lost_value;
}

const evs__value *evs__value_types(evs__pool *pool, unsigned types)
{
    evs__draft d;
    evs__draft_begin(pool, &d, NULL);
    d.types = types;
    return evs__draft_freeze(pool, &d);
}

/* A value of one atom; the caller fills in what is special about it. NULL when out of memory. */
static evs__atom *one(evs__pool *pool, evs__value **out, evs__atom_kind kind, evs__span at)
{
    struct {
        evs__value value;
        const evs__atom *list;
        evs__atom atom;
    } *all = evs__pool_alloc(pool, 1, sizeof *all);
    if (all == NULL)
        return NULL;
    all->atom.kind = kind;
    all->atom.enters = at;
    all->list = &all->atom;
    all->value.types = (unsigned char)evs__atom_types(&all->atom);
    all->value.natoms = 1;
    all->value.atoms = &all->list;
    all->value.range = evs__range_any();
    *out = &all->value;
    return &all->atom;
}

const evs__value *evs__value_constant(evs__pool *pool, evs_bytes text, evs__span at)
{
    evs__value *value;
    evs__atom *atom = one(pool, &value, EVS__ATOM_CONSTANT, at);
    if (atom == NULL)
        return evs__value_lost();
    atom->text = text;
    return value;
}

const evs__value *evs__value_number(evs__pool *pool, double number, evs__span at)
{
    evs__value *value;
    if (isnan(number))
        return evs__value_data(pool, EVS__SOURCE_NUMBER, EVS__TYPE_NUMBER, at);
    evs__atom *atom = one(pool, &value, EVS__ATOM_NUMBER, at);
    if (atom == NULL)
        return evs__value_lost();
    atom->number = fpclassify(number) == FP_ZERO ? 0 : number;
    value->range = evs__range_of(atom->number);
    return value;
}

static const evs__value *indexed(evs__pool *pool, evs__atom_kind kind, int index, evs__span at)
{
    evs__value *value;
    evs__atom *atom = one(pool, &value, kind, at);
    if (atom == NULL)
        return evs__value_lost();
    atom->index = index;
    return value;
}

const evs__value *evs__value_key(evs__pool *pool, int index, evs__span at)
{
    return indexed(pool, EVS__ATOM_KEY, index, at);
}

const evs__value *evs__value_argument(evs__pool *pool, int index, evs__span at)
{
    return indexed(pool, EVS__ATOM_ARGUMENT, index, at);
}

const evs__value *evs__value_data(evs__pool *pool, unsigned sources, unsigned types, evs__span at)
{
    evs__value *value;
    evs__atom *atom = one(pool, &value, EVS__ATOM_DATA, at);
    if (atom == NULL)
        return evs__value_lost();
    atom->sources = sources;
    value->types = (unsigned char)types;
    return value;
}

const evs__value *evs__value_within(evs__pool *pool, evs__range range, evs__span at)
{
    evs__value *value;
    evs__atom *atom = one(pool, &value, EVS__ATOM_DATA, at);
    if (atom == NULL)
        return evs__value_lost();
    atom->sources = EVS__SOURCE_NUMBER;
    value->types = EVS__TYPE_NUMBER;
    value->range = range;
    return value;
}

const evs__value *evs__value_holed(evs__pool *pool, const char *code, evs__span at)
{
    evs__value *value;
    evs__atom *atom = one(pool, &value, EVS__ATOM_DATA, at);
    if (atom == NULL)
        return evs__value_lost();
    atom->sources = EVS__SOURCE_HOLE;
    atom->text = evs_text(code);
    value->types = EVS__TYPE_STRING;
    return value;
}

const evs__value *evs__value_top(evs__pool *pool, const char *reason, evs__span at)
{
    evs__value *value;
    evs__atom *atom = one(pool, &value, EVS__ATOM_TOP, at);
    if (atom == NULL)
        return evs__value_lost();
    atom->text = evs_text(reason);
    value->types = EVS__TYPE_ANY;
    return value;
}

const evs__value *evs__value_table(evs__pool *pool, size_t slot)
{
    evs__draft d;
    evs__draft_begin(pool, &d, NULL);
    d.types = EVS__TYPE_TABLE;
    evs__draft_table(pool, &d, slot);
    return evs__draft_freeze(pool, &d);
}

const evs__value *evs__value_callable(evs__pool *pool, const evs__callable *callable)
{
    evs__callable *copy = evs__pool_alloc(pool, 1, sizeof *copy);
    if (copy == NULL)
        return evs__value_lost();
    *copy = *callable;
    evs__draft d;
    evs__draft_begin(pool, &d, NULL);
    d.types = EVS__TYPE_FUNCTION;
    evs__draft_callable(pool, &d, copy);
    return evs__draft_freeze(pool, &d);
}

/* What is known of two without looking into them; NULL: they have to be put together. */
static const evs__value *easily(const evs__value *a, const evs__value *b)
{
    if (a == b || b == NULL)
        return a;
    if (a == NULL)
        return b;
    return evs__value_covers(a, b) ? a : NULL;
}

/* `a` and `both`, which holds it in fewer atoms, perhaps those that `a` had. */
static const evs__value *put_together(evs__pool *pool, const evs__value *a, const evs__value *both)
{
    evs__draft d;
    evs__draft_begin(pool, &d, a);
    return evs__draft_add(pool, &d, both) ? both : a;
}

/* Too many atoms become few, which may be those that `a` had: then nothing was new after all, and
 * saying so is what ends loops and recursions. */
const evs__value *evs__value_join(evs__pool *pool, const evs__value *a, const evs__value *b)
{
    const evs__value *known = easily(a, b);
    if (known != NULL || a == NULL)
        return known;
    evs__draft d;
    evs__draft_begin(pool, &d, a);
    if (!evs__draft_add(pool, &d, b))
        return a;
    int squeezed = d.natoms > EVS__ATOMS_MAX;
    const evs__value *both = evs__draft_freeze(pool, &d);
    return squeezed ? put_together(pool, a, both) : both;
}

const evs__value *evs__value_widen(evs__pool *pool, const evs__value *a, const evs__value *b)
{
    const evs__value *known = easily(a, b);
    if (known != NULL || a == NULL)
        return known;
    evs__draft d;
    evs__draft_begin(pool, &d, a);
    if (!evs__draft_add(pool, &d, b))
        return a;
    evs__draft_squeeze(pool, &d);
    if (a->types & b->types & EVS__TYPE_KEYABLE)
        d.range = evs__range_widen(&a->range, &d.range);
    return put_together(pool, a, evs__draft_freeze(pool, &d));
}

const evs__value *evs__value_only(evs__pool *pool, const evs__value *value, unsigned types)
{
    types &= value->types;
    if (types == value->types)
        return value;
    evs__draft d;
    evs__draft_begin(pool, &d, NULL);
    d.types = types;
    d.guarded = value->guarded;
    d.missing = value->missing;
    d.range = value->range;
    for (size_t i = 0; i < value->natoms; i++)
        if (evs__atom_types(value->atoms[i]) & types)
            evs__draft_atom(&d, value->atoms[i]);
    for (size_t i = 0; (types & EVS__TYPE_FUNCTION) && i < value->ncalls; i++)
        evs__draft_callable(pool, &d, value->calls[i]);
    for (size_t i = 0; (types & EVS__TYPE_TABLE) && i < value->ntables; i++)
        evs__draft_table(pool, &d, value->tables[i]);
    return evs__draft_freeze(pool, &d);
}

const evs__value *evs__value_without(evs__pool *pool, const evs__value *value,
                                     const evs__atom *gone)
{
    evs__draft d;
    evs__draft_begin(pool, &d, value);
    d.natoms = 0;
    for (size_t i = 0; i < value->natoms; i++)
        if (!evs__atom_same(value->atoms[i], gone))
            evs__draft_atom(&d, value->atoms[i]);
    if (d.natoms == value->natoms)
        return value;
    d.types &= evs__draft_carried(&d);
    return evs__draft_freeze(pool, &d);
}

const evs__value *evs__value_or_missing(evs__pool *pool, const evs__value *value)
{
    if (value->types & EVS__TYPE_NIL)
        return value;
    evs__draft d;
    evs__draft_begin(pool, &d, value);
    d.types |= EVS__TYPE_NIL;
    d.missing = 1;
    return evs__draft_freeze(pool, &d);
}

const evs__value *evs__value_guarded(evs__pool *pool, const evs__value *value)
{
    if (value->guarded)
        return value;
    evs__draft d;
    evs__draft_begin(pool, &d, value);
    d.guarded = 1;
    return evs__draft_freeze(pool, &d);
}

const evs__value *evs__value_ranged(evs__pool *pool, const evs__value *value, evs__range range)
{
    if ((value->types & EVS__TYPE_KEYABLE) == 0 || evs__range_same(&value->range, &range))
        return value;
    evs__value *copy = evs__pool_alloc(pool, 1, sizeof *copy);
    if (copy == NULL)
        return evs__value_lost();
    *copy = *value;
    copy->range = range;
    return copy;
}

/* ---- asking ---- */

unsigned evs__atom_types(const evs__atom *atom)
{
    switch (atom->kind) {
    case EVS__ATOM_CONSTANT:
    case EVS__ATOM_KEY:
    case EVS__ATOM_ARGUMENT:
        return EVS__TYPE_STRING;
    case EVS__ATOM_NUMBER:
        return EVS__TYPE_NUMBER;
    case EVS__ATOM_REPLY:
        return evs__forms_types(atom->forms) & ~(unsigned)(EVS__TYPE_NIL | EVS__TYPE_BOOLEAN);
    case EVS__ATOM_DERIVED:
    case EVS__ATOM_DATA:
        return EVS__TYPE_DATA & ~(EVS__TYPE_NIL | EVS__TYPE_BOOLEAN);
    case EVS__ATOM_TOP:
        break;
    }
    return EVS__TYPE_ANY & ~(EVS__TYPE_NIL | EVS__TYPE_BOOLEAN);
}

int evs__atom_same(const evs__atom *a, const evs__atom *b)
{
    if (a == b)
        return 1;
    if (a->kind != b->kind)
        return 0;
    switch (a->kind) {
    case EVS__ATOM_CONSTANT:
        return a->text.len == b->text.len && memcmp(a->text.data, b->text.data, a->text.len) == 0;
    case EVS__ATOM_NUMBER:
        return memcmp(&a->number, &b->number, sizeof a->number) == 0;
    case EVS__ATOM_KEY:
    case EVS__ATOM_ARGUMENT:
        return a->index == b->index;
    case EVS__ATOM_DERIVED:
        return a->index == b->index && a->shape == b->shape;
    case EVS__ATOM_REPLY:
        return a->enters.start == b->enters.start && a->forms == b->forms && a->first == b->first &&
               a->elements == b->elements && a->row == b->row;
    case EVS__ATOM_DATA:
        return a->sources == b->sources && a->index == b->index;
    case EVS__ATOM_TOP:
        break;
    }
    return 1;
}

const evs__atom *evs__value_single(const evs__value *value)
{
    if (value->natoms != 1)
        return NULL;
    const evs__atom *atom = value->atoms[0];
    if (atom->kind == EVS__ATOM_CONSTANT && value->types == EVS__TYPE_STRING)
        return atom;
    if (atom->kind == EVS__ATOM_NUMBER && value->types == EVS__TYPE_NUMBER)
        return atom;
    return NULL;
}

int evs__value_is_truthy(const evs__value *value)
{
    return value->types != 0 && (value->types & EVS__TYPE_FALSY) == 0;
}

int evs__value_is_falsy(const evs__value *value)
{
    return value->types != 0 && (value->types & ~EVS__TYPE_FALSY) == 0;
}

int evs__value_is_none(const evs__value *value)
{
    return value->types == 0;
}

/* The number that a string reads as; the server's Lua knows no other white space than these. */
static evs__range read_number(evs_bytes text)
{
    char copy[64];
    double number;
    while (text.len > 0 && strchr(" \t\n\v\f\r", text.data[text.len - 1]) != NULL)
        text.len--;
    if (text.len >= sizeof copy)
        return evs__range_any();
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return evs__number_read(&number, copy) ? evs__range_of(number) : evs__range_any();
}

evs__range evs__value_range(const evs__value *value)
{
    if ((value->types & EVS__TYPE_KEYABLE) == 0)
        return evs__range_any();
    const evs__atom *single = evs__value_single(value);
    if (single != NULL && single->kind == EVS__ATOM_CONSTANT)
        return read_number(single->text);
    return value->range;
}

int evs__value_has(const evs__value *value, evs__atom_kind kind)
{
    for (size_t i = 0; i < value->natoms; i++)
        if (value->atoms[i]->kind == kind)
            return 1;
    return 0;
}

int evs__number_text(char out[32], double number)
{
    snprintf(out, 32, "%.14g", number);
    return fpclassify(number) != FP_ZERO;
}
