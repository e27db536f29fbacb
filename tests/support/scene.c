#include "tests/support/scene.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void scene_die(const char *what, const char *why)
{
    fprintf(stderr, "setting up a test: %s: %s\n", what, why);
    abort();
}

void scene_pause(void)
{
    struct timespec moment = {0, SCENE_MOMENT_MS * 1000000};
    nanosleep(&moment, NULL);
}

int scene_free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1 || bind(fd, (struct sockaddr *)&at, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        scene_die("port", "none is free");
    close(fd);
    return ntohs(at.sin_port);
}
