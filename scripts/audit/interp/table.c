/*
 * Reading and writing tables.
 *
 * A value may be several tables; reading joins what they hold, writing changes each of them, and
 * changes them weakly unless there is exactly one, which exists exactly once. Tables that come from
 * replies and decoders are not followed one by one: they hold what they came from, until somebody
 * writes into one of them; from then on reading from any of them gives anything.
 *
 * Metatables are followed for __index with tables. Other metamethods would run code at places that
 * look harmless, so storing one gives up.
 */
#include "scripts/audit/interp/interp.h"

#include "scripts/audit/builtins/builtin.h"
#include "scripts/audit/interp/watch.h"

enum {
    META_MAX = 8, /* length of a chain of __index */
    DEEP_MAX = 4  /* tables in tables */
};

/* ---- reading ---- */

static const evs__value *from_table(evs__interp *in, size_t slot, const evs__value *key,
                                    evs__span at, int depth);

static const evs__value *from_meta(evs__interp *in, const evs__value *meta, const evs__value *key,
                                   evs__span at, int depth)
{
    const evs__value *name = evs__value_constant(in->pool, evs_text("__index"), at);
    const evs__value *all = evs__value_none();
    const evs__value *index = evs__value_none();
    for (size_t i = 0; i < meta->ntables; i++)
        index = evs__value_join(in->pool, index,
                                from_table(in, meta->tables[i], name, at, META_MAX));
    if (meta->natoms > 0 || index->natoms > 0 || depth >= META_MAX)
        return evs__value_top(in->pool, "it is found through a metatable", at);
    if (index->ncalls > 0) {
        evs__give_up(in, at, "a function __index is not followed");
        return evs__value_top(in->pool, "it is found through a function __index", at);
    }
    for (size_t i = 0; i < index->ntables; i++)
        all = evs__value_join(in->pool, all, from_table(in, index->tables[i], key, at, depth + 1));
    return all;
}

int evs__is_library(const evs__interp *in, size_t slot)
{
    return slot < in->library_end && slot != in->keys && slot != in->argv;
}

/* Is it surely the name of something that is known to be in a table of the sandbox? */
static int is_listed(const evs__object *object, const evs__value *key)
{
    const evs__atom *single = evs__value_single(key);
    return single != NULL && single->kind == EVS__ATOM_CONSTANT &&
           evs__object_field(object, single->text) != NULL;
}

/* A depth of META_MAX reads the table alone. */
static const evs__value *from_table(evs__interp *in, size_t slot, const evs__value *key,
                                    evs__span at, int depth)
{
    const evs__object *object = evs__store_object(&in->store, slot);
    if (object == NULL)
        return evs__value_lost();
    const evs__value *value = evs__object_get(in->pool, object, key, at);
    if (evs__is_library(in, slot) && !is_listed(object, key))
        value = evs__value_join(in->pool, value,
                                evs__value_top(in->pool, "not every server has it", at));
    if (object->meta == NULL || !(value->types & EVS__TYPE_NIL) || depth >= META_MAX)
        return value;
    return evs__value_join(in->pool, value, from_meta(in, object->meta, key, at, depth));
}

/* Unless a table that is not followed was changed: then it may be one of these. */
static const evs__value *unless_changed(evs__interp *in, const evs__value *inside, evs__span at)
{
    if (!evs__value_is_none(inside) && evs__store_value(&in->store, in->inside) != NULL)
        return evs__value_top(in->pool, "it is in a table that was changed after it was read", at);
    return inside;
}

const evs__value *evs__inside(evs__interp *in, const evs__value *object, const evs__value *key,
                              evs__span at)
{
    return unless_changed(in, evs__value_inside(in->pool, object, key), at);
}

const evs__value *evs__inside_keys(evs__interp *in, const evs__value *object, evs__span at)
{
    return unless_changed(in, evs__value_inside_keys(in->pool, object), at);
}

static const evs__value *deep(evs__interp *in, const evs__value *value, evs__span at, int depth)
{
    const evs__value *all = value;
    for (size_t i = 0; i < value->ntables; i++) {
        const evs__object *object = evs__store_object(&in->store, value->tables[i]);
        if (object == NULL)
            continue;
        if (depth == 0)
            return evs__value_join(in->pool, all, evs__value_lost());
        const evs__value *values = evs__object_values(in->pool, object, at);
        const evs__value *keys = evs__object_keys(in->pool, object, at);
        values = evs__value_join(in->pool, values, keys);
        all = evs__value_join(in->pool, all, deep(in, values, at, depth - 1));
    }
    return all;
}

