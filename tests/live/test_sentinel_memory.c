/*
 * Memory runs out while sentinels are asked where a primary is, and while it is followed: at every
 * allocation in turn. What is said of the call is true by the primary's own count, and the client
 * works when there is memory again.
 */
#include "tests/support/lacking.h"
#include "tests/support/watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <unistd.h>

enum { SHORT_MS = 50, AT_MOST = 400 };

static struct {
    watched set;
    lacking lacking;
    unsigned serial;
} world;

static long long times_run(const char *key)
{
    char command[64];
    snprintf(command, sizeof command, "GET %s", key);
    return watched_number(&world.set, 0, command);
}

static lacking_said lack_one(const void *threaded, const lack *one)
{
    char key[32];
    evs_client *client = lacking_open(&world.lacking, *(const int *)threaded);
    snprintf(key, sizeof key, "k%u", world.serial++);
    lacking_said said = lacking_call(client, key, one, SHORT_MS);
    lacking_judge("a primary", one, &said, times_run(key));
    lacking_works(client, "works");
    evs_client_free(client);
    return said;
}

static void finding_a_primary_survives_a_lack_of_memory(void **state)
{
    (void)state;
    for (int threaded = 0; threaded < 2; threaded++)
        lacking_everywhere(threaded ? "threaded" : "driven", lack_one, &threaded, AT_MOST);
}

static int set_up(void **state)
{
    (void)state;
    char yaml[2048], group[512];
    watched_start(&world.set, NULL);
    snprintf(yaml, sizeof yaml,
             "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s, "
             "retry: {backoff: 1ms}}\n%s"
             "pools:\n  p:\n    shards:\n"
             "      a: {sentinel: eu, master_name: ledger-1}\n",
             watched_group(&world.set, "", 0, group));
    return lacking_begin(&world.lacking, yaml);
}

static int tear_down(void **state)
{
    (void)state;
    lacking_end(&world.lacking);
    watched_stop(&world.set);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finding_a_primary_survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
