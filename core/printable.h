/*
 * printable.h - bytes for messages.
 */
#ifndef EVS_CORE_PRINTABLE_H
#define EVS_CORE_PRINTABLE_H

#include <evalshard/base.h>

/* Writes `bytes` as printable ASCII (\r, \n, \\, \x00) and a NUL, as much as fits in `size` > 0.
 * Returns the length. Four bytes are always enough for one. */
size_t evs__printable(char *out, size_t size, evs_bytes bytes);

#endif
