/*
 * table, and the globals that go through tables.
 */
#include "scripts/audit/builtins/builtin.h"

/* ---- going through ---- */

typedef const evs__value *part_of(evs__pool *pool, const evs__object *object, evs__span at);

static const evs__value *walk(evs__interp *in, const evs__value *table, part_of *part, evs__span at)
{
    const evs__value *all = evs__value_none();
    for (size_t i = 0; i < table->ntables; i++) {
        const evs__object *object = evs__store_object(&in->store, table->tables[i]);
        all = evs__value_join(in->pool, all,
                              object == NULL ? evs__value_lost() : part(in->pool, object, at));
        if (evs__is_library(in, table->tables[i]))
            all = evs__value_join(in->pool, all,
                                  evs__value_top(in->pool, "not every server has it", at));
    }
    const evs__value *inside = part == evs__object_keys ? evs__inside_keys(in, table, at)
                                                        : evs__inside(in, table, NULL, at);
    all = evs__value_join(in->pool, all, inside);
    return evs__value_only(in->pool, all, EVS__TYPE_ANY & ~EVS__TYPE_NIL);
}

const evs__value *evs__walk_keys(evs__interp *in, const evs__value *table, evs__span at)
{
    return walk(in, table, evs__object_keys, at);
}

const evs__value *evs__walk_values(evs__interp *in, const evs__value *table, evs__span at)
{
    return walk(in, table, evs__object_values, at);
}

const evs__value *evs__walk_elements(evs__interp *in, const evs__value *table, evs__span at)
{
    return walk(in, table, evs__object_elements, at);
}

static evs__seq pair(evs__interp *in, const evs__builtin_call *call, const evs__value *key,
                     const evs__value *value)
{
    evs__seq seq = evs__builtin_give(in, call, evs__value_join(in->pool, key, evs__value_nil()));
    evs__seq_push(in->pool, &seq, evs__value_join(in->pool, value, evs__value_nil()),
                  call->site->at);
    return seq;
}

evs__seq evs__builtin_next(evs__interp *in, const evs__builtin_call *call)
{
    in->recorder->measures = 1;
    const evs__value *table = evs__builtin_arg(in, call, 0);
    evs__span at = call->site->at;
    return pair(in, call, evs__walk_keys(in, table, at), evs__walk_values(in, table, at));
}

static evs__seq next_element(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *table = evs__builtin_arg(in, call, 0);
    evs__span at = call->site->at;
    const evs__value *index = evs__value_within(in->pool, evs__range_whole(1, EVS__LENGTH_MAX), at);
    return pair(in, call, index, evs__walk_elements(in, table, at));
}

int evs__builtin_gives_pairs(const evs__builtin *builtin)
{
    return builtin != NULL && (builtin->run == evs__builtin_next || builtin->run == next_element);
}

static evs__seq iterate(evs__interp *in, const evs__builtin_call *call,
                        const evs__builtin *iterator, const evs__value *start)
{
    evs__callable callable = {.builtin = iterator};
    evs__seq seq = evs__builtin_give(in, call, evs__value_callable(in->pool, &callable));
    evs__seq_push(in->pool, &seq, evs__builtin_arg(in, call, 0), call->site->at);
    evs__seq_push(in->pool, &seq, start, call->site->at);
    return seq;
}

evs__seq evs__builtin_pairs(evs__interp *in, const evs__builtin_call *call)
{
    static const evs__builtin iterator = {"", "next", evs__builtin_next, EVS__TYPE_ANY, 0};
    return iterate(in, call, &iterator, evs__value_nil());
}

evs__seq evs__builtin_ipairs(evs__interp *in, const evs__builtin_call *call)
{
    static const evs__builtin iterator = {"", "ipairs", next_element, EVS__TYPE_ANY, 0};
    return iterate(in, call, &iterator, evs__value_number(in->pool, 0, call->site->at));
}

/* The callback may change the table, so every round reads it anew. */
static void foreach_round(evs__interp *in, void *context)
{
    const evs__builtin_call *call = context;
    const evs__value *table = evs__builtin_arg(in, call, 0);
    evs__span at = call->site->at;
    evs__loop_leave(in);
    evs__seq args = pair(in, call, evs__walk_keys(in, table, at), evs__walk_values(in, table, at));
    evs__invoke(in, call->site, evs__builtin_arg(in, call, 1), args);
}

