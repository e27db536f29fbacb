/*
 * yaml_tree.h - a YAML text as a tree whose nodes know their place.
 *
 * The subset we take: one document in UTF-8, mappings with text keys, lists, text; no anchors,
 * aliases, merge keys, tags; each key once per mapping; at most 16 levels. Everything plain is
 * text: who reads a node decides what 010 or yes means.
 */
#ifndef EVS_CONF_YAML_TREE_H
#define EVS_CONF_YAML_TREE_H

#include "conf/diagnostics.h"
#include "core/arena.h"

typedef enum evs__yaml_kind {
    EVS__YAML_TEXT,
    EVS__YAML_LIST,
    EVS__YAML_MAP,
    EVS__YAML_BAD /* complained about already; readers leave it alone */
} evs__yaml_kind;

typedef struct evs__yaml evs__yaml;

struct evs__yaml {
    evs__yaml_kind kind;
    int quoted; /* text in quotes or a block */
    int secret; /* not to be shown */
    evs__range at;
    evs_bytes text;   /* with a NUL behind it, not counted */
    evs__yaml *key;   /* of an entry of a mapping */
    evs__yaml *first; /* child */
    evs__yaml *next;  /* child of the same parent */
    size_t count;     /* of children */
};

/* The root of `source`, in `arena`; NULL when there is none: not YAML, nothing but comments, or out
 * of memory. What is wrong goes to `diags`; a tree may come back all the same. */
const evs__yaml *evs__yaml_read(evs__arena *arena, evs_bytes source, evs_diagnostics *diags);

/* Whether a node is an empty value: nothing, ~ or null. */
int evs__yaml_empty(const evs__yaml *node);

#endif
