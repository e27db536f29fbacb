#include "tests/support/followed.h"

#include "tests/support/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

followed_group followed;

/* ---- servers ---- */

void followed_start(void)
{
    static const watched_options options = {.down_after_ms = 120000, .debug = 1};
    watched_start(&followed.set, &options);
    followed.registry = reading_scripts();
}

void followed_stop(void)
{
    evs_registry_free(followed.registry);
    watched_stop(&followed.set);
}

long followed_ran(size_t server, const char *command)
{
    char word[64];
    redisReply *reply = redisCommand(followed.set.links[server], "INFO commandstats");
    if (reply == NULL) { /* it changed its role */
        watched_relink(&followed.set, server);
        reply = redisCommand(followed.set.links[server], "INFO commandstats");
    }
    assert_non_null(reply);
    snprintf(word, sizeof word, "cmdstat_%s:calls=", command);
    const char *at = strstr(reply->str, word);
    long count = at == NULL ? 0 : strtol(at + strlen(word), NULL, 10);
    freeReplyObject(reply);
    return count;
}

long followed_replicas_ran(const char *command)
{
    return followed_ran(followed.replicas[0], command) +
           followed_ran(followed.replicas[1], command);
}

void followed_count_anew(void)
{
    for (size_t i = 0; i < WATCHED_SERVERS; i++)
        watched_number(&followed.set, i, "CONFIG RESETSTAT");
}

static void fill(void)
{
    char command[128];
    for (int i = 0; i < FOLLOWED_KEYS; i++) {
        snprintf(command, sizeof command, "SET %s %s", reading_key(i), reading_key(i));
        watched_number(&followed.set, followed.primary, command);
    }
    assert_int_equal(watched_number(&followed.set, followed.primary, "WAIT 2 60000"), 2);
}

void followed_settle(void)
{
    size_t count = 0;
    followed.primary = watched_settle(&followed.set);
    for (size_t i = 0; i < WATCHED_SERVERS; i++)
        if (i != followed.primary)
            followed.replicas[count++] = i;
    fill();
    followed_count_anew();
}

void followed_restart(size_t server)
{
    char command[64];
    assert_int_equal(scratch_restart(followed.set.servers[server]), SCRATCH_OK);
    watched_relink(&followed.set, server);
    snprintf(command, sizeof command, "REPLICAOF 127.0.0.1 %d",
             scratch_port(followed.set.servers[followed.primary]));
    watched_number(&followed.set, server, command);
}

/* ---- clients ---- */

static void keep_log(void *arg, const evs_log_event *event)
{
    size_t len = strlen(followed.log);
    (void)arg;
    if (getenv("EVS_TEST_TALK") != NULL)
        fprintf(stderr, "LOG %s: %s\n", event->shard, event->message);
    snprintf(followed.log + len, sizeof followed.log - len, "%s: %s\n", event->shard,
             event->message);
}

evs_shardmap *followed_map(const char *rule)
{
    char yaml[2048], group[512];
    evs_error err;
    evs_shardmap *map;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s, "
                       "script_timeout: 60s}\n%s"
                       "pools:\n  p:\n    shards:\n"
                       "      a: {sentinel: eu, master_name: ledger-1}\n"
                       "    read_from: %s\n",
                       watched_group(&followed.set, ", refresh: 1s", 0, group), rule);
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return map;
}

evs_client *followed_open(const char *rule, const evs_client_options *given)
{
    evs_error err;
    evs_client *client = NULL;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    if (given != NULL)
        options = *given;
    options.log = options.threaded ? NULL : keep_log;
    evs_shardmap *map = followed_map(rule);
    followed.log[0] = '\0';
    if (evs_client_open(&client, map, followed.registry, &options, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
    return client;
}

void followed_reload(evs_client *client, const char *rule)
{
    evs_error err;
    evs_shardmap *map = followed_map(rule);
    if (evs_client_reload(client, map, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
}

/* ---- for the tests of reading.h ---- */

static size_t number_of(size_t server)
{
    return server == 0 ? followed.primary : followed.replicas[server - 1];
}

static long ran(size_t server, const char *command)
{
    return followed_ran(number_of(server), command);
}

static void forget_scripts(size_t server)
{
    watched_number(&followed.set, number_of(server), "SCRIPT FLUSH");
}

const reading_stage followed_stage = {
    .keys = FOLLOWED_KEYS,
    .primaries = 1,
    .replicas = 2,
    .open = followed_open,
    .settle = followed_settle,
    .ran = ran,
    .forget_scripts = forget_scripts,
};
