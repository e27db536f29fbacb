/*
 * choice.h - words to choose from, on the command line.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_CHOICE_H
#define EVS_TOOLS_SCRIPT_AUDIT_CHOICE_H

#include <stddef.h>

typedef struct choice {
    const char *word; /* NULL behind the last */
    int value;
} choice;

/* 1 and the value of `word`; 0 when it is none of them, after saying which there are. */
int choose(int *out, const char *option, const char *word, const choice *choices);

/* The word most like `word`; NULL when none is near. */
const char *nearest(const char *word, const char *const *words, size_t count);

#endif