evs__seq evs__builtin_foreach(evs__interp *in, const evs__builtin_call *call)
{
    evs__builtin_call copy = *call;
    evs__calls_back(in, evs__builtin_arg(in, call, 1));
    evs__iterate(in, foreach_round, &copy);
    return evs__builtin_lost(in, call, "it is what table.foreach gives");
}

/* ---- unpack ---- */

static evs__seq unpack_object(evs__interp *in, const evs__object *object, evs__span at)
{
    evs__seq seq = evs__seq_empty();
    for (size_t i = 0; i < object->nitems; i++)
        evs__seq_push(in->pool, &seq, object->items[i], at);
    seq.least = evs__object_sure(object);
    evs__object behind = *object;
    behind.nitems = 0;
    if (object->rest != NULL)
        seq.rest = evs__object_elements(in->pool, &behind, at);
    seq.pair[1] = object->pair[1];
    if (object->pair[0] != NULL)
        seq.pair[0] = evs__value_join(in->pool, object->pair[0], object->last);
    seq.rest_at = at;
    return seq;
}

static evs__seq unpack_all(evs__interp *in, const evs__value *table, evs__span at)
{
    evs__seq all = evs__seq_none();
    for (size_t i = 0; i < table->ntables; i++) {
        const evs__object *object = evs__store_object(&in->store, table->tables[i]);
        evs__seq one = object == NULL ? evs__seq_any(evs__value_lost(), at)
                                      : unpack_object(in, object, at);
        all = evs__seq_join(in->pool, &all, &one);
    }
    const evs__value *inside = evs__inside(in, table, NULL, at);
    if (evs__value_is_none(inside) && !all.none)
        return all;
    evs__seq other = evs__seq_any(inside, at);
    return evs__seq_join(in->pool, &all, &other);
}

static long whole(const evs__value *value)
{
    const evs__atom *single = evs__value_single(value);
    if (single == NULL || single->kind != EVS__ATOM_NUMBER || !(single->number >= 1) ||
        single->number > EVS__ITEMS_MAX)
        return 0;
    return (long)single->number;
}

/* From `first` to `last`, both known. */
static evs__seq unpack_exactly(evs__interp *in, const evs__value *table, long first, long last,
                               evs__span at)
{
    evs__seq seq = evs__seq_empty();
    for (long i = first; i <= last; i++)
        evs__seq_push(in->pool, &seq,
                      evs__read_index(in, table, evs__value_number(in->pool, (double)i, at), at),
                      at);
    return seq;
}

evs__seq evs__builtin_unpack(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *table = evs__builtin_arg(in, call, 0);
    const evs__value *from = evs__builtin_arg(in, call, 1), *to = evs__builtin_arg(in, call, 2);
    evs__span at = call->site->at;
    long first = from->types == EVS__TYPE_NIL ? 1 : whole(from), last = whole(to);
    if (first > 0 && last > 0)
        return unpack_exactly(in, table, first, last, at);
    evs__seq all = unpack_all(in, table, at);
    if (first == 0)
        return evs__seq_any(
            evs__value_join(in->pool, evs__seq_all(in->pool, &all), evs__value_nil()), at);
    all = evs__seq_drop(&all, (size_t)first - 1);
    if (to->types == EVS__TYPE_NIL)
        return all;
    all.least = 0; /* it may end anywhere, and go on with nil behind the end */
    all.rest = evs__value_join(in->pool, evs__value_nil(), all.rest);
    all.pair[0] = all.pair[1] = NULL;
    return all;
}

/* ---- changing ---- */

static const evs__object *shuffle(evs__pool *pool, const evs__object *object,
                                  const evs__value *more, int weak)
{
    (void)weak; /* whoever changes a table weakly joins the old one */
    return evs__object_shuffle(pool, object, more);
}

