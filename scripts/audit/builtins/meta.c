/*
 * Functions that call others or change how tables behave: followed as far as that is possible,
 * given up on otherwise.
 */
#include "scripts/audit/builtins/builtin.h"

/* ---- pcall ---- */

/* true and the results, or false and what was raised. Whatever was written on the way may have been
 * the last thing before an error, so every such state is joined. */
static evs__seq protected_call(evs__interp *in, const evs__builtin_call *call, evs__seq args)
{
    evs__span at = call->site->at;
    evs__collection collection;
    size_t mark = evs__store_mark(&in->store);
    evs__store_collect(&in->store, &collection);
    evs__seq results = evs__invoke(in, call->site, evs__builtin_arg(in, call, 0), args);
    if (in->dead)
        evs__store_undo(&in->store, mark);
    in->dead = in->over;
    evs__store_collected(&in->store, &collection);

    const evs__value *raised = evs__value_top(in->pool, "it may be an error that was caught", at);
    evs__seq failed = evs__builtin_give(in, call, evs__value_types(in->pool, EVS__TYPE_FALSE));
    evs__seq_push(in->pool, &failed, raised, at);
    evs__seq passed = evs__builtin_give(in, call, evs__value_types(in->pool, EVS__TYPE_TRUE));
    evs__seq_append(in->pool, &passed, &results, at);
    return evs__seq_join(in->pool, &passed, &failed);
}

evs__seq evs__builtin_pcall(evs__interp *in, const evs__builtin_call *call)
{
    return protected_call(in, call, evs__seq_drop(&call->args, 1));
}

evs__seq evs__builtin_xpcall(evs__interp *in, const evs__builtin_call *call)
{
    evs__span at = call->site->at;
    evs__seq results = protected_call(in, call, evs__seq_empty());
    evs__invoke_often(in, call->site, evs__builtin_arg(in, call, 1),
                      evs__builtin_lost(in, call, "it is an error that was caught"));
    evs__seq any = evs__seq_any(
        evs__value_top(in->pool, "it may be what a handler of errors gives", at), at);
    return evs__seq_join(in->pool, &results, &any);
}

/* ---- tables ---- */

evs__seq evs__builtin_rawget(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *table = evs__builtin_arg(in, call, 0);
    const evs__value *found = evs__read_index(in, table, evs__builtin_arg(in, call, 1),
                                              call->site->at);
    /* Reading an unknown global raises an error; rawget gives nil. */
    for (size_t i = 0; i < table->ntables; i++)
        if (table->tables[i] < in->library_end)
            found = evs__value_join(in->pool, found, evs__value_nil());
    return evs__builtin_give(in, call, found);
}

evs__seq evs__builtin_rawset(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *table = evs__builtin_arg(in, call, 0);
    for (size_t i = 0; i < table->ntables; i++)
        if (table->tables[i] == in->globals)
            evs__give_up(in, call->site->at, "rawset gets around the protection of globals");
    evs__write_index(in, table, evs__builtin_arg(in, call, 1), evs__builtin_arg(in, call, 2),
                     call->site->at);
    return evs__builtin_give(in, call, table);
}

evs__seq evs__builtin_setmetatable(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *table = evs__builtin_arg(in, call, 0);
    const evs__value *meta = evs__builtin_arg(in, call, 1);
    evs__span at = call->site->at;
    if (meta->natoms > 0 || meta->ncalls > 0)
        evs__give_up(in, at, "a metatable is not known");
    if (in->has_computed_methods)
        evs__give_up(in, at, "a metamethod may be stored under a computed name");
    in->has_metatables = 1;
    in->recorder->speech.has_metatables = 1;
    evs__change_tables(in, table, evs__object_with_meta, meta, at);
    return evs__builtin_give(in, call, table);
}

evs__seq evs__builtin_getmetatable(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *table = evs__builtin_arg(in, call, 0);
    const evs__value *all = evs__value_nil();
    int known = table->natoms == 0 && (table->types & EVS__TYPE_OTHER) == 0;
    for (size_t i = 0; i < table->ntables; i++) {
        const evs__object *object = evs__store_object(&in->store, table->tables[i]);
        known &= object != NULL && object->meta == NULL && table->tables[i] >= in->library_end;
        all = evs__value_join(in->pool, all, object == NULL ? evs__value_lost() : object->meta);
    }
    /* Strings have one, and a __metatable is given instead. */
    if (!known)
        all = evs__value_join(
            in->pool, all,
            evs__value_top(in->pool, "it is a metatable that is not known", call->site->at));
    return evs__builtin_give(in, call, all);
}

evs__seq evs__builtin_coroutine(evs__interp *in, const evs__builtin_call *call)
{
    evs__give_up(in, call->site->at, "coroutines are not followed");
    evs__escape(in, call->site, &call->args);
    return evs__builtin_lost(in, call, "it comes from a coroutine");
}

evs__seq evs__builtin_unfollowed(evs__interp *in, const evs__builtin_call *call)
{
    const evs__builtin *builtin = call->callable->builtin;
    const char *reason = evs__arena_format(&in->pool->arena, "%s%s%s is not followed",
                                           builtin->table, builtin->table[0] ? "." : "",
                                           builtin->name);
    if (reason == NULL) {
        in->pool->failed = 1;
        return evs__seq_none();
    }
    evs__give_up(in, call->site->at, reason);
    evs__escape(in, call->site, &call->args);
    return evs__builtin_lost(in, call, reason);
}
