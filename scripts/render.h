/*
 * render.h - requests as bytes. The part of an EVALSHA that does not change from call to call is
 * rendered once per script.
 */
#ifndef EVS_SCRIPTS_RENDER_H
#define EVS_SCRIPTS_RENDER_H

#include "core/buf.h"
#include <evalshard/client.h>

/* "*4\r\n$7\r\nEVALSHA\r\n$40\r\n<sha>\r\n$1\r\n1\r\n": all that stands before the keys, with two
 * digits to be put in. The rest of `text` is zero, so that it can be copied as a whole. */
typedef struct evs__head {
    char text[80];
} evs__head;

void evs__head_render(evs__head *head, const char *sha1);

/* EVALSHA with the keys and arguments of `call`. */
void evs__render_evalsha(evs__buf *buf, const evs__head *head, const evs_invocation *call);

/* The same by EVALSHA_RO. */
void evs__render_evalsha_ro(evs__buf *buf, const char *sha1, const evs_invocation *call);

void evs__render_command(evs__buf *buf, const evs_bytes *args, size_t nargs);

/* Argument number `index` (0 is the command) of a rendered request; empty when there is none. */
evs_bytes evs__rendered_argument(evs_bytes request, size_t index);

#endif
