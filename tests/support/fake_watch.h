/*
 * fake_watch.h - a client of servers that sentinels watch, where all of these say what they are
 * told to.
 *
 *     fake_watch w;
 *     fake_watch_start(&w, 1, FAKE_START(FAKE_TCP, steps), NULL);
 *     fake_watch_open(&w, ", refresh: 1h", "shards: {" FAKE_WATCH_ONE "}");
 *     fake_watch_call(&w, "add", 1);
 *     fake_watch_stop(&w);
 *
 * The scripts are "add", which counts, and "get", which says that it only reads. Everything here
 * ends the test when it fails.
 */
#ifndef EVS_TESTS_SUPPORT_FAKE_WATCH_H
#define EVS_TESTS_SUPPORT_FAKE_WATCH_H

#include "tests/support/fake_sentinel.h"
#include "tests/support/fake_shard.h"

#include <evalshard/evalshard.h>

enum { FAKE_WATCH_MOST = 3 };

/* An entry of `shards`: shard "a", whose primary sentinels call "m". */
#define FAKE_WATCH_ONE "a: {sentinel: eu, master_name: m}"

/* What a server answers to ROLE. */
#define FAKE_PRIMARY "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
#define FAKE_REPLICA "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:0\r\n"

/* Three steps: CLIENT SETNAME and ROLE come in one write. */
#define FAKE_GREET_AS(role) FAKE_ACCEPT, FAKE_COMMANDS(2), FAKE_SAY("+OK\r\n" role)

/* Two steps: SCRIPT LOAD and EVALSHA, whose own answer decides; it makes the script known. */
#define FAKE_FIRST_CALL(answer) FAKE_COMMANDS(2), FAKE_SAY("-ERR no\r\n" answer)

typedef struct fake_watch {
    fake_sentinel *sentinels[FAKE_WATCH_MOST];
    size_t count;
    fake_shard *a, *b;
    evs_registry *registry;
    evs_client *client;
    char log[8192]; /* the client's: lines "<shard>: <message>" */
} fake_watch;

/* Starts `count` sentinels, and takes over two servers, each of which may be NULL. All sentinels
 * know `a` as the primary of "m" since epoch 1; without it, none. */
void fake_watch_start(fake_watch *w, size_t count, fake_shard *a, fake_shard *b);
void fake_watch_stop(fake_watch *w);

/* `more` are keys of the group "eu", which is all sentinels, each behind a comma; `rest` is what
 * follows the groups in the map. */
void fake_watch_open(fake_watch *w, const char *more, const char *rest);

int fake_watch_port(const fake_shard *server);
uint64_t fake_watch_switches(const fake_watch *w);

/* What became of a call. */
typedef struct fake_watch_ending {
    int done; /* how often that was told */
    evs_status status;
    evs_outcome outcome;
    int64_t number;
    char message[1024];
} fake_watch_ending;

/* The completion of a call; `arg` is its ending. */
void fake_watch_ended(void *arg, const evs_result *result);

void fake_watch_submit(fake_watch *w, const char *script, const char *key, fake_watch_ending *end);

/* Drives the client until that call has ended; which has to work, with that number. */
void fake_watch_await(fake_watch *w, const fake_watch_ending *end);
void fake_watch_await_number(fake_watch *w, const fake_watch_ending *end, int64_t expected);

/* One call that works, with that number. */
void fake_watch_call(fake_watch *w, const char *script, int64_t expected);

/* Drives the client so often, a millisecond each at most; until the server has taken so many steps;
 * until each sentinel has had a subscriber. */
void fake_watch_drive(fake_watch *w, int rounds);
void fake_watch_await_steps(fake_watch *w, fake_shard *server, size_t steps);
void fake_watch_await_subscribers(fake_watch *w);

#endif
