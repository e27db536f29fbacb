/*
 * area.c - the folder of a scratch area, and who removes it.
 *
 * The folder is removed in one place only: by the keeper, a shell that reads from a pipe whose
 * other end only we hold. When we close that end, or end in whatever way and the system closes it,
 * the shell kills the servers whose pids it finds in the folder and removes the folder. It runs in
 * a process group of its own, so that Ctrl-C reaches us and not it.
 *
 * A pid file exists exactly while its server is an unreaped child of ours (server.c), so the keeper
 * never kills a stranger that got a used pid.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/scratch/area.h"

extern char **environ;

enum { MAX_FDS = 4 };

static const char KEEP[] = "read -r line; "
                           "for file in \"$1\"/*.pid; do "
                           "[ -f \"$file\" ] && read -r pid <\"$file\" && kill -9 \"$pid\"; done; "
                           "rm -rf -- \"$1\"";

static void away_from_terminal(posix_spawnattr_t *attr)
{
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(attr, &all);
    posix_spawnattr_setsigmask(attr, &none);
    posix_spawnattr_setpgroup(attr, 0);
    posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                       POSIX_SPAWN_SETPGROUP);
}

pid_t scratch__spawn(const char *const *argv, char *const *env, const int *fds, int nfds)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int high[MAX_FDS]; /* out of the way of the numbers they become */
    pid_t pid = -1;

    assert(nfds <= MAX_FDS);
    posix_spawnattr_init(&attr);
    away_from_terminal(&attr);
    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < nfds; i++) {
        high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 10);
        posix_spawn_file_actions_adddup2(&actions, high[i], i);
    }

    int why = posix_spawn(&pid, argv[0], &actions, &attr, (char *const *)argv,
                          env == NULL ? environ : env);
    for (int i = 0; i < nfds; i++)
        close(high[i]);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    errno = why;
    return why == 0 ? pid : -1;
}

void scratch__reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
        ;
}

static int make_folder(scratch *area)
{
    const char *base = getenv("TMPDIR");
    if (base == NULL || base[0] != '/' ||
        strlen(base) + sizeof "/evalshard-XXXXXX" > sizeof area->folder)
        base = "/tmp";
    snprintf(area->folder, sizeof area->folder, "%s/evalshard-XXXXXX", base);
    return mkdtemp(area->folder) == NULL ? -1 : 0;
}

static int start_keeper(scratch *area)
{
    const char *argv[] = {"/bin/sh", "-c", KEEP, "evalshard-keeper", area->folder, NULL};
    int ends[2];
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null == -1)
        return -1;
    if (pipe2(ends, O_CLOEXEC) == -1) {
        close(null);
        return -1;
    }
    int fds[] = {ends[0], null, null};
    area->keeper = scratch__spawn(argv, NULL, fds, 3);
    area->lifeline = ends[1];
    close(ends[0]);
    close(null);
    return area->keeper == -1 ? -1 : 0;
}

scratch_result scratch_new(scratch **out)
{
    scratch *area = calloc(1, sizeof *area);
    if (area == NULL)
        return SCRATCH_FAILED;
    area->lifeline = -1;
    if (make_folder(area) == -1) {
        free(area);
        return SCRATCH_FAILED;
    }
    if (start_keeper(area) == -1) {
        int why = errno;
        rmdir(area->folder);
        area->keeper = 0;
        scratch_free(area);
        errno = why;
        return SCRATCH_FAILED;
    }
    *out = area;
    return SCRATCH_OK;
}

void scratch_free(scratch *area)
{
    if (area == NULL)
        return;
    while (area->servers != NULL) {
        scratch_server *next = scratch__server_next(area->servers);
        scratch__server_free(area->servers);
        area->servers = next;
    }
    if (area->lifeline != -1)
        close(area->lifeline);
    if (area->keeper > 0)
        scratch__reap(area->keeper);
    free(area);
}

const char *scratch_folder(const scratch *area)
{
    return area->folder;
}

const char *scratch_error(const scratch *area)
{
    return area->error;
}
