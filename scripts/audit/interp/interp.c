#include "scripts/audit/interp/interp.h"

#include "scripts/audit/builtins/builtin.h"
#include "scripts/audit/interp/watch.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum {
    STEPS_MAX = 200000,
    WORK_MAX = 1000000,     /* cells that are compared and copied where branches and calls end */
    MEMORY_MAX = 128 << 20, /* bytes */
    NESTING_MAX = 1200      /* nodes; each takes a few hundred bytes of stack */
};

void evs__give_up(evs__interp *in, evs__span at, const char *reason)
{
    if (in->dead && !in->over)
        return;
    evs__record_gap(in->recorder, evs__span_public(in->chunk, at), reason);
    evs__store_set(&in->store, in->lost, evs__value_lost());
}

/* The present path ends, and the recorder forgets its beliefs. */
void evs__stop(evs__interp *in, evs__span at, const char *reason)
{
    if (in->over)
        return;
    in->over = 1;
    in->recorder->over = 1;
    evs__give_up(in, at, reason);
    in->dead = 1;
}

int evs__descend(evs__interp *in, evs__span at)
{
    if (in->over || in->pool->failed)
        return 0;
    if (++in->steps > STEPS_MAX || in->store.work > WORK_MAX ||
        in->pool->arena.used - in->memory > MEMORY_MAX) {
        evs__stop(in, at, "the script takes too many steps to follow");
        return 0;
    }
    if (in->nesting >= NESTING_MAX) {
        evs__stop(in, at, "the script is nested too deeply to follow");
        return 0;
    }
    in->nesting++;
    return 1;
}

void evs__ascend(evs__interp *in)
{
    in->nesting--;
}

/* ---- activations ---- */

size_t evs__node_slot_of(evs__interp *in, const void *node)
{
    evs__node_slot probe;
    memset(&probe, 0, sizeof probe);
    probe.activation = in->frame->activation;
    probe.node = node;
    evs_bytes key = {(const char *)&probe, offsetof(evs__node_slot, slot)};
    const evs__node_slot *found = evs__table_get(&in->slots, key);
    if (found != NULL)
        return found->slot;
    evs__node_slot *made = evs__pool_alloc(in->pool, 1, sizeof *made);
    if (made == NULL)
        return 0;
    *made = probe;
    made->slot = evs__store_slots(&in->store, 1);
    key.data = (const char *)made;
    if (!evs__table_set(&in->slots, key, made))
        in->pool->failed = 1;
    return made->slot;
}

size_t evs__local_slot(const evs__interp *in, const evs__local *local)
{
    const evs__activation *activation = in->frame->activation;
    while (activation->function != local->owner) {
        activation = activation->outer;
        assert(activation != NULL);
    }
    return activation->locals + local->index;
}

/* Only a captured variable can exist several times at once: of the others, the one before is gone
 * when the next one is declared. */
void evs__check_variable(evs__interp *in, evs__span at)
{
    if (evs__chunk_hole(in->chunk, at) != NULL)
        evs__give_up(in, at, "which variable this is, is not known");
}

void evs__declare(evs__interp *in, const evs__local *local, const evs__value *value)
{
    size_t slot = evs__local_slot(in, local);
    evs__check_variable(in, local->at);
    if (local->captured) {
        evs__store_make(&in->store, slot);
        if (evs__store_is_many(&in->store, slot))
            value = evs__value_join(in->pool, evs__store_value(&in->store, slot), value);
    }
    evs__store_set(&in->store, slot, value);
}

static evs_bytes key_of(const evs__activation *activation)
{
    evs_bytes key = {(const char *)activation, offsetof(evs__activation, locals)};
    return key;
}

evs__activation *evs__activation_of(evs__interp *in, const evs__callable *callable,
                                    const evs__expr *call)
{
    evs__activation probe = {
        .function = callable->function, .outer = callable->outer, .call = call};
    probe.caller = in->frame == NULL ? NULL : in->frame->activation;
    evs__activation *known = evs__table_get(&in->activations, key_of(&probe));
    if (known != NULL)
        return known;
    evs__activation *made = evs__pool_alloc(in->pool, 1, sizeof *made);
    if (made == NULL)
        return NULL;
    *made = probe;
    made->locals = evs__store_slots(&in->store, callable->function->nlocals);
    if (!evs__table_set(&in->activations, key_of(made), made))
        in->pool->failed = 1;
    return in->pool->failed ? NULL : made;
}

/* ---- entry points ---- */

/* Does a value remember something of one call of a library's function: keys, arguments, or tables
 * and variables that were made in it? `kept` is the number of slots that outlive calls. */
