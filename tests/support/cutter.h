/*
 * cutter.h - a proxy on 127.0.0.1 that cuts the wire after a number of bytes, in either direction.
 *
 *     cutter *wire = cutter_start(port_of_the_server);
 *     cutter_cut(wire, CUTTER_UP, 517);   // the next connection ends after 517 bytes of the client
 *     ... connect to 127.0.0.1:cutter_port(wire) ...
 *     cutter_stop(wire);
 *
 * It runs on a thread of its own, one connection at a time. A connection that is cut is reset on
 * both sides, so that what was forwarded before may still arrive. What is beyond the limit is
 * never forwarded.
 */
#ifndef EVS_TESTS_SUPPORT_CUTTER_H
#define EVS_TESTS_SUPPORT_CUTTER_H

#include <stddef.h>

typedef struct cutter cutter;

typedef enum cutter_way { CUTTER_UP, CUTTER_DOWN } cutter_way; /* to the server, to the client */

/* Fails the test when that is not possible. */
cutter *cutter_start(int port);
int cutter_port(const cutter *wire);

/* For the connections that begin from now on; SIZE_MAX: no limit. The other direction has none. */
void cutter_cut(cutter *wire, cutter_way way, size_t bytes);

/* Bytes that the last connection that ended, or is there, forwarded in that direction. */
size_t cutter_forwarded(cutter *wire, cutter_way way);

void cutter_stop(cutter *wire);

#endif
