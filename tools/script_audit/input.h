/*
 * input.h - the scripts that paths name.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_INPUT_H
#define EVS_TOOLS_SCRIPT_AUDIT_INPUT_H

#include <stddef.h>

/* Paths of scripts; ours, as each path is. */
typedef struct input_list {
    char **paths;
    size_t count, cap;
    int failed; /* something could not be read; it was said */
} input_list;

/* Adds a file, the *.lua files below a folder (sorted), or "-". */
void input_add(input_list *list, const char *path);
void input_free(input_list *list);

/* The whole file, or standard input for "-"; yours to free. NULL when it cannot be read, and then
 * it was said why. */
char *input_read(const char *path, size_t *len);

#endif
