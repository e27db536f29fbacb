#include "scripts/engine/state.h"
#include "scripts/hiredis/bound.h"

#include "core/error.h"
#include "core/mem.h"
#include "sharding/route.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <strings.h>

enum { FIRST_KEY = 3 }; /* EVALSHA sha numkeys key... */

/* ---- what was sent ---- */

evs__sent *evs__sent_new(evs__bound *bound, evs__sent_kind kind)
{
    evs__sent *sent = evs__zalloc_array(1, sizeof *sent);
    if (sent == NULL)
        return NULL;
    sent->bound = bound;
    sent->kind = kind;
    sent->transaction = bound->open ? bound->transaction : 0;
    return sent;
}

void evs__sent_free(evs__sent *sent)
{
    if (sent == NULL)
        return;
    evs__buf_free(&sent->bytes);
    evs_reply_free(sent->reply);
    evs__free(sent->error);
    evs__free(sent);
}

evs__subject evs__sent_subject(const evs__sent *sent)
{
    evs__subject subject = {NULL, {NULL, 0}, evs__bound_name(sent->bound)};
    evs_bytes request = {sent->bytes.data, sent->bytes.len};
    if (sent->kind != EVS__SENT_CALL)
        return subject;
    subject.script = sent->script->name;
    evs_bytes nkeys = evs__rendered_argument(request, FIRST_KEY - 1);
    if (nkeys.len > 0 && nkeys.data[0] != '0')
        subject.key = evs__rendered_argument(request, FIRST_KEY);
    return subject;
}

void evs__sent_push(evs__sent_line *line, evs__sent *sent)
{
    sent->next = NULL;
    if (line->head == NULL)
        line->head = sent;
    else
        line->tail->next = sent;
    line->tail = sent;
}

int evs__bound_append(evs__bound *bound, evs__sent *sent, evs_bytes bytes)
{
    if (redisAppendFormattedCommand(bound->context, bytes.data, bytes.len) != REDIS_OK)
        return 0;
    bound->appended += bytes.len;
    bound->dirty = 1;
    sent->end = bound->appended;
    sent->state = EVS__SENT_WAITS;
    evs__sent_push(&bound->line, sent);
    return 1;
}

/* Something that the caller did not ask for by itself. 0 when out of memory. */
static int append_words(evs__bound *bound, evs__sent *sent, const evs_bytes *words, size_t count)
{
    evs__buf bytes = EVS__BUF_INIT;
    if (sent == NULL)
        return 0;
    evs__render_command(&bytes, words, count);
    int done = evs__buf_ok(&bytes) &&
               evs__bound_append(bound, sent, (evs_bytes){bytes.data, bytes.len});
    evs__buf_free(&bytes);
    if (!done)
        evs__sent_free(sent);
    return done;
}

int evs__bound_load(evs__bound *bound, const evs_script *script)
{
    evs_bytes words[] = {evs_text("SCRIPT"), evs_text("LOAD"), script->source};
    evs__sent *sent = evs__sent_new(bound, EVS__SENT_LOAD);
    if (sent != NULL)
        sent->script = script;
    if (!append_words(bound, sent, words, 3))
        return 0;
    evs__refusal_drop(&bound->refusals, script);
    evs__bound_set_loading(bound, script);
    return 1;
}

static void add_result(evs_hiredis *scripts, evs__sent *sent)
{
    if (scripts->results == NULL)
        scripts->results = sent;
    else
        scripts->last_result->next_result = sent;
    scripts->last_result = sent;
    scripts->pending++;
    sent->bound->unfetched++;
}

/* Appends what was rendered into `sent`, as something to fetch. */
static evs_status finish(evs__sent *sent, evs_error *err)
{
    evs__buf *bytes = &sent->bytes;
    if (!evs__buf_ok(bytes) ||
        !evs__bound_append(sent->bound, sent, (evs_bytes){bytes->data, bytes->len})) {
        evs__sent_free(sent);
        return evs__fail_nomem(err);
    }
    add_result(sent->bound->owner, sent);
    return EVS_OK;
}

/* ---- calls ---- */

static evs_status find(const evs_script **out, const evs_hiredis *scripts,
                       const evs_invocation *call, evs_error *err)
{
    const char *like[2];
    *out = call->handle;
    if (*out != NULL && (*out)->use.registry != scripts->registry)
        return evs__fail(err, EVS_E_INVALID, "script %s is of another registry", (*out)->name);
    if (*out == NULL && call->script == NULL)
        return evs__fail(err, EVS_E_INVALID, "an invocation needs a script");
    if (*out == NULL)
        *out = evs_script_find(scripts->registry, call->script);
    if (*out != NULL)
        return EVS_OK;
    size_t count = evs_registry_similar(scripts->registry, call->script, like);
    evs__subject subject = {call->script, {NULL, 0}, NULL};
    if (count > 0)
        return evs__explain(err, &subject, EVS_E_NO_SCRIPT, "there is none; did you mean \"%s\"?",
                            like[0]);
    return evs__explain(err, &subject, EVS_E_NO_SCRIPT, "there is none");
}

