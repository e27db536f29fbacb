/*
 * port.c - a TCP port that stays ours.
 *
 * A port that was merely found free may be somebody else's when the server comes to bind it, or
 * comes back to it. So we keep a socket bound to it that does not listen. While that is there the
 * system gives the port to nobody who asks for any; a server that binds exactly this one and says
 * SO_REUSEADDR, as they all do, shares it. Without a server, connections are refused as ever.
 */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/scratch/port.h"

static int open_reusable(void)
{
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd != -1)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return fd;
}

/* Whether a server could have that address now. */
static int can_be_shared(const struct sockaddr_in *at)
{
    int fd = open_reusable();
    int can = fd != -1 && bind(fd, (const struct sockaddr *)at, sizeof *at) == 0 &&
              listen(fd, 1) == 0;
    if (fd != -1)
        close(fd);
    return can;
}

int scratch__hold_port(int *holder)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    *holder = -1;
    int fd = open_reusable();
    if (fd == -1)
        return 0;
    int bound = bind(fd, (struct sockaddr *)&at, len) == 0 &&
                getsockname(fd, (struct sockaddr *)&at, &len) == 0;
    if (bound && can_be_shared(&at))
        *holder = fd;
    else
        close(fd);
    return bound ? ntohs(at.sin_port) : 0;
}
