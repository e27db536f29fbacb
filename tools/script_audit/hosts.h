/*
 * hosts.h - programs with scripts in them, which live as long as the reports that show their lines.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_HOSTS_H
#define EVS_TOOLS_SCRIPT_AUDIT_HOSTS_H

#include <evalshard/extract.h>

typedef struct host {
    char *text;
    evs_extraction *extraction;
} host;

typedef struct hosts {
    host *items; /* ours, with what is in them */
    size_t count, cap;
} hosts;

/* Extracts the scripts of a program, whose text (of malloc) becomes ours. NULL with an error. */
const evs_extraction *hosts_add(hosts *all, evs_bytes text, const char *name, evs_error *err);
void hosts_free(hosts *all);

#endif
