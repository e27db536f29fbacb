/*
 * endpoint.h - how to reach one server, as plain data. A map owns these; connections borrow them.
 */
#ifndef EVS_CORE_ENDPOINT_H
#define EVS_CORE_ENDPOINT_H

#include <evalshard/base.h>

typedef struct evs__endpoint {
    const char *text; /* as in the map: host:port, [v6]:port or unix:/path */
    const char *host; /* without brackets; NULL for a unix socket, and for what has to be asked for
                       * first: then only the text tells two of them apart */
    const char *path; /* of a unix socket; NULL for TCP */
    int port;
} evs__endpoint;

typedef enum evs__tls_verify {
    EVS__VERIFY_FULL, /* the chain, and that the certificate is the server's that was meant */
    EVS__VERIFY_CA,   /* the chain alone */
    EVS__VERIFY_NONE
} evs__tls_verify;

/* How to speak TLS. Two of these with the same texts are the same. */
typedef struct evs__tls_conf {
    const char *ca_file; /* this and the folder NULL: whom the system trusts */
    const char *ca_dir;
    const char *cert_file; /* ours, with key_file; NULL: none */
    const char *key_file;
    const char *server_name; /* in the certificate; NULL: the host of the endpoint */
    evs__tls_verify verify;
    int only_1_3; /* 0: TLS 1.2 will do */
} evs__tls_conf;

/* Where a password came from, so that it can be read again. */
typedef struct evs__secret_source {
    /* What is there now, to be wiped and freed by evs__free; NULL: nothing that can be used. */
    char *(*read)(const struct evs__secret_source *self);
    const char *from; /* the path of a file, or the name of a variable */
} evs__secret_source;

/* What is done about a server that cannot be reached, or vanishes. All zero is what holds without a
 * map. */
typedef struct evs__link {
    unsigned down_after;     /* so many failures in a row make it down; 0: it never is */
    unsigned silent_after;   /* so many deadlines in a row make it silent; 0: it never is */
    unsigned retry_after_ms; /* between tries of one that is down or silent */
    unsigned backoff_ms;     /* between the first two tries; 0: 50 */
    unsigned keepalive_ms;   /* idle connections are looked after; 0: they are not */
    int waits;               /* requests wait for one that is down; 0: they are refused */
} evs__link;

typedef struct evs__login {
    const char *noun; /* of what is there, for messages; NULL: "shard" */
    const char *name; /* of the shard, for messages */
    evs__endpoint endpoint;
    const char *username;             /* NULL: AUTH with the password alone */
    const char *password;             /* NULL: no AUTH */
    const evs__secret_source *source; /* of the password; NULL: it stays as it is */
    const char *client_name;
    int db;
    const evs__tls_conf *tls;    /* NULL: in the clear */
    unsigned connect_timeout_ms; /* from the first packet to the end of the greeting */
    evs__link link;
    int primary;  /* 1: whoever answers has to be a primary, and is asked (ROLE) */
    int replica;  /* 1: the same, has to be a replica with a link to its primary */
    int readonly; /* 1: a replica of a cluster, which is to serve what only reads (READONLY) */
} evs__login;

/* One server: host (in any case) and port, or path, or text. */
int evs__endpoint_same(const evs__endpoint *a, const evs__endpoint *b);

/* Trust, certificate and versions; the server's name is left out. */
int evs__tls_conf_same(const evs__tls_conf *a, const evs__tls_conf *b);

/* Would a connection made for the one do for the other? Names, timeout, source and link do not
 * count. */
int evs__login_same(const evs__login *a, const evs__login *b);

#endif
