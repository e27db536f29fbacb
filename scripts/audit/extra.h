/*
 * extra.h - what the settings add to what the audit knows: commands of modules, and globals that a
 * host puts in front of its scripts.
 *
 * commands -> command {"," command}
 * command  -> name ["=" keys] {" " ("read" | "write")}
 * keys     -> "none" | first [".." last ["/" step]] | "n@" count
 *
 * Arguments count from 1, and a negative last one from the end.
 */
#ifndef EVS_SCRIPTS_AUDIT_EXTRA_H
#define EVS_SCRIPTS_AUDIT_EXTRA_H

#include "core/arena.h"
#include "core/command.h"

#include <evalshard/audit.h>

typedef struct evs__extra {
    const evs__command *commands;
    size_t ncommands;
} evs__extra;

/* Reads `commands` of the options and checks `globals`. Fails with EVS_E_INVALID and EVS_E_NOMEM.
 */
evs_status evs__extra_read(evs__extra *out, evs__arena *arena, const evs_audit_options *options,
                           evs_error *err);

/* The command called `name` in any case, as the settings say, else as the table of commands does;
 * NULL when neither knows it. `sub` is as for evs__command_find. */
const evs__command *evs__extra_find(const evs__extra *extra, evs_bytes name, evs_bytes sub);

/* As evs__command_like; NULL also when the settings know such a command. */
const evs__command *evs__extra_like(const evs__extra *extra, evs_bytes begin, evs_bytes end,
                                    size_t nargs);

/* Is the global `name` in the list `globals`? */
int evs__extra_has_global(const char *globals, const char *name);

#endif
