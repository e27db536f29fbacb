/*
 * conn.h - one connection: connect, greet, write requests, match replies to them in order.
 *
 *   IDLE --open--> CONNECTING --> GREETING (AUTH, HELLO, SELECT, CLIENT SETNAME) --> READY
 *    ^                 |             |                                                 |
 *    +---- lost <------+-------------+-------------------------------------------------+
 *          (BACKOFF: IDLE, but opening again is refused until a delay has passed: breaker.c)
 *
 * Requests are intrusive: the owner embeds an evs__request, appends the request's bytes between
 * evs__conn_begin and evs__conn_end, and gets exactly one evs__request.done. Requests may be queued
 * while the connection is being made; they leave when it is READY. Bytes of a request are kept
 * until `done` returns, so that an owner can send them again.
 *
 * `done` runs only inside evs__loop_run and evs__conn_free, never inside another call. It may do
 * anything but run the loop: queue here again, withdraw, free the connection.
 *
 * A login may leave open where its server is. Then a finder knows: the connection, CONNECTING, asks
 * it each time before it looks for an address, and again when connecting came to nothing; requests
 * stay queued meanwhile.
 *
 * Nothing here knows shards or scripts. All of it runs on the loop's thread.
 */
#ifndef EVS_CORE_NET_CONN_H
#define EVS_CORE_NET_CONN_H

#include "core/buf.h"
#include "core/endpoint.h"
#include "core/net/loop.h"
#include "core/reply.h"
#include "core/ring.h"

typedef struct evs__conn evs__conn;
typedef struct evs__request evs__request;

typedef enum evs__conn_state {
    EVS__CONN_IDLE,       /* no socket */
    EVS__CONN_CONNECTING, /* looking up the name, or connecting */
    EVS__CONN_GREETING,   /* connected; AUTH and the like are not answered yet */
    EVS__CONN_READY
} evs__conn_state;

typedef enum evs__got {
    EVS__GOT_REPLY,   /* `reply` is there, error replies included */
    EVS__GOT_TOO_BIG, /* a reply came and was over the limit */
    EVS__GOT_TOO_DEEP,
    EVS__GOT_NOMEM,       /* a reply came and memory ran out; it may be an error */
    EVS__GOT_NOMEM_VALUE, /* the same, and it was certainly no error */
    EVS__GOT_LOST         /* the connection ended first; `why` says how */
} evs__got;

typedef struct evs__answer {
    evs__got got;
    int sent;               /* for LOST: 1 when the kernel accepted the request's last byte */
    const evs_reply *reply; /* borrowed until `done` returns */
    const evs_error *why;   /* for LOST; names shard and address */
} evs__answer;

struct evs__request {
    evs__ring ring; /* in the order of writing; the connection's */
    uint64_t start; /* where its bytes lie in the connection's stream */
    uint64_t end;
    void (*done)(evs__request *request, const evs__answer *answer);
    uint16_t unwanted; /* the reply is skipped without being built; `done` still runs, with none */
    uint16_t servant;  /* it serves others, and nobody waits for its reply as such */
    uint32_t place;    /* the owner's, for whatever it likes */
};

/* Whoever knows where a server is at the moment. Neither function may do more to the connection
 * than look. */
typedef struct evs__finder evs__finder;
struct evs__finder {
    /* An address is wanted. Answer later, from the loop: evs__conn_found, _rest or _not_found. */
    void (*seek)(evs__finder *finder, evs__conn *conn);
    /* Connecting failed. 1: the requests stay, and `seek` follows at once. 0: they are lost. */
    int (*failed)(evs__finder *finder, evs__conn *conn, evs_status status, const char *text);
};

/* What a server said that nobody had asked for: a push, or in RESP2 anything while no request is
 * queued. */
typedef void evs__conn_unasked(void *owner, const evs_reply *reply);

/* Told when a connection becomes READY (status EVS_OK) and when it ends, with the reason, and when
 * the server is taken for down and for up again. May only look. */
typedef void evs__conn_news(void *owner, const evs__login *login, evs_status status,
                            const char *text);

typedef struct evs__conn_limits {
    size_t max_reply_bytes;
    unsigned max_reply_depth;
    size_t max_queued_bytes;
    unsigned protocol;    /* 3: RESP3 when the server has it; else RESP2 */
    evs__conn_news *news; /* NULL: nobody wants to know */
    void *news_owner;
    evs__conn_unasked *unasked; /* of news_owner, too. NULL: pushes are skipped, and whatever else
                                 * nobody asked for ends the connection */
} evs__conn_limits;

/* `login` and `limits` are borrowed for the connection's life. Nothing is opened yet. */
evs_status evs__conn_new(evs__conn **out, evs__loop *loop, const evs__login *login,
                         const evs__conn_limits *limits, evs_error *err);

/* Before anything is opened. `finder` is borrowed for the connection's life. The address is then
 * that of the login at the time of evs__conn_found. */
void evs__conn_set_finder(evs__conn *conn, evs__finder *finder);

/* Is an address wanted? */
int evs__conn_is_seeking(const evs__conn *conn);

