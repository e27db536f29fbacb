/*
 * excerpt.h - the line of a file that a complaint is about, with a caret below.
 */
#ifndef EVS_CONF_EXCERPT_H
#define EVS_CONF_EXCERPT_H

#include "conf/diagnostics.h"
#include "core/buf.h"

typedef struct evs__excerpts {
    evs_bytes source;    /* borrowed */
    evs__range *secrets; /* ours */
    size_t nsecrets, cap;
    int all_concealed; /* 0: the source was not understood, so hide whatever looks like a secret */
} evs__excerpts;

/* The text at this place will be shown as asterisks. 0 when out of memory. */
int evs__excerpts_conceal(evs__excerpts *excerpts, evs__range at);

/* Appends two lines: the source line, cut to a window when it is long, and the caret. */
void evs__excerpt(evs__buf *out, const evs__excerpts *excerpts, evs__range at);

void evs__excerpts_free(evs__excerpts *excerpts);

#endif
