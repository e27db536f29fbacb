/*
 * fields.c - goes through a mapping by its table, and says what is wrong with a key.
 */
#include "conf/fields.h"

#include "conf/quoted.h"
#include "conf/yaml_problem.h"
#include "core/buf.h"
#include "core/similar.h"

#include <assert.h>
#include <stdlib.h>

enum { MOST_FIELDS = 48, LONGEST_LIST = 200 };

/* Row number of `key` in the tables of a kind: its own rows, then the ones it also has. */
static size_t row_of(const evs__kind *kind, evs_bytes key)
{
    size_t row = 0;
    for (const evs__kind *k = kind; k != NULL; k = k->also) {
        for (size_t i = 0; i < k->nfields; i++, row++) {
            if (strlen(k->fields[i].name) == key.len &&
                memcmp(k->fields[i].name, key.data, key.len) == 0)
                return row;
        }
    }
    return row;
}

static size_t rows(const evs__kind *kind)
{
    size_t count = 0;
    for (const evs__kind *k = kind; k != NULL; k = k->also)
        count += k->nfields;
    return count;
}

static const evs__field *row_at(const evs__kind *kind, size_t row)
{
    return row < kind->nfields ? &kind->fields[row] : &kind->also->fields[row - kind->nfields];
}

const char *evs__where(evs__reading *r)
{
    if (r->noun == NULL)
        return "";
    const char *text = r->name == NULL
                           ? evs__arena_format(r->scratch, " in %s", r->noun)
                           : evs__arena_format(r->scratch, " in %s \"%s\"", r->noun, r->name);
    return text == NULL ? "" : text;
}

const char *evs__name_of(const evs__yaml *key)
{
    return key->secret ? "***" : key->text.data;
}

/* What is being read itself, or one of its keys? */
const char *evs__subject(evs__reading *r, const evs__yaml *value)
{
    const char *key = value->key == NULL ? NULL : evs__name_of(value->key), *text = NULL;
    if (r->noun == NULL)
        return key == NULL ? "this" : key;
    if (r->name == NULL && (key == NULL || strcmp(key, r->noun) == 0))
        return r->noun;
    if (key == NULL || key == r->name)
        text = evs__arena_format(r->scratch, "%s \"%s\"", r->noun, r->name);
    else
        text = evs__arena_format(r->scratch, "%s%s", key, evs__where(r));
    return text == NULL ? "this" : text;
}

const char *evs__join(evs__reading *r, const char *const *list, size_t count)
{
    evs__buf text = EVS__BUF_INIT;
    for (size_t i = 0; i < count; i++) {
        if (text.len + strlen(list[i]) > LONGEST_LIST) {
            evs__buf_format(&text, ", ... (%zu in all)", count);
            break;
        }
        evs__buf_format(&text, "%s%s", i == 0 ? "" : ", ", list[i]);
    }
    const char *joined = evs__buf_ok(&text) ? evs__arena_text(r->scratch, text.data, text.len)
                                            : NULL;
    evs__buf_free(&text);
    return joined == NULL ? "..." : joined;
}

static int text_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *evs__join_sorted(evs__reading *r, const char **list, size_t count)
{
    if (count > 0)
        qsort(list, count, sizeof *list, text_order);
    return evs__join(r, list, count);
}

/* The names of all keys; returns how many. */
static size_t list_keys(const char **names, const evs__kind *kind)
{
    size_t count = rows(kind);
    for (size_t i = 0; i < count; i++)
        names[i] = row_at(kind, i)->name;
    return count;
}

/* Where a key belongs that is known, but not here. "" for a key that is known nowhere. */
static const char *home_of(evs__reading *r, evs_bytes key)
{
    const char *homes = "";
    for (size_t i = 0; i < r->nkinds; i++) {
        evs__kind alone = *r->kinds[i];
        alone.also = NULL;
        if (row_of(&alone, key) == alone.nfields)
            continue;
        homes = homes[0] == '\0' ? alone.where
                                 : evs__arena_format(r->scratch, "%s or %s", homes, alone.where);
        if (homes == NULL)
            return "elsewhere";
    }
    return homes;
}

