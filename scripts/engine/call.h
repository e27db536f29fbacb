/*
 * call.h - one call or plain command from submission to completion.
 *
 *   new --> queued on the connection --> reply --> decide --> finish
 *                 ^         |                          |
 *                 |         +-- connection lost -------+--> finish, or sent again once when it
 *                 |                                    |    did not run or may run twice
 *                 +------------- heal.c <-- NOSCRIPT --+    sent again at most once
 *
 * The caller is released at the deadline, wherever the call is; what still holds it (the
 * connection, a heal) drops it later without a word.
 *
 * Calls live in blocks that a client keeps for its life and hands out again and again. What only a
 * call in trouble needs is beside it.
 */
#ifndef EVS_SCRIPTS_ENGINE_CALL_H
#define EVS_SCRIPTS_ENGINE_CALL_H

#include "core/mem.h"
#include "core/net/conn.h"
#include "core/wheel.h"
#include "scripts/engine/explain.h"
#include "scripts/engine/tally.h"
#include "sharding/topology.h"
#include <evalshard/client.h>

typedef struct evs__call evs__call;
typedef struct evs__lane evs__lane;

/* Who has a pointer to the call besides the client's wheel. */
typedef enum evs__held {
    EVS__HELD_BY_NOBODY,
    EVS__HELD_BY_CONN,
    EVS__HELD_BY_HEAL,
    EVS__WAITING, /* park.c has it, as all that follow */
    EVS__RESTING,
    EVS__LOOKING, /* for a server that serves it */
    EVS__FREE     /* it is no call at the moment */
} evs__held;

/* What is kept of a call that its connection does not keep any more. */
typedef struct evs__aside {
    evs__buf bytes;          /* the request's, while it is in no connection */
    evs_reply *claim;        /* the error that a heal is about to settle, or the last one; ours */
    uint64_t deadline;       /* of a resting call */
    unsigned tries;          /* how often it rested */
    evs__call *next_waiting; /* in a heal */
    evs__call *call;         /* whose aside it is, for `side` */
    evs__request side;       /* of ASKING in front of the call, or of CLUSTER NODES behind it */
    unsigned redirects;      /* in a row */
    unsigned healed;         /* how often */
} evs__aside;

/* What a call may wait for until its deadline. */
enum {
    EVS__MAY_REST = 1, /* a server that says that it cannot now */
    EVS__MAY_AWAIT = 2 /* a connection, as often as the map says */
};

typedef struct evs__call_state {
    unsigned char held;     /* evs__held */
    unsigned char retry;    /* evs_retry */
    unsigned char finished; /* the caller has its result */
    unsigned char unsure;   /* the server was not known to have the script when this was queued */
    unsigned char resent;   /* how often */
    unsigned char tried;    /* so many connections did not come about */
    unsigned char maybe;    /* an earlier try may have run */
    unsigned char patience; /* EVS__MAY_... */
    unsigned char asking;   /* goes to a node that serves its slot only to those who were sent */
    unsigned char may_lie : 1; /* a plain command that runs a script: errors may be that script's */
    unsigned char reads : 1;   /* it only reads, and replicas may serve it */
    unsigned char is_exec : 1; /* the EXEC of an evs__exec, which is then `arg` */
    unsigned char looks : 1;   /* no replica is known that may serve it, and it waits for one */
    unsigned char stays : 1;   /* ASK is not followed: it is asked again later */
} evs__call_state;

/* Two cache lines, and it begins with one: with many calls in flight, each is cold. */
struct evs__call {
    evs__request request; /* first: the connection's handle is the call; its `place` is the number
                           * among the client's calls */
    evs__due due;         /* in the client's wheel until finished */
    evs__lane *lane;
    const evs_script *script; /* NULL for a plain command */
    evs_done_fn done;
    void *arg;
    union {
        evs__aside *aside; /* ours; NULL while nothing went wrong */
        evs__call *next;   /* of a free one */
    } with;
    uint32_t serial; /* tells it from others that had this place */
    uint16_t slot;   /* in a cluster; EVS__ANY_SLOT: any node */
    evs__call_state state;
};
_Static_assert(sizeof(evs__call) <= 2 * EVS__LINE, "a call is two cache lines");

enum { EVS__CALL_BLOCK = 64 };

/* The calls of a client. Whenever none is in use they are handed out in the order of their
 * addresses again, which is what memory is fastest at. */