const evs__value *evs__deep(evs__interp *in, const evs__value *value, evs__span at)
{
    return deep(in, value, at, DEEP_MAX);
}

static int is_tracked_string(const evs__value *value)
{
    for (size_t i = 0; i < value->natoms; i++)
        if (evs__atom_types(value->atoms[i]) == EVS__TYPE_STRING)
            return 1;
    return 0;
}

/* That servers have methods of strings which are not listed is not believed: almost any value may
 * be a string. */
static const evs__value *method_of_string(const evs__interp *in, const evs__value *key,
                                          evs__span at)
{
    const evs__object *strings = evs__store_object(&in->store, in->strings);
    return strings == NULL ? evs__value_lost() : evs__object_get(in->pool, strings, key, at);
}

const evs__value *evs__read_index(evs__interp *in, const evs__value *object, const evs__value *key,
                                  evs__span at)
{
    const evs__value *all = evs__value_none();
    evs__note_read(in, object, key, at);
    for (size_t i = 0; i < object->ntables; i++)
        all = evs__value_join(in->pool, all, from_table(in, object->tables[i], key, at, 0));
    if ((object->types & EVS__TYPE_STRING) &&
        (is_tracked_string(object) || evs__value_single(key) != NULL))
        all = evs__value_join(in->pool, all, method_of_string(in, key, at));
    all = evs__value_join(in->pool, all, evs__inside(in, object, key, at));
    return evs__value_is_none(all) ? evs__value_nil() : all;
}

const evs__value *evs__touch(evs__interp *in, const evs__value *value, evs__span at)
{
    const evs__value *all = evs__value_none();
    value = evs__deep(in, value, at);
    for (size_t i = 0; i < value->ntables; i++) {
        const evs__object *object = evs__store_object(&in->store, value->tables[i]);
        if (object != NULL && object->meta != NULL)
            all = evs__value_join(in->pool, all,
                                  from_meta(in, object->meta, evs__value_lost(), at, 0));
    }
    return all;
}

/* ---- writing ---- */

static int is_constant(const evs__value *key, const char *text)
{
    const evs__atom *single = evs__value_single(key);
    return single != NULL && single->kind == EVS__ATOM_CONSTANT &&
           single->text.len == strlen(text) && memcmp(single->text.data, text, strlen(text)) == 0;
}

/* May a value be, or hold, code? */
static int may_be_code(const evs__value *value)
{
    return (value->types & (EVS__TYPE_FUNCTION | EVS__TYPE_TABLE)) != 0;
}

static void check_method(evs__interp *in, const evs__value *key, const evs__value *value,
                         evs__span at)
{
    const evs__atom *single = evs__value_single(key);
    if (is_constant(key, "__mode"))
        evs__give_up(in, at, "what is in a weak table may vanish");
    if (!may_be_code(value) && (single != NULL || (value->types & EVS__TYPE_STRING) == 0))
        return;
    if (single == NULL) {
        if ((key->types & EVS__TYPE_STRING) == 0)
            return;
        in->has_computed_methods = 1;
        if (in->has_metatables)
            evs__give_up(in, at, "a metamethod may be stored under a computed name");
        return;
    }
    if (single->kind != EVS__ATOM_CONSTANT || single->text.len < 2 ||
        memcmp(single->text.data, "__", 2) != 0)
        return;
    if (!is_constant(key, "__index") && !is_constant(key, "__mode"))
        evs__give_up(in, at, "a metamethod is not followed");
}

static void check_library(evs__interp *in, size_t slot, const evs__value *key, evs__span at)
{
    if (!evs__is_library(in, slot))
        return;
    const evs__atom *single = evs__value_single(key);
    if (slot == in->globals && single != NULL && single->kind == EVS__ATOM_CONSTANT &&
        !evs__builtins_has_global(single->text))
        return;
    evs__give_up(in, at, "something built in is replaced");
}

static int is_only_table(const evs__interp *in, const evs__value *object)
{
    return object->ntables == 1 && object->natoms == 0 &&
           !evs__store_is_many(&in->store, object->tables[0]);
}

/* Writing into a table that is not among those followed. */
static void change_unknown(evs__interp *in, const evs__value *object, evs__span at)
{
    if (evs__value_has(object, EVS__ATOM_TOP))
        evs__give_up(in, at, "a table is changed that may be any table");
    if (!evs__value_is_none(evs__value_inside(in->pool, object, NULL)))
        evs__store_set(&in->store, in->inside, evs__value_lost());
}

