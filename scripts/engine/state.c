#include "scripts/engine/state.h"

#include "scripts/engine/explain.h"

static int only_reads(const evs__shard *shard, const evs_script *script)
{
    return script->retry == EVS_RETRY_READ_ONLY ||
           (shard->state == EVS__STATE_DRAINING && !script->may_write);
}

evs_status evs__state_take_script(const evs__shard *shard, const evs_script *script, evs_error *err)
{
    if (shard->state == EVS__STATE_ACTIVE || only_reads(shard, script))
        return EVS_OK;
    evs__subject subject = {.script = script->name, .shard = shard->name};
    return evs__explain(err, &subject, EVS_E_READONLY, "the map has state: %s, and the script %s",
                        evs__state_name(shard->state),
                        script->may_write ? "may write" : "does not say -- @retry read_only");
}

/* The server itself keeps EVAL_RO and the like from writing. */
static int may_write(evs_bytes name, const evs__command *known)
{
    if (known == NULL || (known->flags & (EVS__COMMAND_WRITE | EVS__COMMAND_MAYBE_WRITE)) != 0)
        return 1;
    return evs__command_runs_script(name) && (known->flags & EVS__COMMAND_READONLY) == 0;
}

evs_status evs__state_take_command(const evs__shard *shard, const evs_plain_command *cmd,
                                   const evs__command *known, evs_error *err)
{
    evs_bytes name = cmd->args[0];
    if (shard->state == EVS__STATE_ACTIVE || !may_write(name, known))
        return EVS_OK;
    evs__subject subject = {.shard = shard->name};
    return evs__explain(err, &subject, EVS_E_READONLY, "the map has state: %s, and %.*s may write",
                        evs__state_name(shard->state), name.len > 64 ? 64 : (int)name.len,
                        name.data);
}
