/*
 * spread.h - a call without keys where the map says `on_no_keys: all`: it goes to every shard of
 * the pool, and their replies come back as one array.
 */
#ifndef EVS_SCRIPTS_ENGINE_SPREAD_H
#define EVS_SCRIPTS_ENGINE_SPREAD_H

#include <evalshard/client.h>

/* Does the map want that of the call? */
int evs__spread_wanted(evs_client *client, const evs_invocation *call);

/* As evs_call does it. An array of replies in the order of the map's shards, when all of them are
 * fine; else the first failure, and what became of the whole as its outcome. */
evs_status evs__spread_call(evs_reply **out, evs_client *client, const evs_invocation *call,
                            evs_error *err);

#endif
