/*
 * sha1.h - SHA-1 (FIPS 180-4), because a script is known to a server by that of its bytes.
 */
#ifndef EVS_CORE_SHA1_H
#define EVS_CORE_SHA1_H

#include <evalshard/base.h>

/* Writes 40 lower-case hexadecimal digits and a NUL. */
void evs__sha1_hex(char out[41], evs_bytes data);

#endif
