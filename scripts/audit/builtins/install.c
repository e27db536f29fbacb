/*
 * The sandbox as it is when a script begins.
 */
#include "scripts/audit/builtins/builtin.h"

#include <string.h>

static const evs__builtin builtins[] = {
#define EVS_BUILTIN(table, name, run, types)      {table, name, evs__builtin_##run, types, 0},
#define EVS_BUILTIN_SOME(table, name, run, types) {table, name, evs__builtin_##run, types, 1},
#include "scripts/audit/builtins/builtins.def"
#undef EVS_BUILTIN_SOME
#undef EVS_BUILTIN
};

enum { BUILTINS = sizeof builtins / sizeof *builtins };

static const evs__span nowhere = {0, 0, 0, 0};

static void set(evs__interp *in, size_t slot, const char *name, const evs__value *value)
{
    const evs__object *object = evs__store_object(&in->store, slot);
    if (object == NULL)
        object = evs__object_new(in->pool);
    const evs__value *key = evs__value_constant(in->pool, evs_text(name), nowhere);
    evs__store_set_object(&in->store, slot, evs__object_set(in->pool, object, key, value, 0));
}

static const evs__value *value_of(evs__interp *in, const evs__builtin *builtin)
{
    evs__callable callable = {.builtin = builtin};
    if (builtin->run != evs__builtin_value)
        return evs__value_callable(in->pool, &callable);
    unsigned source = builtin->types & EVS__TYPE_NUMBER ? EVS__SOURCE_NUMBER : EVS__SOURCE_CONSTANT;
    return evs__value_data(in->pool, source, builtin->types, nowhere);
}

/* The slot of a table of the sandbox, which is made when it is first asked for. */
static size_t table_slot(evs__interp *in, const char *name)
{
    const evs__object *globals = evs__store_object(&in->store, in->globals);
    const evs__value *known = globals ? evs__object_field(globals, evs_text(name)) : NULL;
    if (known != NULL && known->ntables > 0)
        return known->tables[0];
    size_t slot = evs__store_slots(&in->store, 1);
    evs__store_make(&in->store, slot);
    evs__store_set_object(&in->store, slot, evs__object_new(in->pool));
    set(in, in->globals, name, evs__value_table(in->pool, slot));
    return slot;
}

static size_t given(evs__interp *in, const char *name, evs__given what)
{
    size_t slot = table_slot(in, name);
    evs__store_set_object(&in->store, slot, evs__object_given(in->pool, what));
    return slot;
}

void evs__builtins_install(evs__interp *in)
{
    in->globals = evs__store_slots(&in->store, 1);
    evs__store_make(&in->store, in->globals);
    in->strings = table_slot(in, "string");
    in->keys = given(in, "KEYS", EVS__GIVEN_KEYS);
    in->argv = given(in, "ARGV", EVS__GIVEN_ARGV);
    for (size_t i = 0; i < BUILTINS; i++) {
        const evs__builtin *b = &builtins[i];
        size_t slot = b->table[0] == '\0' ? in->globals : table_slot(in, b->table);
        const evs__value *value = value_of(in, b);
        if (b->some)
            value = evs__value_join(in->pool, value, evs__value_nil());
        set(in, slot, b->name, value);
    }
    const evs__value *os = evs__value_table(in->pool, table_slot(in, "os"));
    set(in, in->globals, "os", evs__value_join(in->pool, os, evs__value_nil()));
    set(in, in->globals, "_G", evs__value_table(in->pool, in->globals));
    /* Valkey's other name of redis; Redis has none. */
    const evs__value *redis = evs__value_table(in->pool, table_slot(in, "redis"));
    set(in, in->globals, "server", evs__value_join(in->pool, redis, evs__value_nil()));
}

int evs__builtins_has_global(evs_bytes name)
{
    static const char *const others[] = {"KEYS", "ARGV", "_G", "server"};
    for (size_t i = 0; i < BUILTINS; i++) {
        const char *known = builtins[i].table[0] == '\0' ? builtins[i].name : builtins[i].table;
        if (strlen(known) == name.len && memcmp(known, name.data, name.len) == 0)
            return 1;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strlen(others[i]) == name.len && memcmp(others[i], name.data, name.len) == 0)
            return 1;
    return 0;
}

/* ---- for the implementations ---- */

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
