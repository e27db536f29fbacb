#include "tools/script_audit/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *path_join(const char *folder, const char *name)
{
    size_t len = strlen(folder);
    if (name[0] == '/' || strcmp(folder, ".") == 0)
        return strdup(name);
    while (len > 1 && folder[len - 1] == '/')
        len--;
    size_t size = len + strlen(name) + 2;
    char *path = malloc(size);
    if (path != NULL)
        snprintf(path, size, "%.*s%s%s", (int)len, folder, folder[len - 1] == '/' ? "" : "/", name);
    return path;
}

char *path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* What is left of `path` below `folder`; NULL when it is not below it. */
static const char *below(const char *folder, const char *path)
{
    size_t len = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
    if (strncmp(folder, path, len) != 0 || path[len] != '/')
        return NULL;
    return path + len + 1;
}

char *path_shown(const char *path)
{
    char *here = getcwd(NULL, 0);
    const char *rest = here == NULL ? NULL : below(here, path);
    char *shown = strdup(rest != NULL && rest[0] != '\0' ? rest : path);
    free(here);
    return shown;
}

char *path_from(const char *from, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = path_folder(path);
    char *real = folder == NULL ? NULL : realpath(folder, NULL);
    if (real == NULL) /* a name for standard input may be in no folder that exists */
        real = folder == NULL ? NULL : realpath(".", NULL);
    char *whole = real == NULL ? NULL : path_join(real, slash == NULL ? path : slash + 1);
    const char *rest = whole == NULL ? NULL : below(from, whole);
    char *result = rest == NULL ? whole : strdup(rest);
    if (rest != NULL)
        free(whole);
    free(real);
    free(folder);
    return result;
}
