/*
 * Objects are small, so a write copies the object and shares its values.
 *
 * The one danger is a write that a later read does not see. Therefore: a write under a key that is
 * not one constant goes to every place that such a key may name, and a read under any key but a
 * number sees `other` as soon as there is one.
 */
#include "scripts/audit/object.h"

#include <string.h>

static const evs__object empty_object = {.given = EVS__GIVEN_NOTHING};

const evs__object *evs__object_new(evs__pool *pool)
{
    (void)pool;
    return &empty_object;
}

static evs__object *copy(evs__pool *pool, const evs__object *object)
{
    evs__object *c = evs__pool_alloc(pool, 1, sizeof *c);
    if (c == NULL)
        return NULL;
    *c = *object;
    c->items = evs__pool_alloc(pool, object->nitems + 1, sizeof *c->items);
    c->fields = evs__pool_alloc(pool, object->nfields + 1, sizeof *c->fields);
    if (c->items == NULL || c->fields == NULL)
        return NULL;
    if (object->nitems > 0)
        memcpy(c->items, object->items, object->nitems * sizeof *c->items);
    if (object->nfields > 0)
        memcpy(c->fields, object->fields, object->nfields * sizeof *c->fields);
    return c;
}

const evs__object *evs__object_given(evs__pool *pool, evs__given given)
{
    evs__span nowhere = {0, 0, 0, 0};
    evs__object *object = copy(pool, &empty_object);
    if (object == NULL)
        return &empty_object;
    object->given = given;
    object->rest = given == EVS__GIVEN_KEYS ? evs__value_key(pool, 0, nowhere)
                                            : evs__value_argument(pool, 0, nowhere);
    return object;
}

/* ---- reading ---- */

/* `value`; when it is an element of KEYS or ARGV that does not say yet where it enters, there. */
static const evs__value *entering(evs__pool *pool, const evs__value *value, evs__span at)
{
    if (value == NULL || value->natoms != 1 || value->atoms[0]->enters.end != 0)
        return value;
    if (value->atoms[0]->kind == EVS__ATOM_KEY)
        return evs__value_key(pool, 0, at);
    if (value->atoms[0]->kind == EVS__ATOM_ARGUMENT)
        return evs__value_argument(pool, 0, at);
    return value;
}

const evs__value *evs__object_elements(evs__pool *pool, const evs__object *object, evs__span at)
{
    const evs__value *all = evs__value_none();
    for (size_t i = 0; i < object->nitems; i++)
        all = evs__value_join(pool, all, object->items[i]);
    all = evs__value_join(pool, all, entering(pool, object->rest, at));
    return evs__value_only(pool, all, EVS__TYPE_ANY & ~EVS__TYPE_NIL);
}

static const evs__value *all_fields(evs__pool *pool, const evs__object *object)
{
    const evs__value *all = evs__value_none();
    for (size_t i = 0; i < object->nfields; i++)
        all = evs__value_join(pool, all, object->fields[i].value);
    return all;
}

const evs__value *evs__object_values(evs__pool *pool, const evs__object *object, evs__span at)
{
    const evs__value *all = evs__object_elements(pool, object, at);
    all = evs__value_join(pool, all, all_fields(pool, object));
    all = evs__value_join(pool, all, object->other);
    return evs__value_only(pool, all, EVS__TYPE_ANY & ~EVS__TYPE_NIL);
}

const evs__value *evs__object_keys(evs__pool *pool, const evs__object *object, evs__span at)
{
    const evs__value *all = evs__value_none();
    if (object->nitems > 0 || object->rest != NULL)
        all = evs__value_data(pool, EVS__SOURCE_NUMBER, EVS__TYPE_NUMBER, at);
    for (size_t i = 0; i < object->nfields; i++)
        all = evs__value_join(pool, all, evs__value_constant(pool, object->fields[i].name, at));
    return evs__value_join(pool, all, object->keys);
}

int evs__object_is_list(const evs__object *object)
{
    return object->nitems > 0 || object->rest != NULL;
}

/* May nothing be there? KEYS[1] is there: a script that names it is called with a key. Of other
 * elements this is not believed, because scripts ask how many keys they got. */
