/*
 * map.h - how the keys of a shard map's pool are tagged. Nothing else of a map is looked at:
 * whether it is right says `evalshard check`.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_MAP_H
#define EVS_TOOLS_SCRIPT_AUDIT_MAP_H

#include "core/arena.h"

typedef enum map_got {
    MAP_READ,
    MAP_BAD,       /* not a map, or one that does not say it */
    MAP_UNREADABLE /* the file */
} map_got;

/* The hash_tag of the pool `pool` in the map at `path`, in `arena`: two characters, or "off".
 * Without a pool (NULL) it is that of all, if they have the same. Otherwise it has said why on
 * standard error. */
map_got map_hash_tag(const char **out, evs__arena *arena, const char *path, const char *pool);

#endif
