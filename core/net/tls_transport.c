/*
 * tls_transport.c - OpenSSL's own way to a socket raises SIGPIPE; this one does not.
 */
#include "core/net/tls_inner.h"

#include <errno.h>
#include <sys/socket.h>

static int would_block(int problem)
{
    return problem == EAGAIN || problem == EWOULDBLOCK || problem == EINTR;
}

static int settle(BIO *bio, ssize_t n, int retry)
{
    evs__tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (n >= 0)
        return (int)n;
    if (would_block(errno))
        BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
    else
        tls->os_error = errno;
    return -1;
}

static int write_some(BIO *bio, const char *data, int len)
{
    evs__tls *tls = BIO_get_data(bio);
    return settle(bio, send(tls->fd, data, (size_t)len, MSG_NOSIGNAL), BIO_FLAGS_WRITE);
}

static int read_some(BIO *bio, char *data, int len)
{
    evs__tls *tls = BIO_get_data(bio);
    ssize_t n = recv(tls->fd, data, (size_t)len, 0);
    if (n == 0 && len > 0)
        tls->at_end = 1;
    return settle(bio, n, BIO_FLAGS_READ);
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    const evs__tls *tls = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF)
        return tls->at_end;
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *evs__tls_transport_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "evalshard");
    if (method == NULL)
        return NULL;
    BIO_meth_set_write(method, write_some);
    BIO_meth_set_read(method, read_some);
    BIO_meth_set_ctrl(method, control);
    return method;
}