static evs_status check(const evs_script *script, const evs_hiredis *scripts,
                        const evs_invocation *call, evs_error *err)
{
    if (call->timeout_ms != 0)
        return evs__fail(err, EVS_E_INVALID,
                         "time limits are the context's (redisSetTimeout), not the call's");
    if (scripts->map == NULL && (call->shard != NULL || call->pool != NULL))
        return evs__fail(err, EVS_E_INVALID, "there is no map that names shards");
    return evs_script_check_arity(script, call->nkeys, call->nargs, err);
}

static evs_status into_transaction(evs__target *target, const evs_hiredis *scripts)
{
    size_t shard = scripts->in->shard;
    *target = (evs__target){shard, scripts->map->shards[shard].pool, EVS__ANY_SLOT, 0};
    return EVS_OK;
}

static evs_status route(size_t *shard, const evs_script *script, const evs_hiredis *scripts,
                        const evs_invocation *call, evs_error *err)
{
    const evs_shardmap *map = scripts->map;
    evs__target target;
    evs_status status;
    *shard = 0;
    if (map == NULL)
        return EVS_OK;
    if (call->nkeys > 0)
        status = evs__route_keys(&target, map, call->keys, call->nkeys, err);
    else if (scripts->in != NULL && call->shard == NULL)
        status = into_transaction(&target, scripts);
    else
        status = evs__route_no_keys(&target, map, call->shard, call->pool, err);
    evs__subject subject = {script->name, {NULL, 0}, NULL};
    if (status != EVS_OK)
        return err == NULL ? status : evs__explain_below(err, &subject);
    if (script->use.denied && map->pools[target.pool].audit == EVS__POOL_AUDIT_DENY)
        return evs__explain(err, &subject, EVS_E_AUDIT,
                            "pool %s denies it: not all of its keys are declared",
                            map->pools[target.pool].name);
    *shard = target.shard;
    return evs__state_take_script(&map->shards[target.shard], script, err);
}

/* A shard for one more request: inside the transaction that is open, if there is one. */
static evs_status take(evs__bound **out, evs_hiredis *scripts, size_t shard, evs_error *err)
{
    if (scripts->in != NULL && scripts->in->shard != shard)
        return evs__fail(err, EVS_E_CROSS_SHARD,
                         "the transaction is on shard %s, and this goes to shard %s",
                         evs__bound_name(scripts->in), scripts->map->shards[shard].name);
    return evs__bound_get(out, scripts, shard, err);
}

evs_status evs_hiredis_append(evs_hiredis *scripts, const evs_invocation *call, evs_error *err)
{
    const evs_script *script;
    size_t shard;
    evs__bound *bound;
    evs_status status = find(&script, scripts, call, err);
    if (status == EVS_OK)
        status = check(script, scripts, call, err);
    if (status == EVS_OK)
        status = route(&shard, script, scripts, call, err);
    if (status == EVS_OK)
        status = take(&bound, scripts, shard, err);
    if (status != EVS_OK)
        return status;

    if (!evs__bound_knows(bound, script) && !evs__bound_load(bound, script))
        return evs__fail_nomem(err);
    evs__sent *sent = evs__sent_new(bound, EVS__SENT_CALL);
    if (sent == NULL)
        return evs__fail_nomem(err);
    sent->script = script;
    evs__render_evalsha(&sent->bytes, &script->use.head, call);
    return finish(sent, err);
}

evs_status evs_hiredis_call(evs_reply **out, evs_hiredis *scripts, const evs_invocation *call,
                            evs_error *err)
{
    if (scripts->in != NULL)
        return evs__fail(err, EVS_E_STATE, "a transaction is open");
    if (scripts->pending > 0)
        return evs__fail(err, EVS_E_STATE, "%zu results of a pipeline are not fetched",
                         scripts->pending);
    evs_status status = evs_hiredis_append(scripts, call, err);
    return status == EVS_OK ? evs_hiredis_get_reply(out, scripts, err) : status;
}

/* ---- plain commands ---- */

static int is_one_of(evs_bytes word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (word.len == strlen(list[i]) && strncasecmp(word.data, list[i], word.len) == 0)
            return 1;
    return 0;
}

#define ONE_OF(word, list) is_one_of((word), (list), sizeof(list) / sizeof(list)[0])

