/*
 * input.h - the scripts that paths name, and their text.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_INPUT_H
#define EVS_TOOLS_SCRIPT_AUDIT_INPUT_H

#include "tools/script_audit/failures.h"

#include <evalshard/extract.h>

/* Paths of scripts, each once, in the order of their bytes; ours, as each path is. */
typedef struct input_list {
    char **paths;
    size_t count, cap;
    failures *failed; /* what cannot be read goes here */
    int hosts;        /* programs are looked for in folders too */
} input_list;

/* Adds a file, "-", or of what is below a folder the *.lua files and perhaps the programs. */
void input_add(input_list *list, const char *path);

/* Puts the list in order, once all is added. */
void input_sort(input_list *list);
void input_free(input_list *list);

/* The whole file, or standard input for "-"; yours to free. NULL when it cannot be read or is no
 * text; it is then among the failures, under the name `name`. */
char *input_read(const char *path, const char *name, size_t *len, failures *failed);

#endif
