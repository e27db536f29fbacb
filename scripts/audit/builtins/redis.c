/*
 * redis: calls of commands, and the functions that a library registers.
 */
#include "scripts/audit/builtins/builtin.h"

evs__seq evs__builtin_command(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *reply = evs__run_command(in, call->site, &call->args);
    if (call->callable->builtin->name[0] == 'p')
        reply = evs__value_caught(in->pool, reply);
    return evs__builtin_give(in, call, reply);
}

/* {name = value} */
static const evs__object *with_field(evs__interp *in, const char *name, const evs__value *value,
                                     evs__span at)
{
    const evs__value *key = evs__value_constant(in->pool, evs_text(name), at);
    return evs__object_set(in->pool, evs__object_new(in->pool), key, value, 0);
}

static evs__seq give_table(evs__interp *in, const evs__builtin_call *call,
                           const evs__object *contents)
{
    return evs__builtin_give(in, call, evs__new_table(in, call->site->call, contents));
}

/* {err = text}; servers put words of their own in front. */
evs__seq evs__builtin_error_reply(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *text = evs__builtin_mix(in, call, EVS__TYPE_STRING);
    return give_table(in, call, with_field(in, "err", text, call->site->at));
}

/* {ok = text}, or an error when it is not given one string. */
evs__seq evs__builtin_status_reply(evs__interp *in, const evs__builtin_call *call)
{
    evs__span at = call->site->at;
    const evs__value *text = evs__builtin_arg(in, call, 0);
    const evs__object *contents = with_field(in, "ok", text, at);
    int fits = evs__seq_exact(&call->args) && call->args.count == 1 &&
               text->types == EVS__TYPE_STRING;
    const evs__value *problem = evs__value_data(in->pool, EVS__SOURCE_CONSTANT, EVS__TYPE_STRING,
                                                at);
    if (!fits)
        contents = evs__object_join(in->pool, contents, with_field(in, "err", problem, at));
    return give_table(in, call, contents);
}

evs__seq evs__builtin_setresp(evs__interp *in, const evs__builtin_call *call)
{
    const evs__atom *version = evs__value_single(evs__builtin_arg(in, call, 0));
    int is_two = version != NULL && version->kind == EVS__ATOM_NUMBER && version->number >= 2 &&
                 version->number <= 2;
    in->recorder->speech.speaks_resp3 |= !is_two;
    evs__store_set(&in->store, in->protocol, evs__builtin_arg(in, call, 0));
    return evs__seq_empty();
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
