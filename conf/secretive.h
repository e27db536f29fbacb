/*
 * secretive.h - what looks like a secret, so that no message ever shows one.
 */
#ifndef EVS_CONF_SECRETIVE_H
#define EVS_CONF_SECRETIVE_H

#include <evalshard/base.h>

/* Whether the value of a key of this name may be a password ("password", "Passwort", "auth"). The
 * names that say where a password is (password_env, password_file) are not. */
int evs__secretive_key(evs_bytes key);

/* The same for a whole mapping or list, where only the clear cases count. */
int evs__password_key(evs_bytes key);

/* Whether a text may hold one: "redis://user:password@host", "password:x" without its space. */
int evs__secretive_text(evs_bytes text);

/* Overwrites with asterisks, in one line of text that could not be parsed, everything behind a
 * secretive key or before an @ sign. `previous` is the line above. */
void evs__mask_line(char *line, size_t len, evs_bytes previous);

#endif
