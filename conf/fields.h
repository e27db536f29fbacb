/*
 * fields.h - the keys of a mapping as a table: one row per key says its name, how its value is read
 * and where it is stored.
 *
 * A kind is the table of one sort of mapping (a pool, a shard, ...). Reading a mapping by its kind
 * complains about keys that are unknown or misplaced, and calls the reader of each key that is
 * there, in the order of the table. A reader complains about a bad value
 * and leaves what is stored alone.
 */
#ifndef EVS_CONF_FIELDS_H
#define EVS_CONF_FIELDS_H

#include "conf/diagnostics.h"
#include "conf/yaml_tree.h"
#include "core/arena.h"

typedef struct evs__kind evs__kind;

/* What is going on while a map is read. */
typedef struct evs__reading {
    evs__arena *arena;   /* of the map: what is stored lives here */
    evs__arena *scratch; /* until loading ends */
    evs_diagnostics *diags;
    const char *folder; /* relative paths begin here; NULL: the working directory */
    int bare;           /* what the map names outside of itself is not looked at */
    const char *noun;   /* what is being read, for messages: "pool" */
    const char *name;   /* its name, or NULL */
    const struct evs__kind *const *kinds; /* of this sort of file: where else a key may belong */
    size_t nkinds;
} evs__reading;

/* A word of a list of words. */
typedef struct evs__word {
    const char *text;
    int value;
} evs__word;

typedef struct evs__field evs__field;

typedef void (*evs__field_fn)(evs__reading *r, const evs__field *field, const evs__yaml *value,
                              void *at);

struct evs__field {
    const char *name;
    evs__field_fn read;
    size_t offset;     /* of what is stored, in the struct of the kind */
    uint64_t min, max; /* of a number, a duration in ms, a length in bytes */
    const evs__word *words;
    size_t nwords;
};

struct evs__kind {
    const char *noun;  /* "pool" */
    const char *where; /* "in a pool": where its keys belong */
    const evs__field *fields;
    size_t nfields;
    const struct evs__kind *also; /* a kind whose keys may stand here too, or NULL */
    size_t also_offset;           /* of its struct in ours */
};

/* Reads the keys of `map` into the struct `into`. 0 when it is no mapping, which it complains of.
 */
int evs__read_mapping(evs__reading *r, const evs__kind *kind, const evs__yaml *map, void *into);

/* Complains of a value that is no mapping but should be one. */
void evs__complain_no_mapping(evs__reading *r, const evs__yaml *value);

/* The entry `key` of a mapping; NULL when there is none. */
const evs__yaml *evs__yaml_get(const evs__yaml *map, const char *key);

/* Readers, and what they store. */
void evs__read_node(evs__reading *r, const evs__field *field, const evs__yaml *value,
                    void *at); /* const evs__yaml *: the value itself, for later */
void evs__read_integer(evs__reading *r, const evs__field *field, const evs__yaml *value,
                       void *at); /* uint64_t */
/* The same; a number that is out of range has a code of its own. */
void evs__read_number(evs__reading *r, const evs__field *field, const evs__yaml *value,
                      uint64_t *at, const char *code);
void evs__read_duration(evs__reading *r, const evs__field *field, const evs__yaml *value,
                        void *at); /* unsigned, milliseconds */
void evs__read_word(evs__reading *r, const evs__field *field, const evs__yaml *value,
                    void *at); /* int: the value of the word */
void evs__read_true(evs__reading *r, const evs__field *field, const evs__yaml *value,
                    void *at); /* int: 0 or 1 */
void evs__read_name(evs__reading *r, const evs__field *field, const evs__yaml *value,
                    void *at); /* const char * */
void evs__read_text(evs__reading *r, const evs__field *field, const evs__yaml *value,
                    void *at); /* const char *: min to max bytes without control characters */

/* Pieces for readers of other values. Each complains when it says 0. */
int evs__want_text(evs__reading *r, const evs__yaml *value);
int evs__want_filled(evs__reading *r, const evs__yaml *value);
int evs__check_name(evs__reading *r, const evs__yaml *text);

/* The text of a key as it may be shown. */
const char *evs__name_of(const evs__yaml *key);

/* For messages, in scratch: `db in pool "x"`; ` in pool "x"` or nothing; what the value is, as
 * "a mapping" or its text in quotes (*** for a secret). */
const char *evs__subject(evs__reading *r, const evs__yaml *value);
const char *evs__where(evs__reading *r);
const char *evs__found(evs__reading *r, const evs__yaml *value);

/* `list` of `count` names as "a, b, c", cut when it is long; evs__join_sorted puts it into order
 * first. In scratch. */
const char *evs__join(evs__reading *r, const char *const *list, size_t count);
const char *evs__join_sorted(evs__reading *r, const char **list, size_t count);

/* The text in the map's arena, with a NUL; NULL when out of memory, which is remembered. */
const char *evs__keep(evs__reading *r, evs_bytes text);

#endif
