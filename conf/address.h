/*
 * address.h - host:port, [v6]:port or unix:/path.
 */
#ifndef EVS_CONF_ADDRESS_H
#define EVS_CONF_ADDRESS_H

#include "conf/fields.h"
#include "core/endpoint.h"

/* Reads the text `value` into `out`, which lives in the map's arena. 0 after complaining. */
int evs__read_address(evs__reading *r, const evs__yaml *value, evs__endpoint *out);

#endif
