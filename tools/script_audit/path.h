/*
 * path.h - names of files. What is returned is malloc'ed, NULL when out of memory.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_PATH_H
#define EVS_TOOLS_SCRIPT_AUDIT_PATH_H

/* `name` as seen from `folder`; an absolute name stays what it is. */
char *path_join(const char *folder, const char *name);

/* The folder of a path, "." when it has none. */
char *path_folder(const char *path);

/* As people want to see it: relative when it is below the working directory. */
char *path_shown(const char *path);

/* The path of a file from the absolute folder `from`, whatever way `path` takes there; absolute
 * when it is not below it. The file itself need not exist. */
char *path_from(const char *from, const char *path);

#endif
