/*
 * path.h - where the paths in a map lead.
 */
#ifndef EVS_CONF_PATH_H
#define EVS_CONF_PATH_H

#include "conf/fields.h"

/* A relative path begins at the folder of the map. In scratch; NULL when out of memory, which is
 * remembered. */
const char *evs__full_path(evs__reading *r, const char *path);

#endif