static void complain_unknown(evs__reading *r, const evs__kind *kind, const evs__yaml *key)
{
    const char *names[MOST_FIELDS];
    size_t count = list_keys(names, kind);
    const char *near = evs__most_similar(key->text, names, count);
    evs_bytes word;
    size_t at;
    const char *dot = memchr(key->text.data, '.', key->text.len);

    evs__complain(r->diags, "E203", key->at, "unknown key %s%s",
                  key->secret ? "***" : evs__quoted(r->scratch, key->text), evs__where(r));
    if (near != NULL)
        evs__hint(r->diags, "did you mean \"%s\"?", near);
    else if (evs__yaml_missing_space(key->text, &word, &at))
        evs__hint(r->diags, "is a space missing behind the colon?");
    else if (!key->secret && dot != NULL &&
             row_of(kind, (evs_bytes){key->text.data, (size_t)(dot - key->text.data)}) < rows(kind))
        evs__hint(r->diags, "write it as nested keys: %.*s: {%s: ...}", (int)(dot - key->text.data),
                  key->text.data, dot + 1);
    else
        evs__hint(r->diags, "allowed here: %s", evs__join(r, names, count));
}

static void complain_key(evs__reading *r, const evs__kind *kind, const evs__yaml *key)
{
    const char *home = home_of(r, key->text);
    if (home[0] == '\0') {
        complain_unknown(r, kind, key);
        return;
    }
    evs__complain(r->diags, "E201", key->at, "key \"%s\" is not allowed%s", key->text.data,
                  evs__where(r));
    evs__hint(r->diags, "it belongs %s", home);
}

void evs__complain_no_mapping(evs__reading *r, const evs__yaml *value)
{
    evs_bytes word;
    size_t at;
    if (value->kind == EVS__YAML_BAD || !evs__want_filled(r, value))
        return;
    if (value->kind == EVS__YAML_TEXT && !value->quoted && value->key != NULL &&
        value->at.line > value->key->at.line && evs__yaml_missing_space(value->text, &word, &at)) {
        evs__complain(r->diags, "E103", value->at,
                      "expected \"key: value\"; a space is missing after the colon of %s",
                      evs__quoted(r->scratch, word));
        return;
    }
    evs__complain(r->diags, "E215", value->at, "%s must be a mapping, found %s",
                  evs__subject(r, value), evs__found(r, value));
    if (value->kind == EVS__YAML_LIST)
        evs__hint(r->diags, "write \"key: value\" lines without dashes");
    else if (value->kind == EVS__YAML_TEXT && value->text.data[0] == '-')
        evs__hint(r->diags, "write \"key: value\" lines without dashes");
}

int evs__read_mapping(evs__reading *r, const evs__kind *kind, const evs__yaml *map, void *into)
{
    const evs__yaml *values[MOST_FIELDS] = {NULL};
    size_t count = rows(kind);
    assert(count <= MOST_FIELDS);
    if (map->kind != EVS__YAML_MAP) {
        evs__complain_no_mapping(r, map);
        return 0;
    }

    for (const evs__yaml *entry = map->first; entry != NULL; entry = entry->next) {
        size_t row = row_of(kind, entry->key->text);
        if (row == count)
            complain_key(r, kind, entry->key);
        else
            values[row] = entry;
    }
    for (size_t row = 0; row < count; row++) {
        const evs__field *field = row_at(kind, row);
        size_t base = row < kind->nfields ? 0 : kind->also_offset;
        if (values[row] != NULL && values[row]->kind != EVS__YAML_BAD)
            field->read(r, field, values[row], (char *)into + base + field->offset);
    }
    return 1;
}

const evs__yaml *evs__yaml_get(const evs__yaml *map, const char *key)
{
    if (map->kind != EVS__YAML_MAP)
        return NULL;
    for (const evs__yaml *entry = map->first; entry != NULL; entry = entry->next) {
        if (strcmp(entry->key->text.data, key) == 0)
            return entry;
    }
    return NULL;
}
