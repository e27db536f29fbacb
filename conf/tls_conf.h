/*
 * tls_conf.h - the key `tls`: true, false, or a mapping, which also means true.
 *
 * A mapping inside another place's (a shard's in its pool's, ...) replaces what it names, key by
 * key. Files are looked at when the first shard needs them and only once.
 */
#ifndef EVS_CONF_TLS_CONF_H
#define EVS_CONF_TLS_CONF_H

#include "conf/fields.h"
#include "core/endpoint.h"

/* One of the paths. */
typedef struct evs__tls_path {
    const evs__yaml *at;
    const char *path; /* full, in the map's arena; NULL when it could not be had */
    int tried;
    int blamed; /* for standing alone */
} evs__tls_path;

typedef struct evs__tls_keys {
    const evs__yaml *on; /* what decided last; NULL: nothing did */
    int wanted;
    evs__tls_path *ca_file, *ca_dir, *cert_file, *key_file; /* NULL: none */
    int verify;                                             /* evs__tls_verify */
    int only_1_3;
    const char *server_name;
} evs__tls_keys;

/* Reads the value of `tls` into the evs__tls_keys `at`. */
void evs__read_tls(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at);

/* Decides whether the shard at `login->endpoint` is reached by TLS, and how. `address` is where the
 * endpoint stands. */
void evs__tls_login(evs__reading *r, const evs__tls_keys *keys, const evs__yaml *address,
                    evs__login *login);

#endif
