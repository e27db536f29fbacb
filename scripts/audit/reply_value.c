/*
 * Replies: which value a command gives, and what is in it.
 *
 * A reply is one atom that says which forms it may have, and which its elements may have; what is
 * deeper down may be anything. Only the whole and its elements are told apart, not one element from
 * the next, but for the first one: cursors and identifiers stand there.
 */
#include "scripts/audit/draft.h"

#include <math.h>
#include <string.h>

/* A call that fails raises its error, so a reply is none unless it was caught. */
enum { UNKNOWN = EVS__FORM_ANY & ~EVS__FORM_ERROR };

static int is_unknown(const evs__atom *atom)
{
    return (atom->forms & UNKNOWN) == UNKNOWN;
}

static evs__range range_of(const double bounds[2])
{
    return evs__range_whole(bounds[0], bounds[1]);
}

/* The numbers of a reply with these forms: strings are whatever is stored, unless bounds are known.
 */
static evs__range numbers_in(unsigned forms, const evs__range *bounds)
{
    int bounded = !isinf(bounds->low) && !isinf(bounds->high);
    if ((forms & EVS__FORM_STRING) && !bounded)
        return evs__range_any();
    return *bounds;
}

/* A value of one atom, which is a reply. */
static const evs__value *reply_value(evs__pool *pool, const evs__atom *atom, evs__range range)
{
    evs__draft d;
    evs__draft_begin(pool, &d, NULL);
    evs__draft_atom(&d, atom);
    d.types = evs__forms_types(atom->forms);
    d.range = range;
    return evs__draft_freeze(pool, &d);
}

const evs__value *evs__value_reply_as(evs__pool *pool, const char *command,
                                      const evs__command_reply *row, unsigned protocols,
                                      evs__span at)
{
    evs__atom *atom = evs__pool_alloc(pool, 1, sizeof *atom);
    if (atom == NULL)
        return evs__value_lost();
    atom->kind = EVS__ATOM_REPLY;
    atom->enters = at;
    atom->text = evs_text(command);
    atom->row = row;
    atom->forms = atom->first = atom->elements = UNKNOWN;
    if (row == NULL)
        return reply_value(pool, atom, evs__range_any());
    atom->forms = (unsigned short)evs__forms_of(row->kinds, protocols);
    atom->first = (unsigned short)evs__forms_of(row->first, protocols);
    atom->elements = (unsigned short)evs__forms_of(row->elements, protocols);
    evs__range bounds = range_of(row->first_range);
    return reply_value(pool, atom, numbers_in(atom->forms, &bounds));
}

const evs__value *evs__value_reply(evs__pool *pool, const char *command, evs__span at)
{
    return evs__value_reply_as(pool, command, NULL, EVS__RESP2 | EVS__RESP3, at);
}

const evs__value *evs__value_caught(evs__pool *pool, const evs__value *value)
{
    evs__draft d;
    evs__draft_begin(pool, &d, value);
    d.types |= EVS__TYPE_TABLE;
    for (size_t i = 0; i < d.natoms; i++) {
        if (d.atoms[i]->kind != EVS__ATOM_REPLY)
            continue;
        evs__atom *atom = evs__pool_alloc(pool, 1, sizeof *atom);
        if (atom == NULL)
            return evs__value_lost();
        *atom = *d.atoms[i];
        atom->forms |= EVS__FORM_ERROR;
        d.atoms[i] = atom;
    }
    return evs__draft_freeze(pool, &d);
}

/* ---- what is in it ---- */

/* The key of a read, as far as it matters. */
typedef struct place {
    const char *word; /* the key is surely this string; "" is one that no reply has */
    int number;       /* it is surely a number */
    int first;        /* and that is surely 1 */
    int behind;       /* and surely more than 1 */
} place;

static place place_of(const evs__value *key)
{
    static const char *const words[] = {"ok", "err", "map", "set", "double"};
    place p = {NULL, 0, 0, 0};
    const evs__atom *single = key == NULL ? NULL : evs__value_single(key);
    p.number = key != NULL && key->types == EVS__TYPE_NUMBER;
    if (p.number && !key->range.nan) {
        p.first = evs__range_is_single(&key->range) && key->range.low >= 1 && key->range.high <= 1;
        p.behind = key->range.low > 1;
    }
    if (single == NULL || single->kind != EVS__ATOM_CONSTANT)
        return p;
    p.word = "";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (single->text.len == strlen(words[i]) &&
            memcmp(single->text.data, words[i], single->text.len) == 0)
            p.word = words[i];
    return p;
}

static unsigned in_list(const evs__atom *atom, const place *p)
{
    if (p->word != NULL)
        return EVS__FORM_NIL;
    unsigned forms = EVS__FORM_NIL;
    forms |= p->behind ? 0 : atom->first;
    forms |= p->first ? 0 : atom->elements;
    return forms;
}

/* Of a table that has nothing but `forms` under `word`. */
static unsigned in_record(const char *word, unsigned forms, const place *p)
{
    if (p->number)
        return EVS__FORM_NIL;
    if (p->word == NULL)
        return forms | EVS__FORM_NIL;
    return strcmp(p->word, word) == 0 ? forms : EVS__FORM_NIL;
}

/* An error has a few more fields, which differ from server to server. */
static unsigned in_error(const place *p)
{
    unsigned plain = EVS__FORM_ANY & ~(unsigned)EVS__FORM_TABLES;
    if (p->number)
        return EVS__FORM_NIL;
    return p->word != NULL && strcmp(p->word, "err") == 0 ? EVS__FORM_STRING : plain;
}

