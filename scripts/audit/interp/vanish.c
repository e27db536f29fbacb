/*
 * Keys that the script itself removes.
 *
 * While a slot moves to another node, a key that a script deletes is no longer here: the next
 * command that names it is told to look elsewhere, which a script cannot. The keys that were
 * deleted on some path to here are a value in a slot of the store, so branches join them.
 *
 * Only elements of KEYS at constant places are followed; what empties a key bit by bit is not.
 */
#include "scripts/audit/interp/interp.h"

#include <string.h>

static const evs__atom *gone(const evs__interp *in, int index)
{
    const evs__value *deleted = evs__store_value(&in->store, in->deleted);
    for (size_t i = 0; deleted != NULL && i < deleted->natoms; i++)
        if (deleted->atoms[i]->kind == EVS__ATOM_KEY && deleted->atoms[i]->index == index)
            return deleted->atoms[i];
    return NULL;
}

/* The element of KEYS that a value surely is; 0 for others. */
static int element(const evs__value *value)
{
    if (value->natoms != 1 || value->ntables > 0 || value->atoms[0]->kind != EVS__ATOM_KEY)
        return 0;
    return value->atoms[0]->index;
}

void evs__note_key_used(evs__interp *in, const evs__value *value, const char *command, evs__span at)
{
    int index = element(value);
    const evs__atom *before = index > 0 ? gone(in, index) : NULL;
    if (before == NULL || in->dead)
        return;
    evs__noted_revival revival = {index, before->enters, at, command};
    evs__record_revival(in->recorder, &revival);
    const evs__value *others = evs__value_without(
        in->pool, evs__store_value(&in->store, in->deleted), before);
    evs__store_set(&in->store, in->deleted, others);
}

/* Which arguments a command removes for sure, when they exist: the first ones, or all. */
static size_t removes(const char *command)
{
    static const struct {
        const char *name;
        size_t count;
    } removing[] = {{"DEL", SIZE_MAX}, {"UNLINK", SIZE_MAX}, {"GETDEL", 1}, {"RENAME", 1}};
    for (size_t i = 0; i < sizeof removing / sizeof *removing; i++)
        if (strcmp(removing[i].name, command) == 0)
            return removing[i].count;
    return 0;
}

void evs__note_keys_deleted(evs__interp *in, const char *command, const evs__seq *args,
                            evs__span at)
{
    size_t count = removes(command);
    for (size_t i = 1; i < args->count && i <= count && !in->dead; i++) {
        int index = element(args->items[i].value);
        if (index == 0)
            continue;
        const evs__value *key = evs__value_key(in->pool, index, at);
        const evs__value *before = evs__store_value(&in->store, in->deleted);
        if (before != NULL)
            key = evs__value_join(in->pool, before, key);
        evs__store_set(&in->store, in->deleted, key);
    }
}
