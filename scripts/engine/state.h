/*
 * state.h - what may go to a shard that the map restricts: `state: draining` or `readonly`.
 *
 * Draining takes nothing that may write: a script is taken when the audit proves that it writes
 * nothing, or when its header block says `-- @retry read_only`. Readonly takes the second alone, so
 * that what goes there is what its authors meant for it. Plain commands are judged by the command
 * table; one that is not in it may write. Refused is EVS_E_READONLY, before anything is sent.
 */
#ifndef EVS_SCRIPTS_ENGINE_STATE_H
#define EVS_SCRIPTS_ENGINE_STATE_H

#include "core/command.h"
#include "scripts/script.h"
#include "sharding/shardmap.h"
#include <evalshard/client.h>

evs_status evs__state_take_script(const evs__shard *shard, const evs_script *script,
                                  evs_error *err);

/* `known` is the command's row of the table; NULL: it has none. */
evs_status evs__state_take_command(const evs__shard *shard, const evs_plain_command *cmd,
                                   const evs__command *known, evs_error *err);

#endif
