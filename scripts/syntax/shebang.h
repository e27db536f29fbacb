/*
 * shebang.h - the first line of a script, when it begins with #!.
 *
 * The server reads `#!lua flags=no-writes,...` itself and hides the line from Lua.
 */
#ifndef EVS_SCRIPTS_SYNTAX_SHEBANG_H
#define EVS_SCRIPTS_SYNTAX_SHEBANG_H

#include "scripts/syntax/lexer.h"

/* The shebang of `source`, without its line feed; empty when there is none. */
evs_bytes evs__shebang_find(evs_bytes source);

/* What the server says against the shebang, in the arena or static; NULL when nothing. `*at` is
 * what to point at. When out of memory `*nomem` becomes 1. */
const char *evs__shebang_problem(evs_bytes source, evs__arena *arena, evs__span *at, int *nomem);

#endif
