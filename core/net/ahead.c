#include "core/net/ahead.h"

#include "core/net/conn_inner.h"

#include <poll.h>

enum {
    FEW = 16,        /* with fewer it is not worth it */
    MISSES = 2,      /* in a row end it */
    NEAR = 3,        /* so far ahead connections are fetched */
    MANY = 32,       /* are worth sleeping for */
    REST_FOR = 64,   /* at most */
    REST_NS = 100000 /* at most */
};

void evs__ahead_make_known(evs__ahead *ahead, evs__conn *conn)
{
    conn->soon = &ahead->nobodys;
}

static void take_place(evs__ahead *ahead, evs__conn *conn)
{
    unsigned at = ahead->end++ % EVS__AHEAD_MOST;
    if (ahead->conns[at] != NULL)
        evs__ahead_leave(ahead->conns[at]);
    if (ahead->end - ahead->first > EVS__AHEAD_MOST)
        ahead->first = ahead->end - EVS__AHEAD_MOST;
    ahead->conns[at] = conn;
    conn->soon = &ahead->rows[at];
    ahead->waiting++;
}

void evs__ahead_join(evs__conn *conn, const void *one, const void *other)
{
    evs__ahead *ahead = &conn->loop->ahead;
    ahead->joined++;
    if (conn->soon == &ahead->nobodys)
        take_place(ahead, conn);
    conn->soon->others[0] = evs__hint_of(one);
    conn->soon->others[1] = evs__hint_of(other);
}

void evs__ahead_leave(evs__conn *conn)
{
    evs__ahead *ahead = &conn->loop->ahead;
    if (conn->soon == &ahead->nobodys)
        return;
    ahead->waiting--;
    ahead->conns[conn->soon - ahead->rows] = NULL;
    conn->soon = &ahead->nobodys;
}

void evs__ahead_fetch(evs__conn *conn)
{
    const evs__soon *soon = conn->soon;
    for (size_t i = 0; i < EVS__SOON_REQUESTS && i < conn->count; i++)
        evs__fetch_hinted(soon->requests[i], conn);
    for (size_t i = 0; i < EVS__SOON_OTHERS; i++)
        evs__fetch_hinted(soon->others[i], conn);
    evs__ahead_leave(conn);
}

static void fetch_conn(const evs__conn *conn)
{
    evs__fetch_soon(conn);
    evs__fetch_soon((const void *)((uintptr_t)conn + 2 * EVS__LINE));
}

/* The first one, which may have left. */
static evs__conn *next_in_line(evs__ahead *ahead)
{
    unsigned at = ahead->first++;
    fetch_conn(ahead->conns[(at + NEAR) % EVS__AHEAD_MOST]);
    return ahead->conns[at % EVS__AHEAD_MOST];
}

evs__conn *evs__ahead_only(evs__ahead *ahead)
{
    if (ahead->waiting != 1)
        return NULL;
    while (ahead->conns[ahead->first % EVS__AHEAD_MOST] == NULL)
        ahead->first++;
    return ahead->conns[ahead->first % EVS__AHEAD_MOST];
}

#ifdef __linux__

/* The one at place `far`, or who is next to it before. There is somebody. */
static const evs__conn *who_is_at(const evs__ahead *ahead, unsigned far)
{
    const evs__conn *conn = NULL;
    for (unsigned at = ahead->first + far; conn == NULL; at--)
        conn = ahead->conns[at % EVS__AHEAD_MOST];
    return conn;
}

static int rest(const evs__ahead *ahead)
{
    if (ahead->waiting < MANY)
        return 0;
    unsigned last = ahead->end - ahead->first - 1;
    const evs__conn *conn = who_is_at(ahead, last < REST_FOR ? last : REST_FOR);
    if (conn->state != EVS__CONN_READY)
        return 0;
    struct pollfd what = {conn->fd, POLLIN, 0};
    struct timespec limit = {0, REST_NS};
    ppoll(&what, 1, &limit, NULL);
    return 1;
}

#else

static int rest(const evs__ahead *ahead)
{
    (void)ahead;
    return 0;
}

#endif

/* Completions may let others join, and push the line on; who joined meanwhile is not written to
 * yet. */
static void read_line(evs__ahead *ahead)
{
    unsigned end = ahead->end;
    for (unsigned misses = 0; misses < MISSES && (int)(end - ahead->first) > 0;) {
        evs__conn *conn = next_in_line(ahead);
        if (conn == NULL)
            continue;
        evs__ahead_fetch(conn);
        misses = evs__conn_read_early(conn) ? 0 : misses + 1;
    }
}

void evs__ahead_read(evs__ahead *ahead, int may_rest)
{
    if (ahead->waiting < FEW)
        return;
    if (ahead->joined < FEW && !(may_rest && rest(ahead)))
        return;
    ahead->joined = 0;
    read_line(ahead);
}
