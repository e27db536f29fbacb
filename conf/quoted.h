/*
 * quoted.h - text of a file as it stands in a message.
 */
#ifndef EVS_CONF_QUOTED_H
#define EVS_CONF_QUOTED_H

#include "core/arena.h"
#include <evalshard/base.h>

/* The text in double quotes on one line: control characters as \xNN, long text cut. Lives in the
 * arena; when memory is short, "...". */
const char *evs__quoted(evs__arena *arena, evs_bytes text);

#endif
