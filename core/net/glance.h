/*
 * glance.h - which sockets have something to tell, asked once per turn for all of them.
 *
 * A connection that was idle may have been closed meanwhile. Asking each socket before it is used
 * costs a system call per use; the set that libuv waits with answers for all sockets at once, and
 * nothing is taken out of it by looking.
 */
#ifndef EVS_CORE_NET_GLANCE_H
#define EVS_CORE_NET_GLANCE_H

#include <stddef.h>

enum { EVS__GLANCE_MOST = 64 };

typedef struct evs__glance {
    int fresh;                 /* taken since the loop's sockets were last looked after */
    size_t count;              /* EVS__GLANCE_MOST: there may be more */
    int fds[EVS__GLANCE_MOST]; /* that are ready for something */
} evs__glance;

/* 0 when nothing happened to `fd`, which the set of descriptor `set` watches, until this turn. 1
 * when something may have: the socket is to be asked. */
int evs__glance_at(evs__glance *glance, int set, int fd);

/* The next look is a new one. */
static inline void evs__glance_expire(evs__glance *glance)
{
    glance->fresh = 0;
}

#endif
