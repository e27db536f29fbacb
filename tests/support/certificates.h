/*
 * certificates.h - a small public key infrastructure in a folder, made by the openssl command.
 *
 *   ca.pem                     signed all below but stranger.pem
 *   server.pem, server.key     for localhost, 127.0.0.1 and ::1
 *   other.pem, other.key       for other.example
 *   old.pem, old.key           as server, but expired
 *   client.pem, client.key     for a client
 *   stranger.pem, stranger.key signed by itself
 *   locked.key                 client.key behind a password
 */
#ifndef EVS_TESTS_SUPPORT_CERTIFICATES_H
#define EVS_TESTS_SUPPORT_CERTIFICATES_H

#include "tools/scratch/scratch.h"

/* Each fails the test when that is not possible. */
void certificates_make(const char *folder);

/* A server of TLS with the certificate of that name, in an area whose folder has them. `clients`
 * says whether it wants one of ours ("no", "yes", "optional"), `versions` is as for
 * tls-protocols. */
scratch_server *certificates_serve(scratch *area, const char *name, const char *cert,
                                   const char *clients, const char *versions);

#endif
