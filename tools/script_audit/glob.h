/*
 * glob.h - patterns for paths.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_GLOB_H
#define EVS_TOOLS_SCRIPT_AUDIT_GLOB_H

/* `*` and `?` stand for anything but a slash, `**` for anything, and `**` with a slash behind it
 * also for nothing. A pattern without a slash is for the name of the file, wherever it is. */
int glob_matches(const char *pattern, const char *path);

#endif
