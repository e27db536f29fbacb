/*
 * Servers that turn a client away before it calls, or instead of running what it calls: protected
 * mode on an address that strangers come to, and a replica that names its primary (Valkey, to
 * clients that asked for it: played by a server that is none).
 */
#include "tests/support/fake_shard.h"
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

enum { TIMEOUT_MS = 20000 };

static const char HONEST[] = "redis.call('INCR', KEYS[1]) return 1";
static const char LIAR[] = "return redis.pcall('INCR', KEYS[1])";

typedef struct world {
    shards set;
    evs_client *hasty;
} world;

static void open_world_with(world *w, const char *address, const char *settings)
{
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.patience = EVS_PATIENCE_NONE;
    memset(w, 0, sizeof *w);
    shards_open(&w->set, &address, 1, settings);
    shards_script(&w->set, "honest", HONEST);
    shards_script(&w->set, "liar", LIAR);
    assert_int_equal(evs_client_open(&w->hasty, w->set.map, w->set.registry, &options, NULL),
                     EVS_OK);
}

static void open_world(world *w, const char *address)
{
    open_world_with(w, address, "    client_name: test\n");
}

static void close_world(world *w)
{
    evs_client_free(w->hasty);
    shards_stop(&w->set);
}

static evs_status call(evs_client *client, const char *script, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes key = evs_text("c");
    evs_invocation one = {.script = script, .keys = &key, .nkeys = 1, .timeout_ms = TIMEOUT_MS};
    evs_status status = evs_call(&reply, client, &one, err);
    evs_reply_free(reply);
    return status;
}

static evs_status run_get(evs_client *client, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes words[] = {evs_text("GET"), evs_text("c")};
    evs_plain_command get = {.args = words, .nargs = 2, .timeout_ms = TIMEOUT_MS};
    evs_status status = evs_command(&reply, client, &get, err);
    evs_reply_free(reply);
    return status;
}

static void expect_turned_away(world *w, const char *script)
{
    evs_error err;
    assert_int_equal(call(w->hasty, script, &err), EVS_E_DENIED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "unning in protected mode"));
}

/* ---- protected mode ---- */

/* An address of this machine that is not its loopback's. 0 when there is none. */
static int own_address(char out[INET_ADDRSTRLEN])
{
    struct ifaddrs *all;
    int found = 0;
    if (getifaddrs(&all) != 0)
        return 0;
    for (struct ifaddrs *one = all; one != NULL && !found; one = one->ifa_next) {
        if (one->ifa_addr == NULL || one->ifa_addr->sa_family != AF_INET ||
            (one->ifa_flags & IFF_LOOPBACK) != 0 || (one->ifa_flags & IFF_UP) == 0)
            continue;
        const struct sockaddr_in *at = (const struct sockaddr_in *)(const void *)one->ifa_addr;
        found = inet_ntop(AF_INET, &at->sin_addr, out, INET_ADDRSTRLEN) != NULL;
    }
    freeifaddrs(all);
    return found;
}

/* The server serves this machine by its loopback alone, and nobody else. */
static void protected_mode_turns_strangers_away(void **state)
{
    (void)state;
    world near, far;
    evs_error err;
    scratch *area;
    scratch_server *server;
    char own[INET_ADDRSTRLEN], address[64];
    if (!own_address(own)) {
        print_message("this machine has no address but its loopback's\n");
        skip();
    }
    const char *config[] = {"--bind", "127.0.0.1", own, "--protected-mode", "yes"};
    scratch_options options = {SCRATCH_UNIX_AND_TCP, config, sizeof config / sizeof config[0]};
    assert_int_equal(scratch_new(&area), SCRATCH_OK);
    if (scratch_start(&server, area, "s0", &options) != SCRATCH_OK)
        fail_msg("%s", scratch_error(area));
    snprintf(address, sizeof address, "%s:%d", own, scratch_port(server));
    open_world(&far, address);
    snprintf(address, sizeof address, "127.0.0.1:%d", scratch_port(server));
    open_world(&near, address);
    expect_turned_away(&far, "honest");
    expect_turned_away(&far, "liar"); /* it was not even sent */
    assert_int_equal(call(near.hasty, "honest", &err), EVS_OK);
    close_world(&far);
    close_world(&near);
    scratch_free(area);
}

/* The same where there is no such address. */
static void denied_in_front_of_the_greeting_is_understood(void **state)
{
    (void)state;
    world w;
    static const fake_step steps[] = {
        FAKE_ACCEPT,
        FAKE_SAY("-DENIED Redis is running in protected mode because protected mode is enabled and "
                 "no password is set for the default user.\r\n"),
        FAKE_CLOSE};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    open_world(&w, fake_shard_address(fake));
    expect_turned_away(&w, "honest");
    close_world(&w);
    fake_shard_stop(fake);
}

/* ---- a replica that names its primary ---- */

#define SHA                      "$40\r\n0123456789012345678901234567890123456789\r\n"
#define REDIRECT                 "-REDIRECT 127.0.0.1:24002\r\n"
#define FAKE_LOAD_AND_SAY(reply) FAKE_COMMANDS(1), FAKE_SAY(SHA), FAKE_COMMANDS(1), FAKE_SAY(reply)

/* Where it is believed, the next call goes out on a new connection. Else it may be the script's own
 * word, for which no connection is given up that is as young as the longest backoff. */
static void redirect_is_not_followed_but_reported(void **state)
{
    (void)state;
    world w;
    evs_error err;
    static const fake_step steps[] = {FAKE_GREET,       FAKE_LOAD_AND_SAY(REDIRECT),
                                      FAKE_GREET,       FAKE_LOAD_AND_SAY(REDIRECT),
                                      FAKE_COMMANDS(1), FAKE_SAY(REDIRECT)};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    open_world_with(&w, fake_shard_address(fake),
                    "    client_name: test\n    retry: {backoff: 10m}\n");
    assert_int_equal(call(w.hasty, "honest", &err), EVS_E_READONLY);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "REDIRECT 127.0.0.1:24002"));
    assert_int_equal(call(w.hasty, "liar", &err), EVS_E_READONLY);
    assert_int_equal(err.outcome, EVS_MAYBE_EXECUTED);
    assert_int_equal(run_get(w.hasty, &err), EVS_E_READONLY);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    close_world(&w);
    fake_shard_stop(fake);
}

static void who_is_patient_is_asked_again_on_a_new_connection(void **state)
{
    (void)state;
    world w;
    evs_error err;
    static const fake_step steps[] = {FAKE_GREET, FAKE_LOAD_AND_SAY(REDIRECT), FAKE_GREET,
                                      FAKE_LOAD_AND_SAY(":1\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    open_world(&w, fake_shard_address(fake));
    if (call(w.set.client, "honest", &err) != EVS_OK)
        fail_msg("%s", err.message);
    close_world(&w);
    fake_shard_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protected_mode_turns_strangers_away),
        cmocka_unit_test(denied_in_front_of_the_greeting_is_understood),
        cmocka_unit_test(redirect_is_not_followed_but_reported),
        cmocka_unit_test(who_is_patient_is_asked_again_on_a_new_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
