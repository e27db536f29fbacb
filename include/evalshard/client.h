/*
 * client.h - calling scripts by name on the shard their keys live on.
 *
 *     evs_bytes key = evs_text("{user:7}"), args[] = {...};
 *     evs_invocation call = {.script = "lock/release", .keys = &key, .nkeys = 1, ...};
 *     evs_status status = evs_call(&reply, client, &call, &err);
 *
 * A client holds a shard map and a registry and opens one connection per shard when it is first
 * needed. A call is routed by all its keys; keys that live on different shards are refused by name.
 * A shard that does not know the script yet gets it in the same write as the first call. What
 * happened is part of every failure: see evs_outcome.
 *
 * A client is driven by one thread at a time, its owner's, or, opened with `threaded`, runs a
 * thread of its own for all I/O. Then every function but evs_client_free may be called from any
 * thread; calls of many threads leave together and pipeline by themselves; completions, and the
 * functions in the options, run on that thread, where nothing may wait. Completions can also be
 * queued for whoever calls evs_client_process (EVS_COMPLETIONS_QUEUED). What is refused only when a
 * call is queued (a full queue, a connection that cannot be had) is then the completion's to say.
 *
 * A client that is driven does work only inside evs_call,
 * evs_command, evs_cancel, evs_client_process, evs_client_close and evs_client_free. Inside a
 * completion, submitting, canceling, closing, freeing and asking for numbers is possible; what
 * would wait fails with EVS_E_STATE.
 *
 * After fork() the child gets EVS_E_STATE from everything that has a status, must free the client,
 * which leaves the parent's connections alone and runs no completion, and open its own. Fork when
 * no other thread is inside a function of a client that is driven; when a completion of it forks,
 * the child frees the client there, before it returns, and who waits in it for a call gets
 * EVS_E_STATE. A client with a thread of its own may be used by any thread meanwhile, but not be in
 * the middle of being freed. When its thread was at work in that moment, what it was changing is
 * not touched in the child: freeing leaves the memory and the descriptors as they are, which the
 * system takes back when the child ends (the descriptors also when it runs another program); when
 * it was waiting, all is freed.
 */
#ifndef EVALSHARD_CLIENT_H
#define EVALSHARD_CLIENT_H

#include <evalshard/base.h>
#include <evalshard/reply.h>
#include <evalshard/script.h>
#include <evalshard/shardmap.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evs_client evs_client;

/* In which order calls to one shard run. */
typedef enum evs_order {
    EVS_ORDER_LOOSE = 0, /* as submitted, but a call that has to be sent again runs later */
    EVS_ORDER_STRICT = 1 /* as submitted, always: a call leaves when the one before is settled,
                          * which costs a round trip per call and shard */
} evs_order;

/* What is done while a shard says that it cannot now (EVS_E_BUSY, EVS_E_LOADING, ...), or cannot be
 * reached, and the call certainly did not run or may run twice. */
typedef enum evs_patience {
    EVS_PATIENCE_DEADLINE = 0, /* it is sent again, ever more slowly, until its deadline, and waits
                                * for connections as the map says: retry, on_shard_down */
    EVS_PATIENCE_NONE = 1      /* the caller is told at once */
} evs_patience;

/* What submitting does when max_in_flight or max_queued_bytes of a shard is reached. */
typedef enum evs_on_full {
    EVS_FULL_FAIL = 0,  /* fails with EVS_E_QUEUE_FULL */
    EVS_FULL_BLOCK = 1, /* drives the client until there is room or the call's time is over; inside
                         * a completion it fails */
    EVS_FULL_SIGNAL = 2 /* fails, and `room` runs once half of it is free again */
} evs_on_full;

/* Where completions of a threaded client run. */
typedef enum evs_completions {
    EVS_COMPLETIONS_AT_ONCE = 0, /* on its own thread, when the reply arrives */
    EVS_COMPLETIONS_QUEUED = 1   /* on the thread that calls evs_client_process; evs_client_fd is
                                  * readable while there are some. Of evs_submit, that is: what ends
                                  * a batch or a transaction runs on the client's own thread */
} evs_completions;

/* Something worth a line in a log. Text is borrowed for the call of the function. */
typedef enum evs_log_level { EVS_LOG_INFO = 0, EVS_LOG_WARNING = 1 } evs_log_level;
typedef struct evs_log_event {
    evs_log_level level;
    evs_status status;   /* what went wrong; EVS_OK for good news */
    const char *shard;   /* "" when it is about none */
    const char *script;  /* "" when it is about none */
    const char *message; /* one line */
} evs_log_event;

