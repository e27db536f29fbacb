/*
 * schema.c - the tables of keys as a JSON Schema (draft 7), for editors.
 *
 * A key is a property; its shape comes from its row: the words, the limits, the
 * function that reads it. What the rows do not tell is in schema_keys.c, rules over several keys
 * are in schema_rules.c. A map that evalshard takes is valid; the reverse does not hold, because a
 * schema sees neither files nor sums nor other parts of the map.
 */
#include "conf/schema.h"

#include "conf/building.h"
#include "core/error.h"

#include <evalshard/audit.h>
#include <stdio.h>

typedef struct named_kind {
    const char *name;
    const evs__kind *kind;
    const char *rules; /* more members, each with a comma in front; or NULL */
} named_kind;

static const named_kind kinds[] = {
    {"map", &evs__kind_top,
     "'required': ['evalshard'], "
     "'oneOf': [{'required': ['shards']}, {'required': ['pools']}], "
     "'if': {'required': ['pools'], 'properties': {'pools': {'minProperties': 2}}}, "
     "'then': {'required': ['routes']}"},
    {"pool", &evs__kind_pool, "'oneOf': [{'required': ['shards']}, {'required': ['cluster']}]"},
    {"shard", &evs__kind_shard,
     "'oneOf': [{'required': ['address'], 'properties': {'sentinel': false, 'master_name': "
     "false}}, {'required': ['sentinel', 'master_name'], 'properties': {'address': false}}]"},
    {"connection", &evs__kind_connection, NULL},
    {"auth", &evs__kind_auth,
     "'not': {'anyOf': [{'required': ['password', 'password_env']}, "
     "{'required': ['password', 'password_file']}, "
     "{'required': ['password_env', 'password_file']}]}"},
    {"tls", &evs__kind_tls, NULL},
    {"retry", &evs__kind_retry, NULL},
    {"cluster", &evs__kind_cluster, "'required': ['seeds']"},
    {"sentinels", &evs__kind_sentinel, "'required': ['addresses']"},
    {"route", &evs__kind_route,
     "'required': ['pool'], 'anyOf': [{'required': ['prefix'], 'properties': {'default': "
     "{'const': false}}}, {'required': ['default'], 'properties': {'prefix': false, "
     "'default': {'const': true}}}]"},
};

void evs__schema_raw(evs__json *json, const char *name, const char *text)
{
    evs__json_name(json, name);
    for (; *text != '\0'; text++)
        evs__buf_char(json->out, *text == '\'' ? '"' : *text);
}

/* ---- one key ---- */

/* Of plain words like 1.2 an editor makes numbers. */
static int is_number(const char *word)
{
    return word[0] != '\0' && strspn(word, "0123456789.") == strlen(word);
}

static void put_words(evs__json *json, const evs__field *field)
{
    evs__json_list(json, "enum");
    for (size_t i = 0; i < field->nwords; i++) {
        evs__json_text(json, NULL, field->words[i].text);
        if (is_number(field->words[i].text))
            evs__schema_raw(json, NULL, field->words[i].text);
    }
    evs__json_close(json, ']');
}

static void put_words_or(evs__json *json, const evs__field *field, const char *pattern)
{
    evs__json_list(json, "anyOf");
    evs__json_object(json, NULL);
    put_words(json, field);
    evs__json_close(json, '}');
    evs__json_object(json, NULL);
    evs__json_text(json, "type", "string");
    evs__json_text(json, "pattern", pattern);
    evs__json_close(json, '}');
    evs__json_close(json, ']');
}

static void put_integer(evs__json *json, const evs__field *field)
{
    evs__json_text(json, "type", "integer");
    evs__json_number(json, "minimum", (long long)field->min);
    if (field->max <= INT64_MAX) /* many readers of JSON know no larger number */
        evs__json_number(json, "maximum", (long long)field->max);
}

static void put_text(evs__json *json, const evs__field *field)
{
    evs__schema_raw(json, "type",
                    field->min == 0 ? "['string', 'number', 'boolean', 'null']"
                                    : "['string', 'number', 'boolean']");
    evs__json_number(json, "minLength", (long long)field->min);
    evs__json_number(json, "maxLength", (long long)field->max);
    evs__schema_raw(json, "pattern", "'^[^\\\\u0000-\\\\u001f\\\\u007f]*$'");
}

