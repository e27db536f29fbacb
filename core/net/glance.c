#include "core/net/glance.h"

#ifdef __linux__

#include <string.h>
#include <sys/epoll.h>

static void look(evs__glance *glance, int set)
{
    struct epoll_event events[EVS__GLANCE_MOST];
    int n = epoll_wait(set, events, EVS__GLANCE_MOST, 0);
    glance->all = n < 0 || n == EVS__GLANCE_MOST; /* a failure says nothing of anybody */
    memset(glance->ready, 0, sizeof glance->ready);
    for (int i = 0; i < n; i++) {
        unsigned bit = (unsigned)events[i].data.fd % EVS__GLANCE_BITS; /* as libuv keeps them */
        glance->ready[bit / 64] |= (uint64_t)1 << bit % 64;
    }
    glance->fresh = 1;
}

int evs__glance_at(evs__glance *glance, int set, int fd, uint64_t tick)
{
    if (!glance->fresh || glance->tick != tick)
        look(glance, set);
    glance->tick = tick;
    unsigned bit = (unsigned)fd % EVS__GLANCE_BITS;
    return glance->all || (glance->ready[bit / 64] >> bit % 64 & 1) != 0;
}

#else

int evs__glance_at(evs__glance *glance, int set, int fd, uint64_t tick)
{
    (void)tick;
    (void)glance;
    (void)set;
    (void)fd;
    return 1;
}

#endif
