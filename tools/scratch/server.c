/*
 * server.c - one scratch server: starting it, knowing when it answers, ending it.
 *
 * Ready is an event. The server is started with --supervised systemd and a NOTIFY_SOCKET of ours,
 * and says READY=1 there. A build without that protocol says nothing, so every few milliseconds we
 * also try a PING. The end of a server is an event too: it holds the write end of a pipe, and the
 * read end reports when that is gone.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tools/scratch/area.h"

extern char **environ;

enum {
    START_MS = 10000,   /* until a server must answer */
    STOP_MS = 5000,     /* until a server that was asked to stop is killed */
    PING_EVERY_MS = 10, /* for builds that do not notify */
    PORT_TRIES = 5,     /* a free port may be taken between our look and the server's bind */
    LOG_MAX = 64 * 1024 /* of the log that scratch_log returns */
};

struct scratch_server {
    scratch *area;
    scratch_server *next;
    char **config; /* copies of the caller's further arguments */
    size_t nconfig;
    pid_t pid;    /* 0 when it is not running */
    int lifeline; /* readable (end of file) when the server is gone */
    int port;     /* 0 without TCP */
    char name[32];
    char address[SCRATCH_PATH_MAX + sizeof "unix:"]; /* socket path behind "unix:" */
    char log[LOG_MAX];
};

