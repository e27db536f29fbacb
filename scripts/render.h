/*
 * render.h - requests as bytes. The part of an EVALSHA that does not change from call to call is
 * rendered once per script and number of keys.
 */
#ifndef EVS_SCRIPTS_RENDER_H
#define EVS_SCRIPTS_RENDER_H

#include "core/buf.h"

/* "\r\n$7\r\nEVALSHA\r\n$40\r\n<sha>\r\n$1\r\n2\r\n": everything between the number of arguments
 * and the first key. */
typedef struct evs__head {
    size_t nkeys;
    size_t len; /* 0: not rendered yet */
    char text[96];
} evs__head;

void evs__head_render(evs__head *head, const char *sha1, size_t nkeys);

/* EVALSHA with `keys` and `args`; head->nkeys is the number of keys. */
void evs__render_evalsha(evs__buf *buf, const evs__head *head, const evs_bytes *keys,
                         const evs_bytes *args, size_t nargs);

void evs__render_command(evs__buf *buf, const evs_bytes *args, size_t nargs);

/* Argument number `index` (0 is the command) of a rendered request; empty when there is none. */
evs_bytes evs__rendered_argument(evs_bytes request, size_t index);

#endif