typedef struct evs_client_options {
    size_t struct_size;
    size_t max_in_flight;     /* calls per shard, a SCRIPT LOAD that one needs included; 0 means
                               * 65,536 */
    size_t max_queued_bytes;  /* request bytes kept per shard, but the last call that is taken may
                               * go beyond; 0 means 256 MiB */
    size_t max_reply_bytes;   /* memory of one reply; 0 means 64 MiB, less than 4 KiB means 4 KiB */
    unsigned max_reply_depth; /* nesting of one reply; 0 means 128, more than 1,024 means 1,024 */
    unsigned protocol; /* 2 or 3; 0 means 2. With 3, servers that have no RESP3 still speak RESP2 */
    evs_order order;
    evs_patience patience;
    evs_on_full on_full;
    /* With EVS_FULL_SIGNAL: `shard` has room again; "" when it was not one shard's (of a client
     * with a thread of its own, see evs_submit). Runs like a completion, and may do the same; also
     * with EVS_COMPLETIONS_QUEUED on the client's own thread. */
    void (*room)(void *arg, const char *shard);
    void *room_arg;
    /* Told of connections made and lost, shards that are down and up again, scripts refused, calls
     * sent again. May only look. */
    void (*log)(void *arg, const evs_log_event *event);
    void *log_arg;
    int threaded; /* 1: a thread of the client's own does all I/O */
    evs_completions completions;
    size_t max_watching; /* transactions per shard that watch keys at once; 0 means 16 */
} evs_client_options;

#define EVS_CLIENT_OPTIONS_INIT                                                            \
    {                                                                                      \
        sizeof(evs_client_options), 0, 0, 0, 0, 0, EVS_ORDER_LOOSE, EVS_PATIENCE_DEADLINE, \
            EVS_FULL_FAIL, NULL, NULL, NULL, NULL, 0, EVS_COMPLETIONS_AT_ONCE, 0           \
    }

/* Opens a client; no connection is made yet. It takes a reference to `map` and borrows `registry`,
 * which must outlive it. `opts` may be NULL. `*out` is yours to free.
 * Fails with EVS_E_NOMEM, EVS_E_INVALID without a map or a registry, for options that were not made
 * with INIT or a choice that there is not, or EVS_E_STATE when the system grants no event loop. */
EVS_API evs_status evs_client_open(evs_client **out, evs_shardmap *map,
                                   const evs_registry *registry, const evs_client_options *opts,
                                   evs_error *err);

/* Closes every connection and frees the client. Calls still in flight are completed first with
 * EVS_E_CANCELED; inside a completion the freeing itself waits until the completion returns (and
 * those of a queue that were taken together with it), and the client refuses calls until then. No
 * other thread may be inside a function of the client, or call one any more; close it first.
 * Accepts NULL. */
EVS_API void evs_client_free(evs_client *client);

typedef enum evs_close {
    EVS_CLOSE_ABORT = 0, /* calls in flight complete with EVS_E_CANCELED now */
    EVS_CLOSE_DRAIN = 1  /* they are waited for first */
} evs_close;

/* Accepts no more calls, and completes all there are, each exactly once. A drain ends at the latest
 * after `timeout_ms` (0: at once, negative: each call's own deadline is the limit) and aborts the
 * rest. Numbers can still be asked for; evs_client_free is still due. Completions that are queued
 * (EVS_COMPLETIONS_QUEUED) wait to be taken as before; freeing runs those that nobody took.
 * Inside a completion, unless that was queued, this returns at once and nothing is accepted from
 * then on; the rest is done when the completion has returned, by whatever drives the client, which
 * returns when the drain is over, or by the client's own thread.
 * Fails with EVS_E_TIMEOUT when a drain had to abort calls (not inside a completion), with
 * EVS_E_STATE when the client is closed or being closed. */
EVS_API evs_status evs_client_close(evs_client *client, evs_close how, int timeout_ms,
                                    evs_error *err);

/* Replaces the map of a running client; it takes a reference to `map`. All or nothing: on failure
 * the old map stays in use as if nothing had happened, and the reason goes to the log, too.
 *
 * Calls that were submitted before finish on the shard and connection they were given. Shards that
 * are in both maps (by pool and name) with the same address (or group of sentinels and master_name;
 * the sentinels themselves may be others), login and db keep connection and
 * loaded scripts; connections of others are closed when their last call is finished.
 *
 * Fails with EVS_E_CONFIG when the map moves keys, or gives the server of one shard to another, and
 * its generation is not larger than that of the map in use (E110), or when its generation is
 * smaller (E111), see evs_shardmap_may_follow; with EVS_E_NOMEM; with EVS_E_STATE as evs_submit
 * does. May be called from a completion, and of a threaded client from any thread. */
