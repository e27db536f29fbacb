/*
 * settings.h - what one script is audited for: the command line over the settings of its files,
 * over those of all.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_SETTINGS_H
#define EVS_TOOLS_SCRIPT_AUDIT_SETTINGS_H

#include "tools/script_audit/config.h"
#include "tools/script_audit/options.h"

#include "core/buf.h"

/* The options, and room for the lists they were put together from. */
typedef struct settings {
    evs_audit_options audit;
    evs__buf select, extend_select, ignore, severities, commands, globals, contract;
} settings;

/* `c` may be NULL; `relative` is the path of the script from its folder. 0 when out of memory.
 * settings_free it either way. */
int settings_make(settings *out, const options *o, const config *c, const char *relative,
                  const char *name);
void settings_free(settings *s);

#endif
