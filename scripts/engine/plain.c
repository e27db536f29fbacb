/* Plain commands: routed by the key positions of the command table, then like any call. */
#include "scripts/engine/plain.h"

#include "core/error.h"
#include "scripts/engine/aim.h"
#include "scripts/engine/client.h"
#include "scripts/engine/queue.h"
#include "scripts/engine/state.h"

#include <strings.h>

/* Commands that would change what the shared connection means for every other call, or hold it up.
 */
static const char *const stateful[] = {
    "AUTH",      "HELLO",      "SELECT",     "QUIT",        "RESET",        "MULTI",
    "EXEC",      "WATCH",      "UNWATCH",    "DISCARD",     "MONITOR",      "SYNC",
    "PSYNC",     "ASKING",     "READONLY",   "READWRITE",   "WAIT",         "SHUTDOWN",
    "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE",
    "DEBUG",     "REPLICAOF",  "SLAVEOF",    "FAILOVER",    "REPLCONF",
};

static const char *const stateful_pairs[][2] = {
    {"CLIENT", "REPLY"},
    {"CLIENT", "TRACKING"},
    {"CLIENT", "CAPA"},
    {"SCRIPT", "DEBUG"},
};

static int is_word(evs_bytes argument, const char *word)
{
    return argument.len == strlen(word) && strncasecmp(argument.data, word, argument.len) == 0;
}

static int is_stateful(const evs_plain_command *cmd)
{
    for (size_t i = 0; i < sizeof stateful / sizeof stateful[0]; i++)
        if (is_word(cmd->args[0], stateful[i]))
            return 1;
    for (size_t i = 0; i < sizeof stateful_pairs / sizeof stateful_pairs[0]; i++)
        if (cmd->nargs > 1 && is_word(cmd->args[0], stateful_pairs[i][0]) &&
            is_word(cmd->args[1], stateful_pairs[i][1]))
            return 1;
    return 0;
}

static evs_status refuse(const evs_plain_command *cmd, evs_error *err)
{
    return evs__fail(err, EVS_E_INVALID,
                     "%.*s would change or hold up a connection that other calls share",
                     (int)cmd->args[0].len, cmd->args[0].data);
}

evs_status evs__plain_check(const evs_plain_command *cmd, evs_error *err)
{
    if (cmd->nargs == 0 || cmd->args[0].len == 0)
        return evs__fail(err, EVS_E_INVALID, "a command needs a name");
    return is_stateful(cmd) ? refuse(cmd, err) : EVS_OK;
}

const evs__command *evs__plain_find(const evs_plain_command *cmd)
{
    evs_bytes none = {NULL, 0};
    return evs__command_find(cmd->args[0], cmd->nargs > 1 ? cmd->args[1] : none);
}

evs_status evs__plain_keys(evs_bytes *keys, size_t *nkeys, const evs_plain_command *cmd,
                           const evs__command *known, evs_error *err)
{
    int len = (int)cmd->args[0].len;
    const char *name = cmd->args[0].data;
    if (known == NULL)
        return evs__fail(err, EVS_E_INVALID,
                         "where the keys of %.*s are is not known; name a shard", len, name);

    size_t positions[EVS__PLAIN_MOST_KEYS];
    int count = evs__command_keys(known, cmd->args, cmd->nargs, positions, EVS__PLAIN_MOST_KEYS);
    if (count < 0)
        return evs__fail(err, EVS_E_ARITY, "the arguments of %.*s are not valid", len, name);
    if (count > EVS__PLAIN_MOST_KEYS)
        return evs__fail(err, EVS_E_INVALID, "%d keys; at most %d can be routed", count,
                         EVS__PLAIN_MOST_KEYS);
    for (int i = 0; i < count; i++)
        keys[i] = cmd->args[positions[i]];
    *nkeys = (size_t)count;
    return EVS_OK;
}

static evs_status route_by_keys(evs__target *out, const evs_shardmap *map,
                                const evs_plain_command *cmd, const evs__command *known,
                                evs_error *err)
{
    size_t count;
    evs_bytes keys[EVS__PLAIN_MOST_KEYS];
    evs_status status = evs__plain_keys(keys, &count, cmd, known, err);
    if (status != EVS_OK)
        return status;
    if (count == 0)
        return evs__fail(err, EVS_E_NO_KEYS, "%.*s has no keys; name a shard",
                         (int)cmd->args[0].len, cmd->args[0].data);
    return evs__route_keys(out, map, keys, count, err);
}

