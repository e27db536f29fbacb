/*
 * hiredis.h - scripts by name on connections of hiredis that you own.
 *
 *     evs_hiredis *scripts;
 *     evs_hiredis_attach(&scripts, registry, context, &err);      // a redisContext of yours
 *     evs_hiredis_call(&reply, scripts, &call, &err);
 *
 * For programs that have their connections already and keep them: the script is found by name, its
 * keys are routed when there is a map, a server that does not know it yet gets SCRIPT LOAD in the
 * same write, NOSCRIPT is healed, and every failure says whether the script ran. This is a library
 * of its own, libevalshard-hiredis; it works with hiredis 0.14 and 1.x. Connections of evalshard's
 * own (client.h) reconnect, keep deadlines and cost a tenth of the instructions.
 *
 * Contexts must block (redisConnect, not redisConnectNonBlock). Opening, time limits
 * (redisSetTimeout), reconnecting and freeing are the owner's. A call that failed with
 * EVS_E_CLOSED, EVS_E_TIMEOUT or EVS_E_PROTOCOL leaves a context with `err` set, which hiredis does
 * not use any more: reconnect it. Nothing is sent again after that.
 *
 * Between calls a context may be used for anything else. While replies are outstanding
 * (evs_hiredis_pending), only through this object.
 *
 * One thread at a time per object and its contexts.
 */
#ifndef EVALSHARD_HIREDIS_H
#define EVALSHARD_HIREDIS_H

#include <evalshard/client.h>

#ifdef __cplusplus
extern "C" {
#endif

struct redisContext;
struct redisReply;

typedef struct evs_hiredis evs_hiredis;

/* The connection to shard number `shard` of the map; borrowed, for this call or pipeline. NULL when
 * there is none: the call fails with EVS_E_CONNECT, not executed. Asked before every call, so a
 * pool of connections may answer; but what is known of a server's scripts belongs to one context
 * per shard, and starts anew with another one. */
typedef struct redisContext *(*evs_hiredis_context_fn)(void *arg, size_t shard);

typedef struct evs_hiredis_options {
    size_t struct_size;
    evs_shardmap *map; /* where keys live; a reference is taken. NULL: there is one server. Calls to
                        * a pool that is a real cluster fail with EVS_E_INVALID */
    evs_hiredis_context_fn context; /* without a map asked for shard 0 */
    void *arg;
} evs_hiredis_options;

#define EVS_HIREDIS_OPTIONS_INIT                      \
    {                                                 \
        sizeof(evs_hiredis_options), NULL, NULL, NULL \
    }

/* `*out` is yours to free; `registry` is borrowed and must outlive it. Fails with EVS_E_NOMEM,
 * EVS_E_INVALID without a registry or a context function, EVS_E_STATE when libevalshard is of
 * another version than this library. */
EVS_API evs_status evs_hiredis_open(evs_hiredis **out, const evs_registry *registry,
                                    const evs_hiredis_options *opts, evs_error *err);

/* The same for one server and one context, which is borrowed until evs_hiredis_free. */
EVS_API evs_status evs_hiredis_attach(evs_hiredis **out, const evs_registry *registry,
                                      struct redisContext *context, evs_error *err);

/* Frees the object, never a context. Replies that were not fetched are lost, and still lie in their
 * contexts: do not use those any more. */
EVS_API void evs_hiredis_free(evs_hiredis *scripts);

/* Forgets what is known of `context` (NULL: of all). Call it before you free or reconnect one:
 * outstanding calls on it fail with EVS_E_CLOSED, with their outcome, and are fetched as usual.
 * Forgotten without this call, a reconnected context costs a NOSCRIPT and a heal. */
EVS_API void evs_hiredis_forget(evs_hiredis *scripts, const struct redisContext *context);

/* Runs one script and waits; reply, errors and outcome as of evs_call. `timeout_ms` must be 0: time
 * limits are the context's. Fails with EVS_E_STATE while replies of a pipeline are outstanding. */
EVS_API evs_status evs_hiredis_call(evs_reply **out, evs_hiredis *scripts,
                                    const evs_invocation *call, evs_error *err);

/* Appends one call to the pipeline, and nothing is sent yet. Everything is borrowed for this call
 * only. When it fails nothing was appended, and there is no reply to fetch. */
EVS_API evs_status evs_hiredis_append(evs_hiredis *scripts, const evs_invocation *call,
                                      evs_error *err);

/* Appends a plain command: to `cmd->shard`, or to the transaction that is open, or to the only
 * server. It is not routed by its keys. Commands that change which replies follow (MULTI, EXEC,
 * SUBSCRIBE, ...) fail with EVS_E_INVALID. */
EVS_API evs_status evs_hiredis_append_command(evs_hiredis *scripts, const evs_plain_command *cmd,
                                              evs_error *err);

/* Fetches the next result, in the order of appending, over all shards. The first one sends what was
 * appended, to every shard before any reply is waited for. Fails as evs_call does; with EVS_E_STATE
 * when there is none, or while a transaction is open there.
 *
 * A call that met NOSCRIPT is sent again behind everything that was appended to its shard. */
EVS_API evs_status evs_hiredis_get_reply(evs_reply **out, evs_hiredis *scripts, evs_error *err);

/* Results to fetch. */
EVS_API size_t evs_hiredis_pending(const evs_hiredis *scripts);

/* Opens a transaction on a shard (NULL: the only server): appends MULTI. What is appended until
 * evs_hiredis_exec is inside and must live on that shard. For WATCH, append it before.
 * Fails with EVS_E_STATE when one is open. */
EVS_API evs_status evs_hiredis_multi(evs_hiredis *scripts, const char *shard, evs_error *err);

/* Appends EXEC. What was inside is fetched one by one: each gives its element of EXEC's reply, with
 * its own outcome. When nothing was executed because a watched key changed or a command could not
 * be queued, all of it is EVS_E_CANCELED, not executed. NOSCRIPT inside EXEC is not healed: that
 * call fails with EVS_E_NO_SCRIPT. */
EVS_API evs_status evs_hiredis_exec(evs_hiredis *scripts, evs_error *err);

/* A reply of hiredis as one of ours, with all its types; `*out` is yours to free. Fails with
 * EVS_E_NOMEM, EVS_E_INVALID for NULL, EVS_E_REPLY_TOO_DEEP beyond 1,024 levels. */
EVS_API evs_status evs_reply_from_redis(evs_reply **out, const struct redisReply *reply,
                                        evs_error *err);

/* The other way: `*out` is for freeReplyObject. With hiredis 0.14, which has the types of RESP2
 * alone, doubles and the like become strings, and maps arrays; more than seven arrays inside each
 * other fail with EVS_E_REPLY_TOO_DEEP. Line ends in an error become blanks. Fails with
 * EVS_E_NOMEM, EVS_E_INVALID for NULL. */
EVS_API evs_status evs_reply_to_redis(struct redisReply **out, const evs_reply *reply,
                                      evs_error *err);

#ifdef __cplusplus
}
#endif

#endif
