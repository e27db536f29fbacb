/*
 * server.c - one scratch server: its name and addresses, its end, its log.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/scratch/port.h"
#include "tools/scratch/server.h"

enum {
    STOP_MS = 5000, /* until a server that was asked to stop is killed */
    PORT_TRIES = 5  /* where a port cannot be held, it may be taken before the server binds it */
};

scratch_result scratch__fail(scratch *area, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(area->error, sizeof area->error, format, args);
    va_end(args);
    return SCRATCH_FAILED;
}

int64_t scratch__now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const char *scratch__file(const scratch_server *server, const char *suffix,
                          char path[SCRATCH_PATH_MAX])
{
    snprintf(path, SCRATCH_PATH_MAX, "%s/%s%s", server->area->folder, server->name, suffix);
    return path;
}

static void let_port_go(scratch_server *server)
{
    if (server->holder != -1)
        close(server->holder);
    server->holder = -1;
}

static scratch_result start_on_free_port(scratch_server *server)
{
    scratch_result result = SCRATCH_FAILED;
    for (int i = 0; i < PORT_TRIES; i++) {
        let_port_go(server);
        server->port = scratch__hold_port(&server->holder);
        if (server->port == 0)
            return scratch__fail(server->area, "no free port on 127.0.0.1: %s", strerror(errno));
        result = scratch__launch(server);
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
    server->holder = -1;
    server->tls = opts->listen == SCRATCH_UNIX_AND_TLS;
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
        return scratch__fail(area, "\"%s\" is no name for a server", name);
    if (is_taken(area, name))
        return scratch__fail(area, "there is a server %s already", name);
    scratch_server *server = new_server(area, name, opts);
    if (server == NULL)
        return scratch__fail(area, "out of memory");

    scratch_result result = opts->listen == SCRATCH_UNIX ? scratch__launch(server)
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
        return scratch__fail(server->area, "server %s is running", server->name);
    return scratch__launch(server);
}

/* ---- ending ---- */

static void remove_pid(const scratch_server *server)
{
    char path[SCRATCH_PATH_MAX];
    unlink(scratch__file(server, ".pid", path));
}

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
    int64_t deadline = scratch__now_ms() + STOP_MS;
    kill(server->pid, SIGTERM);
    for (;;) {
        int64_t left = deadline - scratch__now_ms();
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
    let_port_go(server);
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
    FILE *file = fopen(scratch__file(server, ".log", path), "re");
    if (file == NULL)
        return server->log;
    if (fseek(file, 0, SEEK_END) == 0 && ftell(file) >= SCRATCH_LOG_MAX)
        fseek(file, -(SCRATCH_LOG_MAX - 1), SEEK_END);
    else
        rewind(file);
    size_t n = fread(server->log, 1, sizeof server->log - 1, file);
    server->log[n] = '\0';
    fclose(file);
    return server->log;
}
