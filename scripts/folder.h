/*
 * folder.h - the Lua files below a folder.
 */
#ifndef EVS_SCRIPTS_FOLDER_H
#define EVS_SCRIPTS_FOLDER_H

#include "core/arena.h"
#include "core/buf.h"

typedef struct evs__folder_file {
    const char *name; /* the path below the folder without ".lua" */
    const char *path;
} evs__folder_file;

/* In order of name (by bytes). */
typedef struct evs__folder {
    evs__folder_file *files; /* ours */
    size_t count;
    size_t cap;
    evs__arena arena; /* ours: the texts */
} evs__folder;

#define EVS__FOLDER_INIT            \
    {                               \
        NULL, 0, 0, EVS__ARENA_INIT \
    }

/* Lists into an empty `*out`; free it in any case. Names that begin with a dot are left out. Links
 * to files count as files; links to folders are not entered, so there is no way round in circles.
 * Fails with EVS_E_INVALID when a folder cannot be read, EVS_E_NOMEM. */
evs_status evs__folder_list(evs__folder *out, const char *folder, evs_error *err);

void evs__folder_free(evs__folder *folder);

/* Appends what the file holds. Fails with EVS_E_INVALID when it cannot be read or is larger than
 * a script may be, EVS_E_NOMEM. */
evs_status evs__folder_read(evs__buf *out, const evs__folder_file *file, evs_error *err);

#endif
