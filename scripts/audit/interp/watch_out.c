/*
 * What leaves the script, and what it leaves behind: errors, replies, changed tables.
 */
#include "scripts/audit/interp/watch_note.h"

#include <string.h>

/* ---- what goes out ---- */

/* Does a table that `value` may be hold one of `above`, at an index that is sent? */
static int is_cyclic(const evs__interp *in, const evs__value *value, size_t *above, int depth)
{
    for (size_t i = 0; i < value->ntables; i++) {
        size_t slot = value->tables[i];
        const evs__object *object = evs__store_object(&in->store, slot);
        if (object == NULL || object->given != EVS__GIVEN_NOTHING ||
            evs__store_is_many(&in->store, slot) || value->ntables > 1 || depth > 4)
            continue;
        for (int k = 0; k < depth; k++)
            if (above[k] == slot)
                return 1;
        above[depth] = slot;
        for (size_t k = 0; k < object->nitems; k++) {
            const evs__value *item = object->items[k];
            if (item->types == EVS__TYPE_TABLE && is_cyclic(in, item, above, depth + 1))
                return 1;
            if (item->types & EVS__TYPE_NIL)
                break;
        }
    }
    return 0;
}

static const evs__value *field_err(evs__interp *in, const evs__value *value, evs__span at)
{
    const evs__value *all = NULL;
    evs_bytes err = evs_text("err");
    (void)at;
    for (size_t i = 0; i < value->ntables; i++) {
        const evs__object *object = evs__store_object(&in->store, value->tables[i]);
        const evs__value *field = object == NULL ? NULL : evs__object_field(object, err);
        if (field != NULL)
            all = evs__watch_joined(in->watch, all, field);
    }
    return all;
}

/* Surely a table, each that it may be is known, and none has a string under err. */
static int is_plain(const evs__interp *in, const evs__value *value)
{
    if (value->types != EVS__TYPE_TABLE || value->natoms > 0 || value->ntables == 0)
        return 0;
    for (size_t i = 0; i < value->ntables; i++) {
        const evs__object *object = evs__store_object(&in->store, value->tables[i]);
        if (object == NULL || object->meta != NULL)
            return 0;
        const evs__value *field = evs__object_field(object, evs_text("err"));
        if (field != NULL && (field->types & (EVS__TYPE_STRING | EVS__TYPE_NUMBER)))
            return 0;
        if (field == NULL && object->keys != NULL)
            return 0;
    }
    return 1;
}

static void give_back(evs__interp *in, const evs__value *value, evs__span at, int error)
{
    evs__watch *w = in->watch;
    evs__subject about = {NULL, NULL, at.start * 2 + (size_t)error};
    int fresh;
    evs__given_back *fact = evs__watch_note(w, &about, sizeof *fact, &fresh);
    evs__given_back **list = error ? &w->flow->raised : &w->flow->returned;
    size_t above[8];
    if (fact == NULL)
        return;
    if (fresh) {
        fact->at = at;
        fact->plain = 1;
        fact->next = *list;
        *list = fact;
    }
    fact->value = evs__watch_joined(w, fact->value, value);
    fact->written = evs__watch_joined(w, fact->written, evs__watch_before(in, w->written));
    const evs__value *err = field_err(in, value, at);
    if (err != NULL)
        fact->err = evs__watch_joined(w, fact->err, err);
    fact->plain &= is_plain(in, value);
    fact->uncaught |= in->store.writes == NULL;
    fact->cyclic |= is_cyclic(in, value, above, 0);
}

void evs__watch_raised(evs__interp *in, const evs__value *value, evs__span at)
{
    give_back(in, value, at, 1);
}

void evs__watch_return(evs__interp *in, const evs__exprs *values, const evs__seq *results)
{
    in->frame->returns++;
    if (in->watch == NULL || in->frame->activation->caller != NULL || values->count == 0)
        return;
    give_back(in, evs__seq_at(in->pool, results, 0), values->items[0]->at, 0);
}

/* ---- what stays ---- */

static const char *text_of(evs__interp *in, evs_bytes bytes)
{
    const char *text = evs__arena_text(&in->pool->arena, bytes.data, bytes.len);
    in->pool->failed |= text == NULL;
    return text == NULL ? "" : text;
}

static void keep(evs__watch *w, evs__span at, const char *name)
{
    evs__subject about = {NULL, NULL, at.start * 4 + 1};
    about.a = w;
    int fresh;
    evs__keepsake *fact = evs__watch_note(w, &about, sizeof *fact, &fresh);
    if (fact == NULL || !fresh)
        return;
    fact->at = at;
    fact->name = name;
    fact->next = w->flow->keepsakes;
    w->flow->keepsakes = fact;
}

void evs__watch_assign(evs__interp *in, const evs__local *local, evs__span at)
{
    evs__watch *w = in->watch;
    if (w == NULL || !w->serving || in->dead || evs__local_slot(in, local) >= w->kept)
        return;
    keep(w, at, text_of(in, local->name));
}

static const char *table_name(evs__interp *in, size_t slot)
{
    const evs__object *globals = evs__store_object(&in->store, in->globals);
    if (slot == in->globals)
        return "_G";
    for (size_t i = 0; globals != NULL && i < globals->nfields; i++) {
        const evs__field *field = &globals->fields[i];
        if (field->value->types == EVS__TYPE_TABLE && field->value->tables[0] == slot)
            return text_of(in, field->name);
    }
    return "a table of the sandbox";
}

static void intrude(evs__interp *in, size_t slot, const evs__value *key, evs__span at)
{
    evs__watch *w = in->watch;
    evs__subject about = {NULL, w, at.start};
    const evs__atom *name = key == NULL ? NULL : evs__value_single(key);
    int fresh;
    evs__intrusion *fact = evs__watch_note(w, &about, sizeof *fact, &fresh);
    if (fact == NULL || !fresh)
        return;
    fact->at = at;
    fact->table = table_name(in, slot);
    if (name != NULL && name->kind == EVS__ATOM_CONSTANT)
        fact->field = text_of(in, name->text);
    fact->next = w->flow->intrusions;
    w->flow->intrusions = fact;
}

void evs__watch_write(evs__interp *in, const evs__value *object, const evs__value *key,
                      evs__span at)
{
    evs__watch *w = in->watch;
    if (w == NULL || in->dead || object->natoms > 0)
        return;
    for (size_t i = 0; i < object->ntables; i++) {
        size_t slot = object->tables[i];
        if (evs__is_library(in, slot) && object->ntables == 1)
            intrude(in, slot, key, at);
        else if (w->serving && slot < w->kept && slot >= in->library_end)
            keep(w, at, NULL);
    }
}