static int may_be_absent(const evs__value *value)
{
    if ((value->types & EVS__TYPE_NIL) == 0)
        return 0;
    return !value->missing || value->natoms != 1 || value->atoms[0]->kind != EVS__ATOM_KEY ||
           value->atoms[0]->index != 1;
}

/* How many items are there. */
static size_t count_present(const evs__object *object)
{
    size_t n = 0;
    while (n < object->nitems && !may_be_absent(object->items[n]))
        n++;
    return n;
}

size_t evs__object_sure(const evs__object *object)
{
    size_t n = 0;
    while (n < object->nitems && !(object->items[n]->types & EVS__TYPE_NIL))
        n++;
    return n;
}

const evs__value *evs__object_field(const evs__object *object, evs_bytes name)
{
    for (size_t i = 0; i < object->nfields; i++) {
        evs_bytes other = object->fields[i].name;
        if (other.len == name.len && memcmp(other.data, name.data, name.len) == 0)
            return object->fields[i].value;
    }
    return NULL;
}

/* The index that a number names, from 1; 0 when it is no index of the array part. */
static size_t index_of(double number)
{
    if (!(number >= 1) || number > 1e9)
        return 0;
    size_t index = (size_t)number;
    return (double)index < number ? 0 : index;
}

static const evs__value *element(evs__pool *pool, const evs__object *object, size_t index,
                                 evs__span at)
{
    if (index <= object->nitems)
        return object->items[index - 1];
    const evs__value *there = object->rest;
    size_t phase = (index - object->nitems - 1) % 2;
    if (object->pair[0] != NULL)
        there = phase == 1 ? object->pair[1] : evs__value_join(pool, object->pair[0], object->last);
    if (object->given == EVS__GIVEN_KEYS)
        return evs__value_or_missing(pool, evs__value_key(pool, (int)index, at));
    if (object->given == EVS__GIVEN_ARGV)
        there = evs__value_argument(pool, (int)index, at);
    return evs__value_join(pool, evs__value_nil(), there);
}

const evs__value *evs__object_get(evs__pool *pool, const evs__object *object, const evs__value *key,
                                  evs__span at)
{
    const evs__atom *single = evs__value_single(key);
    const evs__value *found = NULL;
    size_t index = 0;
    if (single != NULL && single->kind == EVS__ATOM_CONSTANT) {
        found = evs__object_field(object, single->text);
        found = found == NULL ? evs__value_nil() : found;
    } else if (single != NULL && (index = index_of(single->number)) > 0) {
        found = element(pool, object, index, at);
    } else {
        found = evs__value_nil();
        if (key->types & EVS__TYPE_NUMBER)
            found = evs__value_join(pool, evs__object_elements(pool, object, at), found);
        if (key->types & EVS__TYPE_STRING)
            found = evs__value_join(pool, found, all_fields(pool, object));
    }
    return key->types == EVS__TYPE_NUMBER ? found : evs__value_join(pool, found, object->other);
}

/* ---- writing ---- */

static const evs__value *weaken(evs__pool *pool, const evs__value *old, const evs__value *value)
{
    return evs__value_join(pool, old == NULL ? evs__value_nil() : old, value);
}

static void set_field(evs__pool *pool, evs__object *object, evs_bytes name, const evs__value *value,
                      int weak)
{
    for (size_t i = 0; i < object->nfields; i++) {
        evs__field *field = &object->fields[i];
        if (field->name.len == name.len && memcmp(field->name.data, name.data, name.len) == 0) {
            field->value = weak ? weaken(pool, field->value, value) : value;
            return;
        }
    }
    evs__span nowhere = {0, 0, 0, 0};
    if (object->nfields == EVS__FIELDS_MAX) {
        object->keys = evs__value_join(pool, object->keys,
                                       evs__value_constant(pool, name, nowhere));
        object->other = evs__value_join(pool, object->other, value);
        return;
    }
    object->fields[object->nfields].name = name;
    object->fields[object->nfields++].value = weak ? weaken(pool, NULL, value) : value;
}

static void forget_pair(evs__object *object)
{
    object->pair[0] = object->pair[1] = object->last = NULL;
}

