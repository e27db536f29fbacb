/*
 * tls.h - TLS over a socket of ours; with the other tls files the only ones that know OpenSSL.
 *
 * An evs__tls belongs to one connection and outlives its sockets: it remembers the session, so that
 * connecting again to the same name costs no certificates. Contexts (trusted certificates, our own)
 * are shared by all connections of a loop that have the same settings, and are read anew when their
 * files have changed by the time somebody connects.
 *
 * Nothing here blocks, writes raise no SIGPIPE, nothing is said when a socket is closed (a reply
 * knows its own length, so that a cut is noticed without), and nothing asks at a terminal. As with
 * every user of OpenSSL, the calling thread's queue of OpenSSL errors is emptied.
 *
 * What "sent" means. Bytes leave in records of up to 16 KB, and a record is decrypted as a whole or
 * not at all. A byte counts as accepted by the kernel when the last byte of its record was: before,
 * the server cannot have seen it. Bytes of a record that the kernel accepted only a part of are
 * "held": not sent, but no longer to be taken back either, because the rest of the record follows
 * as soon as there is room.
 */
#ifndef EVS_CORE_NET_TLS_H
#define EVS_CORE_NET_TLS_H

#include "core/endpoint.h"
#include <sys/types.h>

typedef struct evs__tls evs__tls;
typedef struct evs__tls_contexts evs__tls_contexts;

/* The contexts of a loop. Free accepts NULL. */
evs__tls_contexts *evs__tls_contexts_new(void);
void evs__tls_contexts_free(evs__tls_contexts *contexts);

/* For the connections that `login`, which is borrowed, describes. NULL when out of memory. */
evs__tls *evs__tls_new(evs__tls_contexts *contexts, const evs__login *login);
void evs__tls_free(evs__tls *tls);

/* The same login from another owner. */
void evs__tls_set_login(evs__tls *tls, const evs__login *login);

typedef enum evs__tls_next {
    EVS__TLS_DONE,       /* the handshake is over */
    EVS__TLS_WANT_READ,  /* go on when the socket is readable */
    EVS__TLS_WANT_WRITE, /* ... writable */
    EVS__TLS_FAILED      /* evs__tls_problem says why */
} evs__tls_next;

/* Begins on a connected socket; the descriptor stays the caller's. 0: failed. */
int evs__tls_begin(evs__tls *tls, int fd);
evs__tls_next evs__tls_handshake(evs__tls *tls);

/* Forgets the socket. The session is kept. */
void evs__tls_end(evs__tls *tls);

/* As evs__socket_send: what follows must begin with the bytes that were not accepted. */
ssize_t evs__tls_send(evs__tls *tls, const char *data, size_t len);

/* How many of the bytes that were not accepted are held. */
size_t evs__tls_held(const evs__tls *tls);

/* As evs__socket_recv. A result shorter than `len` says nothing about what is left in the socket,
 * but nothing is left here. `len` is at least 16 KB. */
ssize_t evs__tls_recv(evs__tls *tls, char *data, size_t len);

/* Looks without waiting whether there is something to read: 1 yes, -EAGAIN no, else as recv. */
ssize_t evs__tls_peek(evs__tls *tls);

/* What went wrong in TLS, one line; "" when nothing did. */
const char *evs__tls_problem(const evs__tls *tls);

/* "TLSv1.3", and whether the session was an earlier one's. */
const char *evs__tls_version(const evs__tls *tls);
int evs__tls_resumed(const evs__tls *tls);

#endif
