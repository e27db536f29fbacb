#include "conf/path.h"

const char *evs__full_path(evs__reading *r, const char *path)
{
    if (path[0] == '/' || r->folder == NULL)
        return path;
    const char *full = evs__arena_format(r->scratch, "%s/%s", r->folder, path);
    if (full == NULL)
        evs__diagnostics_nomem(r->diags);
    return full;
}