/* The element at `index` as an item of its own, when it can be one; NULL otherwise. */
static const evs__value **item_at(evs__pool *pool, evs__object *object, size_t index)
{
    evs__span nowhere = {0, 0, 0, 0};
    if (index > EVS__ITEMS_MAX)
        return NULL;
    if (index > object->nitems) {
        const evs__value **items = evs__pool_alloc(pool, index, sizeof *items);
        if (items == NULL)
            return NULL;
        if (object->nitems > 0)
            memcpy(items, object->items, object->nitems * sizeof *items);
        for (size_t i = object->nitems; i < index; i++)
            items[i] = element(pool, object, i + 1, nowhere);
        object->items = items;
        object->nitems = index;
        forget_pair(object);
    }
    return &object->items[index - 1];
}

/* A write to some index, which nobody knows. */
static void set_any_item(evs__pool *pool, evs__object *object, const evs__value *value)
{
    for (size_t i = 0; i < object->nitems; i++)
        object->items[i] = evs__value_join(pool, object->items[i], value);
    object->rest = evs__value_join(pool, object->rest, value);
    object->given = EVS__GIVEN_NOTHING;
    forget_pair(object);
}

static void set_index(evs__pool *pool, evs__object *object, size_t index, const evs__value *value,
                      int weak)
{
    const evs__value **item = item_at(pool, object, index);
    if (item == NULL) { /* behind all items */
        object->rest = evs__value_join(pool, object->rest, value);
        object->given = EVS__GIVEN_NOTHING;
        forget_pair(object);
        return;
    }
    *item = weak ? weaken(pool, *item, value) : value;
}

static void set_any(evs__pool *pool, evs__object *object, const evs__value *key,
                    const evs__value *value)
{
    if (key->types & EVS__TYPE_NUMBER)
        set_any_item(pool, object, value);
    if (key->types & EVS__TYPE_STRING)
        for (size_t i = 0; i < object->nfields; i++)
            object->fields[i].value = evs__value_join(pool, object->fields[i].value, value);
    if (key->types == EVS__TYPE_NUMBER)
        return;
    object->keys = evs__value_join(pool, object->keys, key);
    object->other = evs__value_join(pool, object->other, value);
}

const evs__object *evs__object_set(evs__pool *pool, const evs__object *object,
                                   const evs__value *key, const evs__value *value, int weak)
{
    evs__object *after = copy(pool, object);
    if (after == NULL)
        return object;
    const evs__atom *single = evs__value_single(key);
    size_t index = single != NULL ? index_of(single->number) : 0;
    if (single != NULL && single->kind == EVS__ATOM_CONSTANT)
        set_field(pool, after, single->text, value, weak);
    else if (single != NULL && index > 0)
        set_index(pool, after, index, value, weak);
    else
        set_any(pool, after, evs__value_only(pool, key, EVS__TYPE_ANY & ~EVS__TYPE_NIL), value);
    return after;
}

/* Are there no holes, and is it known whether the number of elements is even? */
static int is_regular(const evs__object *object)
{
    return count_present(object) == object->nitems && object->given == EVS__GIVEN_NOTHING &&
           (object->rest == NULL || object->pair[0] != NULL);
}

static void append_to_pair(evs__pool *pool, evs__object *object, const evs__value *value)
{
    object->rest = evs__value_join(pool, object->rest, value);
    if (object->last == NULL) {
        object->last = value;
        return;
    }
    object->pair[0] = evs__value_join(pool, object->pair[0], object->last);
    object->pair[1] = evs__value_join(pool, object->pair[1], value);
    object->last = NULL;
}

/* The new place is behind every item that is surely there: #t is a border, and a border j has
 * nothing at j + 1. An item that may be absent may be what is filled; such a value counts as
 * guarded, because most often the script knows better. */
