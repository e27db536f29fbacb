/*
 * Plain backtracking to the last star: patterns are short and written by the user.
 */
#include "tools/script_audit/glob.h"

#include <string.h>

static int match(const char *pattern, const char *path)
{
    for (; *pattern != '\0'; pattern++) {
        if (*pattern != '*') {
            if (*path == '\0' || (*pattern == '?' ? *path == '/' : *pattern != *path))
                return 0;
            path++;
            continue;
        }
        int deep = pattern[1] == '*';
        pattern += deep;
        if (deep && pattern[1] == '/' && match(pattern + 2, path))
            return 1;
        for (;; path++) { /* to the end of the path, or of its part */
            if (match(pattern + 1, path))
                return 1;
            if (*path == '\0' || (!deep && *path == '/'))
                return 0;
        }
    }
    return *path == '\0';
}

int glob_matches(const char *pattern, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (strchr(pattern, '/') == NULL && slash != NULL)
        path = slash + 1;
    return match(pattern, path);
}
