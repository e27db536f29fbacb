/*
 * scratch.h - servers that live for one demonstration or one test.
 *
 *     scratch *area;
 *     scratch_server *server;
 *     if (scratch_new(&area) != SCRATCH_OK)
 *         return;
 *     if (scratch_start(&server, area, "users-a", NULL) == SCRATCH_OK)
 *         use(scratch_address(server));
 *     scratch_free(area);
 *
 * A scratch area is a temporary folder together with the servers started in it. It owns them:
 * scratch_free ends all servers and removes the folder. The same happens when the process ends in
 * any other way, SIGKILL included: a small shell waits for that (see area.c).
 *
 * Servers are redis-server or valkey-server, whichever is installed, or the program that the
 * environment variable EVALSHARD_SERVER names. They listen on a unix socket, keep nothing on disk
 * and stay away from the terminal's Ctrl-C. When scratch_start returns, the server answers.
 *
 * One thread at a time per area. Texts are borrowed from the object they were asked of.
 */
#ifndef EVS_TOOLS_SCRATCH_H
#define EVS_TOOLS_SCRATCH_H

#include <stddef.h>
#include <sys/types.h>

typedef struct scratch scratch;
typedef struct scratch_server scratch_server;

typedef enum scratch_result {
    SCRATCH_OK = 0,
    SCRATCH_NO_SERVER = 1, /* no such program is installed */
    SCRATCH_FAILED = 2     /* scratch_error says what */
} scratch_result;

/* Whether a TCP port on 127.0.0.1 is wanted next to the unix socket. For one that speaks TLS,
 * `config` names the certificates: "--tls-cert-file" and so on. */
typedef enum scratch_listen {
    SCRATCH_UNIX = 0,
    SCRATCH_UNIX_AND_TCP = 1,
    SCRATCH_UNIX_AND_TLS = 2
} scratch_listen;

typedef struct scratch_options {
    scratch_listen listen;
    const char *const *config; /* further arguments: "--maxmemory", "10mb", ... */
    size_t nconfig;
} scratch_options;

/* Makes the folder, below $TMPDIR when its path is short enough for a socket, else below /tmp.
 * `*out` is yours to free. Fails with SCRATCH_FAILED, then errno says why. */
scratch_result scratch_new(scratch **out);

/* Ends every server of the area at once and removes the folder. Accepts NULL. */
void scratch_free(scratch *area);

const char *scratch_folder(const scratch *area);

/* Why the last call failed, one line; "" when none did. */
const char *scratch_error(const scratch *area);

/* The program that scratch_start would run, written to `path`; NULL when none is installed. */
const char *scratch_program(char *path, size_t size);

/* Starts a server and waits until it answers. `name` is unique in the area and becomes part of the
 * socket's path; `opts` may be NULL. `*out` belongs to the area. After SCRATCH_FAILED, the log is
 * in scratch_error. */
scratch_result scratch_start(scratch_server **out, scratch *area, const char *name,
                             const scratch_options *opts);

/* Starts a stopped server again at the same addresses, with the same arguments. */
scratch_result scratch_restart(scratch_server *server);

/* Asks the server to shut down and waits for its end; after five seconds it is killed. */
void scratch_stop(scratch_server *server);

/* Ends the server at once, as a crash would. */
void scratch_kill(scratch_server *server);

pid_t scratch_pid(const scratch_server *server);           /* 0 when it is not running */
const char *scratch_name(const scratch_server *server);    /* as given */
const char *scratch_socket(const scratch_server *server);  /* "/tmp/.../users-a.sock" */
const char *scratch_address(const scratch_server *server); /* "unix:/tmp/.../users-a.sock" */
int scratch_port(const scratch_server *server);            /* 0 without TCP */

/* What the server wrote so far, the last 64 KiB of it; "" when that cannot be read. */
const char *scratch_log(scratch_server *server);

#endif
