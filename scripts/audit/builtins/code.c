/*
 * Code that a script compiles. A constant text is compiled here too, once, and is a function like
 * any other whose nodes are all where the text stands; any other text is not followed.
 *
 * The server sees no line of the script in errors that such code raises.
 */
#include "scripts/audit/builtins/builtin.h"

#include "scripts/syntax/parser.h"

enum { TEXTS_MAX = 64, TEXT_MAX = 1 << 16 };

static const evs__value *lost(evs__interp *in, evs__span at)
{
    return evs__value_top(in->pool, "it is compiled while the script runs", at);
}

/* The one chunk of a text; NULL when there are too many. */
static const evs__chunk *chunk_of(evs__interp *in, const evs__atom *text)
{
    evs__chunk *chunk = evs__table_get(&in->texts, text->text);
    if (chunk != NULL)
        return chunk;
    if (in->texts.count >= TEXTS_MAX || text->text.len > TEXT_MAX)
        return NULL;
    evs__span at = text->made.end != 0 ? text->made : text->enters;
    if (!evs__lua_parse_inside(&chunk, &in->pool->arena, text->text, at) ||
        !evs__table_set(&in->texts, text->text, chunk)) {
        in->pool->failed = 1;
        return NULL;
    }
    return chunk;
}

/* What compiling one text gives: a function, or nil and a message. */
static evs__seq compiled(evs__interp *in, const evs__builtin_call *call, const evs__atom *text)
{
    evs__span at = call->site->at;
    const evs__chunk *chunk = text->kind == EVS__ATOM_CONSTANT ? chunk_of(in, text) : NULL;
    if (chunk == NULL)
        return evs__seq_any(lost(in, at), at);
    if (chunk->main == NULL) {
        evs__seq failed = evs__builtin_give(in, call, evs__value_nil());
        evs__seq_push(in->pool, &failed,
                      evs__value_data(in->pool, EVS__SOURCE_CONSTANT, EVS__TYPE_STRING, at), at);
        return failed;
    }
    evs__callable callable = {.function = chunk->main};
    return evs__builtin_give(in, call, evs__value_callable(in->pool, &callable));
}

evs__seq evs__builtin_loadstring(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *text = evs__builtin_arg(in, call, 0);
    evs__span at = call->site->at;
    in->recorder->speech.raises_nowhere = 1;
    if (text->types & EVS__TYPE_FUNCTION) {
        evs__seq args = call->args;
        evs__give_up(in, at, "load is not followed");
        evs__escape(in, call->site, &args);
    }
    if (text->types != EVS__TYPE_STRING || text->natoms == 0)
        return evs__seq_any(lost(in, at), at);
    evs__seq all = evs__seq_none();
    for (size_t i = 0; i < text->natoms; i++) {
        evs__seq one = compiled(in, call, text->atoms[i]);
        all = evs__seq_join(in->pool, &all, &one);
    }
    return all;
}
