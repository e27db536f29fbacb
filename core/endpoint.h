/*
 * endpoint.h - how to reach one server, as plain data. A map owns these; connections borrow them.
 */
#ifndef EVS_CORE_ENDPOINT_H
#define EVS_CORE_ENDPOINT_H

#include <evalshard/base.h>

typedef struct evs__endpoint {
    const char *text; /* as in the map: host:port, [v6]:port or unix:/path */
    const char *host; /* without brackets; NULL for a unix socket */
    const char *path; /* of a unix socket; NULL for TCP */
    int port;
} evs__endpoint;

typedef struct evs__login {
    const char *name; /* of the shard, for messages */
    evs__endpoint endpoint;
    const char *username; /* NULL: AUTH with the password alone */
    const char *password; /* NULL: no AUTH */
    const char *client_name;
    int db;
    unsigned connect_timeout_ms; /* from the first packet to the end of the greeting */
} evs__login;

#endif
