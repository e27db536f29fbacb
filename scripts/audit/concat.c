/*
 * Strings put together, and whatever else is computed from a value.
 */
#include "scripts/audit/draft.h"

#include <string.h>

enum { FOLD_MAX = 256 }; /* longest constant that is put together */

static unsigned sources_of(const evs__atom *atom)
{
    switch (atom->kind) {
    case EVS__ATOM_CONSTANT:
        return EVS__SOURCE_CONSTANT;
    case EVS__ATOM_NUMBER:
        return EVS__SOURCE_NUMBER;
    case EVS__ATOM_ARGUMENT:
        return EVS__SOURCE_ARGUMENT;
    case EVS__ATOM_REPLY:
        return EVS__SOURCE_REPLY;
    case EVS__ATOM_DATA:
        return atom->sources & ~(unsigned)EVS__SOURCE_DECODED;
    default:
        return 0;
    }
}

static int is_key(const evs__atom *atom)
{
    return atom->kind == EVS__ATOM_KEY || atom->kind == EVS__ATOM_DERIVED;
}

/* The text of a constant, when it is known; `room` is for a number's. */
static int constant_text(evs_bytes *out, const evs__atom *atom, char room[32])
{
    if (atom->kind == EVS__ATOM_NUMBER) {
        int known = evs__number_text(room, atom->number);
        *out = evs_text(room);
        return known;
    }
    *out = atom->text;
    return atom->kind == EVS__ATOM_CONSTANT;
}

static evs__shape shape_of(const evs__pool *pool, const evs__atom *a, const evs__atom *b)
{
    char open = pool->tag_open == '\0' ? '{' : pool->tag_open;
    if (a->kind == EVS__ATOM_KEY)
        return EVS__SHAPE_SUFFIX;
    if (a->kind == EVS__ATOM_DERIVED)
        return a->shape;
    int plain = a->kind == EVS__ATOM_NUMBER ||
                (a->kind == EVS__ATOM_CONSTANT &&
                 (a->text.len == 0 || memchr(a->text.data, open, a->text.len) == NULL));
    if (plain && (b->kind == EVS__ATOM_KEY || b->shape != EVS__SHAPE_OPAQUE))
        return EVS__SHAPE_PREFIX;
    return EVS__SHAPE_OPAQUE;
}

static int fold(evs__pool *pool, evs__atom *out, const evs__atom *a, const evs__atom *b)
{
    char room[2][32];
    evs_bytes left, right;
    if (!constant_text(&left, a, room[0]) || !constant_text(&right, b, room[1]) ||
        left.len + right.len > FOLD_MAX)
        return 0;
    char *text = evs__pool_alloc(pool, left.len + right.len + 1, 1);
    if (text == NULL)
        return 0;
    if (left.len > 0)
        memcpy(text, left.data, left.len);
    if (right.len > 0)
        memcpy(text + left.len, right.data, right.len);
    out->kind = EVS__ATOM_CONSTANT;
    out->text.data = text;
    out->text.len = left.len + right.len;
    return 1;
}

/* The atom that tells more about where data came from: a reply before ARGV before the rest. */
static const evs__atom *telling(const evs__atom *a, const evs__atom *b)
{
    return sources_of(b) > sources_of(a) ? b : a;
}

/* An atom computed from `a` and `b` (which may be the same one). */
static const evs__atom *mix(evs__pool *pool, const evs__atom *a, const evs__atom *b, evs__span at)
{
    if (a->kind == EVS__ATOM_TOP)
        return a;
    if (b->kind == EVS__ATOM_TOP)
        return b;
    evs__atom *atom = evs__pool_room(pool, 1, sizeof *atom);
    if (atom == NULL)
        return &evs__lost_atom;
    *atom = is_key(a) ? *a : is_key(b) ? *b : *telling(a, b);
    atom->made = at;
    if (is_key(atom)) {
        atom->kind = EVS__ATOM_DERIVED;
        atom->shape = EVS__SHAPE_OPAQUE;
        return atom;
    }
    atom->kind = EVS__ATOM_DATA;
    atom->sources = sources_of(a) | sources_of(b);
    return atom;
}

