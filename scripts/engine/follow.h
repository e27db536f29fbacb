/*
 * follow.h - a client takes the map of a file, now and whenever the file changes.
 */
#ifndef EVS_SCRIPTS_ENGINE_FOLLOW_H
#define EVS_SCRIPTS_ENGINE_FOLLOW_H

#include <evalshard/client.h>

typedef struct evs__follow evs__follow;

/* Accept NULL. */
void evs__follow_free(evs__follow *follow);
void evs__follow_abandon(evs__follow *follow); /* in a forked child */

#endif
