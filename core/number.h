/*
 * number.h - numbers in text.
 */
#ifndef EVS_CORE_NUMBER_H
#define EVS_CORE_NUMBER_H

#include <evalshard/base.h>

/* Reads [+-]digits within 64 bits, nothing before or behind. 0 when it is anything else, and `*out`
 * is untouched. */
int evs__number(int64_t *out, evs_bytes text);

/* Whether the text is [+-]digits, of any length. */
int evs__is_whole(evs_bytes text);

/* Whether the text is [+-] and digits with a point and an exponent as in C, inf or nan. */
int evs__is_double(evs_bytes text);

/* Reads such a text, behind which there is a NUL, as the nearest double whatever the locale of the
 * process. 0 when it is none or too large for a double, and `*out` is untouched. */
int evs__double(double *out, evs_bytes text);

#endif
