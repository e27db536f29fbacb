/*
 * The sandbox as it is when a script begins.
 */
#include "scripts/audit/builtins/builtin.h"

#include <assert.h>
#include <math.h>
#include <string.h>
#include <strings.h>

static const evs__builtin builtins[] = {
#define EVS_BUILTIN(table, name, run, types)      {table, name, evs__builtin_##run, types, 0},
#define EVS_BUILTIN_SOME(table, name, run, types) {table, name, evs__builtin_##run, types, 1},
#include "scripts/audit/builtins/builtins.def"
#undef EVS_BUILTIN_SOME
#undef EVS_BUILTIN
};

enum { BUILTINS = sizeof builtins / sizeof *builtins };

/* Their names once more, with lengths, because they are looked for often. */
static const struct {
    evs_bytes table, name;
} names[] = {
#define EVS_BUILTIN(table, name, run, types) {{table, sizeof table - 1}, {name, sizeof name - 1}},
#define EVS_BUILTIN_SOME(table, name, run, types) \
    {{table, sizeof table - 1}, {name, sizeof name - 1}},
#include "scripts/audit/builtins/builtins.def"
#undef EVS_BUILTIN_SOME
#undef EVS_BUILTIN
};

static const evs__span nowhere = {0, 0, 0, 0};

static const evs__value *value_of(evs__interp *in, const evs__builtin *builtin)
{
    if (strcmp(builtin->name, "huge") == 0)
        return evs__value_within(in->pool, evs__range_of(HUGE_VAL), nowhere);
    if (strcmp(builtin->name, "pi") == 0)
        return evs__value_within(in->pool, evs__range_fraction(3, 4), nowhere);
    unsigned source = builtin->types & EVS__TYPE_NUMBER ? EVS__SOURCE_NUMBER : EVS__SOURCE_CONSTANT;
    return evs__value_data(in->pool, source, builtin->types, nowhere);
}

/* A function of the sandbox as a value: what evs__value_callable makes, all in one. */
typedef struct function_value {
    evs__value value;
    const evs__callable *list;
    evs__callable callable;
} function_value;

static const evs__value *make_function(function_value *out, const evs__builtin *builtin)
{
    out->callable.builtin = builtin;
    out->list = &out->callable;
    out->value.types = (unsigned char)(EVS__TYPE_FUNCTION | (builtin->some ? EVS__TYPE_NIL : 0));
    out->value.ncalls = 1;
    out->value.range = evs__range_any();
    out->value.calls = &out->list;
    return &out->value;
}

static const evs__value *or_nil(evs__interp *in, const evs__value *value)
{
    return evs__value_join(in->pool, value, evs__value_nil());
}

/* An object with room for `cap` fields, filled in place: nobody has seen it yet. */
static evs__object *open_object(evs__interp *in, size_t cap)
{
    evs__object *object = evs__pool_alloc(in->pool, 1, sizeof *object);
    evs__field *fields = evs__pool_alloc(in->pool, cap, sizeof *fields);
    if (object == NULL || fields == NULL)
        return NULL;
    *object = *evs__object_new(in->pool);
    object->fields = fields;
    return object;
}

static void add_named(evs__object *object, evs_bytes name, const evs__value *value)
{
    evs__field *field = &object->fields[object->nfields++];
    field->name = name;
    field->value = value;
}

static void add(evs__object *object, const char *name, const evs__value *value)
{
    add_named(object, evs_text(name), value);
}

static size_t new_slot(evs__interp *in, const evs__object *object)
{
    size_t slot = evs__store_slots(&in->store, 1);
    evs__store_make(&in->store, slot);
    evs__store_set_object(&in->store, slot, object);
    return slot;
}

/* How many rows from `first` on are in the same table. */
static size_t rows_of_table(size_t first)
{
    const char *table = builtins[first].table;
    size_t n = 1;
    while (first + n < BUILTINS &&
           (builtins[first + n].table == table || strcmp(builtins[first + n].table, table) == 0))
        n++;
    return n;
}

static void add_rows(evs__interp *in, evs__object *object, size_t first, size_t count)
{
    function_value *functions = evs__pool_alloc(in->pool, count, sizeof *functions);
    for (size_t i = first; functions != NULL && i < first + count; i++) {
        if (builtins[i].run != evs__builtin_value) {
            add_named(object, names[i].name, make_function(&functions[i - first], &builtins[i]));
            continue;
        }
        const evs__value *value = value_of(in, &builtins[i]);
        add(object, builtins[i].name, builtins[i].some ? or_nil(in, value) : value);
    }
}

/* Valkey has redis under another name too; Redis has not. Not every server has `os`. */
static void add_table(evs__interp *in, evs__object *globals, const char *name, size_t slot)
{
    const evs__value *value = evs__value_table(in->pool, slot);
    if (strcmp(name, "string") == 0)
        in->strings = slot;
    if (strcmp(name, "redis") == 0)
        add(globals, "server", or_nil(in, value));
    add(globals, name, strcmp(name, "os") == 0 ? or_nil(in, value) : value);
}

static size_t add_given(evs__interp *in, evs__object *globals, const char *name, evs__given what)
{
    size_t slot = new_slot(in, evs__object_given(in->pool, what));
    add_table(in, globals, name, slot);
    return slot;
}

