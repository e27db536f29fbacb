/*
 * WATCH, and reading on the connection that watches. A lease is a lane, so what is sent here are
 * calls like any other: deadlines, SCRIPT LOAD and healing come with them.
 *
 * In a cluster the lease is of the node that has the slot. Which that is, an ordinary call finds
 * out when it is not known or turns out to be another, because such a call follows slots and waits.
 * What watches stays where it is: when its slot moves on, it is aborted.
 */
#include "core/error.h"
#include "scripts/engine/plain.h"
#include "scripts/engine/queue.h"
#include "scripts/engine/submit.h"
#include "scripts/engine/transaction.h"
#include "scripts/render.h"

enum { MOST_SEEKS = 8 };

/* One request on the lease of a transaction. */
typedef struct question {
    evs_transaction *tx;
    evs_plain_command cmd;            /* unless there is a script */
    const evs_invocation *invocation; /* of the script */
    const evs_script *script;
    evs__target target;
    unsigned timeout_ms;
    int watches;  /* it is WATCH itself */
    int seeks;    /* it goes wherever the slot is, and not to a lease */
    int replaced; /* the map was, before it went */
    int anew;     /* at another node; what was leased is given back */
    evs__waiter waiter;
} question;

static unsigned timeout_of(const question *self, unsigned given)
{
    const evs__shard *shard = &self->tx->map->shards[self->target.shard];
    if (given != 0)
        return given;
    if (self->tx->timeout_ms != 0)
        return self->tx->timeout_ms;
    return self->script != NULL ? shard->script_timeout_ms : shard->command_timeout_ms;
}

static evs_status queue(evs__call *call, const question *self, evs_error *err)
{
    evs__buf *out;
    evs_status status = evs__queue_begin(&out, call, err);
    if (status != EVS_OK)
        return status;
    if (self->script != NULL)
        evs__render_evalsha(out, &self->script->use.head, self->invocation);
    else
        evs__render_command(out, self->cmd.args, self->cmd.nargs);
    return evs__queue_end(call, err);
}

/* On the thread of the client, where the epoch is the one that the answer came with. */
static void answered(void *arg, const evs_result *result)
{
    question *self = arg;
    evs_transaction *tx = self->tx;
    if (self->watches && result->status == EVS_OK &&
        (evs_reply_kind(result->reply) == EVS_REPLY_ERROR || !evs__lease_watches(tx->lease)))
        tx->watch_failed = 1;
    evs__waiter_done(&self->waiter, result);
}

static evs_status ask(question *self, evs_error *err)
{
    evs_client *client = self->tx->client;
    evs__lease *lease = self->tx->lease;
    evs__call *call = evs__lane_call(&lease->lane, self->target.slot, self->script);
    if (call == NULL)
        return evs__fail_nomem(err);
    call->done = answered;
    call->arg = self;
    call->state.retry = self->watches ? EVS_RETRY_ONCE : EVS_RETRY_READ_ONLY;
    if (evs__transaction_in_cluster(self->tx)) {
        call->state.stays = (unsigned char)(self->watches != 0);
        call->state.patience &= EVS__MAY_REST; /* another node may have the slot meanwhile */
    }
    evs__call_set_time(client, call, self->timeout_ms);
    evs_status status = queue(call, self, err);
    if (status != EVS_OK) {
        evs__queue_drop(call);
        return status;
    }
    lease->asked |= self->watches;
    evs__call_start(client, call);
    return EVS_OK;
}

/* The first WATCH, when the map was replaced after it was planned. */
static evs_status plan_again(question *self, evs_error *err)
{
    evs_transaction *tx = self->tx;
    evs__transaction_take_map(tx);
    evs_status status = evs__route_keys(&self->target, tx->map, self->cmd.args + 1,
                                        self->cmd.nargs - 1, err);
    if (status == EVS_OK)
        tx->target = self->target;
    return status;
}

/* As any call; but never to a replica. */
static evs_status ask_owner(question *self, evs_error *err)
{
    evs_client *client = self->tx->client;
    self->replaced = evs__transaction_is_stale(self->tx);
    if (self->replaced)
        return evs__fail(err, EVS_E_MOVED, "the shard map was replaced");
    evs__call *call = evs__client_call(client, &self->target, NULL);
    if (call == NULL)
        return evs__fail_nomem(err);
    call->done = answered;
    call->arg = self;
    call->state.retry = EVS_RETRY_READ_ONLY;
    evs__call_set_time(client, call, self->timeout_ms);
    evs_status status = queue(call, self, err);
    if (status == EVS_OK)
        evs__call_start(client, call);
    else
        evs__queue_drop(call);
    return status;
}

static evs_status lease(question *self, evs_error *err)
{
    evs__lane *lane = evs__client_target(self->tx->client, &self->target);
    if (evs__lane_is_home(lane))
        return evs__fail(err, EVS_E_MOVED, "no node of the slot is known");
    return evs__lease_take(&self->tx->lease, lane, err);
}