static const evs__atom *concat(evs__pool *pool, const evs__atom *a, const evs__atom *b,
                               evs__span at)
{
    evs__atom folded = {.enters = a->enters, .made = at};
    if (fold(pool, &folded, a, b)) {
        evs__atom *atom = evs__pool_room(pool, 1, sizeof *atom);
        if (atom == NULL)
            return &evs__lost_atom;
        *atom = folded;
        return atom;
    }
    const evs__atom *mixed = mix(pool, a, b, at);
    if (mixed->kind != EVS__ATOM_DERIVED)
        return mixed;
    evs__atom *atom = evs__pool_room(pool, 1, sizeof *atom);
    if (atom == NULL)
        return &evs__lost_atom;
    *atom = *mixed;
    atom->shape = shape_of(pool, a, b);
    return atom;
}

/* An empty string beside something derived is that derived part, not found: `match(k, p) or ''`. */
static int is_missing_part(const evs__value *value, const evs__atom *atom)
{
    return atom->kind == EVS__ATOM_CONSTANT && atom->text.len == 0 &&
           evs__value_has(value, EVS__ATOM_DERIVED);
}

const evs__value *evs__value_concat(evs__pool *pool, const evs__value *a, const evs__value *b,
                                    evs__span at)
{
    evs__draft d;
    evs__draft_begin(pool, &d, NULL);
    d.types = EVS__TYPE_STRING;
    d.guarded = a->guarded | b->guarded;
    for (size_t i = 0; i < a->natoms; i++)
        for (size_t j = 0; j < b->natoms; j++)
            if (!is_missing_part(a, a->atoms[i]) && !is_missing_part(b, b->atoms[j]))
                evs__draft_atom(&d, concat(pool, a->atoms[i], b->atoms[j], at));
    if (a->ntables > 0 || b->ntables > 0)
        evs__draft_lose(pool, &d, "a table is joined to a string");
    if (d.natoms == 0)
        evs__draft_lose(pool, &d, "something that is no string is joined to a string");
    return evs__draft_freeze(pool, &d);
}

const evs__value *evs__value_computed(evs__pool *pool, const evs__value *from, unsigned types,
                                      evs__span at)
{
    evs__draft d;
    evs__draft_begin(pool, &d, NULL);
    d.types = types;
    d.guarded = from->guarded;
    for (size_t i = 0; i < from->natoms; i++)
        evs__draft_atom(&d, mix(pool, from->atoms[i], from->atoms[i], at));
    if (d.natoms == 0)
        return evs__value_data(pool, EVS__SOURCE_CONSTANT, types, at);
    return evs__draft_freeze(pool, &d);
}

const evs__value *evs__value_mixed(evs__pool *pool, const evs__value *a, const evs__value *b,
                                   unsigned types, evs__span at)
{
    if (a->natoms == 0 || b->natoms == 0)
        return evs__value_computed(pool, a->natoms == 0 ? b : a, types, at);
    evs__draft d;
    evs__draft_begin(pool, &d, NULL);
    d.types = types;
    d.guarded = a->guarded | b->guarded;
    for (size_t i = 0; i < a->natoms; i++)
        for (size_t j = 0; j < b->natoms; j++)
            evs__draft_atom(&d, mix(pool, a->atoms[i], b->atoms[j], at));
    return evs__draft_freeze(pool, &d);
}

const evs__value *evs__value_decoded(evs__pool *pool, const evs__value *value)
{
    evs__draft d;
    evs__draft_begin(pool, &d, value);
    for (size_t i = 0; i < d.natoms; i++) {
        if (d.atoms[i]->kind != EVS__ATOM_DATA)
            continue;
        evs__atom *atom = evs__pool_room(pool, 1, sizeof *atom);
        if (atom == NULL)
            return evs__value_lost();
        *atom = *d.atoms[i];
        atom->sources |= EVS__SOURCE_DECODED;
        d.atoms[i] = atom;
    }
    return evs__draft_freeze(pool, &d);
}