static evs_status route(evs__target *out, const evs_shardmap *map, const evs_plain_command *cmd,
                        const evs__command *known, evs_error *err)
{
    if (cmd->shard != NULL)
        return evs__route_no_keys(out, map, cmd->shard, NULL, err);
    return route_by_keys(out, map, cmd, known, err);
}

typedef struct job {
    evs_client *client;
    const evs_plain_command *cmd;
    const evs__command *known; /* NULL when it is not */
    evs__target target;
    uint64_t map_serial; /* of the map that decided */
    unsigned timeout_ms;
    evs__waiter *waiter;
} job;

/* Where it goes and how long it may take, by the map of this moment. */
static evs_status place(job *self, evs_error *err)
{
    evs__view view = evs__client_view(self->client);
    evs_status status = route(&self->target, view.map, self->cmd, self->known, err);
    self->map_serial = view.serial;
    self->timeout_ms = self->cmd->timeout_ms;
    if (status == EVS_OK && self->timeout_ms == 0)
        self->timeout_ms = view.map->shards[self->target.shard].command_timeout_ms;
    evs__view_end(&view);
    return status;
}

static evs_status queue(evs__call *call, const evs_plain_command *cmd, evs_error *err)
{
    evs__buf *out;
    evs_status status = evs__queue_begin(&out, call, err);
    if (status != EVS_OK)
        return status;
    evs__render_command(out, cmd->args, cmd->nargs);
    return evs__queue_end(call, err);
}

/* Does it read the dataset, and nothing else? What runs a script may name one that is loaded on
 * primaries alone. */
static int replicas_know(const job *self)
{
    unsigned also = EVS__COMMAND_WRITE | EVS__COMMAND_MAY_REPLICATE;
    return self->known != NULL && (self->known->flags & EVS__COMMAND_READONLY) != 0 &&
           (self->known->flags & also) == 0 && !evs__command_runs_script(self->cmd->args[0]);
}

/* Who names a shard wants to know how that one is, and is told at once. */
static evs_status submit(void *arg, evs_error *err)
{
    job *self = arg;
    evs_client *client = self->client;
    evs_status status = evs__client_check(client, 0, err);
    if (status == EVS_OK && self->map_serial != client->map_serial)
        status = place(self, err);
    if (status == EVS_OK)
        status = evs__state_take_command(&client->map->shards[self->target.shard], self->cmd,
                                         self->known, err);
    if (status != EVS_OK)
        return status;
    evs__call *call = evs__client_call(client, &self->target, NULL);
    if (call == NULL)
        return evs__fail_nomem(err);
    call->done = evs__waiter_done;
    call->arg = self->waiter;
    int reads = self->known != NULL && (self->known->flags & EVS__COMMAND_READONLY) != 0;
    call->state.retry = reads ? EVS_RETRY_READ_ONLY : EVS_RETRY_ONCE;
    if (evs__command_runs_script(self->cmd->args[0]))
        call->state.may_lie = 1;
    if (self->cmd->shard != NULL)
        call->state.patience = 0;
    else if (replicas_know(self) && evs__aim_may_read(call->lane))
        evs__aim_read(call);
    evs__call_set_time(client, call, self->timeout_ms);
    status = queue(call, self->cmd, err);
    if (status != EVS_OK) {
        evs__queue_drop(call);
        return status;
    }
    evs__call_start(client, call);
    return EVS_OK;
}

static evs_status plan(job *self, evs_error *err)
{
    const evs_plain_command *cmd = self->cmd;
    evs_status status = evs__plain_check(cmd, err);
    if (status != EVS_OK)
        return status;
    self->known = evs__plain_find(cmd);
    if (self->known != NULL && (self->known->flags & EVS__COMMAND_BLOCKING) != 0)
        status = refuse(cmd, err);
    return status == EVS_OK ? place(self, err) : status;
}

evs_status evs_command(evs_reply **out, evs_client *client, const evs_plain_command *cmd,
                       evs_error *err)
{
    evs__waiter waiter = {.reply = out, .err = err};
    job self = {.client = client, .cmd = cmd, .waiter = &waiter};
    evs__start what = {.start = submit, .job = &self, .gate = &waiter.gate};
    evs_status status = evs__client_may_wait(client, err);
    if (status == EVS_OK)
        status = plan(&self, err);
    if (status != EVS_OK)
        return status;
    what.timeout_ms = self.timeout_ms;
    status = evs__client_await(client, &what, err);
    return status == EVS_OK ? waiter.status : status;
}
