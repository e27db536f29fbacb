/*
 * tls.c - one connection's TLS: handshake, bytes, session.
 */
#include "core/net/tls_inner.h"

#include "core/mem.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

evs__tls *evs__tls_new(evs__tls_contexts *contexts, const evs__login *login)
{
    evs__tls *tls = evs__zalloc_array(1, sizeof *tls);
    if (tls == NULL)
        return NULL;
    tls->contexts = contexts;
    tls->login = login;
    tls->fd = -1;
    return tls;
}

void evs__tls_set_login(evs__tls *tls, const evs__login *login)
{
    tls->login = login;
}

static void forget_session(evs__tls *tls)
{
    SSL_SESSION_free(tls->session);
    tls->session = NULL;
}

/* Without a word: the other end may be in use by the parent of this process. To say that the words
 * were said keeps the session usable. */
void evs__tls_end(evs__tls *tls)
{
    if (tls == NULL || tls->ssl == NULL)
        return;
    SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(tls->ssl);
    tls->ssl = NULL;
    tls->fd = -1;
    tls->held = 0;
}

void evs__tls_free(evs__tls *tls)
{
    if (tls == NULL)
        return;
    evs__tls_end(tls);
    forget_session(tls);
    SSL_CTX_free(tls->context);
    evs__free(tls);
}

int evs__tls_new_session(SSL *ssl, SSL_SESSION *session)
{
    evs__tls *tls = SSL_get_app_data(ssl);
    forget_session(tls);
    tls->session = session;
    return 1; /* it is ours now */
}

/* ---- the handshake ---- */

const char *evs__tls_peer(const evs__login *login)
{
    return login->tls->server_name != NULL ? login->tls->server_name : login->endpoint.host;
}

/* `text` without the zone of an IPv6 address, which is this machine's name for an interface. */
static int is_address(char out[EVS__TLS_PEER], const char *text)
{
    struct in6_addr ignored;
    snprintf(out, EVS__TLS_PEER, "%s", text);
    out[strcspn(out, "%")] = '\0';
    return inet_pton(AF_INET6, out, &ignored) == 1 || inet_pton(AF_INET, out, &ignored) == 1;
}

/* Servers are asked for by name only: RFC 6066 has no addresses in the name indication. */
static int name_peer(SSL *ssl, const evs__login *login)
{
    char address[EVS__TLS_PEER];
    const char *peer = evs__tls_peer(login);
    int full = login->tls->verify == EVS__VERIFY_FULL;
    if (peer == NULL)
        return !full;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (is_address(address, peer))
        return !full || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), address);
    return SSL_set_tlsext_host_name(ssl, peer) && (!full || SSL_set1_host(ssl, peer));
}

static int attach(evs__tls *tls, int fd)
{
    BIO *bio = BIO_new(evs__tls_transport(tls->contexts));
    if (bio == NULL)
        return 0;
    tls->fd = fd;
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    return 1;
}

/* A session vouches for what was verified with its context, for the name it was verified for, and
 * for nothing else. */
static void resume(evs__tls *tls, SSL_CTX *context)
{
    const char *name = evs__tls_peer(tls->login);
    const char *peer = name == NULL ? "" : name;
    if (tls->context != context || strcmp(tls->peer, peer) != 0)
        forget_session(tls);
    snprintf(tls->peer, sizeof tls->peer, "%s", peer);
    if (tls->context != context) {
        SSL_CTX_free(tls->context);
        SSL_CTX_up_ref(context);
        tls->context = context;
    }
    if (tls->session != NULL)
        SSL_set_session(tls->ssl, tls->session);
}

int evs__tls_begin(evs__tls *tls, int fd)
{
    tls->problem[0] = '\0';
    tls->at_end = 0;
    tls->os_error = 0;
    SSL_CTX *context = evs__tls_context(tls->contexts, tls->login->tls, tls->problem);
    if (context == NULL)
        return 0;
    tls->ssl = SSL_new(context);
    if (tls->ssl == NULL || !attach(tls, fd) || !SSL_set_app_data(tls->ssl, tls) ||
        !name_peer(tls->ssl, tls->login)) {
        snprintf(tls->problem, sizeof tls->problem, "%s",
                 evs__tls_peer(tls->login) == NULL ? "there is no name to verify"
                                                   : "OpenSSL cannot begin");
        ERR_clear_error();
        return 0;
    }
    resume(tls, context);
    SSL_set_connect_state(tls->ssl);
    return 1;
}

evs__tls_next evs__tls_handshake(evs__tls *tls)
{
    ERR_clear_error();
    int done = SSL_do_handshake(tls->ssl);
    if (done == 1)
        return EVS__TLS_DONE;
    switch (SSL_get_error(tls->ssl, done)) {
    case SSL_ERROR_WANT_READ:
        return EVS__TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return EVS__TLS_WANT_WRITE;
    default:
        evs__tls_explain(tls);
        forget_session(tls);
        return EVS__TLS_FAILED;
    }
}

/* ---- bytes ---- */

/* What a call that moved no bytes came to. */
static ssize_t trouble(evs__tls *tls, int result)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        return -tls->os_error;
    default:
        if (tls->problem[0] == '\0') /* what comes behind the first is its consequence */
            evs__tls_explain(tls);
        ERR_clear_error();
        forget_session(tls);
        return -EPROTO;
    }
}

/* Each call makes one record at most, so that what is held when it is refused is all it was given.
 */
ssize_t evs__tls_send(evs__tls *tls, const char *data, size_t len)
{
    size_t done = 0;
    ERR_clear_error();
    while (done < len) {
        size_t part = len - done < EVS__TLS_RECORD ? len - done : EVS__TLS_RECORD;
        if (tls->held > 0)
            part = tls->held;
        assert(part <= len - done);
        int n = SSL_write(tls->ssl, data + done, (int)part);
        if (n <= 0) {
            ssize_t problem = trouble(tls, n);
            tls->held = problem == -EAGAIN ? part : 0;
            return done > 0 ? (ssize_t)done : problem == 0 ? -EPIPE : problem;
        }
        tls->held = 0;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

size_t evs__tls_held(const evs__tls *tls)
{
    return tls->held;
}

/* A record that is not full is most likely the last for now; when it is not, the socket is still
 * readable and says so. There is always room for a whole record, so none is left half taken. */
ssize_t evs__tls_recv(evs__tls *tls, char *data, size_t len)
{
    size_t done = 0;
    int n;
    ERR_clear_error();
    do {
        n = SSL_read(tls->ssl, data + done, (int)(len - done));
        if (n <= 0) {
            ssize_t problem = trouble(tls, n); /* OpenSSL says it only now */
            return done > 0 ? (ssize_t)done : problem;
        }
        done += (size_t)n;
    } while (n == EVS__TLS_RECORD && len - done >= EVS__TLS_RECORD);
    return (ssize_t)done;
}

ssize_t evs__tls_peek(evs__tls *tls)
{
    char byte;
    ERR_clear_error();
    int n = SSL_peek(tls->ssl, &byte, 1);
    return n > 0 ? n : trouble(tls, n);
}

const char *evs__tls_problem(const evs__tls *tls)
{
    return tls->problem;
}

const char *evs__tls_version(const evs__tls *tls)
{
    return tls->ssl == NULL ? "" : SSL_get_version(tls->ssl);
}

int evs__tls_resumed(const evs__tls *tls)
{
    return tls->ssl != NULL && SSL_session_reused(tls->ssl);
}
