/*
 * bound.h - scripts on contexts of hiredis, as the files that make it up see it.
 *
 *   open.c     life, and which context a shard has
 *   append.c   from an invocation to bytes in a context
 *   fetch.c    replies in order: reading, losing, handing out
 *   judge.c    what a reply means for a call
 *   heal.c     NOSCRIPT: settled, loaded, sent again once
 *   convert.c  replies of hiredis as ours, and back
 *
 * Each shard has a line of what was sent and not answered, in the order of sending; hiredis gives
 * replies in that order. The caller has a line of its own over all shards. What is in both (calls,
 * commands) leaves the first when its reply was read and the second when it was fetched; SCRIPT
 * LOAD, MULTI and EXEC are in the first one alone.
 */
#ifndef EVS_SCRIPTS_HIREDIS_BOUND_H
#define EVS_SCRIPTS_HIREDIS_BOUND_H

#include "core/buf.h"
#include "scripts/engine/refusal.h"
#include "scripts/script.h"
#include "sharding/shardmap.h"
#include <evalshard/hiredis.h>

typedef struct evs__sent evs__sent;
typedef struct evs__bound evs__bound;

typedef enum evs__sent_kind {
    EVS__SENT_CALL,
    EVS__SENT_COMMAND,
    EVS__SENT_LOAD,
    EVS__SENT_MULTI,
    EVS__SENT_EXEC
} evs__sent_kind;

typedef enum evs__sent_state {
    EVS__SENT_WAITS,  /* for a reply */
    EVS__SENT_QUEUED, /* for the EXEC of its transaction */
    EVS__SENT_CLAIMS, /* answered NOSCRIPT, which is not settled */
    EVS__SENT_DONE
} evs__sent_state;

struct evs__sent {
    evs__sent *next;        /* of its shard */
    evs__sent *next_result; /* of the caller; for calls and commands */
    evs__bound *bound;
    evs__sent_kind kind;
    evs__sent_state state;
    const evs_script *script; /* of a call or a load */
    evs__buf bytes;           /* the request of a call, to send again; ours */
    uint64_t end;             /* where its bytes end in all that was appended to the context */
    unsigned transaction;     /* it is part of; 0: of none */
    unsigned char healed;     /* was sent again */
    unsigned char maybe;      /* an earlier try may have run */
    unsigned char may_lie;    /* a command that runs a script */
    /* when DONE */
    evs_status status;
    evs_reply *reply; /* ours; of EVS_OK and EVS_E_SCRIPT, and the claim of CLAIMS */
    evs_error *error; /* ours; NULL with EVS_OK, and when there is no memory for it */
    evs_outcome outcome;
};

typedef struct evs__sent_line {
    evs__sent *head;
    evs__sent *tail;
} evs__sent_line;

/* One shard and its context. */
struct evs__bound {
    evs_hiredis *owner;
    size_t shard;
    struct redisContext *context; /* the caller's; NULL before the first call */
    int fd;                       /* it had when it was last looked at */
    uint64_t *known;              /* a bit per script id; ours */
    uint64_t *loading;            /* the same: SCRIPT LOAD was appended and is not answered */
    size_t nwords;                /* of each */
    evs__refusal *refusals;       /* ours */
    evs__sent_line line;          /* waiting for a reply */
    evs__sent_line queued;        /* waiting for EXEC's */
    size_t unfetched;             /* results of it */
    uint64_t appended;            /* bytes to the context, ever */
    int dirty;                    /* something is not sent */
    unsigned transaction;         /* counts them */
    int open;                     /* MULTI was appended, EXEC was not */
    unsigned multi; /* the one of which MULTI was answered with OK, EXEC not yet; 0: none */
    int broken;     /* the context was lost while a transaction was open */
};

struct evs_hiredis {
    const evs_registry *registry; /* the caller's */
    evs_shardmap *map;            /* our reference; may be NULL */
    evs_hiredis_context_fn context;
    void *arg;
    evs__bound *bounds; /* one per shard */
    size_t nbounds;
    evs__bound *in; /* the transaction that is open; NULL: none */
    evs__sent *results;
    evs__sent *last_result;
    size_t pending;
};

/* open.c */

/* The shard with a usable context. Fails with CONNECT, CLOSED, INVALID. */
evs_status evs__bound_get(evs__bound **out, evs_hiredis *scripts, size_t shard, evs_error *err);
const char *evs__bound_name(const evs__bound *bound); /* NULL without a map */
/* Known, or will be when what was appended has arrived. */
int evs__bound_knows(const evs__bound *bound, const evs_script *script);
void evs__bound_set_loading(evs__bound *bound, const evs_script *script);
void evs__bound_clear_loading(evs__bound *bound);
void evs__bound_set_known(evs__bound *bound, const evs_script *script);
void evs__bound_set_unknown(evs__bound *bound, const evs_script *script);
void evs__bound_keep_refusal(evs__bound *bound, const evs_script *script, evs_bytes text);
void evs__bound_forget(evs__bound *bound);

/* append.c */

/* Appends what `sent` stands for; `bytes` go to the context. 0 when out of memory, and then `sent`
 * is still the caller's. */
int evs__bound_append(evs__bound *bound, evs__sent *sent, evs_bytes bytes);
void evs__sent_push(evs__sent_line *line, evs__sent *sent);
evs__sent *evs__sent_new(evs__bound *bound, evs__sent_kind kind);
void evs__sent_free(evs__sent *sent);
/* Appends SCRIPT LOAD. 0 when out of memory. */
int evs__bound_load(evs__bound *bound, const evs_script *script);
evs__subject evs__sent_subject(const evs__sent *sent);

/* fetch.c */

/* Sends all that was appended. 0 when the context is lost, and what was sent is told. */
int evs__bound_flush(evs__bound *bound);
/* Reads one reply and judges it. 0 when the context is lost. */
int evs__bound_read(evs__bound *bound);
/* Ends everything outstanding. */
void evs__bound_lose(evs__bound *bound, evs_status status, const char *why);
/* Reads what nobody fetches: loads, empty transactions. */
void evs__hiredis_drain(evs_hiredis *scripts);
/* A reply that belongs to nothing in the line. 0 when the context is lost. */
int evs__bound_read_alone(evs__bound *bound, struct redisReply **out);

/* judge.c */

/* A call of a script that returns no errors of its own: its NOSCRIPT is the server's. */
static inline int evs__sent_is_honest(const evs__sent *sent)
{
    return sent->script != NULL && !sent->script->may_return_errors;
}
void evs__sent_judge(evs__sent *sent, const struct redisReply *reply);
/* Ends it with a reply, or with a failure that `err` has. */
void evs__sent_finish(evs__sent *sent, evs_status status, evs_outcome outcome, evs_reply *reply);
void evs__sent_fail(evs__sent *sent, evs_outcome outcome, const evs_error *err);

/* heal.c: settles every NOSCRIPT about the script of `sent` on its shard; afterwards `sent` is
 * DONE.
 */
void evs__sent_heal(evs__sent *sent);

#endif
