/*
 * descent.h - does a recursive call come nearer to an end?
 */
#ifndef EVS_SCRIPTS_AUDIT_INTERP_DESCENT_H
#define EVS_SCRIPTS_AUDIT_INTERP_DESCENT_H

#include "scripts/syntax/ast.h"

/* Is an argument of `call`, which stands in `function`, a parameter less something, a parameter
 * counted up that is compared with a limit, or a part of a table that is a parameter? */
int evs__descends(const evs__function *function, const evs__expr *call);

#endif
