/*
 * batch.h - many calls at once: batches, one script over many groups of keys, one script
 * everywhere.
 *
 * A batch collects calls for any shards and sends them together: what goes to one shard leaves in
 * one write. Results come in the order in which calls were added, each with its own status and
 * outcome; a call that cannot even be sent is a result like any other.
 *
 *     evs_batch_new(&batch, client, NULL, &err);
 *     for (...)
 *         evs_batch_add(batch, &call, &err);
 *     evs_batch_run(batch, &err);
 *     for (size_t i = 0; i < evs_batch_count(batch); i++)
 *         use(evs_batch_result(batch, i));
 *     evs_batch_clear(batch);   // and again, with the memory it has
 *
 * The rules of client.h hold: nothing that waits inside a completion, and one thread at a time, of
 * a client that has a thread of its own any. A batch belongs to one thread at a time; while it runs
 * nobody else may touch it.
 */
#ifndef EVALSHARD_BATCH_H
#define EVALSHARD_BATCH_H

#include <evalshard/client.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evs_batch evs_batch;

/* What the failure of one call means for the calls behind it on the same shard. */
typedef enum evs_batch_error {
    EVS_BATCH_GO_ON = 0, /* nothing: all are sent at once */
    EVS_BATCH_STOP = 1   /* they are not sent: each call waits for the one before it on its shard,
                            or on all shards where it runs on all (`on_no_keys: all`).
                            They end with EVS_E_CANCELED, not executed. */
} evs_batch_error;

typedef struct evs_batch_options {
    size_t struct_size;
    evs_batch_error on_error;
} evs_batch_options;

#define EVS_BATCH_OPTIONS_INIT                     \
    {                                              \
        sizeof(evs_batch_options), EVS_BATCH_GO_ON \
    }

/* An empty batch for `client`, which must outlive it. `opts` may be NULL. `*out` is yours to free.
 * Fails with EVS_E_NOMEM, or EVS_E_INVALID for an `on_error` that there is not, or without INIT. */
EVS_API evs_status evs_batch_new(evs_batch **out, evs_client *client, const evs_batch_options *opts,
                                 evs_error *err);

/* Adds a call; keys and arguments are copied. Nothing is checked or sent yet: what is wrong with it
 * is its result. Fails with EVS_E_NOMEM, or EVS_E_STATE while the batch runs or after it ran and
 * was not cleared. */
EVS_API evs_status evs_batch_add(evs_batch *batch, const evs_invocation *call, evs_error *err);

/* Sends all calls and waits until each has its result. A full queue holds the rest back until there
 * is room. EVS_OK says that every call has a result, not that they are all fine.
 * Fails with EVS_E_STATE inside a completion, in a forked child, or when the batch ran already. */
EVS_API evs_status evs_batch_run(evs_batch *batch, evs_error *err);

typedef void (*evs_batch_done_fn)(void *arg, evs_batch *batch);

/* The same without waiting: `done` runs once, when the last call has its result: inside
 * evs_client_process and the like, on the thread of a client that has one (also with
 * EVS_COMPLETIONS_QUEUED), or here when there is nothing to wait for. It may clear, fill and submit
 * the batch again, and free it. Until then the batch must not be freed.
 * Fails with EVS_E_INVALID without `done`, with EVS_E_NOMEM, or with EVS_E_STATE in a forked child,
 * when the client is closed, or when the batch runs or ran already; then `done` never runs. */
EVS_API evs_status evs_batch_submit(evs_batch *batch, evs_batch_done_fn done, void *arg,
                                    evs_error *err);

/* How many calls were added; how many of them have a result other than EVS_OK. While the batch runs
 * only for who drives the client, in a completion or between two turns. */
EVS_API size_t evs_batch_count(const evs_batch *batch);
EVS_API size_t evs_batch_failures(const evs_batch *batch);

/* The result of call number `index`, from 0; borrowed until the batch is cleared or freed. NULL
 * before it has one, and past the end. */
EVS_API const evs_result *evs_batch_result(const evs_batch *batch, size_t index);

/* Forgets calls and results and keeps the memory. Not while the batch runs. */
EVS_API void evs_batch_clear(evs_batch *batch);

/* Not while the batch runs. Accepts NULL. */
EVS_API void evs_batch_free(evs_batch *batch);

/* ---- one script, many times ---- */

/* Takes one result: of group or shard number `index`, in the order in which they arrive. Borrowed
 * for the call. It runs where completions run, under the same rules. */
typedef void (*evs_fold_fn)(void *arg, size_t index, const evs_result *result);

/* The keys of one call. */
typedef struct evs_key_group {
    const evs_bytes *keys;
    size_t nkeys;
} evs_key_group;

/* Runs `call` once for each group of keys, on the shard of that group, and waits. Script, arguments
 * and timeout are those of `call`; its own keys are ignored. `fold` gets every result, refusals
 * included.
 * Returns EVS_OK when all were, else the status of the first result that was not, with `err`; or
 * EVS_E_STATE and EVS_E_NOMEM, and then `fold` never ran. */
EVS_API evs_status evs_scatter(evs_client *client, const evs_invocation *call,
                               const evs_key_group *groups, size_t ngroups, evs_fold_fn fold,
                               void *arg, evs_error *err);

/* Runs a script without keys on every shard of the pool `call` names, or of all pools, and waits.
 * `fold` gets a result for each shard, with its number in the map; of a cluster
 * every primary gives one, all with the number of the shard that stands for it; one that did not
 * tell its primaries in time gives one failure, and runs nothing. Returns as evs_scatter does;
 * fails with EVS_E_INVALID when `call` has keys or a shard, or names a pool that is not there. */
EVS_API evs_status evs_broadcast(evs_client *client, const evs_invocation *call, evs_fold_fn fold,
                                 void *arg, evs_error *err);

#ifdef __cplusplus
}
#endif

#endif