static evs_status start(void *job, evs_error *err)
{
    question *self = job;
    evs_transaction *tx = self->tx;
    evs_client *client = tx->client;
    evs_status status = evs__client_check(client, 0, err);
    if (status != EVS_OK)
        return status;
    if (self->seeks)
        return ask_owner(self, err);
    if (self->anew)
        evs__transaction_unwatch(tx);
    int fresh = tx->lease == NULL;
    if (evs__transaction_is_stale(tx))
        status = fresh ? plan_again(self, err) : evs__transaction_fail_stale(tx, err);
    if (status == EVS_OK && fresh)
        status = lease(self, err);
    if (status == EVS_OK)
        status = ask(self, err);
    if (status != EVS_OK && fresh)
        evs__transaction_unwatch(tx);
    return status;
}

/* `self->waiter` is set but for its gate. */
static evs_status wait_for(question *self, evs_error *err)
{
    evs__start what = {
        .start = start, .job = self, .gate = &self->waiter.gate, .timeout_ms = self->timeout_ms};
    evs_status status = evs__client_await(self->tx->client, &what, err);
    return status == EVS_OK ? self->waiter.status : status;
}

static evs_status may_ask(const evs_transaction *tx, evs_error *err)
{
    if (tx->stage != EVS__STAGE_FILLING)
        return evs__fail(err, EVS_E_STATE, "the transaction %s; clear it first",
                         tx->stage == EVS__STAGE_RUNNING ? "is running" : "has run");
    if (tx->watch_failed)
        return evs__fail(err, EVS_E_STATE, "watching failed; clear the transaction");
    return evs__client_may_wait(tx->client, err);
}

/* ---- watching ---- */

static evs_status elsewhere(const question *self, evs_error *err)
{
    const evs_transaction *tx = self->tx;
    const evs_shardmap *map = tx->map;
    if (tx->target.shard == self->target.shard)
        return evs__fail(err, EVS_E_CROSS_SLOT,
                         "a transaction runs in one slot of a cluster, but what is watched is in "
                         "slot %u and this in slot %u",
                         tx->target.slot, self->target.slot);
    return evs__fail(err, EVS_E_CROSS_SHARD,
                     "a transaction runs on one shard, but what is watched is on shard %s and this "
                     "is on shard %s",
                     map->shards[tx->target.shard].name, map->shards[self->target.shard].name);
}

static evs_status plan_watch(question *self, const evs_bytes *keys, size_t nkeys, evs_error *err)
{
    evs_transaction *tx = self->tx;
    if (nkeys == 0)
        return evs__fail(err, EVS_E_INVALID, "watching needs a key");
    evs__transaction_take_map(tx);
    evs_status status = evs__route_keys(&self->target, tx->map, keys, nkeys, err);
    if (status == EVS_OK && tx->lease != NULL && evs__transaction_apart(&self->target, &tx->target))
        status = elsewhere(self, err);
    return status;
}

/* Whoever has the slot is known behind that. Its reply does not matter. */
static evs_status seek(const question *self, unsigned timeout_ms, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes words[] = {evs_text("EXISTS"), self->cmd.args[1]};
    question owner = {.tx = self->tx,
                      .cmd = {.args = words, .nargs = 2},
                      .target = self->target,
                      .timeout_ms = timeout_ms,
                      .seeks = 1,
                      .waiter = {.reply = &reply, .err = err}};
    evs_status status = wait_for(&owner, err);
    evs_reply_free(reply);
    return owner.replaced ? EVS_OK : status; /* then it is planned again */
}

static int may_seek(evs_status status)
{
    return status == EVS_E_MOVED || status == EVS_E_CLOSED || status == EVS_E_CONNECT;
}

/* A deadline that comes during a look for the slot does not say why it was looked for. */
static void learn(evs_error *why, const evs_error *news)
{
    if (why->status == EVS_OK || news->status != EVS_E_TIMEOUT)
        *why = *news;
}

static unsigned left_until(const question *self, uint64_t deadline)
{
    uint64_t now = evs__loop_now_ms(self->tx->client->loop);
    return now < deadline ? (unsigned)(deadline - now) : 0;
}

/* Watches where the slot is, within the time there is. */
static evs_status wait_in_cluster(question *self, evs_error *err)
{
    evs_error why = {.status = EVS_OK}, news;
    uint64_t deadline = evs__clock_next_ms() + self->timeout_ms;
    int first = self->tx->lease == NULL;
    self->waiter.err = &news;
    for (int i = 0; i < MOST_SEEKS; i++) {
        evs_status status = wait_for(self, &news);
        if (status == EVS_OK)
            return EVS_OK;
        learn(&why, &news);
        unsigned left = left_until(self, deadline);
        if (!may_seek(status) || !first || left == 0)
            break;
        if (seek(self, left, &news) != EVS_OK) {
            learn(&why, &news);
            break;
        }
        left = left_until(self, deadline);
        if (left == 0)
            break;
        self->anew = 1;
        self->timeout_ms = left;
    }
    if (why.status == EVS_E_MOVED && !first)
        why.status = EVS_E_ABORTED;
    return evs__fail_with(err, &why);
}

