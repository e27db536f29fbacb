/*
 * redis: calls of commands, and the functions that a library registers.
 */
#include "scripts/audit/builtins/builtin.h"

evs__seq evs__builtin_command(evs__interp *in, const evs__builtin_call *call)
{
    return evs__builtin_give(in, call, evs__run_command(in, call->site, &call->args));
}

/* register_function(name, callback) or register_function{function_name =, callback =} */
evs__seq evs__builtin_register(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *first = evs__builtin_arg(in, call, 0);
    const evs__value *callback = evs__builtin_arg(in, call, 1);
    evs__span at = call->site->at;
    if (first->ntables > 0)
        callback = evs__read_index(in, first,
                                   evs__value_constant(in->pool, evs_text("callback"), at), at);
    for (evs__entry *entry = in->entries; entry != NULL; entry = entry->next)
        if (entry->call == call->site->call) {
            entry->callback = evs__value_join(in->pool, entry->callback, callback);
            return evs__seq_empty();
        }
    evs__entry *entry = evs__pool_alloc(in->pool, 1, sizeof *entry);
    if (entry == NULL)
        return evs__seq_none();
    entry->callback = callback;
    entry->call = call->site->call;
    entry->next = in->entries;
    in->entries = entry;
    return evs__seq_empty();
}