EVS_API evs_status evs_client_reload(evs_client *client, evs_shardmap *map, evs_error *err);

/* Takes the map of the file at `path` as evs_client_reload does, now, and from now on whenever the
 * file changes: written, replaced by another, or reached by a symbolic link that turns (a mounted
 * ConfigMap). A change is noticed at once when it happens in the file's folder, else within two
 * seconds, and taken when the file has rested for 50 ms. What cannot be used changes nothing, and
 * is counted and logged. Replaces an earlier following; `path` is copied, and NULL only ends that.
 *
 * A client that is driven notices while it is driven; evs_client_fd stands for that, too. May be
 * called from a completion, and of a threaded client from any thread; the first reading then holds
 * that one's calls up.
 * Fails as evs_shardmap_load and evs_client_reload do; the file is not followed then. */
EVS_API evs_status evs_client_follow(evs_client *client, const char *path, evs_error *err);

/* The map in use, with a reference that is yours to free: never NULL. */
EVS_API evs_shardmap *evs_client_map(evs_client *client);

/* The number of a submitted call, for evs_cancel; never 0. */
typedef uint64_t evs_ticket;

/* One call. Everything is borrowed until it completes (evs_call) or was submitted (evs_submit). */
typedef struct evs_invocation {
    const char *script;       /* its name; ignored when `handle` is given */
    const evs_script *handle; /* from evs_script_find, saves the look-up; NULL to go by name */
    const evs_bytes *keys;
    size_t nkeys;
    const evs_bytes *args;
    size_t nargs;
    /* For a call without keys: "shard" or "pool/shard", or NULL and the pool whose on_no_keys
     * decides, where NULL is the only one. */
    const char *shard;
    const char *pool;
    unsigned timeout_ms; /* from now to the reply; 0 means the script_timeout of the map. Never
                          * less, by CLOCK_MONOTONIC; more by two ticks of the system's clock and
                          * 3 ms at most, and until the client runs */
    evs_ticket *ticket;  /* evs_submit puts the call's number here; NULL when nobody will cancel */
} evs_invocation;

/* Runs one script and waits for its reply. `*out` is yours to free. Without keys and where the map
 * says `on_no_keys: all` it runs on every shard of the pool, and the reply is an array of theirs;
 * the first failure on a shard is that of the whole, and its message says on how many it ran.
 *
 * When the script itself answered with an error the status is EVS_E_SCRIPT and `*out` is that error
 * reply; on every other failure `*out` is untouched. `err->outcome` says whether it ran. */
EVS_API evs_status evs_call(evs_reply **out, evs_client *client, const evs_invocation *call,
                            evs_error *err);

/* What came of a submitted call. `reply` and `error` are borrowed for the completion only. */
typedef struct evs_result {
    evs_status status;
    evs_outcome outcome;
    const evs_reply *reply; /* with EVS_OK and EVS_E_SCRIPT; else NULL */
    const evs_error *error; /* NULL with EVS_OK */
} evs_result;

typedef void (*evs_done_fn)(void *arg, const evs_result *result);

/* Queues one call; everything in it is copied. It is written at the next evs_client_process,
 * together with its neighbours. `done` runs exactly once, later, inside whatever drives the client,
 * cancels the call, closes or frees the client; of a threaded client where its options say. It may
 * submit further calls and free the client. When evs_submit itself fails
 * (unknown script, arity, routing, a full queue) nothing was queued and `done` never runs.
 * What runs on every shard of a pool is one call, too: one completion, one ticket. */
EVS_API evs_status evs_submit(evs_client *client, const evs_invocation *call, evs_done_fn done,
                              void *arg, evs_error *err);

/* Releases the caller of a submitted call at once: its completion runs with EVS_E_CANCELED before
 * this returns. A call of which no byte had left did not run; of any other nobody knows, and its
 * late reply is skipped. A completion that is queued (EVS_COMPLETIONS_QUEUED) is so before this
 * returns, and runs when it is taken.
 * Fails with EVS_E_STATE when the call has completed already, when the client is closed, and in a
 * forked child. */
EVS_API evs_status evs_cancel(evs_client *client, evs_ticket ticket, evs_error *err);

/* Writes what is queued, then waits up to `timeout_ms` (0: not at all, negative: no limit) until
 * something happened, and runs completions. Returns at once when nothing is in flight. A signal
 * does not end the wait.
 *
 * Of a threaded client, only with EVS_COMPLETIONS_QUEUED: runs the completions that are queued, or
 * waits for some until nothing is in flight. Any number of threads may do that at once.
 * Fails with EVS_E_STATE in a completion, unless that was queued, and when the client is closed and
 * has no queue. */
