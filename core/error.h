/*
 * error.h - fill an evs_error and return its status in one statement.
 */
#ifndef EVS_CORE_ERROR_H
#define EVS_CORE_ERROR_H

#include <evalshard/base.h>
#include <stdarg.h>

/* Writes status and message into `err` (may be NULL), clears the rest, returns `status`.
 * The message is one line, lower case, no period; longer text is cut. */
evs_status evs__fail(evs_error *err, evs_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

evs_status evs__fail_v(evs_error *err, evs_status status, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

evs_status evs__fail_nomem(evs_error *err);

/* Copies `from` to `err` when both are there; returns `from->status`. */
evs_status evs__fail_with(evs_error *err, const evs_error *from);

#endif