const evs__object *evs__object_append(evs__pool *pool, const evs__object *object,
                                      const evs__value *value, int weak)
{
    evs__object *after = copy(pool, object);
    if (after == NULL)
        return object;
    size_t sure = object->given == EVS__GIVEN_NOTHING ? count_present(object)
                                                      : evs__object_sure(object);
    if (!weak && sure == object->nitems && object->rest == NULL && sure < EVS__ITEMS_MAX) {
        set_index(pool, after, sure + 1, value, 0);
        return after;
    }
    if (!weak && is_regular(object) && object->rest != NULL && !(value->types & EVS__TYPE_NIL)) {
        append_to_pair(pool, after, value);
        return after;
    }
    forget_pair(after);
    for (size_t i = sure; i < after->nitems; i++)
        after->items[i] = evs__value_guarded(pool, evs__value_join(pool, after->items[i], value));
    after->rest = evs__value_join(pool, after->rest, value);
    after->given = EVS__GIVEN_NOTHING;
    return after;
}

const evs__object *evs__object_shuffle(evs__pool *pool, const evs__object *object,
                                       const evs__value *more)
{
    evs__object *after = copy(pool, object);
    if (after == NULL)
        return object;
    evs__span nowhere = {0, 0, 0, 0};
    after->rest = evs__object_elements(pool, object, nowhere);
    after->rest = evs__value_join(pool, after->rest, more);
    if (evs__value_is_none(after->rest))
        after->rest = NULL;
    after->nitems = 0;
    after->given = EVS__GIVEN_NOTHING;
    forget_pair(after);
    return after;
}

const evs__object *evs__object_with_meta(evs__pool *pool, const evs__object *object,
                                         const evs__value *meta, int weak)
{
    evs__object *after = copy(pool, object);
    if (after == NULL)
        return object;
    after->meta = weak ? weaken(pool, object->meta, meta) : meta;
    return after;
}

/* ---- joining ---- */

typedef const evs__value *joiner(evs__pool *, const evs__value *, const evs__value *);

/* Is nothing of `b` new to `a`? Then the join is `a` itself, which is how loops find their end. */
static int same_parts(const evs__object *a, const evs__object *joined)
{
    if (a->nitems != joined->nitems || a->nfields != joined->nfields || a->rest != joined->rest ||
        a->keys != joined->keys || a->other != joined->other || a->meta != joined->meta ||
        a->given != joined->given || a->pair[0] != joined->pair[0] ||
        a->pair[1] != joined->pair[1] || a->last != joined->last)
        return 0;
    for (size_t i = 0; i < a->nitems; i++)
        if (a->items[i] != joined->items[i])
            return 0;
    for (size_t i = 0; i < a->nfields; i++)
        if (a->fields[i].value != joined->fields[i].value)
            return 0;
    return 1;
}

static void join_items(evs__pool *pool, evs__object *into, const evs__object *b, joiner *join)
{
    evs__span nowhere = {0, 0, 0, 0};
    for (size_t i = 0; i < into->nitems; i++) {
        const evs__value *value = element(pool, b, i + 1, nowhere);
        into->items[i] = join(pool, into->items[i], value);
    }
}

static const evs__value *join_optional(evs__pool *pool, const evs__value *a, const evs__value *b,
                                       joiner *join)
{
    if (a == NULL || b == NULL)
        return a == NULL ? b : a;
    return join(pool, a, b);
}

static void join_fields(evs__pool *pool, evs__object *into, const evs__object *b, joiner *join)
{
    for (size_t i = 0; i < into->nfields; i++) {
        const evs__value *value = evs__object_field(b, into->fields[i].name);
        into->fields[i].value = join(pool, into->fields[i].value,
                                     value == NULL ? evs__value_nil() : value);
    }
    size_t common = into->nfields;
    for (size_t i = 0; i < b->nfields; i++) {
        evs__object head = *into;
        head.nfields = common;
        if (evs__object_field(&head, b->fields[i].name) != NULL)
            continue;
        set_field(pool, into, b->fields[i].name, b->fields[i].value, 1);
    }
}

/* Items that only one side tells apart: behind the shorter list they go to the longer one, or when
 * widening, to the rest. */
