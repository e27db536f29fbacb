/*
 * What goes to the client.
 *
 * A client that reads "BUSY ..." would like to know who says so: the server, which then did not run
 * the script, or the script. What a script raises, the server marks; what it returns, it does not.
 * So the values that the main function (or a library's function) returns are looked at: may one be
 * a table with a field `err`? Errors inside of a returned table are no error replies.
 */
#include "scripts/audit/interp/interp.h"

/* Raw access is what servers use; what a metatable would add is not told apart. */
static int may_have_error(evs__interp *in, size_t slot, evs__span at)
{
    const evs__object *object = evs__store_object(&in->store, slot);
    if (object == NULL || object->meta != NULL || evs__is_library(in, slot))
        return 1;
    const evs__value *name = evs__value_constant(in->pool, evs_text("err"), at);
    const evs__value *error = evs__object_get(in->pool, object, name, at);
    return (error->types & ~(unsigned)(EVS__TYPE_NIL | EVS__TYPE_BOOLEAN)) != 0;
}

/* A reply of redis.call is no error, which would have been raised, until somebody writes into it.
 */
static void note_atom(evs__interp *in, const evs__atom *atom)
{
    evs__speech *speech = &in->recorder->speech;
    if ((evs__atom_types(atom) & EVS__TYPE_TABLE) == 0)
        return;
    int changed = evs__store_value(&in->store, in->inside) != NULL;
    if (atom->kind == EVS__ATOM_REPLY && (atom->forms & EVS__FORM_ERROR) == 0 && !changed)
        speech->returns_reply = 1;
    else
        speech->returns_error = 1;
}

void evs__note_reply(evs__interp *in, const evs__value *value, evs__span at)
{
    if (in->dead || (value->types & EVS__TYPE_TABLE) == 0)
        return;
    evs__note_use(in, value, EVS__ACCESS_WHOLE, at);
    for (size_t i = 0; i < value->natoms; i++)
        note_atom(in, value->atoms[i]);
    for (size_t i = 0; i < value->ntables; i++)
        in->recorder->speech.returns_error |= may_have_error(in, value->tables[i], at);
}
