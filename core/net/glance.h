/*
 * glance.h - which sockets have something to tell, asked once for all of them: per turn, and again
 * at the next tick of the system's clock, since some time may pass between two uses of a turn.
 *
 * A connection that was idle may have been closed meanwhile. Asking each socket before it is used
 * costs a system call per use; the set that libuv waits with answers for all sockets at once, and
 * nothing is taken out of it by looking.
 */
#ifndef EVS_CORE_NET_GLANCE_H
#define EVS_CORE_NET_GLANCE_H

#include <stdint.h>

enum { EVS__GLANCE_MOST = 1024, EVS__GLANCE_BITS = 4096 };

/* Two descriptors may share a bit: then one is asked for the other's sake. */
typedef struct evs__glance {
    int fresh;     /* taken since the loop's sockets were last looked after */
    int all;       /* there may be more than these: each is to be asked */
    uint64_t tick; /* when it was taken */
    uint64_t ready[EVS__GLANCE_BITS / 64]; /* a bit per descriptor that is ready for something */
} evs__glance;

/* 0 when nothing happened to `fd`, which the set of descriptor `set` watches, until this tick. 1
 * when something may have: the socket is to be asked. */
int evs__glance_at(evs__glance *glance, int set, int fd, uint64_t tick);

/* The next look is a new one. */
static inline void evs__glance_expire(evs__glance *glance)
{
    glance->fresh = 0;
}

#endif