static unsigned forms_inside(const evs__atom *atom, const place *p)
{
    unsigned forms = 0;
    if (is_unknown(atom) || (atom->forms & EVS__FORM_VERBATIM))
        return UNKNOWN | (atom->forms & EVS__FORM_ERROR);
    if (atom->forms & (EVS__FORM_LIST | EVS__FORM_PAIRS))
        forms |= in_list(atom, p);
    if (atom->forms & EVS__FORM_STATUS)
        forms |= in_record("ok", EVS__FORM_STRING, p);
    if (atom->forms & EVS__FORM_ERROR)
        forms |= in_error(p);
    if (atom->forms & EVS__FORM_MAP)
        forms |= in_record("map", EVS__FORM_INNER, p);
    if (atom->forms & EVS__FORM_SET)
        forms |= in_record("set", EVS__FORM_INNER, p);
    if (atom->forms & EVS__FORM_DOUBLE)
        forms |= in_record("double", EVS__FORM_NUMBER, p);
    if (atom->forms & EVS__FORM_INNER)
        forms |= atom->first | atom->elements | EVS__FORM_NIL | EVS__FORM_TRUE;
    return forms;
}

static evs__range range_inside(const evs__atom *atom, unsigned forms, const place *p)
{
    if (atom->row == NULL || (atom->forms & (EVS__FORM_LIST | EVS__FORM_PAIRS)) == 0)
        return evs__range_any();
    evs__range first = range_of(atom->row->first_range), all = range_of(atom->row->elements_range);
    if (p->first)
        all = first;
    else if (!p->behind)
        all = evs__range_join(&first, &all);
    return numbers_in(forms, &all);
}

/* What is inside a map or a set keeps the forms of the elements; of other elements nothing is
 * known that deep. */
static void add_reply(evs__pool *pool, evs__draft *d, const evs__atom *atom, const place *p)
{
    evs__atom *inside = evs__pool_alloc(pool, 1, sizeof *inside);
    if (inside == NULL)
        return;
    *inside = *atom;
    inside->forms = (unsigned short)forms_inside(atom, p);
    if (is_unknown(inside) || (inside->forms & EVS__FORM_INNER) == 0) {
        inside->first = inside->elements = UNKNOWN;
        inside->row = NULL;
    }
    d->types |= evs__forms_types(inside->forms);
    evs__range range = range_inside(atom, inside->forms, p);
    d->range = evs__range_join(&d->range, &range);
    if (evs__atom_types(inside) != 0)
        evs__draft_atom(d, inside);
}

static void add_other(evs__draft *d, const evs__atom *atom)
{
    evs__range any = evs__range_any();
    evs__draft_atom(d, atom);
    d->types |= evs__atom_types(atom) | EVS__TYPE_NIL | EVS__TYPE_BOOLEAN;
    d->range = evs__range_join(&d->range, &any);
}

const evs__value *evs__value_inside(evs__pool *pool, const evs__value *value, const evs__value *key)
{
    evs__draft d;
    place p = place_of(key);
    evs__draft_begin(pool, &d, NULL);
    for (size_t i = 0; i < value->natoms; i++) {
        const evs__atom *atom = value->atoms[i];
        if ((evs__atom_types(atom) & EVS__TYPE_TABLE) == 0)
            continue;
        if (atom->kind == EVS__ATOM_REPLY)
            add_reply(pool, &d, atom, &p);
        else
            add_other(&d, atom);
    }
    return evs__draft_freeze(pool, &d);
}

const evs__value *evs__value_inside_keys(evs__pool *pool, const evs__value *value)
{
    evs__draft d;
    evs__draft_begin(pool, &d, NULL);
    for (size_t i = 0; i < value->natoms; i++) {
        const evs__atom *atom = value->atoms[i];
        if ((evs__atom_types(atom) & EVS__TYPE_TABLE) == 0)
            continue;
        if (atom->kind != EVS__ATOM_REPLY) {
            add_other(&d, atom);
            continue;
        }
        evs__atom *key = evs__pool_alloc(pool, 1, sizeof *key);
        if (key == NULL)
            return evs__value_lost();
        *key = *atom;
        key->forms = EVS__FORM_NUMBER | EVS__FORM_STRING;
        key->row = NULL;
        add_other(&d, key);
    }
    return evs__draft_freeze(pool, &d);
}

/* ---- narrowing ---- */

const evs__value *evs__value_in_forms(evs__pool *pool, const evs__value *value, unsigned forms)
{
    evs__draft d;
    int changed = 0;
    evs__draft_begin(pool, &d, value);
    d.natoms = 0;
    for (size_t i = 0; i < value->natoms; i++) {
        const evs__atom *atom = value->atoms[i];
        if (atom->kind == EVS__ATOM_REPLY && (atom->forms & ~forms) != 0) {
            evs__atom *less = evs__pool_alloc(pool, 1, sizeof *less);
            if (less == NULL)
                return value;
            *less = *atom;
            less->forms = (unsigned short)(atom->forms & forms);
            atom = less;
            changed = 1;
        }
        if (atom->kind != EVS__ATOM_REPLY || evs__atom_types(atom) != 0)
            evs__draft_atom(&d, atom);
    }
    if (!changed)
        return value;
    d.types &= evs__draft_carried(&d);
    return evs__draft_freeze(pool, &d);
}

unsigned evs__reply_forms(const evs__value *value, const evs__atom *atom)
{
    return atom->kind != EVS__ATOM_REPLY ? 0 : evs__forms_within(atom->forms, value->types);
}
