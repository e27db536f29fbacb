/*
 * address.h - host:port, [v6]:port or unix:/path; also redis:// or rediss:// and host, [v6],
 * host:port or [v6]:port, where the port may be missing.
 */
#ifndef EVS_CONF_ADDRESS_H
#define EVS_CONF_ADDRESS_H

#include "conf/fields.h"
#include "core/endpoint.h"

typedef enum evs__scheme {
    EVS__SCHEME_NONE,
    EVS__SCHEME_REDIS,
    EVS__SCHEME_REDISS /* by TLS */
} evs__scheme;

evs__scheme evs__address_scheme(const evs__yaml *value);

/* Reads the text `value` into `out`, which lives in the map's arena. 0 after complaining. */
int evs__read_address(evs__reading *r, const evs__yaml *value, evs__endpoint *out);

#endif