typedef struct evs__calls {
    evs__call *free;       /* came back; the last one first */
    evs__call *next, *end; /* when there is none of those: the rest of a block */
    size_t used;
    size_t begun; /* blocks up to that one */
    size_t nblocks;
    evs__call **blocks; /* arrays of EVS__CALL_BLOCK; ours */
    uint32_t serial;    /* of the newest */
} evs__calls;

void evs__calls_free(evs__calls *calls);

/* Never 0: serials begin anew after 2^32 calls, but places are counted from 1 in it. */
static inline evs_ticket evs__call_ticket(const evs__call *call)
{
    return (evs_ticket)call->serial << 32 | (call->request.place + 1);
}

/* The call that has this ticket and is not finished; NULL when there is none any more. */
evs__call *evs__calls_find(const evs__calls *calls, evs_ticket ticket);

/* The next call from place `*place` on that is not finished, and moves the place on; NULL at the
 * end. */
const evs__call *evs__calls_next(const evs__calls *calls, size_t *place);

/* Marks the lane of every call that is not finished as busy. */
void evs__calls_mark_lanes(const evs__calls *calls);

/* Cancels every call that is parked. */
void evs__calls_abort_parked(evs__calls *calls);

/* Gives memory of a burst back when no call is in use. */
void evs__calls_trim(evs__calls *calls);

int evs__calls_grow(evs__calls *calls); /* for evs__call_new; 0 when out of memory */

/* Frees what a call in trouble needed. */
void evs__call_drop_aside(evs__call *call);

/* It is nobody's any more; its aside was dropped. */
static inline void evs__calls_give_back(evs__calls *calls, evs__call *call)
{
    call->state.held = EVS__FREE;
    call->with.next = calls->free;
    calls->free = call;
    if (--calls->used > 0)
        return;
    calls->free = NULL;
    calls->next = calls->blocks[0];
    calls->end = calls->next + EVS__CALL_BLOCK;
    calls->begun = 1;
}

/* Is there one without more memory? */
static inline int evs__calls_have(const evs__calls *calls)
{
    return calls->free != NULL || calls->next != calls->end;
}

/* The evs__request.done of every call. */
void evs__call_answered(evs__request *request, const evs__answer *answer);

/* A new call, not queued; lane, script and completion are for the caller to set. NULL when out of
 * memory. */
static inline evs__call *evs__call_new(evs__calls *calls)
{
    evs__call *call = calls->free;
    if (call != NULL) {
        calls->free = call->with.next;
        evs__fetch_soon(calls->free); /* the next one, which is as cold */
    } else {
        if (calls->next == calls->end && !evs__calls_grow(calls))
            return NULL;
        call = calls->next++;
    }
    calls->used++;
    call->serial = ++calls->serial;
    call->request.start = call->request.end = 0; /* nothing was sent */
    call->request.done = evs__call_answered;
    call->request.unwanted = call->request.servant = 0;
    call->with.aside = NULL;
    call->state = (evs__call_state){0};
    return call;
}

/* Until when the call may wait for the next connection; 0: it may not. */
uint64_t evs__call_awaits(const evs__call *call);

/* Counts what is no failure yet. */
void evs__call_mishap(const evs__call *call, evs__mishap what);

/* Gives back a call that was never started; `done` does not run. */
void evs__call_drop(evs__call *call);

/* Queues the bytes set aside of a call that was taken off its connection. When that fails the call
 * is finished with the reason. */
void evs__call_send_again(evs__call *call);

/* Keeps the request's bytes, which are still on its connection, and counts them as sent. NULL when
 * out of memory. */
evs__aside *evs__call_set_aside(evs__call *call);

/* Runs the completion with EVS_OK or EVS_E_SCRIPT and `reply`. */
void evs__call_finish(evs__call *call, evs_status status, evs_outcome outcome,
                      const evs_reply *reply);

/* Runs the completion with a failure. `err` has status and message; the outcome is set here. */
void evs__call_fail(evs__call *call, evs_outcome outcome, evs_error *err);

/* Fails the call with the error reply that it rested for. */
void evs__call_give_up(evs__call *call, const evs_reply *reply);

/* Releases the caller with `status`, TIMEOUT or CANCELED, wherever the call is. */
void evs__call_release(evs__call *call, evs_status status);

/* The deadline passed; the call has left the wheel. */
void evs__call_expire(evs__due *due);

/* What the call is about; the key is borrowed from its bytes. */
evs__subject evs__call_subject(const evs__call *call);

#endif
