/*
 * script.h - named scripts, what they declare, and what the audit says of them.
 *
 * A registry maps names to scripts. A script's text is stored once; its SHA-1, its header block
 * (docs/scripts.md) and its audit are computed when it is loaded. Load everything before the
 * registry is shared: after that any thread may read it. A registry outlives its clients.
 */
#ifndef EVALSHARD_SCRIPT_H
#define EVALSHARD_SCRIPT_H

#include <evalshard/audit.h>
#include <evalshard/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evs_registry evs_registry;
typedef struct evs_script evs_script;

/* What loading a script whose keys are not all declared means. DENY refuses undeclared and derived
 * keys, and unproven ones unless the script was loaded with a reason to allow them. WARN loads it
 * and keeps the report. OFF does the same; the difference is for those who show reports. */
typedef enum evs_audit_policy {
    EVS_AUDIT_OFF = 0,
    EVS_AUDIT_WARN = 1,
    EVS_AUDIT_DENY = 2
} evs_audit_policy;

/* What may be done when it is unknown whether a script ran. */
typedef enum evs_retry {
    EVS_RETRY_ONCE = 0,       /* never sent again after MAYBE_EXECUTED */
    EVS_RETRY_IDEMPOTENT = 1, /* running it again is harmless, also after later writes by others */
    EVS_RETRY_READ_ONLY = 2   /* writes nothing */
} evs_retry;

typedef struct evs_registry_options {
    size_t struct_size;
    evs_audit_policy policy;
} evs_registry_options;

#define EVS_REGISTRY_OPTIONS_INIT                    \
    {                                                \
        sizeof(evs_registry_options), EVS_AUDIT_WARN \
    }

/* `*out` is yours to free. `opts` may be NULL: policy warn. Fails with EVS_E_NOMEM, EVS_E_INVALID
 * for options that were not made with INIT. */
EVS_API evs_status evs_registry_new(evs_registry **out, const evs_registry_options *opts,
                                    evs_error *err);

/* Frees the registry and every script in it. */
EVS_API void evs_registry_free(evs_registry *registry);

typedef struct evs_script_options {
    size_t struct_size;
    const char *allow_unproven; /* why unproven keys are fine here; NULL or "" when they are not */
} evs_script_options;

#define EVS_SCRIPT_OPTIONS_INIT          \
    {                                    \
        sizeof(evs_script_options), NULL \
    }

/* Loads the script `source` under `name` (letters, digits, and . _ - / inside; at most 120).
 * Both are copied. `opts` may be NULL.
 *
 * Fails with EVS_E_INVALID for a bad or taken name or a faulty header block, EVS_E_COMPILE when the
 * text does not parse, EVS_E_AUDIT when the policy refuses it; `err` has line and column. */
EVS_API evs_status evs_script_load(evs_registry *registry, const char *name, evs_bytes source,
                                   const evs_script_options *opts, evs_error *err);

/* Loads every *.lua below `folder`, each under its path below the folder without ".lua", in order
 * of name. Names that begin with a dot are left out; links to files are read, links to folders are
 * not entered. The first failure ends it; scripts loaded before stay. Fails as evs_script_load
 * does, or with EVS_E_INVALID when the folder or a file cannot be read; messages name the file. */
EVS_API evs_status evs_script_load_folder(evs_registry *registry, const char *folder,
                                          evs_error *err);

/* Loads the scripts that ship with evalshard (scripts/lib). Under DENY, book/create_status is left
 * out, which ships as an example of what DENY refuses. Otherwise fails as evs_script_load does. */
EVS_API evs_status evs_script_load_shipped(evs_registry *registry, evs_error *err);

/* The script called `name`, borrowed; NULL when there is none. */
EVS_API const evs_script *evs_script_find(const evs_registry *registry, const char *name);

/* The scripts in the order they were loaded, borrowed. */
EVS_API size_t evs_registry_count(const evs_registry *registry);
EVS_API const evs_script *evs_registry_at(const evs_registry *registry, size_t index);

/* Up to two names most like `name`, for "did you mean"; returns how many. Borrowed. */
EVS_API size_t evs_registry_similar(const evs_registry *registry, const char *name,
                                    const char *out[2]);

/* All borrowed from the script. */
EVS_API const char *evs_script_name(const evs_script *script);
EVS_API evs_bytes evs_script_source(const evs_script *script);
EVS_API const char *evs_script_sha1(const evs_script *script); /* 40 digits */
EVS_API const evs_report *evs_script_report(const evs_script *script);
EVS_API evs_retry evs_script_retry(const evs_script *script);
EVS_API const char *evs_script_summary(const evs_script *script); /* "" without a header block */
EVS_API const char *evs_script_returns(const evs_script *script); /* "" when not said */
EVS_API int evs_script_version(const evs_script *script);         /* 0 when not said */

/* Whether `nkeys` keys and `nargs` arguments fit the header block. Without a block all fit.
 * Fails with EVS_E_ARITY; the message says what the script takes. */
EVS_API evs_status evs_script_check_arity(const evs_script *script, size_t nkeys, size_t nargs,
                                          evs_error *err);

#ifdef __cplusplus
}
#endif

#endif
