#include "core/net/resolve.h"

#include "core/mem.h"
#include "core/net/loop_inner.h"

#include <stdio.h>

struct evs__lookup {
    uv_getaddrinfo_t uv; /* first: libuv's request is the lookup */
    evs__loop *loop;
    evs__lookup_fn *done; /* NULL once dropped */
    void *owner;
};

enum { PORT_TEXT = 16 };

static void write_port(char *text, int port)
{
    snprintf(text, PORT_TEXT, "%d", port);
}

int evs__resolve_numeric(struct addrinfo **out, const char *host, int port)
{
    char service[PORT_TEXT];
    write_port(service, port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    return getaddrinfo(host, service, &hints, out) == 0 ? 0 : UV_EAI_NONAME;
}

static void looked_up(uv_getaddrinfo_t *request, int problem, struct addrinfo *found)
{
    evs__lookup *lookup = (evs__lookup *)request;
    evs__lookup_fn *done = lookup->done;
    void *owner = lookup->owner;
    evs__free(lookup);
    if (done != NULL)
        done(owner, problem, found);
    else
        uv_freeaddrinfo(found);
}

int evs__lookup_start(evs__lookup **out, evs__loop *loop, const char *host, int port,
                      evs__lookup_fn *done, void *owner)
{
    evs__lookup *lookup = evs__zalloc_array(1, sizeof *lookup);
    if (lookup == NULL)
        return UV_ENOMEM;
    char service[PORT_TEXT];
    write_port(service, port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int problem = uv_getaddrinfo(&loop->uv, &lookup->uv, looked_up, host, service, &hints);
    if (problem != 0) {
        evs__free(lookup);
        return problem;
    }
    lookup->loop = loop;
    lookup->done = done;
    lookup->owner = owner;
    *out = lookup;
    return 0;
}

void evs__lookup_drop(evs__lookup *lookup)
{
    if (lookup == NULL)
        return;
    lookup->done = NULL;
    /* In a forked child a thread of the parent may hold the lock that canceling takes. */
    if (!lookup->loop->forked)
        uv_cancel((uv_req_t *)&lookup->uv);
}

const char *evs__resolve_text(int problem)
{
    return uv_strerror(problem);
}
