/*
 * How KEYS and ARGV are used: which elements are read, whether all of them are, and whether the
 * script changes them. Whoever reads them goes through an index, the length operator or a built-in
 * function; each of these tells.
 */
#include "scripts/audit/interp/interp.h"

#include <string.h>

static evs__given given_of(const evs__interp *in, size_t slot)
{
    if (slot == in->keys)
        return EVS__GIVEN_KEYS;
    return slot == in->argv ? EVS__GIVEN_ARGV : EVS__GIVEN_NOTHING;
}

static void note(evs__interp *in, evs__given given, evs__access_kind kind, evs__span at)
{
    evs__noted_access access = {given, kind, 0, at, NULL};
    evs__record_access(in->recorder, &access);
}

void evs__note_use(evs__interp *in, const evs__value *value, evs__access_kind kind, evs__span at)
{
    for (size_t i = 0; i < value->ntables; i++) {
        evs__given given = given_of(in, value->tables[i]);
        if (given != EVS__GIVEN_NOTHING && !in->dead)
            note(in, given, kind, at);
    }
}

void evs__note_arguments(evs__interp *in, const evs__seq *args, evs__access_kind kind, evs__span at)
{
    for (size_t i = 0; i < args->count; i++)
        evs__note_use(in, args->items[i].value, kind, at);
    if (args->rest != NULL)
        evs__note_use(in, args->rest, kind, at);
}

/* The element that `key` surely is; 0 when that is not known. */
static int element(const evs__atom *key)
{
    if (key == NULL || key->kind != EVS__ATOM_NUMBER || !(key->number >= 1) || key->number > 1e6)
        return 0;
    int index = (int)key->number;
    return (double)index < key->number ? 0 : index;
}

static const char *strange(evs__interp *in, const evs__atom *key)
{
    evs__buf text = EVS__BUF_INIT;
    if (key->kind == EVS__ATOM_NUMBER)
        evs__buf_format(&text, "%.14g", key->number);
    else
        evs__buf_format(&text, "'%.*s'", (int)(key->text.len < 32 ? key->text.len : 32),
                        key->text.data);
    char *copy = evs__buf_ok(&text) ? evs__arena_text(&in->pool->arena, text.data, text.len) : NULL;
    in->pool->failed |= copy == NULL;
    evs__buf_free(&text);
    return copy;
}

/* Is it a version, or a name, of the server? */
static int is_version(const evs__atom *key)
{
    return key != NULL && key->kind == EVS__ATOM_CONSTANT &&
           (memmem(key->text.data, key->text.len, "_VERSION", 8) != NULL ||
            memmem(key->text.data, key->text.len, "SERVER_NAME", 11) != NULL);
}

void evs__note_read(evs__interp *in, const evs__value *object, const evs__value *key, evs__span at)
{
    const evs__atom *single = evs__value_single(key);
    int sure = object->ntables == 1 && object->natoms == 0;
    for (size_t i = 0; i < object->ntables && !in->dead; i++) {
        evs__given given = given_of(in, object->tables[i]);
        evs__noted_access access = {given, EVS__ACCESS_SOME, 0, at, NULL};
        if (given == EVS__GIVEN_NOTHING) {
            in->recorder->asks_version |= evs__is_library(in, object->tables[i]) &&
                                          is_version(single);
            continue;
        }
        access.index = element(single);
        if (access.index > 0) {
            access.kind = EVS__ACCESS_INDEX;
        } else if (single != NULL && sure) {
            access.kind = EVS__ACCESS_STRANGE;
            access.text = strange(in, single);
        }
        evs__record_access(in->recorder, &access);
    }
}