static void add_all(evs__interp *in, evs__object *globals)
{
    for (size_t i = 0, n; i < BUILTINS; i += n) {
        n = rows_of_table(i);
        evs__object *object = builtins[i].table[0] == '\0' ? globals : open_object(in, n);
        if (object == NULL)
            return;
        add_rows(in, object, i, n);
        if (object != globals)
            add_table(in, globals, builtins[i].table, new_slot(in, object));
    }
    in->keys = add_given(in, globals, "KEYS", EVS__GIVEN_KEYS);
    in->argv = add_given(in, globals, "ARGV", EVS__GIVEN_ARGV);
    add(globals, "_G", evs__value_table(in->pool, in->globals));
}

void evs__builtins_install(evs__interp *in)
{
    in->globals = new_slot(in, NULL);
    evs__object *globals = open_object(in, EVS__FIELDS_MAX);
    if (globals == NULL)
        return;
    add_all(in, globals);
    assert(globals->nfields <= EVS__FIELDS_MAX);
    evs__store_set_object(&in->store, in->globals, globals);
}

static int is(evs_bytes text, evs_bytes bytes)
{
    return text.len == bytes.len && memcmp(text.data, bytes.data, bytes.len) == 0;
}

int evs__builtins_has_global(evs_bytes name)
{
    static const evs_bytes others[] = {{"KEYS", 4}, {"ARGV", 4}, {"_G", 2}, {"server", 6}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is(others[i], name))
            return 1;
    for (size_t i = 0; i < BUILTINS; i++)
        if (is(names[i].table.len == 0 ? names[i].name : names[i].table, name))
            return 1;
    return 0;
}

int evs__builtins_has_table(evs_bytes table)
{
    for (size_t i = 0; i < BUILTINS; i++)
        if (names[i].table.len > 0 && is(names[i].table, table))
            return 1;
    return 0;
}

int evs__builtins_has(evs_bytes table, evs_bytes name)
{
    for (size_t i = 0; i < BUILTINS; i++)
        if (is(names[i].table, table) && is(names[i].name, name))
            return 1;
    return 0;
}

static int is_alike(evs_bytes text, evs_bytes bytes)
{
    return text.len == bytes.len && strncasecmp(text.data, bytes.data, bytes.len) == 0;
}

/* KEYS, ARGV and the tables themselves. */
static const char *similar_table(evs_bytes name)
{
    static const char *const words[][2] = {
        {"KEYS", "KEYS"}, {"KEY", "KEYS"}, {"ARGV", "ARGV"}, {"ARGS", "ARGV"}, {"ARG", "ARGV"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_alike(evs_text(words[i][0]), name))
            return words[i][1];
    for (size_t i = 0; i < BUILTINS; i++)
        if (names[i].table.len > 0 && is_alike(names[i].table, name))
            return builtins[i].table;
    return NULL;
}

const char *evs__builtins_similar(evs__pool *pool, evs_bytes table, evs_bytes name)
{
    const char *found = table.len == 0 ? similar_table(name) : NULL;
    for (size_t i = 0; found == NULL && i < BUILTINS; i++) {
        const char *in = builtins[i].table;
        if (!is_alike(names[i].name, name) ||
            (table.len > 0 && names[i].table.len > 0 && !is(names[i].table, table)))
            continue;
        found = evs__arena_format(&pool->arena, "%s%s%s", in, in[0] ? "." : "", builtins[i].name);
        pool->failed |= found == NULL;
    }
    return found;
}

/* ---- for the implementations ---- */

void evs__builtin_note(evs__interp *in, const evs__builtin_call *call, evs__sight_kind kind,
                       size_t i)
{
    if (i < call->args.count)
        evs__note_sight(in, kind, call->site->call, i, call->args.items[i]);
}

const evs__value *evs__builtin_arg(evs__interp *in, const evs__builtin_call *call, size_t i)
{
    return evs__seq_at(in->pool, &call->args, i);
}

evs__seq evs__builtin_give(evs__interp *in, const evs__builtin_call *call, const evs__value *value)
{
    return evs__seq_of(in->pool, value, call->site->at);
}

evs__seq evs__builtin_lost(evs__interp *in, const evs__builtin_call *call, const char *reason)
{
    return evs__seq_any(evs__value_top(in->pool, reason, call->site->at), call->site->at);
}

void evs__calls_back(evs__interp *in, const evs__value *callee)
{
    for (size_t i = 0; i < callee->ncalls; i++)
        in->recorder->speech.raises_nowhere |= callee->calls[i]->builtin != NULL;
}

const evs__value *evs__builtin_mix(evs__interp *in, const evs__builtin_call *call, unsigned types)
{
    evs__span at = call->site->at;
    const evs__value *all = evs__value_none();
    for (size_t i = 0; i < call->args.count; i++)
        all = evs__value_mixed(in->pool, all, evs__deep(in, call->args.items[i].value, at), types,
                               at);
    if (call->args.rest != NULL)
        all = evs__value_mixed(in->pool, all, evs__deep(in, call->args.rest, at), types, at);
    return evs__value_computed(in->pool, all, types, at);
}