/* Answers to a connection that is seeking, from the loop. Found: the login has the address now.
 * Rest: it is IDLE again, for want of requests. Not found: it could not be made, because of `why`,
 * and requests are lost. */
void evs__conn_found(evs__conn *conn);
void evs__conn_rest(evs__conn *conn);
void evs__conn_not_found(evs__conn *conn, const evs_error *why);

/* The server is not the one that was meant any more, because of `text`: the connection is lost
 * (CLOSED), or given up and sought anew while it is being made. Nothing while IDLE. Runs `done`,
 * so from the loop only, unless nothing is queued. */
void evs__conn_leave_server(evs__conn *conn, const char *text);

/* READY, with nothing queued, and none of its completions runs. */
int evs__conn_is_idle(const evs__conn *conn);

/* 1 when a READY connection has something to read, or was closed by the server. */
int evs__conn_is_stirred(const evs__conn *conn);

/* The same login from another owner, which is borrowed from now on in place of the first. */
void evs__conn_set_login(evs__conn *conn, const evs__login *login);

/* Every request still queued is done with LOST (status CANCELED). */
void evs__conn_free(evs__conn *conn);

/* In a forked child: closes the descriptor without a word to the server, and runs no `done`. */
void evs__conn_abandon(evs__conn *conn);

/* Call before looking at the epoch or queueing: begins to connect an IDLE connection, and looks
 * whether a READY one with nothing in flight was closed by the server meanwhile (then connects
 * anew). Fails with the last problem while in BACKOFF, and with QUEUE_FULL over max_queued_bytes.
 */
evs_status evs__conn_prepare(evs__conn *conn, evs_error *err);

/* The same for who can wait `until` then, in the loop's milliseconds: succeeds in BACKOFF, too,
 * unless the server is down (and its link says that requests are refused then) or the last problem
 * is one that time does not mend. What is queued then leaves with the next connection, or is done
 * with LOST when that does not come about.
 *
 * While the server is silent only who can wait may queue; where the link says that requests are
 * refused, only who waits longer than the silence has lasted. What is queued leaves with the first
 * byte that arrives, or is done with LOST, not sent, when the server is tried on a new connection.
 */
evs_status evs__conn_await(evs__conn *conn, uint64_t until, evs_error *err);

/* Is that why no connection came about something that may be over soon? */
int evs__conn_may_mend(evs_status why);

/* The caller of a queued request went away at its deadline. When that happens so many times in a
 * row as the link says, to requests that were written, without a byte that arrived, the server is
 * silent: nothing more is written until it says something. */
void evs__conn_unanswered(evs__conn *conn, const evs__request *request);

/* Does the request stay unwritten because the server is silent? */
int evs__conn_holds_back(const evs__conn *conn, const evs__request *request);

/* Did so many attempts in a row fail as the link says, and none work since? Or is it silent? */
int evs__conn_is_down(const evs__conn *conn);

/* Did the last attempt fail, and none work since? */
int evs__conn_is_failing(const evs__conn *conn);

/* The last problem, with shard and address, and since when the server is down or silent. */
evs_status evs__conn_why(const evs__conn *conn, evs_error *err);

evs__conn_state evs__conn_state_of(const evs__conn *conn);

/* Changes whenever a connection is lost: what was known of the server's script cache is void. */
uint64_t evs__conn_epoch(const evs__conn *conn);

/* Append the request's bytes to the buffer that begin returns, then end. `done`, `unwanted` and
 * `servant` must be set; they stay the owner's. What was queued leaves with the loop's next flush,
 * or at once when more than 256 KB are unsent. End returns 0 when memory ran out; then the request
 * is not queued and its bytes are gone. */
evs__buf *evs__conn_begin(evs__conn *conn, evs__request *request);
int evs__conn_end(evs__conn *conn, evs__request *request);

/* Takes a queued request back when the kernel accepted none of its bytes: they will never be sent,
 * and `done` never runs. Returns 1 then, and 0 when it is too late. Costs the same however many
 * requests are queued. Not between begin and end. */
int evs__conn_withdraw(evs__conn *conn, evs__request *request);

/* The request's bytes; valid inside its `done` and before, until something else is queued: the
 * buffer may move then. */
evs_bytes evs__conn_bytes(const evs__conn *conn, const evs__request *request);

/* Requests queued or in flight, and the bytes kept for them. */
size_t evs__conn_queued(const evs__conn *conn);
size_t evs__conn_queued_bytes(const evs__conn *conn);

/* Why a connection is of no use any more, although it works. */
typedef enum evs__conn_unfit {
    EVS__CONN_FIT,
    EVS__CONN_NO_PRIMARY, /* the server is not the one that was meant */
    EVS__CONN_NO_LOGIN    /* the server does not know who we are */
} evs__conn_unfit;

/* A new connection, to where the name leads by then, is made as soon as nothing that was written is
 * unanswered. Requests that were not written are then done with LOST. */
void evs__conn_retire(evs__conn *conn, evs__conn_unfit why);

/* Was it made less than the link's backoff ago? */
int evs__conn_is_young(const evs__conn *conn);

#endif
