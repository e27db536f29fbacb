/*
 * scope.h - what a name means at the place where it stands.
 *
 * A function being parsed is a frame, a block in it a scope. Locals are declared first and become
 * active when their statement says so (`local x = x` reads the outer x).
 */
#ifndef EVS_SCRIPTS_SYNTAX_SCOPE_H
#define EVS_SCRIPTS_SYNTAX_SCOPE_H

#include "scripts/syntax/state.h"

/* Makes `function` the one being parsed; the caller keeps `frame` until evs__frame_close. */
void evs__frame_open(evs__parser *parser, evs__frame *frame, evs__function *function);
void evs__frame_close(evs__parser *parser);

/* A new function node inside the one being parsed. */
evs__function *evs__function_new(evs__parser *parser, evs__span start);

/* Begins and ends a block of the current frame. */
void evs__scope_open(evs__parser *parser, evs__scope *scope, int is_loop);
void evs__scope_close(evs__parser *parser);

/* Declares a local, the `position`-th (from 0) of those that become active together. */
evs__local *evs__local_declare(evs__parser *parser, evs__local_kind kind, const evs__token *name,
                               int position);
/* Declares a variable of Lua's own that no name can reach. */
void evs__local_hide(evs__parser *parser, int position);
/* The next `count` declared locals are in scope from here on. */
void evs__locals_activate(evs__parser *parser, int count);

/* What `token` means here. */
void evs__name_resolve(evs__parser *parser, const evs__token *token, evs__name *out,
                       evs__operand *v);

/* Notes that the variable `target` is assigned, when it is a local. */
void evs__name_assign(evs__parser *parser, const evs__expr *target);

#endif
