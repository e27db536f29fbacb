/*
 * watched.h - a primary, two replicas and three real sentinels that watch them, for tests.
 *
 * Sentinels replace nobody for a minute's silence, unless a test says that it may be so: on a slow
 * machine it would happen to any server. They end with the test program, however that ends.
 */
#ifndef EVS_TESTS_SUPPORT_WATCHED_H
#define EVS_TESTS_SUPPORT_WATCHED_H

#include "tools/scratch/scratch.h"
#include <evalshard/evalshard.h>
#include <hiredis/hiredis.h>

enum { WATCHED_SERVERS = 3, WATCHED_SENTINELS = 3 };

typedef struct watched_options {
    const char *password;   /* of the sentinels; NULL: none */
    unsigned down_after_ms; /* a server is down after so long; 0: a minute */
    const char *tls;   /* more lines of their configuration, for a TLS port; NULL: they have none */
    int debug;         /* servers let DEBUG be run */
    const char *users; /* more lines of their configuration; NULL: none */
} watched_options;

typedef struct watched {
    scratch *area;
    scratch_server *servers[WATCHED_SERVERS]; /* number 0 is the primary at first */
    redisContext *links[WATCHED_SERVERS];     /* for commands of the test itself */
    pid_t sentinels[WATCHED_SENTINELS];       /* 0: not running */
    int ports[WATCHED_SENTINELS];
    int tls_ports[WATCHED_SENTINELS]; /* with the option `tls` */
    const watched_options *options;
} watched;

/* Returns when the sentinels know each other and all servers. The primary is called "ledger-1"
 * there. `options` may be NULL, and is borrowed. Ends the test program when anything fails. */
void watched_start(watched *set, const watched_options *options);
void watched_stop(watched *set);

/* Ends one sentinel at once, starts it again with what it knew, tells it something. */
void watched_kill_sentinel(watched *set, size_t sentinel);
void watched_restart_sentinel(watched *set, size_t sentinel);
void watched_tell_sentinel(watched *set, size_t sentinel, const char *command);

/* From now on a primary that is silent for half a second is replaced by a replica, within two or
 * three; and no more. Of sentinels that run. */
void watched_allow_no_silence(watched *set);
void watched_allow_silence(watched *set);

/* The number of the primary by the word of one sentinel. */
size_t watched_primary(watched *set, size_t sentinel);

/* Waits, at most three minutes: until every running sentinel names the same primary, whose number
 * is returned; the same, another than `before`; until a server's reply to a command holds a text.
 */
size_t watched_agreed(watched *set);
size_t watched_await_switch(watched *set, size_t before);
void watched_await(watched *set, size_t server, const char *command, const char *text);

/* Makes a server replicate another as sentinels do: in the same moment its clients are sent away,
 * so that nobody calls it who takes it for a primary. */
void watched_demote(watched *set, size_t server, size_t primary);

/* Waits until a sentinel sees two working replicas and no failover under way. */
void watched_await_settled(watched *set, size_t sentinel);

/* Makes all servers one primary and two replicas again, which hold nothing, and waits until every
 * sentinel sees it so, which would see to it itself after ten seconds; silence is allowed again.
 * Returns the primary's number. */
size_t watched_settle(watched *set);

/* Connects to a server that was started again. */
void watched_relink(watched *set, size_t server);

/* Runs a command on a server; integers are returned, and strings that are integers. */
long long watched_number(watched *set, size_t server, const char *command);

/* "sentinels: {eu: {addresses: [...]}}" and a line end, with `more` keys for the group, each behind
 * a comma, and the TLS ports if `tls` is not 0. */
const char *watched_group(watched *set, const char *more, int tls, char out[512]);

#endif