static evs_status run_watch(question *self, const evs_bytes *keys, size_t nkeys, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_transaction *tx = self->tx;
    evs_bytes *words = evs__arena_alloc(&tx->arena, nkeys + 1, sizeof *words);
    if (words == NULL)
        return evs__fail_nomem(err);
    words[0] = evs_text("WATCH");
    memcpy(words + 1, keys, nkeys * sizeof *words);
    self->cmd = (evs_plain_command){.args = words, .nargs = nkeys + 1};
    self->waiter.reply = &reply;
    self->waiter.err = err;
    self->timeout_ms = timeout_of(self, 0);
    if (tx->lease == NULL)
        tx->target = self->target;
    evs_status status = evs__transaction_in_cluster(tx) ? wait_in_cluster(self, err)
                                                        : wait_for(self, err);
    evs_bytes text = evs_reply_bytes(reply);
    if (status == EVS_OK && evs_reply_kind(reply) == EVS_REPLY_ERROR)
        status = evs__fail(err, EVS_E_INVALID, "WATCH was refused: %.*s", (int)text.len, text.data);
    else if (status == EVS_OK && tx->watch_failed)
        status = evs__fail(err, EVS_E_CLOSED, "the connection that watched was lost");
    evs_reply_free(reply);
    return status;
}

evs_status evs_transaction_watch(evs_transaction *tx, const evs_bytes *keys, size_t nkeys,
                                 evs_error *err)
{
    question self = {.tx = tx, .watches = 1};
    evs_status status = may_ask(tx, err);
    if (status == EVS_OK)
        status = plan_watch(&self, keys, nkeys, err);
    if (status == EVS_OK)
        status = run_watch(&self, keys, nkeys, err);
    tx->watch_failed |= status != EVS_OK;
    return status;
}

/* ---- reading ---- */

static evs_status read_on_lease(evs_reply **out, question *self, evs_error *err)
{
    evs_error own;
    if (evs__transaction_apart(&self->target, &self->tx->target))
        return elsewhere(self, err);
    self->waiter.reply = out;
    self->waiter.err = &own;
    evs_status status = wait_for(self, &own);
    if (status == EVS_E_MOVED)
        own.status = EVS_E_ABORTED; /* and what is watched with it */
    return status == EVS_OK ? EVS_OK : evs__fail_with(err, &own);
}

static evs_status may_read(const evs_transaction *tx, evs_error *err)
{
    evs_status status = may_ask(tx, err);
    if (status == EVS_OK && tx->lease == NULL)
        status = evs__fail(err, EVS_E_STATE, "nothing is watched; ask the client instead");
    return status;
}

static evs_status plan_read(question *self, evs_error *err)
{
    size_t nkeys;
    evs_bytes keys[EVS__PLAIN_MOST_KEYS];
    const evs_plain_command *cmd = &self->cmd;
    const evs_shardmap *map = self->tx->map;
    evs_status status = evs__plain_check(cmd, err);
    if (status != EVS_OK)
        return status;
    const evs__command *known = evs__plain_find(cmd);
    if (known == NULL || (known->flags & EVS__COMMAND_READONLY) == 0)
        return evs__fail(err, EVS_E_INVALID,
                         "%.*s is not known to write nothing; add it to the transaction",
                         (int)cmd->args[0].len, cmd->args[0].data);
    status = evs__plain_keys(keys, &nkeys, cmd, known, err);
    self->target = self->tx->target;
    if (status == EVS_OK && nkeys > 0)
        status = evs__route_keys(&self->target, map, keys, nkeys, err);
    return status;
}

evs_status evs_transaction_read(evs_reply **out, evs_transaction *tx, const evs_plain_command *cmd,
                                evs_error *err)
{
    question self = {.tx = tx, .cmd = *cmd};
    evs_status status = may_read(tx, err);
    if (status == EVS_OK)
        status = plan_read(&self, err);
    if (status != EVS_OK)
        return status;
    self.timeout_ms = timeout_of(&self, cmd->timeout_ms);
    return read_on_lease(out, &self, err);
}

evs_status evs_transaction_call(evs_reply **out, evs_transaction *tx, const evs_invocation *call,
                                evs_error *err)
{
    evs_invocation here = *call;
    question self = {.tx = tx, .invocation = &here};
    evs__job job = {.client = tx->client, .invocation = &here};
    evs_status status = may_read(tx, err);
    if (status != EVS_OK)
        return status;
    if (here.nkeys == 0 && here.shard == NULL && here.pool == NULL)
        here.shard = tx->map->shards[tx->target.shard].name;
    status = evs__job_plan_by(&job, self.tx->map, self.tx->map_serial, err);
    if (status != EVS_OK)
        return status;
    self.script = job.script;
    self.target = job.target;
    if (self.script->retry != EVS_RETRY_READ_ONLY)
        return evs__fail(err, EVS_E_INVALID, "script %s does not say `-- @retry read_only`",
                         self.script->name);
    self.timeout_ms = timeout_of(&self, here.timeout_ms);
    return read_on_lease(out, &self, err);
}
