/*
 * transaction.h - scripts and plain commands on one shard, all or none: MULTI ... EXEC, and WATCH.
 *
 *     evs_transaction_new(&tx, client, NULL, &err);
 *     evs_transaction_add(tx, &call, &err);
 *     evs_transaction_add_command(tx, &command, &err);
 *     if (evs_transaction_exec(tx, &err) == EVS_OK)
 *         use(evs_transaction_result(tx, 0));
 *     evs_transaction_clear(tx);   // and again, with the memory it has
 *
 * All keys of all elements must be on one shard, in a cluster in one slot. The whole leaves in one
 * write, together with the calls of others; a script that the shard may not know is loaded inside
 * of it. It is never sent again when any of it may have run, and no element of it is; in a cluster
 * it follows its slot. Nobody else's command runs between two elements; but an element that fails
 * when its turn comes undoes nothing, as is the way of MULTI.
 *
 * To read before you write, watch keys first. What is read then comes over a connection that is
 * this transaction's alone, and when somebody changes a watched key before EXEC, nothing runs:
 *
 *     do {
 *         evs_transaction_clear(tx);
 *         evs_transaction_watch(tx, &key, 1, &err);
 *         evs_transaction_read(&reply, tx, &get, &err);
 *         ... add what follows from the reply ...
 *     } while (evs_transaction_exec(tx, &err) == EVS_E_ABORTED);
 *
 * A transaction belongs to one thread at a time. On a client with a thread of its own any number of
 * threads may each have theirs. Inside a completion nothing here that waits is possible (it fails
 * with EVS_E_STATE); adding, submitting and freeing is.
 */
#ifndef EVALSHARD_TRANSACTION_H
#define EVALSHARD_TRANSACTION_H

#include <evalshard/client.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evs_transaction evs_transaction;

typedef struct evs_transaction_options {
    size_t struct_size;
    unsigned timeout_ms; /* from EXEC to its reply, and of each read; 0: command_timeout of the map,
                            or script_timeout with a script among the elements */
    const char *shard;   /* where it goes when no element has keys; copied; NULL: the map decides,
                          * which with `on_no_keys: all` is EVS_E_NO_KEYS: it runs on one shard */
} evs_transaction_options;

#define EVS_TRANSACTION_OPTIONS_INIT             \
    {                                            \
        sizeof(evs_transaction_options), 0, NULL \
    }

/* An empty transaction on `client`, which must outlive it. `opts` may be NULL. `*out` is yours to
 * free. Fails with EVS_E_NOMEM, or EVS_E_INVALID for options that were not made with INIT. */
EVS_API evs_status evs_transaction_new(evs_transaction **out, evs_client *client,
                                       const evs_transaction_options *opts, evs_error *err);

/* Adds a call of a script, or a plain command; both are copied, and run in the order of adding.
 * Their `timeout_ms` and `ticket` count for nothing. What is wrong with an element is said by
 * evs_transaction_exec. Fails with EVS_E_NOMEM, or EVS_E_STATE while the transaction runs or when
 * it ran and was not cleared. */
EVS_API evs_status evs_transaction_add(evs_transaction *tx, const evs_invocation *call,
                                       evs_error *err);
EVS_API evs_status evs_transaction_add_command(evs_transaction *tx, const evs_plain_command *cmd,
                                               evs_error *err);

/* Sends it and waits. EVS_OK says that EXEC ran; each element has its own result then. Otherwise
 * `err->outcome` is the whole's: NOT_EXECUTED when none of it ran and will, MAYBE_EXECUTED when
 * nobody can know.
 *
 * Fails before anything is sent with EVS_E_CROSS_SHARD (_SLOT in a cluster), which names the
 * elements, and with whatever evs_submit and evs_command refuse, naming the element. Fails with
 * EVS_E_ABORTED when a watched key was changed, its slot moved, or the map was replaced since
 * (evs_client_reload); with the status of the element that the server refused to queue (EVS_E_OOM,
 * EVS_E_DENIED, EVS_E_ARITY, EVS_E_INVALID for a command it does not know, ...), the others being
 * EVS_E_CANCELED; with EVS_E_TIMEOUT, EVS_E_CLOSED, ... as any call. */
EVS_API evs_status evs_transaction_exec(evs_transaction *tx, evs_error *err);

typedef void (*evs_transaction_done_fn)(void *arg, evs_transaction *tx);

/* The same without waiting: `done` runs once, inside evs_client_process and the like, or on the
 * thread of a client that has one (also with EVS_COMPLETIONS_QUEUED). It may clear, fill and submit
 * the transaction again, and free it. Until then the transaction must not be touched. When this
 * fails nothing was sent, and `done` never runs: as evs_transaction_exec before anything is sent,
 * or with EVS_E_INVALID without `done`. */
EVS_API evs_status evs_transaction_submit(evs_transaction *tx, evs_transaction_done_fn done,
                                          void *arg, evs_error *err);

/* How many elements there are, and how many of them have a result other than EVS_OK. */
EVS_API size_t evs_transaction_count(const evs_transaction *tx);
EVS_API size_t evs_transaction_failures(const evs_transaction *tx);

/* What came of an element, as of evs_call and evs_command: an error of a script is EVS_E_SCRIPT, an
 * error of a plain command that is no state of the shard (WRONGTYPE, ...) is EVS_OK with that
 * reply. A script that the shard did not know is EVS_E_NO_SCRIPT, not executed. Borrowed until the
 * transaction is cleared or freed; NULL when there is none (yet). */
EVS_API const evs_result *evs_transaction_result(const evs_transaction *tx, size_t index);

/* What came of the whole; `reply` is always NULL. NULL before it has run. */
EVS_API const evs_result *evs_transaction_outcome(const evs_transaction *tx);

/* Watches keys, which must be on one shard, and waits until the server does. The first call takes a
 * connection that no other call uses, made when there is no spare one; EXEC gives it back, and so
 * do clearing and freeing. A connection that is lost meanwhile fails EXEC with EVS_E_CLOSED, not
 * executed. Fails with EVS_E_QUEUE_FULL when max_watching transactions of the client watch keys of
 * this shard already (EVS_FULL_BLOCK waits for one of them to end, EVS_FULL_SIGNAL tells nobody of
 * that), with EVS_E_STATE when the transaction runs or ran; then it watches nothing,
 * and EXEC is refused until it is cleared. */
EVS_API evs_status evs_transaction_watch(evs_transaction *tx, const evs_bytes *keys, size_t nkeys,
                                         evs_error *err);

/* Reads on the connection that watches, and waits; replies and errors are those of evs_command and
 * evs_call. Fails with EVS_E_STATE when nothing is watched, and with EVS_E_INVALID for a command
 * that writes, which would abort this very transaction, and for a script that does not say
 * `-- @retry read_only`. */
EVS_API evs_status evs_transaction_read(evs_reply **out, evs_transaction *tx,
                                        const evs_plain_command *cmd, evs_error *err);
EVS_API evs_status evs_transaction_call(evs_reply **out, evs_transaction *tx,
                                        const evs_invocation *call, evs_error *err);

/* Forgets elements, results and what is watched; keeps memory and options. Not while it runs. */
EVS_API void evs_transaction_clear(evs_transaction *tx);

/* Not while it runs. Accepts NULL. */
EVS_API void evs_transaction_free(evs_transaction *tx);

#ifdef __cplusplus
}
#endif

#endif
