/*
 * secret.h - where a password comes from, and the password.
 *
 * A source is read when the first shard needs it and only once, so a secret that nobody uses need
 * not exist. What was read is never in a message.
 */
#ifndef EVS_CONF_SECRET_H
#define EVS_CONF_SECRET_H

#include "conf/fields.h"
#include "core/endpoint.h"

typedef enum evs__secret_kind {
    EVS__SECRET_PLAIN, /* in the map itself */
    EVS__SECRET_ENV,
    EVS__SECRET_FILE
} evs__secret_kind;

typedef struct evs__secret {
    evs__secret_kind kind;
    const evs__yaml *at; /* the name of the variable or file, or the password */
    const char *owner;   /* for messages: auth of shard "a" */
    int tried;
    const char *value;                /* NULL when it could not be had */
    const evs__secret_source *source; /* in the map's arena; NULL: it cannot be read again */
} evs__secret;

/* A source for what is being read; NULL after complaining. */
evs__secret *evs__secret_new(evs__reading *r, evs__secret_kind kind, const evs__yaml *at);

/* The password, in the map's arena; NULL after complaining. */
const char *evs__secret_value(evs__reading *r, evs__secret *secret);

#endif
