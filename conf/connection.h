/*
 * connection.h - the keys that may stand in defaults, a pool or a shard.
 *
 * Inheritance is a copy: a pool starts from what defaults gave, a shard from what its pool gave,
 * and reading a mapping overwrites what it names.
 */
#ifndef EVS_CONF_CONNECTION_H
#define EVS_CONF_CONNECTION_H

#include "conf/secret.h"
#include "conf/tls_conf.h"
#include "core/endpoint.h"

typedef struct evs__username {
    const char *text;
    const evs__yaml *at;
    int blamed; /* for having no password */
} evs__username;

typedef struct evs__auth_conf {
    evs__username *username; /* NULL: the user "default" */
    evs__secret *password;   /* NULL: no authentication */
} evs__auth_conf;

typedef struct evs__retry_conf {
    uint64_t attempts;
    unsigned backoff_ms;
} evs__retry_conf;

typedef struct evs__connection_conf {
    uint64_t db;
    unsigned connect_timeout_ms;
    unsigned command_timeout_ms;
    unsigned script_timeout_ms; /* 0: as command_timeout_ms */
    const char *client_name;
    unsigned keepalive_ms; /* 0: off */
    evs__retry_conf retry;
    evs__auth_conf auth;
    evs__tls_keys tls;
} evs__connection_conf;

/* Reads the value of `auth` into the evs__auth_conf `at`. */
void evs__read_auth(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at);

/* What holds when a map says nothing. */
evs__connection_conf evs__connection_default(void);

/* Fills in the parts of `out` that connection keys decide, secrets included. TLS depends on the
 * address too: evs__tls_login. */
void evs__connection_login(evs__reading *r, const evs__connection_conf *conf, evs__login *out);

#endif
