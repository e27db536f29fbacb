/*
 * server.h - the inside of a scratch server, shared by server.c and launch.c.
 */
#ifndef EVS_TOOLS_SERVER_H
#define EVS_TOOLS_SERVER_H

#include <stdint.h>

#include "tools/scratch/area.h"

enum { SCRATCH_LOG_MAX = 64 * 1024 }; /* of the log that scratch_log returns */

struct scratch_server {
    scratch *area;
    scratch_server *next;
    char **config; /* copies of the caller's further arguments */
    size_t nconfig;
    pid_t pid;    /* 0 when it is not running */
    int lifeline; /* readable (end of file) when the server is gone */
    int port;     /* 0 without TCP */
    int holder;   /* keeps the port ours while the server is down; -1: nothing does */
    int tls;      /* the port is for TLS */
    char name[32];
    char address[SCRATCH_PATH_MAX + sizeof "unix:"]; /* socket path behind "unix:" */
    char log[SCRATCH_LOG_MAX];
};

/* Writes down why and returns SCRATCH_FAILED. */
scratch_result scratch__fail(scratch *area, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

int64_t scratch__now_ms(void);

/* The path of a file of this server in the area's folder, written to `path`. */
const char *scratch__file(const scratch_server *server, const char *suffix,
                          char path[SCRATCH_PATH_MAX]);

/* Starts a server that is not running at its addresses and waits until it answers. On failure it is
 * not running. */
scratch_result scratch__launch(scratch_server *server);

#endif
