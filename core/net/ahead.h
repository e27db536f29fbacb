/*
 * ahead.h - who was written to, in the order of writing: that in which replies are likely to come.
 *
 * Of a turn that wrote to many servers the first have answered by the time the last was written to.
 * Their replies are read in that order without asking the system first whose are there, which would
 * cost half as much again as reading. The first few that have said nothing yet end it. Where many
 * are left that answer one after the other, being woken for each would cost more than reading: then
 * the loop sleeps until one further behind has answered, 0.1 ms at most, and goes on in line. All
 * others are announced by the loop, and so is everything where less is written.
 *
 * The order serves for more: with a thousand connections all that belongs to one is cold. What the
 * next ones need is fetched while this one is read, and each has a row with the addresses of its
 * first requests, so that these come all at once and not one after the other.
 */
#ifndef EVS_CORE_NET_AHEAD_H
#define EVS_CORE_NET_AHEAD_H

#include "core/mem.h"

enum { EVS__AHEAD_MOST = 1024, EVS__SOON_REQUESTS = 8, EVS__SOON_OTHERS = 2 };

struct evs__conn;

/* What will be needed when replies are read. */
typedef struct evs__soon {
    uint32_t requests[EVS__SOON_REQUESTS];
    uint32_t others[EVS__SOON_OTHERS];
} evs__soon;

typedef struct evs__ahead {
    unsigned first, end; /* the line, by numbers that only grow; its places are these modulo MOST */
    unsigned waiting;    /* in it, without those that left */
    unsigned joined;     /* since it was last read */
    struct evs__conn *conns[EVS__AHEAD_MOST]; /* NULL: left */
    evs__soon rows[EVS__AHEAD_MOST];
    evs__soon nobodys; /* of all who are not in line */
} evs__ahead;

/* The request is number `at` of its connection's queue. */
static inline void evs__soon_request(evs__soon *soon, size_t at, const void *request)
{
    soon->requests[at % EVS__SOON_REQUESTS] = evs__hint_of(request);
}

/* A new connection: it is not in line. */
void evs__ahead_make_known(evs__ahead *ahead, struct evs__conn *conn);

/* As the last one, unless it is in line already. Who is first leaves when the line is full. The
 * completions of requests need the two others; NULL is fine. */
void evs__ahead_join(struct evs__conn *conn, const void *one, const void *other);
void evs__ahead_leave(struct evs__conn *conn);

/* Its replies are about to be read: it leaves, and what they need is fetched. */
void evs__ahead_fetch(struct evs__conn *conn);

/* The only one in line; NULL: there is none, or more than one. */
struct evs__conn *evs__ahead_only(evs__ahead *ahead);

/* After a flush: reads what is there when many joined, or, if it `may_rest`, after that sleep. Runs
 * completions. */
void evs__ahead_read(evs__ahead *ahead, int may_rest);

#endif
