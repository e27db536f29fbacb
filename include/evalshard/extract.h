/*
 * extract.h - scripts that stand in string literals of programs.
 *
 * Most scripts are no files: they are strings in the source of the program that runs them. An
 * extraction reads such a source and gives the scripts in it, their escapes decoded and their
 * pieces put together, with a source map so that an audit's report points into the program:
 *
 *     evs_extract(&extraction, source, "jobs.py", &err);
 *     scripts = evs_extraction_scripts(extraction, &count);
 *     for each of them:
 *         evs_audit_options how = EVS_AUDIT_OPTIONS_INIT;
 *         how.path = "jobs.py";
 *         how.map = &scripts[i].map;
 *         how.holes = scripts[i].holes;
 *         how.nholes = scripts[i].nholes;
 *         how.wholeness = scripts[i].wholeness;
 *         evs_audit(&report, scripts[i].source, &how, &err);
 *
 * Which literals are scripts is told by what they say: one that calls Redis, or reads KEYS or ARGV,
 * and is Lua. Where the program puts text of its own into a script there is a hole (see audit.h).
 *
 * An extraction never changes once made and may be read by any thread.
 */
#ifndef EVALSHARD_EXTRACT_H
#define EVALSHARD_EXTRACT_H

#include <evalshard/audit.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A script in a program. All of it is borrowed from the extraction. */
typedef struct evs_embedded_script {
    int line, column; /* where it begins in the program */
    evs_bytes source;
    evs_source_map map;
    const evs_hole *holes; /* in the order of the text */
    size_t nholes;
    evs_wholeness wholeness; /* PART when it does not parse, but may in the program */
} evs_embedded_script;

typedef struct evs_extraction evs_extraction;

/* The language that the name of a file promises ("python"), or NULL when scripts are not looked for
 * in files that are called so. */
EVS_API const char *evs_extract_language(const char *path);

/* Finds the scripts in `source`, which is written in the language that `path` promises and must
 * live as long as the extraction. `*out` is yours to free. A source that no compiler would take is
 * read as far as it can be, without complaint. Fails with EVS_E_INVALID when no such language is
 * known, and with EVS_E_NOMEM. */
EVS_API evs_status evs_extract(evs_extraction **out, evs_bytes source, const char *path,
                               evs_error *err);
EVS_API void evs_extraction_free(evs_extraction *extraction);

/* In the order of the source. */
EVS_API const evs_embedded_script *evs_extraction_scripts(const evs_extraction *extraction,
                                                          size_t *count);

#ifdef __cplusplus
}
#endif

#endif