evs__seq evs__builtin_insert(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *table = evs__builtin_arg(in, call, 0);
    if (evs__seq_exact(&call->args) && call->args.count == 2) {
        evs__append(in, table, evs__builtin_arg(in, call, 1), call->site->at);
        return evs__seq_empty();
    }
    evs__seq rest = evs__seq_drop(&call->args, 1);
    const evs__value *more = evs__seq_exact(&call->args) ? evs__builtin_arg(in, call, 2)
                                                         : evs__seq_all(in->pool, &rest);
    evs__note_use(in, table, EVS__ACCESS_WRITE, call->site->at);
    evs__change_tables(in, table, shuffle, more, call->site->at);
    return evs__seq_empty();
}

evs__seq evs__builtin_remove(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *table = evs__builtin_arg(in, call, 0);
    evs__span at = call->site->at;
    const evs__value *removed = evs__value_join(in->pool, evs__walk_elements(in, table, at),
                                                evs__value_nil());
    evs__note_use(in, table, EVS__ACCESS_ORDER, at);
    evs__change_tables(in, table, shuffle, NULL, at);
    return evs__builtin_give(in, call, removed);
}

/* The comparison may change the table, so every round reads it anew. */
static void sort_round(evs__interp *in, void *context)
{
    const evs__builtin_call *call = context;
    evs__span at = call->site->at;
    evs__loop_leave(in);
    const evs__value *element = evs__walk_elements(in, evs__builtin_arg(in, call, 0), at);
    evs__invoke(in, call->site, evs__builtin_arg(in, call, 1), pair(in, call, element, element));
}

evs__seq evs__builtin_sort(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *table = evs__builtin_arg(in, call, 0);
    const evs__value *less = evs__builtin_arg(in, call, 1);
    evs__span at = call->site->at;
    evs__note_use(in, table, EVS__ACCESS_WRITE, at);
    evs__change_tables(in, table, shuffle, NULL, at);
    if (less->types != EVS__TYPE_NIL) {
        evs__builtin_call copy = *call;
        evs__calls_back(in, less);
        evs__iterate(in, sort_round, &copy);
        evs__change_tables(in, table, shuffle, NULL, at);
    }
    return evs__seq_empty();
}

/* ---- concat ---- */

static int has_constants(const evs__value *value)
{
    return evs__value_has(value, EVS__ATOM_CONSTANT) || evs__value_has(value, EVS__ATOM_NUMBER);
}

/* A constant that may be missing as well makes the length and the result uncertain; so does one
 * that only some paths have. Whatever is no constant makes no constant either way. */
static int is_certain(const evs__value *value)
{
    return value->natoms > 0 && !evs__value_is_falsy(value) &&
           ((value->types & EVS__TYPE_NIL) == 0 || !has_constants(value));
}

/* The contents of the one table that it is, when all of them are known; else NULL. */
static const evs__object *known_contents(const evs__interp *in, const evs__value *table)
{
    if (table->ntables != 1 || table->natoms > 0)
        return NULL;
    const evs__object *object = evs__store_object(&in->store, table->tables[0]);
    if (object == NULL || object->rest != NULL || object->other != NULL)
        return NULL;
    for (size_t i = 0; i < object->nitems; i++)
        if (!is_certain(object->items[i]))
            return NULL;
    return object;
}

evs__seq evs__builtin_concat(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *table = evs__builtin_arg(in, call, 0);
    evs__span at = call->site->at;
    const evs__object *object = known_contents(in, table);
    evs__arg elements = {evs__walk_elements(in, table, at), at};
    evs__note_sight(in, EVS__SIGHT_SHOWN, call->site->call, 0, elements);
    evs_bytes empty = {"", 0};
    const evs__value *made = evs__value_constant(in->pool, empty, at);
    const evs__value *between = evs__builtin_arg(in, call, 1);
    int bounded = call->args.count > 2 || call->args.rest != NULL;
    int plain = between->types == EVS__TYPE_NIL || is_certain(between);
    if (object == NULL || bounded || !plain) {
        const evs__value *mixed = evs__builtin_mix(in, call, EVS__TYPE_STRING);
        /* Which of the elements come together in one string is not known. */
        return evs__builtin_give(in, call, evs__value_guarded(in->pool, mixed));
    }
    for (size_t i = 0; i < object->nitems; i++) {
        if (i > 0 && between->natoms > 0)
            made = evs__value_concat(in->pool, made, between, at);
        made = evs__value_concat(in->pool, made, object->items[i], at);
    }
    return evs__builtin_give(in, call, made);
}
