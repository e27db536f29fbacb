/*
 * tls_off.c - in the place of the other tls files when the library is built without TLS. A shard
 * map that asks for TLS is refused earlier; the few functions that may be reached all the same say
 * why.
 */
#include "core/net/tls.h"

#include "core/mem.h"

#include <errno.h>

struct evs__tls {
    const evs__login *login;
};

evs__tls_contexts *evs__tls_contexts_new(void)
{
    return evs__zalloc_array(1, 1);
}

void evs__tls_contexts_free(evs__tls_contexts *contexts)
{
    evs__free(contexts);
}

evs__tls *evs__tls_new(evs__tls_contexts *contexts, const evs__login *login)
{
    (void)contexts;
    evs__tls *tls = evs__zalloc_array(1, sizeof *tls);
    if (tls != NULL)
        tls->login = login;
    return tls;
}

void evs__tls_set_login(evs__tls *tls, const evs__login *login)
{
    tls->login = login;
}

void evs__tls_free(evs__tls *tls)
{
    evs__free(tls);
}

int evs__tls_begin(evs__tls *tls, int fd)
{
    (void)tls;
    (void)fd;
    return 0;
}

evs__tls_next evs__tls_handshake(evs__tls *tls)
{
    (void)tls;
    return EVS__TLS_FAILED;
}

void evs__tls_end(evs__tls *tls)
{
    (void)tls;
}

ssize_t evs__tls_send(evs__tls *tls, const char *data, size_t len)
{
    (void)tls;
    (void)data;
    (void)len;
    return -EPROTO;
}

size_t evs__tls_held(const evs__tls *tls)
{
    (void)tls;
    return 0;
}

ssize_t evs__tls_recv(evs__tls *tls, char *data, size_t len)
{
    (void)tls;
    (void)data;
    (void)len;
    return -EPROTO;
}

ssize_t evs__tls_peek(evs__tls *tls)
{
    (void)tls;
    return -EPROTO;
}

const char *evs__tls_problem(const evs__tls *tls)
{
    (void)tls;
    return "this build of evalshard has no TLS";
}

const char *evs__tls_version(const evs__tls *tls)
{
    (void)tls;
    return "";
}

int evs__tls_resumed(const evs__tls *tls)
{
    (void)tls;
    return 0;
}
