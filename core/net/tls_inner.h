/*
 * tls_inner.h - what the tls files share.
 */
#ifndef EVS_CORE_NET_TLS_INNER_H
#define EVS_CORE_NET_TLS_INNER_H

#include "core/net/tls.h"
#include <openssl/ssl.h>

enum { EVS__TLS_RECORD = 16 * 1024, EVS__TLS_PROBLEM = 300, EVS__TLS_PEER = 256 };

struct evs__tls {
    evs__tls_contexts *contexts; /* borrowed */
    const evs__login *login;     /* borrowed */
    SSL *ssl;                    /* ours; NULL without a socket */
    SSL_SESSION *session;        /* ours; NULL when there is none to resume */
    SSL_CTX *context;            /* our reference to what the session was made with */
    char peer[EVS__TLS_PEER];    /* whose it is; "" for nobody's in particular */
    int fd;
    int at_end;   /* the peer sends no more */
    int os_error; /* errno of the last system call that failed for good; 0 */
    size_t held;
    char problem[EVS__TLS_PROBLEM];
};

/* Whom the certificate must name: the settings' name or the endpoint's host; NULL for a unix socket
 * without. */
const char *evs__tls_peer(const evs__login *login);

/* tls_context.c */

/* The context for these settings, shared; lives until their files change or the contexts are freed,
 * or longer for whoever makes an SSL of it. NULL: `problem`, of EVS__TLS_PROBLEM bytes, says why.
 */
SSL_CTX *evs__tls_context(evs__tls_contexts *contexts, const evs__tls_conf *conf, char *problem);

/* How TLS reaches the socket. */
const BIO_METHOD *evs__tls_transport(const evs__tls_contexts *contexts);

/* tls_transport.c; its data is the evs__tls. NULL when out of memory. */
BIO_METHOD *evs__tls_transport_new(void);

/* tls_problem.c: writes down why the last call on tls->ssl failed, from OpenSSL's queue. */
void evs__tls_explain(evs__tls *tls);

/* tls.c: keeps what the server gave us to come back with. */
int evs__tls_new_session(SSL *ssl, SSL_SESSION *session);

#endif
