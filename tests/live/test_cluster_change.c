/*
 * A cluster that changes under load: nodes come and go, a primary is killed, another is paused
 * while its replica is promoted. Every call is reported once, none runs twice unless it may.
 *
 * What a server acknowledged and lost, because it died or was demoted before its replica had it, is
 * the servers' own and counted apart.
 */
#include "tests/support/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>

enum { PRIMARIES = 3, REPLICAS = 3, CALLS = 6000, MOVED = 4 };

static const char NOTE[] =
    "--- Notes a number in two sets.\n-- @key k... sets\n-- @arg n the number\n"
    "-- @retry idempotent\n"
    "redis.call('SADD', KEYS[1], ARGV[1])\n"
    "return redis.call('SADD', KEYS[2], ARGV[1])";

static nodes set;
static evs_registry *registry;

static evs_client *open_client(size_t seed)
{
    char yaml[512];
    evs_error err;
    evs_shardmap *map;
    evs_client *client;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\n"
                       "pools:\n  c:\n    cluster:\n      seeds: [\"127.0.0.1:%d\"]\n",
                       scratch_port(set.servers[seed]));
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    if (evs_client_open(&client, map, registry, NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
    return client;
}

static load *new_load(const char *script)
{
    load *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->client = open_client(1);
    self->script = script;
    self->most = CALLS;
    self->numbered = 1;
    return self;
}

static void end_load(load *self)
{
    evs_client_free(self->client);
    free(self);
}

/* A number of a node's INFO, 0 when the line is not there. */
static long info(size_t node, const char *section, const char *beginning)
{
    redisReply *reply = nodes_ask(&set, node, "INFO %s", section);
    const char *at = strstr(reply->str, beginning);
    long number = at == NULL ? 0 : strtol(at + strlen(beginning), NULL, 10);
    freeReplyObject(reply);
    return number;
}

static void move_slot(load *self, size_t tag, size_t from, size_t to)
{
    char key[64];
    unsigned slot = load_slot(&set, self->tags[tag]);
    nodes_open_slot(&set, slot, from, to);
    for (int i = 0; i < LOAD_KEYS; i++) {
        snprintf(key, sizeof key, "%s:%d", self->tags[tag], i);
        nodes_move_key(&set, key, from, to);
        load_some(self, self->done + 20);
    }
    nodes_hand_over(&set, slot, to);
    load_some(self, self->done + 100);
}

/* The new node gets slots one by one, serves them for a while, and gives them to another one. A
 * call that still lies in its socket when its server ends may have run, as far as anybody knows. */
static void nodes_come_and_go(void **state)
{
    (void)state;
    load *self = new_load("count");
    load_tags(self, &set, "go", 0, LOAD_TAGS);
    load_start(self);
    load_until(self, CALLS / 10);
    size_t added = nodes_add(&set);
    for (size_t i = 0; i < MOVED; i++)
        move_slot(self, i, 0, added);
    load_until(self, self->done + CALLS / 10);
    assert_true(info(added, "commandstats", "cmdstat_evalsha:calls=") > CALLS / 40);
    assert_int_equal(info(added, "commandstats", "cmdstat_script|load:calls="), 1);
    for (size_t i = 0; i < MOVED; i++)
        move_slot(self, i, added, 2);
    load_until(self, self->done + 10 * LOAD_OPEN); /* what was on its way there has left it */
    nodes_remove(&set, added);
    load_until(self, CALLS);
    load_check(self, "a node added and removed");
    assert_int_equal(self->failed, self->maybe);
    assert_true(self->failed <= LOAD_OPEN);
    assert_int_equal(load_check_ran(self, &set, 1).lost, 0);
    end_load(self);
}

/* The number of calls that succeeded and are in neither of their sets. */
static int count_lost(const load *self, size_t asked)
{
    int lost = 0;
    for (int i = 0; i < self->sent; i++) {
        const char *tag = self->tags[(size_t)i % self->ntags];
        size_t node = nodes_owner(&set, asked, load_slot(&set, tag));
        int n = i / (int)self->ntags % LOAD_KEYS;
        if (self->succeeded[i] && nodes_number(&set, node, "SISMEMBER %s:%d %d", tag, n, i) == 0)
            lost++;
    }
    return lost;
}

/* What may have run is sent again, since that is allowed: nothing fails. */
static void idempotent_calls_outlive_a_primary(void **state)
{
    (void)state;
    load *self = new_load("note");
    load_tags(self, &set, "again", 0, 1);
    load_start(self);
    load_until(self, CALLS / 3);
    scratch_kill(set.servers[0]);
    nodes_do(&set, PRIMARIES, "CLUSTER FAILOVER TAKEOVER");
    long took = load_more(self, LOAD_OPEN + 1);
    load_until(self, CALLS);
    load_check(self, "a primary killed under idempotent calls");
    print_message("%ld ms to the next successes; %d acknowledged and lost by the server\n", took,
                  count_lost(self, PRIMARIES));
    assert_int_equal(self->failed, 0);
    end_load(self);
}

static void wait_for_promotion(size_t replica)
{
    nodes_wait(&set, replica, "INFO replication", "role:master");
    nodes_wait(&set, replica, "CLUSTER INFO", "cluster_state:ok");
}

/* The others elect its replica. What was on its way ends with its deadline and may have run; what
 * comes later finds the new primary. Once it goes on, the old one is demoted. */
static void a_paused_primary_is_left(void **state)
{
    (void)state;
    load *self = new_load("count");
    self->timeout_ms = 3000;
    load_tags(self, &set, "paused", 1, 1);
    load_start(self);
    load_until(self, CALLS / 3);
    nodes_watch_each_other(&set);
    kill(scratch_pid(set.servers[1]), SIGSTOP);
    long took = load_more(self, LOAD_OPEN + 1);
    wait_for_promotion(PRIMARIES + 1);
    load_until(self, CALLS / 3 * 2);
    kill(scratch_pid(set.servers[1]), SIGCONT);
    load_until(self, CALLS);
    load_check(self, "a primary paused");
    nodes_wait(&set, 1, "INFO replication", "role:slave");
    print_message("%ld ms to the next successes\n", took);
    load_check_ran(self, &set, PRIMARIES + 1);
    assert_true(self->failed <= 10 * LOAD_OPEN); /* not for as long as slots are not asked for */
    end_load(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_come_and_go),
        cmocka_unit_test(a_paused_primary_is_left),
        cmocka_unit_test(idempotent_calls_outlive_a_primary),
    };
    nodes_start(&set, PRIMARIES, REPLICAS);
    if (evs_registry_new(&registry, NULL, NULL) != EVS_OK ||
        evs_script_load(registry, "count", evs_text(LOAD_COUNT), NULL, NULL) != EVS_OK ||
        evs_script_load(registry, "note", evs_text(NOTE), NULL, NULL) != EVS_OK)
        abort();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    evs_registry_free(registry);
    nodes_stop(&set);
    return failed;
}
