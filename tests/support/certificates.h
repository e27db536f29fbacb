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

/* Fails the test when that is not possible. */
void certificates_make(const char *folder);

#endif
