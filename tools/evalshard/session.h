/*
 * session.h - what most commands begin with: the map, the scripts, a client.
 *
 * Each function returns EXIT_FINE, or prints what is wrong and returns the exit code for it.
 */
#ifndef EVS_TOOLS_SESSION_H
#define EVS_TOOLS_SESSION_H

#include <evalshard/evalshard.h>

#include "tools/evalshard/opt.h"

typedef struct session {
    evs_shardmap *map;
    evs_registry *registry;
    evs_client *client;
} session;

/* The map's path: `given`, else $EVALSHARD_MAP; NULL, and that is printed, when there is neither.
 */
const char *session_map_path(const char *given);

int session_load_map(session *s, const char *given);

/* From `given`, else $EVALSHARD_SCRIPTS, else the scripts that ship with evalshard. */
int session_load_scripts(session *s, const char *given);

/* Both, and a client. */
int session_open(session *s, const char *map, const char *scripts);

/* The same from a path and the scripts that ship with evalshard, whatever the environment says. */
int session_open_shipped(session *s, const char *map);

void session_close(session *s);

/* The exit code for a call or command that ended with `status`. */
int session_exit_code(evs_status status);

/* "pool/shard", which is unambiguous in every map; yours to free. */
char *session_shard_name(const evs_shard_info *shard);

/* Does the shard stand for a real cluster? */
int session_is_cluster(const evs_shardmap *map, const evs_shard_info *shard);

/* Sends the command of `nwords` words to `shard`; `*out` is yours to free. */
evs_status session_ask(evs_reply **out, const session *s, const char *shard, const evs_bytes *words,
                       size_t nwords, evs_error *err);

/* Says on standard error that no reply came, with outcome. */
void session_complain(const evs_error *err);

#endif