EVS_API evs_status evs_client_process(evs_client *client, int timeout_ms, evs_error *err);

/* One descriptor to watch in another event loop, for reading: whenever it is readable, call
 * evs_client_process with a timeout of 0. It stands for every socket, deadline and queued call of
 * the client. It is the client's; never read or close it, and forget it before evs_client_free.
 * Fails with EVS_E_STATE when the system has none to give, when the client is closed, and for a
 * threaded client without a queue (EVS_COMPLETIONS_QUEUED), which needs no other. */
EVS_API evs_status evs_client_fd(int *out, evs_client *client, evs_error *err);

/* How many submitted calls have not completed; of a threaded client, a submitted batch or
 * transaction is one of them. 0 also says that the completions of all have returned, and that these
 * submitted no others; only those of a queue (EVS_COMPLETIONS_QUEUED) may still run where they were
 * taken. */
EVS_API size_t evs_client_pending(const evs_client *client);

/* A plain command, such as {"GET", key}. Its keys are found by the command table and routed. */
typedef struct evs_plain_command {
    const evs_bytes *args; /* the command's name first */
    size_t nargs;
    const char *shard; /* "shard" or "pool/shard": go there whatever the keys; NULL: by its keys */
    unsigned timeout_ms; /* 0 means the command_timeout of the map */
} evs_plain_command;

/* Runs a plain command and waits. `*out` is yours to free. An error reply of the server that is not
 * a state of the shard (EVS_E_BUSY, EVS_E_DENIED, ...) comes back as EVS_OK with that reply.
 * Commands that change the connection (SELECT, MULTI, SUBSCRIBE, ...) fail with EVS_E_INVALID. */
EVS_API evs_status evs_command(evs_reply **out, evs_client *client, const evs_plain_command *cmd,
                               evs_error *err);

/* Whether the user of the map may listen to all of these channels of a server (SUBSCRIBE): it is
 * tried on a connection of its own, which is closed with the answer, so nobody hears anything.
 * `shard` is "shard" or "pool/shard"; to be used with evs_shardmap_sentinels for what a client
 * listens to there. Waits for the command_timeout of the map at most.
 * Fails with EVS_E_DENIED when the server refuses, with EVS_E_INVALID for a shard that is a cluster
 * or that sentinels watch, with EVS_E_TIMEOUT when there is no answer by then, whatever kept it,
 * and as evs_command does when the connection is lost. */
EVS_API evs_status evs_may_listen(evs_client *client, const char *shard, const evs_bytes *channels,
                                  size_t nchannels, evs_error *err);

/* Why a client does not read from a replica by the word of one sentinel (`read_from`): `seen` is an
 * element of its answer to SENTINEL REPLICAS. A sentence, which stays; NULL: it may be read from,
 * and is where as many sentinels or more say that as say something else. */
EVS_API const char *evs_replica_fault(const evs_reply *seen);

/* What a client did so far. */
typedef struct evs_client_stats {
    uint64_t calls;           /* completed calls and commands */
    uint64_t writes;          /* write system calls that carried requests */
    uint64_t loads;           /* SCRIPT LOAD sent */
    uint64_t heals;           /* calls sent again after NOSCRIPT */
    uint64_t resends;         /* calls sent again on a new connection */
    uint64_t retries;         /* calls sent again because the shard could not at first */
    uint64_t connects;        /* connections that became usable */
    uint64_t downs;           /* connections whose shard was taken for down or silent */
    uint64_t ups;             /* of those, whose shard was reached again */
    uint64_t down_refusals;   /* calls that were refused meanwhile */
    uint64_t redirects;       /* calls sent to another node of a cluster: MOVED and ASK */
    uint64_t refreshes;       /* how often a cluster told its slots */
    uint64_t switches;        /* primaries that replaced another, as sentinels told */
    uint64_t mixed_tags;      /* calls whose keys met on one shard with different tags */
    uint64_t map_generation;  /* of the map in use */
    uint64_t map_fingerprint; /* the same */
    uint64_t reloads;         /* maps that replaced another */
    uint64_t reload_failures; /* maps that were refused, or files that held none */
} evs_client_stats;

/* Fills `*out`. Also in completions, after closing, and in a forked child. */
EVS_API void evs_client_stats_get(evs_client_stats *out, const evs_client *client);

/* Why the last map that came, by evs_client_reload or from the file that is followed, was refused:
 * fills `*out`, which may be NULL, and returns its status. EVS_OK, and `*out` as it was, when the
 * map was taken or none came yet. EVS_E_STATE in a forked child. */
EVS_API evs_status evs_client_refusal(const evs_client *client, evs_error *out);

#ifdef __cplusplus
}
#endif

#endif
