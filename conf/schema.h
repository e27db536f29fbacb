/*
 * schema.h - what editors are told of a key besides what its row in a table of keys says.
 */
#ifndef EVS_CONF_SCHEMA_H
#define EVS_CONF_SCHEMA_H

#include "conf/kinds.h"
#include "core/json.h"

/* One key of one kind. */
typedef struct evs__schema_key {
    const char *key;   /* "pool.hash" */
    const char *about; /* a sentence */
    /* NULL: what its row says. JSON Schema in single quotes: of a value that no reader of fields.h
     * takes. "text": as evs__read_text, by the row's limits. "^...": a pattern that does as well as
     * the row's words. "presets": the names of compat. */
    const char *shape;
    const evs__field *row; /* by which it is read later; NULL: its own */
} evs__schema_key;

/* NULL when nothing more is known of it. */
const evs__schema_key *evs__schema_find(const char *kind, const char *key);

/* Shapes that several keys have, by name; NULL behind the last. */
typedef struct evs__schema_shape {
    const char *name, *shape;
} evs__schema_shape;
const evs__schema_shape *evs__schema_shapes(void);

/* A member or value that is JSON already, but for single quotes, which become double ones; with the
 * name NULL also some members. */
void evs__schema_raw(evs__json *json, const char *name, const char *text);

/* The names of presets, as an enum. */
void evs__schema_presets(evs__json *json);

/* Rules over several keys of a pool: a list of schemas (schema_rules.c). */
void evs__schema_rules(evs__json *json);

/* The same of shards that stand at the top. */
void evs__schema_short_rules(evs__json *json);

#endif