static scratch_result fail(scratch *area, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static scratch_result fail(scratch *area, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(area->error, sizeof area->error, format, args);
    va_end(args);
    return SCRATCH_FAILED;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- finding the program ---- */

static const char *find_in(char *path, size_t size, const char *folders, const char *name)
{
    while (*folders != '\0') {
        size_t len = strcspn(folders, ":");
        int n = snprintf(path, size, "%.*s/%s", (int)len, folders, name);
        if (len > 0 && n > 0 && (size_t)n < size && access(path, X_OK) == 0)
            return path;
        folders += len + (folders[len] == ':');
    }
    return NULL;
}

/* The program's path in `path`; NULL when none is installed. */
static const char *find_program(char *path, size_t size)
{
    static const char *const names[] = {"redis-server", "valkey-server"};
    static const char standard[] = "/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin";
    const char *folders = getenv("PATH");

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (folders != NULL && find_in(path, size, folders, names[i]) != NULL)
            return path;
        if (find_in(path, size, standard, names[i]) != NULL)
            return path;
    }
    return NULL;
}

const char *scratch_program(char *path, size_t size)
{
    return find_program(path, size);
}

/* ---- files of a server, all in the area's folder ---- */

static const char *file_of(const scratch_server *server, const char *suffix,
                           char path[SCRATCH_PATH_MAX])
{
    snprintf(path, SCRATCH_PATH_MAX, "%s/%s%s", server->area->folder, server->name, suffix);
    return path;
}

/* For the keeper: a server to kill when we are gone. */
static void write_pid(const scratch_server *server)
{
    char path[SCRATCH_PATH_MAX];
    FILE *file = fopen(file_of(server, ".pid", path), "we");
    if (file == NULL)
        return;
    fprintf(file, "%ld\n", (long)server->pid);
    fclose(file);
}

static void remove_pid(const scratch_server *server)
{
    char path[SCRATCH_PATH_MAX];
    unlink(file_of(server, ".pid", path));
}

/* ---- being told that it is ready ---- */

static int open_notify(const scratch_server *server, struct sockaddr_un *at)
{
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    file_of(server, ".notify", at->sun_path);
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
    int64_t deadline = now_ms() + START_MS;

    while (now_ms() < deadline) {
        int n = poll(fds, 2, PING_EVERY_MS);
        if (n > 0 && fds[1].revents != 0)
            return fail(server->area, "server %s ended at once: %s", server->name,
                        scratch_log(server));
        if (said_ready(notify) || (n == 0 && answers_ping(server)))
            return SCRATCH_OK;
    }
    return fail(server->area, "server %s does not answer after %d ms: %s", server->name, START_MS,
                scratch_log(server));
}

/* ---- starting ---- */

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
                         "--port",
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
    size_t nown = sizeof own / sizeof own[0];
    const char **argv = calloc(nown + server->nconfig + 1, sizeof *argv);
    if (argv == NULL)
        return NULL;
    memcpy(argv, own, sizeof own);
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
    int log = open(file_of(server, ".log", path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_t pid = -1;

    if (null != -1 && log != -1 && pipe2(ends, O_CLOEXEC) == 0) {
        int fds[] = {null, log, log, ends[1]};
        pid = scratch__spawn(argv, env, fds, 4);
        close(ends[1]);
        server->lifeline = ends[0];
    }
    int why = errno;
    if (null != -1)
        close(null);
    if (log != -1)
        close(log);
    errno = why;
    return pid;
}

static scratch_result spawn(scratch_server *server, const char *notify_path)
{
    char program[4096], port[16], notify[sizeof "NOTIFY_SOCKET=" + SCRATCH_PATH_MAX];
    if (find_program(program, sizeof program) == NULL)
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
        return fail(server->area, "cannot start %s: %s", program, strerror(errno));
    server->pid = pid;
    write_pid(server);
    return SCRATCH_OK;
}

static scratch_result start(scratch_server *server)
{
    struct sockaddr_un at;
    int notify = open_notify(server, &at);
    if (notify == -1)
        return fail(server->area, "cannot make the socket %s: %s", at.sun_path, strerror(errno));

    scratch_result result = spawn(server, at.sun_path);
    if (result == SCRATCH_OK)
        result = wait_ready(server, notify);
    if (result != SCRATCH_OK)
        scratch_kill(server);
    close(notify);
    unlink(at.sun_path);
    return result;
}

/* A port that was free a moment ago; 0 when there is none. */
static int free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return 0;
    int ok = bind(fd, (struct sockaddr *)&at, len) == 0 &&
             getsockname(fd, (struct sockaddr *)&at, &len) == 0;
    close(fd);
    return ok ? ntohs(at.sin_port) : 0;
}

static scratch_result start_on_free_port(scratch_server *server)
{
    scratch_result result = SCRATCH_FAILED;
    for (int i = 0; i < PORT_TRIES; i++) {
        server->port = free_port();
        if (server->port == 0)
            return fail(server->area, "no free port on 127.0.0.1: %s", strerror(errno));
        result = start(server);
        if (result != SCRATCH_FAILED || strstr(scratch_log(server), "already in use") == NULL)
            break;
    }
    return result;
}

static int copy_config(scratch_server *server, const scratch_options *opts)
{
    server->config = calloc(opts->nconfig + 1, sizeof *server->config);
    if (server->config == NULL)
        return -1;
    for (size_t i = 0; i < opts->nconfig; i++) {
        server->config[i] = strdup(opts->config[i]);
        if (server->config[i] == NULL)
            return -1;
        server->nconfig++;
    }
    return 0;
}

static scratch_server *new_server(scratch *area, const char *name, const scratch_options *opts)
{
    scratch_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return NULL;
    server->area = area;
    server->lifeline = -1;
    snprintf(server->name, sizeof server->name, "%s", name);
    snprintf(server->address, sizeof server->address, "unix:%s/%s.sock", area->folder,
             server->name);
    if (copy_config(server, opts) == -1) {
        scratch__server_free(server);
        return NULL;
    }
    return server;
}

static int is_taken(const scratch *area, const char *name)
{
    for (const scratch_server *s = area->servers; s != NULL; s = s->next) {
        if (strcmp(s->name, name) == 0)
            return 1;
    }
    return 0;
}

scratch_result scratch_start(scratch_server **out, scratch *area, const char *name,
                             const scratch_options *opts)
{
    static const scratch_options plain = {SCRATCH_UNIX, NULL, 0};
    if (opts == NULL)
        opts = &plain;
    area->error[0] = '\0';
    if (strlen(name) >= sizeof((scratch_server *)0)->name || strchr(name, '/') != NULL)
        return fail(area, "\"%s\" is no name for a server", name);
    if (is_taken(area, name))
        return fail(area, "there is a server %s already", name);
    scratch_server *server = new_server(area, name, opts);
    if (server == NULL)
        return fail(area, "out of memory");

    scratch_result result = opts->listen == SCRATCH_UNIX ? start(server)
                                                         : start_on_free_port(server);
    if (result != SCRATCH_OK) {
        scratch__server_free(server);
        return result;
    }
    server->next = area->servers;
    area->servers = server;
    *out = server;
    return SCRATCH_OK;
}

scratch_result scratch_restart(scratch_server *server)
{
    server->area->error[0] = '\0';
    if (server->pid != 0)
        return fail(server->area, "server %s is running", server->name);
    return start(server);
}

/* ---- ending ---- */

static void gone(scratch_server *server)
{
    scratch__reap(server->pid);
    remove_pid(server);
    close(server->lifeline);
    server->pid = 0;
    server->lifeline = -1;
}

void scratch_kill(scratch_server *server)
{
    if (server->pid == 0)
        return;
    kill(server->pid, SIGKILL);
    gone(server);
    unlink(scratch_socket(server));
}

void scratch_stop(scratch_server *server)
{
    if (server->pid == 0)
        return;
    struct pollfd end = {.fd = server->lifeline, .events = POLLIN};
    int64_t deadline = now_ms() + STOP_MS;
    kill(server->pid, SIGTERM);
    for (;;) {
        int64_t left = deadline - now_ms();
        int n = left > 0 ? poll(&end, 1, (int)left) : 0;
        if (n == -1 && errno == EINTR)
            continue;
        if (n != 1)
            break;
        gone(server);
        return;
    }
    scratch_kill(server);
}

void scratch__server_free(scratch_server *server)
{
    scratch_kill(server);
    for (size_t i = 0; i < server->nconfig; i++)
        free(server->config[i]);
    free(server->config);
    free(server);
}

scratch_server *scratch__server_next(scratch_server *server)
{
    return server->next;
}

/* ---- asking ---- */

pid_t scratch_pid(const scratch_server *server)
{
    return server->pid;
}

const char *scratch_name(const scratch_server *server)
{
    return server->name;
}

const char *scratch_socket(const scratch_server *server)
{
    return server->address + strlen("unix:");
}

const char *scratch_address(const scratch_server *server)
{
    return server->address;
}

int scratch_port(const scratch_server *server)
{
    return server->port;
}

const char *scratch_log(scratch_server *server)
{
    char path[SCRATCH_PATH_MAX];
    server->log[0] = '\0';
    FILE *file = fopen(file_of(server, ".log", path), "re");
    if (file == NULL)
        return server->log;
    if (fseek(file, 0, SEEK_END) == 0 && ftell(file) >= LOG_MAX)
        fseek(file, -(LOG_MAX - 1), SEEK_END);
    else
        rewind(file);
    size_t n = fread(server->log, 1, sizeof server->log - 1, file);
    server->log[n] = '\0';
    fclose(file);
    return server->log;
}