static void put_ref(evs__json *json, const char *name)
{
    char text[80];
    snprintf(text, sizeof text, "#/definitions/%s", name);
    evs__json_list(json, "allOf");
    evs__json_object(json, NULL);
    evs__json_text(json, "$ref", text);
    evs__json_close(json, '}');
    evs__json_close(json, ']');
}

/* A mapping whose kind is called like the key, such as auth. */
static const char *kind_called(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return name;
    }
    return NULL;
}

static void put_shape(evs__json *json, const evs__field *field, const evs__schema_key *more)
{
    const char *shape = more == NULL || more->shape == NULL ? "" : more->shape;
    if (shape[0] == '{') {
        evs__json_list(json, "allOf");
        evs__schema_raw(json, NULL, shape);
        evs__json_close(json, ']');
    } else if (shape[0] == '^') {
        put_words_or(json, field, shape);
    } else if (strcmp(shape, "presets") == 0) {
        evs__schema_presets(json);
    } else if (field->nwords > 0) {
        put_words(json, field);
    } else if (field->read == evs__read_text || strcmp(shape, "text") == 0) {
        put_text(json, field);
    } else if (field->read == evs__read_duration) {
        put_ref(json, "duration");
    } else if (field->read == evs__read_true) {
        evs__json_text(json, "type", "boolean");
    } else if (field->read == evs__read_name) {
        put_ref(json, "name");
    } else if (kind_called(field->name) != NULL) {
        put_ref(json, field->name);
    } else if (field->max > 0) { /* also by readers that say something of their own about it */
        put_integer(json, field);
    }
}

static void put_key(evs__json *json, const char *kind, const evs__field *field)
{
    const evs__schema_key *more = evs__schema_find(kind, field->name);
    evs__json_object(json, field->name);
    if (more != NULL)
        evs__json_text(json, "description", more->about);
    put_shape(json, more != NULL && more->row != NULL ? more->row : field, more);
    evs__json_close(json, '}');
}

/* ---- one kind ---- */

static void put_rows(evs__json *json, const evs__kind *kind)
{
    const char *name = "";
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].kind == kind)
            name = kinds[i].name;
    }
    for (size_t i = 0; i < kind->nfields; i++)
        put_key(json, name, &kind->fields[i]);
}

static void put_kind(evs__json *json, const named_kind *one)
{
    evs__json_object(json, one->name);
    evs__json_text(json, "type", "object");
    evs__json_object(json, "properties");
    for (const evs__kind *kind = one->kind; kind != NULL; kind = kind->also)
        put_rows(json, kind);
    evs__json_close(json, '}');
    if (one->rules != NULL)
        evs__schema_raw(json, NULL, one->rules);
    if (one->kind == &evs__kind_pool)
        evs__schema_rules(json);
    else if (one->kind == &evs__kind_top)
        evs__schema_short_rules(json);
    evs__schema_raw(json, "additionalProperties", "false");
    evs__json_close(json, '}');
}

static void put_definitions(evs__json *json)
{
    evs__json_object(json, "definitions");
    for (const evs__schema_shape *shape = evs__schema_shapes(); shape->name != NULL; shape++)
        evs__schema_raw(json, shape->name, shape->shape);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        put_kind(json, &kinds[i]);
    evs__json_close(json, '}');
}

evs_status evs_shardmap_schema(char **out, evs_error *err)
{
    evs__buf text = EVS__BUF_INIT;
    evs__json json = {.out = &text, .first = 1, .indent = 2};
    evs__json_object(&json, NULL);
    evs__json_text(&json, "$schema", "http://json-schema.org/draft-07/schema#");
    evs__json_text(&json, "title", "A shard map of evalshard");
    put_ref(&json, "map");
    put_definitions(&json);
    evs__json_close(&json, '}');
    evs__buf_char(&text, '\n');
    char *taken = evs__buf_take(&text);
    if (taken == NULL)
        return evs__fail_nomem(err);
    *out = taken;
    return EVS_OK;
}
