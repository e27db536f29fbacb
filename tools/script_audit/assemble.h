/*
 * assemble.h - the text of a script that is made of several files.
 *
 * A line `--- @include "path"` (BullMQ) or `-- $include(path)` (Inngest) stands for another file.
 * The path is looked for from the folder of the file that has the line, then from the include_paths
 * of the settings; ".lua" may be left out. What @include names is taken once per script.
 *
 * A script may also be a list of files one behind the other (concat in the settings).
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_ASSEMBLE_H
#define EVS_TOOLS_SCRIPT_AUDIT_ASSEMBLE_H

#include "tools/script_audit/config.h"
#include "tools/script_audit/failures.h"

#include "core/buf.h"

/* A script's text, and where it came from. It must live as long as its report. */
typedef struct assembled {
    evs__buf text;
    char **names;           /* of files; ours */
    char **texts;           /* ours */
    evs_source_file *files; /* of the map */
    size_t nfiles, files_cap;
    evs_source_part *parts;
    size_t nparts, parts_cap;
    evs_source_map map;
    int composed; /* the map is needed */
} assembled;

/* Reads the script at `path`, called `name`; `settings` may be NULL. 0 when something cannot be
 * read, which is then among the failures. assembled_free it either way. */
int assemble_file(assembled *out, const char *path, const char *name, const config *settings,
                  failures *failed);

/* The same of a list of files. */
int assemble_list(assembled *out, const config_concat *list, const config *settings,
                  failures *failed);

void assembled_free(assembled *a);

#endif
