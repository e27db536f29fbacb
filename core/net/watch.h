/*
 * watch.h - noticing that a file was changed, replaced, or pointed elsewhere.
 *
 *   something happens in the folder -+
 *   2 s have passed -----------------+--> look at the file --> as it was: nothing
 *                                               |
 *                                               +--> another: 50 ms later still that one? --> tell
 *
 * The folder is watched and not the file: editors and deployments replace files by renaming others
 * over them, and a mounted ConfigMap turns a symbolic link next to the file. What no event tells (a
 * link that leads to another folder, a network file system) is seen by looking every two seconds.
 * A file in the middle of being written is not told of: only one that rests.
 */
#ifndef EVS_CORE_NET_WATCH_H
#define EVS_CORE_NET_WATCH_H

#include "core/net/loop.h"

typedef struct evs__watch evs__watch;

/* `changed(owner)` runs on the loop's thread after each change from now on; a file that is gone has
 * changed, too. It may free the watch. `path` is copied. NULL when out of memory. */
evs__watch *evs__watch_new(evs__loop *loop, const char *path, void (*changed)(void *owner),
                           void *owner);

/* Is the file still as it was when that was told last? Else it will be told again. */
int evs__watch_is_current(const evs__watch *watch);

/* Accepts NULL. */
void evs__watch_free(evs__watch *watch);

/* In a forked child. */
void evs__watch_abandon(evs__watch *watch);

#endif
