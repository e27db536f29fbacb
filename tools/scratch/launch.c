/*
 * launch.c - starting a scratch server and knowing when it answers.
 *
 * Ready is an event. The server is started with --supervised systemd and a NOTIFY_SOCKET of ours,
 * and says READY=1 there. A build without that protocol says nothing, so every few milliseconds we
 * also try a PING. The end of a server is an event too: it holds the write end of a pipe, and the
 * read end reports when that is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/scratch/server.h"

extern char **environ;

enum {
    START_MS = 30000,  /* until a server must answer */
    PING_EVERY_MS = 10 /* for builds that do not notify */
};

/* ---- being told that it is ready ---- */

static int open_notify(const scratch_server *server, struct sockaddr_un *at)
{
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    scratch__file(server, ".notify", at->sun_path);
    unlink(at->sun_path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd != -1 && bind(fd, (struct sockaddr *)at, sizeof *at) == 0)
        return fd;
    if (fd != -1)
        close(fd);
    return -1;
}

/* Messages such as "STATUS=..." come before and in packets of their own. */
static int said_ready(int notify)
{
    char text[256];
    ssize_t n;
    while ((n = recv(notify, text, sizeof text - 1, 0)) > 0) {
        text[n] = '\0';
        if (strstr(text, "READY=1") != NULL)
            return 1;
    }
    return 0;
}

/* Any answer but LOADING counts: with a password set, PING is refused but the server is up. */
static int answers_ping(const scratch_server *server)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = 1};
    char text[64] = "";
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return 0;
    snprintf(at.sun_path, sizeof at.sun_path, "%s", scratch_socket(server));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);

    ssize_t n = 0;
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
        send(fd, "PING\r\n", 6, MSG_NOSIGNAL) == 6)
        n = recv(fd, text, sizeof text, 0);
    close(fd);
    return n > 0 && strncmp(text, "-LOADING", 8) != 0;
}

static scratch_result wait_ready(scratch_server *server, int notify)
{
    struct pollfd fds[] = {{.fd = notify, .events = POLLIN},
                           {.fd = server->lifeline, .events = POLLIN}};
    int64_t deadline = scratch__now_ms() + START_MS;

    while (scratch__now_ms() < deadline) {
        int n = poll(fds, 2, PING_EVERY_MS);
        if (n > 0 && fds[1].revents != 0)
            return scratch__fail(server->area, "server %s ended at once: %s", server->name,
                                 scratch_log(server));
        if (said_ready(notify) || (n == 0 && answers_ping(server)))
            return SCRATCH_OK;
    }
    return scratch__fail(server->area, "server %s does not answer after %d ms: %s", server->name,
                         START_MS, scratch_log(server));
}

/* ---- starting ---- */

/* For the keeper: a server to kill when we are gone. */
static void write_pid(const scratch_server *server)
{
    char path[SCRATCH_PATH_MAX];
    FILE *file = fopen(scratch__file(server, ".pid", path), "we");
    if (file == NULL)
        return;
    fprintf(file, "%ld\n", (long)server->pid);
    fclose(file);
}

/* Our environment with `notify` in the place of a NOTIFY_SOCKET we may have been given. The array
 * is the caller's to free, its strings are borrowed. */
static char **environment(char *notify)
{
    size_t n = 0, kept = 0;
    while (environ[n] != NULL)
        n++;
    char **env = calloc(n + 2, sizeof *env);
    if (env == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        if (strncmp(environ[i], "NOTIFY_SOCKET=", 14) != 0)
            env[kept++] = environ[i];
    }
    env[kept] = notify;
    return env;
}

/* The caller's arguments come last and so win. The array is the caller's to free. */
static const char **arguments(const scratch_server *server, const char *program, const char *port)
{
    const char *own[] = {program,
                         server->tls ? "--tls-port" : "--port",
                         port,
                         "--bind",
                         "127.0.0.1",
                         "--unixsocket",
                         scratch_socket(server),
                         "--dir",
                         server->area->folder,
                         "--dbfilename",
                         server->name,
                         "--save",
                         "",
                         "--appendonly",
                         "no",
                         "--daemonize",
                         "no",
                         "--supervised",
                         "systemd"};
    static const char *const only_tls[] = {"--port", "0"};
    size_t nown = sizeof own / sizeof own[0];
    const char **argv = calloc(nown + 2 + server->nconfig + 1, sizeof *argv);
    if (argv == NULL)
        return NULL;
    memcpy(argv, own, sizeof own);
    if (server->tls) {
        memcpy(argv + nown, only_tls, sizeof only_tls);
        nown += 2;
    }
    for (size_t i = 0; i < server->nconfig; i++)
        argv[nown + i] = server->config[i];
    return argv;
}

/* Standard input is empty, output is the log, and descriptor 3 keeps the lifeline alive. */
static pid_t spawn_logged(scratch_server *server, const char *const *argv, char *const *env)
{
    char path[SCRATCH_PATH_MAX];
    int ends[2];
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int log = open(scratch__file(server, ".log", path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                   0600);
    pid_t pid = -1;

    if (null != -1 && log != -1 && pipe2(ends, O_CLOEXEC) == 0) {
        int fds[] = {null, log, log, ends[1]};
        pid = scratch__spawn(argv, env, fds, 4);
        close(ends[1]);
        if (pid != -1)
            server->lifeline = ends[0];
        else
            close(ends[0]);
    }
    if (null != -1)
        close(null);
    if (log != -1)
        close(log);
    return pid;
}

static scratch_result spawn(scratch_server *server, const char *notify_path)
{
    char program[4096], port[16], notify[sizeof "NOTIFY_SOCKET=" + SCRATCH_PATH_MAX];
    if (scratch_program(program, sizeof program) == NULL)
        return SCRATCH_NO_SERVER;
    snprintf(port, sizeof port, "%d", server->port);
    snprintf(notify, sizeof notify, "NOTIFY_SOCKET=%s", notify_path);

    const char **argv = arguments(server, program, port);
    char **env = environment(notify);
    pid_t pid = -1;
    errno = ENOMEM;
    if (argv != NULL && env != NULL)
        pid = spawn_logged(server, argv, env);
    free(argv);
    free(env);
    if (pid == -1)
        return scratch__fail(server->area, "cannot start %s: %s", program, strerror(errno));
    server->pid = pid;
    write_pid(server);
    return SCRATCH_OK;
}

scratch_result scratch__launch(scratch_server *server)
{
    struct sockaddr_un at;
    int notify = open_notify(server, &at);
    if (notify == -1)
        return scratch__fail(server->area, "cannot make the socket %s: %s", at.sun_path,
                             strerror(errno));

    scratch_result result = spawn(server, at.sun_path);
    if (result == SCRATCH_OK)
        result = wait_ready(server, notify);
    if (result != SCRATCH_OK)
        scratch_kill(server);
    close(notify);
    unlink(at.sun_path);
    return result;
}
