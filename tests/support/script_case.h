/*
 * script_case.h - shipped scripts on a real server, told in tables.
 *
 *     {"a free lock is taken", "", "lock/acquire L / 10 me", "+OK", "L=me (expires)"},
 *
 * Each case begins with an empty server. Calls are EVAL of the shipped text over hiredis, so a test
 * shows the script alone.
 */
#ifndef EVS_TESTS_SUPPORT_SCRIPT_CASE_H
#define EVS_TESTS_SUPPORT_SCRIPT_CASE_H

#include "core/buf.h"

#include <hiredis/hiredis.h>

typedef struct script_case {
    const char *what;
    const char *before;  /* commands, separated by "; " */
    const char *calls;   /* "NAME KEY... / ARG...", separated by "; "; a plain command after "!" */
    const char *replies; /* of the calls, separated by "; ": +status -error :integer $text _ ;
                            an error without the place in the script that a server adds */
    const char *after;   /* what the server holds then, as script_server_dump says it */
} script_case;

typedef struct script_server {
    redisContext *redis;
    struct scratch *area;
} script_server;

/* cmocka fixtures: `*state` is a script_server for the group. */
int script_server_start(void **state);
int script_server_stop(void **state);

void assert_cases(script_server *server, const script_case *cases, size_t count);

/* Empties the server, then runs commands separated by "; ". */
void script_server_fill(script_server *server, const char *commands);

/* Runs the shipped script `name`; the first `nkeys` words are keys. freeReplyObject the reply. */
redisReply *script_eval(script_server *server, const char *name, const evs_bytes *words,
                        size_t nkeys, size_t nwords);

/* Appends every key in order: text K=v, hash K={f=v f=v}, sorted set K=[m:score], else K=type;
 * those that end by themselves have " (expires)". */
void script_server_dump(evs__buf *out, script_server *server);

#endif
