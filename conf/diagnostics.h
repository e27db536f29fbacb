/*
 * diagnostics.h - everything that is wrong with one file, collected and then shown at once.
 *
 * Reading code complains and goes on. A code is a letter for the severity (E error, W warning,
 * N note) and a number. Running out of memory is remembered and reported by finish.
 */
#ifndef EVS_CONF_DIAGNOSTICS_H
#define EVS_CONF_DIAGNOSTICS_H

#include <evalshard/shardmap.h>

/* A stretch of a file, in characters from 1; the end is behind its last one. Line 0: no place. */
typedef struct evs__range {
    int line, column;
    int end_line, end_column;
} evs__range;

/* `file` is copied; `source` is borrowed until finish. NULL when out of memory. */
evs_diagnostics *evs__diagnostics_new(const char *file, evs_bytes source);

void evs__complain(evs_diagnostics *diags, const char *code, evs__range at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* What to do about the latest complaint. */
void evs__hint(evs_diagnostics *diags, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The text at this place is a secret: excerpts show asterisks instead. */
void evs__conceal(evs_diagnostics *diags, evs__range at);

/* Every secret of the source was concealed. Until then excerpts hide whatever looks like one. */
void evs__conceal_done(evs_diagnostics *diags);

void evs__diagnostics_nomem(evs_diagnostics *diags);

/* Whether there is a complaint of severity error, or memory ran out. */
int evs__diagnostics_bad(const evs_diagnostics *diags);

/* Sorts and renders. Returns OK when there is no error; else the status of what is wrong, with the
 * first problem in `err`. Nothing may be added afterwards. */
evs_status evs__diagnostics_finish(evs_diagnostics *diags, evs_error *err);

#endif