/* Commands after which replies come in another number, or not at all. */
static int breaks_order(const evs_plain_command *cmd)
{
    static const char *const list[] = {
        "MULTI",      "EXEC",        "DISCARD",      "SUBSCRIBE",    "PSUBSCRIBE",
        "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE", "MONITOR",
        "SYNC",       "PSYNC",       "QUIT",         "RESET",        "SHUTDOWN",
    };
    static const char *const client[] = {"CLIENT"}, *const reply[] = {"REPLY"};
    return ONE_OF(cmd->args[0], list) ||
           (cmd->nargs > 1 && ONE_OF(cmd->args[0], client) && ONE_OF(cmd->args[1], reply));
}

/* Shard number of a name; without one the transaction's, or the only one. */
static evs_status name_shard(size_t *out, const evs_hiredis *scripts, const char *name,
                             evs_error *err)
{
    if (name != NULL && scripts->map == NULL)
        return evs__fail(err, EVS_E_INVALID, "there is no map that names shards");
    if (name != NULL)
        return evs_shardmap_find(out, scripts->map, name, err);
    *out = scripts->in == NULL ? 0 : scripts->in->shard;
    if (scripts->in != NULL || scripts->nbounds == 1)
        return EVS_OK;
    return evs__fail(err, EVS_E_NO_KEYS, "name a shard");
}

static const evs__command *find_command(const evs_plain_command *cmd)
{
    evs_bytes none = {NULL, 0};
    return evs__command_find(cmd->args[0], cmd->nargs > 1 ? cmd->args[1] : none);
}

evs_status evs_hiredis_append_command(evs_hiredis *scripts, const evs_plain_command *cmd,
                                      evs_error *err)
{
    size_t shard;
    evs__bound *bound;
    if (cmd->nargs == 0 || cmd->args[0].len == 0)
        return evs__fail(err, EVS_E_INVALID, "a command needs a name");
    if (cmd->timeout_ms != 0)
        return evs__fail(err, EVS_E_INVALID,
                         "time limits are the context's (redisSetTimeout), not the command's");
    if (breaks_order(cmd))
        return evs__fail(err, EVS_E_INVALID, "%.*s would change which replies follow",
                         (int)cmd->args[0].len, cmd->args[0].data);
    evs_status status = name_shard(&shard, scripts, cmd->shard, err);
    if (status == EVS_OK && scripts->map != NULL)
        status = evs__state_take_command(&scripts->map->shards[shard], cmd, find_command(cmd), err);
    if (status == EVS_OK)
        status = take(&bound, scripts, shard, err);
    if (status != EVS_OK)
        return status;
    evs__sent *sent = evs__sent_new(bound, EVS__SENT_COMMAND);
    if (sent == NULL)
        return evs__fail_nomem(err);
    sent->may_lie = (unsigned char)evs__command_runs_script(cmd->args[0]);
    evs__render_command(&sent->bytes, cmd->args, cmd->nargs);
    return finish(sent, err);
}

/* ---- transactions ---- */

evs_status evs_hiredis_multi(evs_hiredis *scripts, const char *shard, evs_error *err)
{
    static const evs_bytes word[] = {{"MULTI", 5}};
    size_t number;
    evs__bound *bound;
    if (scripts->in != NULL)
        return evs__fail(err, EVS_E_STATE, "a transaction is open");
    evs_status status = name_shard(&number, scripts, shard, err);
    if (status == EVS_OK)
        status = evs__bound_get(&bound, scripts, number, err);
    if (status != EVS_OK)
        return status;
    bound->open = 1;
    bound->transaction++;
    if (!append_words(bound, evs__sent_new(bound, EVS__SENT_MULTI), word, 1)) {
        bound->open = 0;
        return evs__fail_nomem(err);
    }
    evs__bound_clear_loading(bound); /* inside, only what is known need not be loaded */
    scripts->in = bound;
    return EVS_OK;
}

evs_status evs_hiredis_exec(evs_hiredis *scripts, evs_error *err)
{
    static const evs_bytes word[] = {{"EXEC", 4}};
    evs__bound *bound = scripts->in;
    if (bound == NULL)
        return evs__fail(err, EVS_E_STATE, "no transaction is open");
    evs_status status = EVS_OK;
    evs__subject subject = {NULL, {NULL, 0}, evs__bound_name(bound)};
    if (bound->broken)
        status = evs__explain(err, &subject, EVS_E_CLOSED,
                              "the transaction ended with its connection");
    else if (!append_words(bound, evs__sent_new(bound, EVS__SENT_EXEC), word, 1))
        return evs__fail_nomem(err); /* it stays open: try again, or forget the context */
    evs__bound_clear_loading(bound); /* what is loaded inside is known when EXEC says so */
    bound->open = 0;
    bound->broken = 0;
    scripts->in = NULL;
    if (scripts->pending == 0)
        evs__hiredis_drain(scripts);
    return status;
}