static int remembers(const evs__interp *in, const evs__value *value, size_t kept)
{
    if (value == NULL)
        return 0;
    if (evs__value_has(value, EVS__ATOM_KEY) || evs__value_has(value, EVS__ATOM_DERIVED))
        return 1;
    for (size_t i = 0; i < value->ntables; i++)
        if (value->tables[i] >= kept || value->tables[i] == in->keys ||
            value->tables[i] == in->argv)
            return 1;
    for (size_t i = 0; i < value->ncalls; i++)
        if (value->calls[i]->outer != NULL && value->calls[i]->outer->caller == NULL &&
            value->calls[i]->outer->locals >= kept)
            return 1;
    for (size_t i = 0; i < value->ncalls; i++)
        if (value->calls[i]->bound != NULL)
            return 1;
    return 0;
}

static int object_remembers(const evs__interp *in, const evs__object *object, size_t kept)
{
    if (object == NULL)
        return 0;
    evs__span nowhere = {0, 0, 0, 0};
    return remembers(in, evs__object_values(in->pool, object, nowhere), kept) ||
           remembers(in, object->keys, kept) || remembers(in, object->meta, kept);
}

typedef struct library {
    size_t kept;
} library;

/* What outlives a call must not hold a key of it: to a later call that is not declared. */
static void check_kept(evs__interp *in, const evs__entry *entry, size_t kept)
{
    for (size_t slot = in->library_end; slot < kept; slot++) {
        if (!remembers(in, evs__store_value(&in->store, slot), kept) &&
            !object_remembers(in, evs__store_object(&in->store, slot), kept))
            continue;
        evs__give_up(in, entry->call->at, "the library keeps something of one call for the next");
        return;
    }
}

/* As every script begins, and every function of a library. */
static void speak_resp2(evs__interp *in)
{
    evs__span nowhere = {0, 0, 0, 0};
    evs__store_set(&in->store, in->protocol, evs__value_number(in->pool, 2, nowhere));
}

static void call_entry(evs__interp *in, const evs__entry *entry, const evs__callable *callable)
{
    evs__span at = entry->call->at;
    evs__seq args = evs__seq_empty();
    if (callable->builtin != NULL) {
        evs__give_up(in, at, "a built-in function is registered");
        return;
    }
    speak_resp2(in);
    evs__store_set_object(&in->store, in->keys, evs__object_given(in->pool, EVS__GIVEN_KEYS));
    evs__store_set_object(&in->store, in->argv, evs__object_given(in->pool, EVS__GIVEN_ARGV));
    evs__seq_push(in->pool, &args, evs__value_table(in->pool, in->keys), at);
    evs__seq_push(in->pool, &args, evs__value_table(in->pool, in->argv), at);
    evs__run_closure(in, callable, entry->call, args);
}

static void call_each(evs__interp *in, const evs__entry *entry, size_t kept)
{
    const evs__value *callback = entry->callback;
    if (callback->natoms > 0 || callback->ncalls == 0)
        evs__give_up(in, entry->call->at, "what is registered is not known");
    for (size_t i = 0; i < callback->ncalls; i++) {
        size_t mark = evs__store_mark(&in->store);
        call_entry(in, entry, callback->calls[i]);
        evs__changes left = evs__branch_end(in, mark);
        evs__branch_meet(in, mark, &left);
        check_kept(in, entry, kept);
    }
}

/* Functions of a library are called in any order and any number of times. */
static void call_entries(evs__interp *in, void *context)
{
    const library *lib = context;
    evs__loop_leave(in);
    for (const evs__entry *entry = in->entries; entry != NULL; entry = entry->next)
        call_each(in, entry, lib->kept);
}

void evs__interp_run(evs__pool *pool, evs__recorder *recorder, const evs__chunk *chunk,
                     const evs__extra *extra)
{
    evs__interp in = {.pool = pool, .recorder = recorder, .chunk = chunk, .extra = extra};
    in.memory = pool->arena.used;
    evs__store_init(&in.store, pool);
    in.lost = evs__store_slots(&in.store, 4);
    in.inside = in.lost + 1;
    in.deleted = in.lost + 2;
    in.protocol = in.lost + 3;
    speak_resp2(&in);
    evs__builtins_install(&in);
    in.library_end = in.store.nslots;
    evs__watch watch;
    evs__watch_begin(&in, &watch, recorder->flow);

    evs__callable main = {.function = chunk->main};
    if (!pool->failed)
        evs__run_closure(&in, &main, NULL, evs__seq_empty());
    if (in.entries != NULL && !in.over && !pool->failed) {
        library lib = {in.store.nslots};
        in.dead = 0;
        recorder->has_functions = 1;
        evs__watch_serving(&in, lib.kept);
        evs__iterate(&in, call_entries, &lib);
    }
    evs__watch_end(&in);
    evs__table_free(&in.slots);
    evs__table_free(&in.activations);
    evs__table_free(&in.texts);
    evs__store_free(&in.store);
}
