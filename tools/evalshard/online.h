/*
 * online.h - every server of a map, the nodes of its clusters included, asked at the same time
 * whether it is fit to be a shard; and every sentinel what it knows of shards.
 */
#ifndef EVS_TOOLS_ONLINE_H
#define EVS_TOOLS_ONLINE_H

#include "tools/evalshard/json.h"
#include "tools/evalshard/probe.h"
#include "tools/evalshard/session.h"

typedef struct online {
    const session *s;
    probe *servers; /* ours, in the order of the map; nodes that were found come last */
    size_t nservers, room;
    evs_client **clients; /* ours, of maps of nodes */
    size_t nclients;
    evs_client *client;  /* ours, of the map itself */
    evs_registry *empty; /* ours: no script is called, only asked for */
    size_t errors, warnings;
    int unreachable; /* one did not answer at all */
} online;

/* Asks all servers of s->map; scripts when there is a registry. Shows progress. Returns EXIT_FINE,
 * or prints what is wrong and returns the exit code for it. Findings are in `out` then. */
int online_ask(online *out, const session *s);
void online_free(online *o);

/* A table of servers and the findings below, for people; members of an open object. */
void online_print(const online *o);
void online_print_json(const online *o, json *j);

#endif
