/*
 * proxy.h - stands between a client and a real server, forwards both ways, and does harm at the
 * byte it is told.
 *
 *     proxy *wire = proxy_start(scratch_address(server));
 *     proxy_harm(wire, &(proxy_fault){.what = PROXY_CLOSE, .way = PROXY_DOWN, .at = 17});
 *     ... connect to proxy_address(wire); the client gets 17 bytes, then the end ...
 *     proxy_settle(wire);                       // the server has dealt with all it got
 *     proxy_stop(wire);
 *
 * It runs on a thread of its own and serves any number of connections. When the client's side of
 * one has ended, the server is given what was forwarded, told the end, and read to its end, so that
 * after proxy_settle one can ask the server what it did.
 */
#ifndef EVS_TESTS_SUPPORT_PROXY_H
#define EVS_TESTS_SUPPORT_PROXY_H

#include <evalshard/base.h>

typedef struct proxy proxy;

typedef enum proxy_way { PROXY_UP, PROXY_DOWN } proxy_way; /* to the server, to the client */

typedef enum proxy_what {
    PROXY_CLOSE,  /* the client sees the end; nothing from this byte on is forwarded, either way */
    PROXY_RESET,  /* the same, but the client sees a reset */
    PROXY_HOLD,   /* nothing more goes this way until proxy_go */
    PROXY_FREEZE, /* nothing more goes either way until proxy_go, and nothing is closed: half-open
                   */
    PROXY_INSERT, /* `data` comes in front of this byte */
    PROXY_SPLIT,  /* what comes from this byte on leaves a little later than what was before */
    PROXY_DRIP    /* from this byte on each is sent alone */
} proxy_what;

typedef struct proxy_fault {
    proxy_what what;
    proxy_way way;
    size_t at;      /* bytes of that direction, from the beginning of the connection */
    int at_once;    /* it happens when the byte before was forwarded; else when this one came */
    int alone;      /* connections that come after the fault are reset at once */
    evs_bytes data; /* of INSERT; borrowed until it happened */
} proxy_fault;

/* `address` is one of scratch_address, or "127.0.0.1:PORT". Ends the test program when that is not
 * possible. */
proxy *proxy_start(const char *address);
const char *proxy_address(const proxy *wire); /* "127.0.0.1:PORT" */
int proxy_port(const proxy *wire);

/* One fault, once: of the newest connection if there is one, else of the next. It takes the place
 * of one that has not happened, and lets connections come again. NULL: none. */
void proxy_harm(proxy *wire, const proxy_fault *fault);

/* Waits until the fault has happened. */
void proxy_await(proxy *wire);

/* Ends HOLD and FREEZE of all connections. */
void proxy_go(proxy *wire);

/* Bytes of the newest connection that were forwarded; inserted ones do not count. */
size_t proxy_forwarded(proxy *wire, proxy_way way);

/* Connections that were served so far. */
size_t proxy_connections(proxy *wire);

/* Waits until no connection is left: clients have to be gone, or cut off, and nothing be held. */
void proxy_settle(proxy *wire);

void proxy_stop(proxy *wire);

#endif
