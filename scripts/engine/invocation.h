/*
 * invocation.h - calls and commands that outlive the memory of whoever made them.
 */
#ifndef EVS_SCRIPTS_ENGINE_INVOCATION_H
#define EVS_SCRIPTS_ENGINE_INVOCATION_H

#include "core/arena.h"

#include <evalshard/client.h>

/* Copies what a call or command points to into `arena`, and points it there. 0 when out of memory.
 */
int evs__invocation_keep(evs__arena *arena, evs_invocation *call);
int evs__plain_command_keep(evs__arena *arena, evs_plain_command *cmd);

#endif
