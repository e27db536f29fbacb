/*
 * number.h - whole decimal numbers in text that is not NUL-terminated.
 */
#ifndef EVS_CORE_NUMBER_H
#define EVS_CORE_NUMBER_H

#include <evalshard/base.h>

/* Reads [+-]digits within 64 bits, nothing before or behind. 0 when it is anything else, and `*out`
 * is untouched. */
int evs__number(int64_t *out, evs_bytes text);

#endif
