#include "tests/support/scene.h"

#include "tools/scratch/port.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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
    int holder; /* closed when the program ends */
    int port = scratch__hold_port(&holder);
    if (port == 0)
        scene_die("port", "none is free");
    return port;
}
