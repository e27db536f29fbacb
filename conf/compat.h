/*
 * compat.h - the placements of other software, each as the settings it stands for.
 *
 * A preset is one row. It says what may be chosen beside it and what follows when nothing is.
 */
#ifndef EVS_CONF_COMPAT_H
#define EVS_CONF_COMPAT_H

#include "sharding/shardmap.h"

enum { EVS__COMPAT_DISTRIBUTIONS = 3 };

typedef struct evs__compat {
    const char *name;
    const char *distributions[EVS__COMPAT_DISTRIBUTIONS]; /* the default first; NULL: all */
    const char *hash;       /* the only one; NULL: any that the distribution takes */
    const char *first_hash; /* of those the default; NULL: that of the distribution */
    const char *hash_tag;   /* when the map says nothing: "{}" or "off" */
    evs__tag_style tag_style;
    int fixed_tag;      /* hash_tag may not differ */
    int unsigned_chars; /* as on a machine whose plain char is unsigned */
    int no_weights;
    evs__point_names point_names;
} evs__compat;

/* By name; NULL when there is none. The first row is `none`. */
const evs__compat *evs__compat_find(const char *name);

/* The name of row `i`; NULL behind the last. */
const char *evs__compat_name(size_t i);

#endif
