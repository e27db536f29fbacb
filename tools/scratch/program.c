/*
 * program.c - which server program there is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/scratch/scratch.h"

static const char *find_in(char *path, size_t size, const char *folders, const char *name)
{
    while (*folders != '\0') {
        size_t len = strcspn(folders, ":");
        int n = snprintf(path, size, "%.*s/%s", (int)len, folders, name);
        if (len > 0 && n > 0 && (size_t)n < size && access(path, X_OK) == 0)
            return path;
        folders += len + (folders[len] == ':');
    }
    return NULL;
}

const char *scratch_program(char *path, size_t size)
{
    static const char *const names[] = {"redis-server", "valkey-server"};
    static const char standard[] = "/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin";
    const char *folders = getenv("PATH");
    const char *chosen = getenv("EVALSHARD_SERVER");

    if (chosen != NULL && chosen[0] != '\0') {
        int n = snprintf(path, size, "%s", chosen);
        return n > 0 && (size_t)n < size && access(path, X_OK) == 0 ? path : NULL;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (folders != NULL && find_in(path, size, folders, names[i]) != NULL)
            return path;
        if (find_in(path, size, standard, names[i]) != NULL)
            return path;
    }
    return NULL;
}