static int level(evs__pool *pool, evs__object *into, size_t n, int widen)
{
    if (!widen) {
        if (n > into->nitems)
            return item_at(pool, into, n) != NULL;
        return 1;
    }
    for (size_t i = n; i < into->nitems; i++)
        into->rest = evs__value_join(pool, into->rest, into->items[i]);
    if (n < into->nitems) {
        into->nitems = n;
        into->given = EVS__GIVEN_NOTHING;
    }
    return 1;
}

/* Do both have elements in twos behind the items that both have? */
static int in_step(const evs__object *a, const evs__object *b)
{
    int alike = a->nitems == b->nitems && a->rest == NULL && b->rest == NULL;
    return !alike && is_regular(a) && is_regular(b) && a->nitems % 2 == b->nitems % 2 &&
           (a->last == NULL) == (b->last == NULL);
}

/* Adds what is behind the first `n` items of `from`. */
static void join_pair(evs__pool *pool, evs__object *into, const evs__object *from, size_t n,
                      joiner *join)
{
    for (size_t i = n; i < from->nitems; i++)
        into->pair[(i - n) % 2] = join_optional(pool, into->pair[(i - n) % 2], from->items[i],
                                                join);
    for (size_t k = 0; k < 2; k++)
        into->pair[k] = join_optional(pool, into->pair[k], from->pair[k], join);
    into->last = join_optional(pool, into->last, from->last, join);
}

static void join_in_step(evs__pool *pool, evs__object *into, const evs__object *a,
                         const evs__object *b, joiner *join)
{
    size_t n = a->nitems < b->nitems ? a->nitems : b->nitems;
    into->nitems = n;
    join_items(pool, into, b, join);
    forget_pair(into);
    join_pair(pool, into, a, n, join);
    join_pair(pool, into, b, n, join);
    into->rest = join_optional(pool, into->rest, into->pair[0], join);
    into->rest = join(pool, into->rest, into->pair[1]);
    into->rest = join_optional(pool, into->rest, into->last, join);
}

static int join_array(evs__pool *pool, evs__object *into, const evs__object *b, int widen)
{
    joiner *join = widen ? evs__value_widen : evs__value_join;
    forget_pair(into);
    if (!level(pool, into, b->nitems, widen))
        return 0;
    join_items(pool, into, b, join);
    const evs__value *beyond = b->rest;
    for (size_t i = into->nitems; i < b->nitems; i++)
        beyond = evs__value_join(pool, beyond, b->items[i]);
    into->rest = join_optional(pool, into->rest, beyond, join);
    if (into->given != b->given || into->nitems < b->nitems)
        into->given = EVS__GIVEN_NOTHING;
    return 1;
}

static const evs__object *join_with(evs__pool *pool, const evs__object *a, const evs__object *b,
                                    int widen)
{
    joiner *join = widen ? evs__value_widen : evs__value_join;
    evs__object *into = copy(pool, a);
    if (into == NULL)
        return a;
    /* A longer list of fields than the copy has room for. */
    evs__field *fields = evs__pool_alloc(pool, a->nfields + b->nfields + 1, sizeof *fields);
    if (fields == NULL)
        return a;
    if (a->nfields > 0)
        memcpy(fields, a->fields, a->nfields * sizeof *fields);
    into->fields = fields;
    if (in_step(a, b))
        join_in_step(pool, into, a, b, join);
    else if (!join_array(pool, into, b, widen))
        return a;
    join_fields(pool, into, b, join);
    into->keys = join_optional(pool, into->keys, b->keys, join);
    into->other = join_optional(pool, into->other, b->other, join);
    if (into->meta != NULL || b->meta != NULL)
        into->meta = join(pool, into->meta == NULL ? evs__value_nil() : into->meta,
                          b->meta == NULL ? evs__value_nil() : b->meta);
    return same_parts(a, into) ? a : into;
}

const evs__object *evs__object_join(evs__pool *pool, const evs__object *a, const evs__object *b)
{
    if (a == NULL || b == NULL)
        return a == NULL ? b : a;
    return a == b ? a : join_with(pool, a, b, 0);
}

const evs__object *evs__object_widen(evs__pool *pool, const evs__object *a, const evs__object *b)
{
    if (a == NULL || b == NULL)
        return a == NULL ? b : a;
    return a == b ? a : join_with(pool, a, b, 1);
}
