/*
 * cjson: decoded data is computed from the text; what of it reaches an encoder unchanged is marked.
 */
#include "scripts/audit/builtins/builtin.h"

#include <string.h>

/* "[]" gives a table that has nothing but a place for elements. */
static const evs__object *empty_list(evs__interp *in)
{
    evs__object *list = evs__pool_alloc(in->pool, 1, sizeof *list);
    if (list == NULL)
        return evs__object_new(in->pool);
    *list = *evs__object_new(in->pool);
    list->rest = evs__value_none();
    return list;
}

evs__seq evs__builtin_decode(evs__interp *in, const evs__builtin_call *call)
{
    const evs__atom *text = evs__value_single(evs__builtin_arg(in, call, 0));
    if (text != NULL && text->kind == EVS__ATOM_CONSTANT && text->text.len == 2 &&
        memcmp(text->text.data, "[]", 2) == 0)
        return evs__builtin_give(in, call, evs__new_table(in, call->site->call, empty_list(in)));
    const evs__value *value = evs__builtin_mix(in, call, EVS__TYPE_DATA);
    return evs__builtin_give(in, call, evs__value_decoded(in->pool, value));
}

/* Is it a list that the script has made and that may have no elements yet? */
static int may_be_empty(const evs__interp *in, const evs__value *value)
{
    int empty = 0;
    for (size_t i = 0; i < value->ntables; i++) {
        const evs__object *object = evs__store_object(&in->store, value->tables[i]);
        if (object == NULL || object->nfields > 0 || object->keys != NULL || object->other != NULL)
            return 0;
        empty |= evs__object_sure(object) == 0 && evs__object_is_list(object);
    }
    return empty && value->natoms == 0;
}

evs__seq evs__builtin_encode(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *value = evs__builtin_arg(in, call, 0);
    evs__span at = call->args.count > 0 ? call->args.items[0].at : call->site->at;
    evs__arg all = {evs__deep(in, value, at), at}, list = {value, at};
    evs__builtin_note(in, call, EVS__SIGHT_ENCODED, 0);
    evs__note_sight(in, EVS__SIGHT_ENCODED, call->site->call, EVS__ENCODED_ALL, all);
    if (may_be_empty(in, value))
        evs__note_sight(in, EVS__SIGHT_ENCODED, call->site->call, EVS__ENCODED_EMPTY, list);
    return evs__builtin_computed(in, call);
}