void evs__write_index(evs__interp *in, const evs__value *object, const evs__value *key,
                      const evs__value *value, evs__span at)
{
    int weak = !is_only_table(in, object);
    check_method(in, key, value, at);
    evs__note_use(in, object, EVS__ACCESS_WRITE, at);
    evs__watch_write(in, object, key, at);
    for (size_t i = 0; i < object->ntables; i++) {
        size_t slot = object->tables[i];
        const evs__object *old = evs__store_object(&in->store, slot);
        check_library(in, slot, key, at);
        if (old != NULL)
            evs__store_set_object(&in->store, slot,
                                  evs__object_set(in->pool, old, key, value, weak));
    }
    change_unknown(in, object, at);
}

void evs__change_tables(evs__interp *in, const evs__value *object, evs__object_change *change,
                        const evs__value *value, evs__span at)
{
    int weak = !is_only_table(in, object);
    evs__watch_write(in, object, NULL, at);
    for (size_t i = 0; i < object->ntables; i++) {
        size_t slot = object->tables[i];
        const evs__object *old = evs__store_object(&in->store, slot);
        check_library(in, slot, evs__value_lost(), at);
        if (old == NULL)
            continue;
        const evs__object *changed = change(in->pool, old, value, weak);
        if (weak)
            changed = evs__object_join(in->pool, old, changed);
        evs__store_set_object(&in->store, slot, changed);
    }
    change_unknown(in, object, at);
}

void evs__append(evs__interp *in, const evs__value *object, const evs__value *value, evs__span at)
{
    evs__note_use(in, object, EVS__ACCESS_WRITE, at);
    evs__change_tables(in, object, evs__object_append, value, at);
}

/* ---- making ---- */

const evs__value *evs__new_table(evs__interp *in, const void *node, const evs__object *contents)
{
    size_t slot = evs__node_slot_of(in, node);
    evs__store_make(&in->store, slot);
    if (evs__store_is_many(&in->store, slot))
        contents = evs__object_join(in->pool, evs__store_object(&in->store, slot), contents);
    evs__store_set_object(&in->store, slot, contents);
    return evs__value_table(in->pool, slot);
}

/* A constructor being evaluated. Lua stores its positional items last, in portions; when there are
 * computed keys besides, they may name the same places, and every write counts as one that may be
 * overwritten. */
typedef struct building {
    const evs__object *object;
    size_t position;
    int weak;
} building;

static void add_tail(evs__interp *in, building *b, const evs__seq *tail, evs__span at)
{
    for (size_t i = 0; i < tail->count; i++) {
        const evs__value *key = evs__value_number(in->pool, (double)b->position++, at);
        b->object = evs__object_set(in->pool, b->object, key, evs__seq_at(in->pool, tail, i),
                                    b->weak);
    }
    if (tail->rest == NULL)
        return;
    evs__object *open = evs__pool_alloc(in->pool, 1, sizeof *open);
    if (open == NULL)
        return;
    *open = *b->object;
    open->rest = evs__value_join(in->pool, open->rest, tail->rest);
    b->object = open;
}

static void add_item(evs__interp *in, building *b, const evs__item *item)
{
    const evs__value *key = item->kind == EVS__ITEM_POSITION
                                ? evs__value_number(in->pool, (double)b->position++,
                                                    item->value->at)
                                : evs__eval(in, item->key);
    const evs__value *value = evs__eval(in, item->value);
    if (item->kind != EVS__ITEM_POSITION)
        key = evs__reread(in, item->key, key);
    check_method(in, key, value, item->value->at);
    b->object = evs__object_set(in->pool, b->object, key, value, b->weak);
}

const evs__value *evs__eval_table(evs__interp *in, const evs__expr *expr)
{
    const evs__table_expr *table = &expr->as.table;
    building b = {evs__object_new(in->pool), 1, 0};
    for (size_t i = 0; i < table->count; i++)
        b.weak |= table->items[i].kind == EVS__ITEM_KEY &&
                  table->items[i].key->kind != EVS__EXPR_STRING;
    for (size_t i = 0; i < table->count && !in->dead; i++) {
        const evs__item *item = &table->items[i];
        if (item->kind != EVS__ITEM_POSITION || i + 1 < table->count) {
            add_item(in, &b, item);
            continue;
        }
        evs__seq tail = evs__eval_open(in, item->value);
        add_tail(in, &b, &tail, item->value->at);
    }
    return evs__new_table(in, expr, b.object);
}
