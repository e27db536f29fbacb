/*
 * area.h - the inside of a scratch area, shared by area.c and server.c.
 */
#ifndef EVS_TOOLS_AREA_H
#define EVS_TOOLS_AREA_H

#include "tools/scratch/scratch.h"

enum {
    SCRATCH_PATH_MAX = 108,  /* a socket's path */
    SCRATCH_FOLDER_MAX = 60, /* its folder, which leaves room for the names of servers */
    SCRATCH_ERROR_MAX = 1024
};

struct scratch {
    scratch_server *servers; /* newest first */
    pid_t keeper;            /* removes the folder when `lifeline` closes; 0 when there is none */
    int lifeline;
    char folder[SCRATCH_FOLDER_MAX];
    char error[SCRATCH_ERROR_MAX];
};

/* Starts `argv` away from the terminal: own process group, no signals blocked or ignored. File
 * descriptor i of the child is `fds[i]`, at most four. `env` NULL passes ours on.
 * Returns the pid, or -1 with errno. */
pid_t scratch__spawn(const char *const *argv, char *const *env, const int *fds, int nfds);

/* Waits for the end of a child of ours. */
void scratch__reap(pid_t pid);

void scratch__server_free(scratch_server *server);
scratch_server *scratch__server_next(scratch_server *server);

#endif
