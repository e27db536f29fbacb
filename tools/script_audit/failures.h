/*
 * failures.h - what could not be read: said at once on standard error, and kept for reports.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_FAILURES_H
#define EVS_TOOLS_SCRIPT_AUDIT_FAILURES_H

#include <evalshard/audit.h>

typedef struct failures {
    evs_unread *items; /* ours, as their texts are */
    size_t count, cap;
    int lost; /* one could not be kept; it was said */
} failures;

void failures_add(failures *all, const char *path, const char *why);
void failures_add_at(failures *all, const char *path, int line, int column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void failures_free(failures *all);

#endif
