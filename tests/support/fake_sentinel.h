/*
 * fake_sentinel.h - a sentinel that says what it is told to say, on 127.0.0.1, from a thread of its
 * own, to any number of connections, 64 of them at the same time.
 *
 *     fake_sentinel *one = fake_sentinel_start();
 *     fake_sentinel_know(one, "ledger-1", port, 3);
 *     ... a client asks it ...
 *     fake_sentinel_publish(one, "ledger-1", port, other);
 *     fake_sentinel_stop(one);
 *
 * A primary is at 127.0.0.1 and a port. All functions may be called while it runs.
 */
#ifndef EVS_TESTS_SUPPORT_FAKE_SENTINEL_H
#define EVS_TESTS_SUPPORT_FAKE_SENTINEL_H

#include <stddef.h>

typedef struct fake_sentinel fake_sentinel;

/* Fails the test when that is not possible. */
fake_sentinel *fake_sentinel_start(void);
void fake_sentinel_stop(fake_sentinel *one);

int fake_sentinel_port(const fake_sentinel *one);

/* From now on it knows the primary at `port` and its epoch; port 0: it knows no such name. */
void fake_sentinel_know(fake_sentinel *one, const char *name, int port, int epoch);

/* From now on it knows one more replica of that primary, at `port`: its flags, "slave" if it is
 * well, and the state of its link, "ok". Port 0: it knows none. */
void fake_sentinel_list(fake_sentinel *one, const char *name, int port, const char *flags,
                        const char *link);

/* From now on it answers nothing (1) but the greeting, refuses SUBSCRIBE (1). */
void fake_sentinel_mute(fake_sentinel *one, int mute);
void fake_sentinel_refuse_subscribers(fake_sentinel *one, int refuse);

/* The next `count` connections that ask for an address get no answer any more. Those that asked for
 * INFO before do not count: they are of who looks at the sentinel itself, not of clients. */
void fake_sentinel_miss(fake_sentinel *one, size_t count);

/* Tells subscribers of a switch. It does not change what the sentinel knows. */
void fake_sentinel_publish(fake_sentinel *one, const char *name, int before, int after);

/* Tells those subscribers that listen to more of something that happened to a replica. */
void fake_sentinel_publish_replica(fake_sentinel *one, const char *channel, const char *name,
                                   int replica, int primary);

/* How many of those there were. */
size_t fake_sentinel_listeners(fake_sentinel *one);

/* How often it was asked for addresses, how many connections and subscribers there were. */
size_t fake_sentinel_asked(fake_sentinel *one);
size_t fake_sentinel_connections(fake_sentinel *one);
size_t fake_sentinel_subscribers(fake_sentinel *one);

#endif
