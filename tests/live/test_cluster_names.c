/*
 * How the nodes of a cluster are told: by host names, and by TLS alone.
 */
#include "tests/support/certificates.h"
#include "tests/support/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PRIMARIES = 3, CALLS = 2000, PATH_ROOM = 300 };

static const char ADD[] = "--- Counts in all keys.\n-- @key k... counters\n"
                          "local sum = 0\n"
                          "for i = 1, #KEYS do sum = sum + redis.call('INCR', KEYS[i]) end\n"
                          "return sum";

static evs_registry *registry;

static evs_client *open_client(const char *seeds, const char *more)
{
    char yaml[1024];
    evs_error err;
    evs_shardmap *map;
    evs_client *client;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\n"
                       "pools:\n  c:\n%s    cluster:\n      seeds: [%s]\n",
                       more, seeds);
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    if (evs_client_open(&client, map, registry, NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
    return client;
}

/* A slot moves while its keys are used; all that ran is counted in its keys. */
static void move_under_load(nodes *set, evs_client *client, const char *what)
{
    char key[64];
    load *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->client = client;
    self->script = "add";
    self->most = CALLS;
    load_tags(self, set, what, 0, 1);
    load_start(self);
    load_until(self, CALLS / 4);
    unsigned slot = load_slot(set, self->tags[0]);
    nodes_open_slot(set, slot, 0, 2);
    for (int i = 0; i < LOAD_KEYS; i++) {
        snprintf(key, sizeof key, "%s:%d", self->tags[0], i);
        nodes_move_key(set, key, 0, 2);
        load_some(self, self->done + CALLS / 20);
    }
    nodes_hand_over(set, slot, 2);
    load_until(self, CALLS);
    load_check(self, what);
    assert_int_equal(self->failed, 0);
    assert_int_equal(load_sum(self, set, 1), 2 * CALLS);
    free(self);
}

static evs_status call(evs_client *client, const char *key, unsigned timeout_ms, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes keys = evs_text(key);
    evs_invocation one = {.script = "add", .keys = &keys, .nkeys = 1, .timeout_ms = timeout_ms};
    evs_status status = evs_call(&reply, client, &one, err);
    evs_reply_free(reply);
    return status;
}

/* ---- host names ---- */

static void nodes_go_by_their_host_names(void **state)
{
    (void)state;
    static const char *const config[] = {"--cluster-announce-hostname", "localhost",
                                         "--cluster-preferred-endpoint-type", "hostname"};
    static const scratch_options how = {SCRATCH_UNIX_AND_TCP, config, 4};
    nodes set;
    char seed[64];
    nodes_start_with(&set, PRIMARIES, 0, &how);
    for (size_t i = 0; i < PRIMARIES; i++) {
        redisReply *told = nodes_ask(&set, i, "CLUSTER SLOTS");
        assert_string_equal(told->element[0]->element[2]->element[0]->str, "localhost");
        freeReplyObject(told);
    }
    snprintf(seed, sizeof seed, "\"localhost:%d\"", scratch_port(set.servers[1]));
    evs_client *client = open_client(seed, "");
    move_under_load(&set, client, "names");

    evs_error err;
    evs_bytes lie = evs_text("return redis.error_reply('MY lie')"), key = evs_text("k");
    evs_reply *reply;
    assert_int_equal(evs_script_load(registry, "lie", lie, NULL, &err), EVS_OK);
    evs_invocation one = {.script = "lie", .keys = &key, .nkeys = 1};
    assert_int_equal(evs_call(&reply, client, &one, &err), EVS_E_SCRIPT);
    assert_non_null(strstr(err.message, "localhost:"));
    evs_reply_free(reply);
    evs_client_free(client);
    nodes_stop(&set);
}

/* Another address than the one that they were found at. */
static void nodes_announce_another_address(void **state)
{
    (void)state;
    static const char *const config[] = {"--bind", "127.0.0.1", "127.0.0.2",
                                         "--cluster-announce-ip", "127.0.0.2"};
    static const scratch_options how = {SCRATCH_UNIX_AND_TCP, config, 5};
    nodes set;
    char seed[64];
    evs_error err;
    evs_stats *stats;
    nodes_start_with(&set, PRIMARIES, 0, &how);
    snprintf(seed, sizeof seed, "\"127.0.0.1:%d\"", scratch_port(set.servers[1]));
    evs_client *client = open_client(seed, "");
    move_under_load(&set, client, "announced");
    assert_int_equal(evs_stats_snapshot(&stats, client, &err), EVS_OK);
    for (size_t i = 0; i < evs_stats_count(stats); i++)
        assert_memory_equal(evs_stats_at(stats, i)->shard, "127.0.0.2:", 10);
    evs_stats_free(stats);
    evs_client_free(client);
    nodes_stop(&set);
}

/* A seed that is dead, and one that is a server but no cluster. */
static void seeds_that_cannot_tell_are_passed_over(void **state)
{
    (void)state;
    nodes set;
    char seeds[128];
    evs_error err;
    scratch_server *single;
    scratch_options options = {SCRATCH_UNIX_AND_TCP, NULL, 0};
    nodes_start(&set, PRIMARIES, 0);
    assert_int_equal(scratch_start(&single, set.area, "single", &options), SCRATCH_OK);
    snprintf(seeds, sizeof seeds, "\"127.0.0.1:1\", \"127.0.0.1:%d\", \"127.0.0.1:%d\"",
             scratch_port(single), scratch_port(set.servers[2]));
    evs_client *client = open_client(seeds, "");
    assert_int_equal(call(client, "k", 0, &err), EVS_OK);
    evs_client_free(client);

    snprintf(seeds, sizeof seeds, "\"127.0.0.1:1\", \"127.0.0.1:%d\"", scratch_port(single));
    client = open_client(seeds, "");
    assert_int_not_equal(call(client, "k", 5000, &err), EVS_OK);
    print_message("%s\n", err.message);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "connection refused"));
    assert_non_null(strstr(err.message, "cluster support disabled"));
    evs_client_free(client);
    nodes_stop(&set);
}

/* ---- TLS ---- */

/* A path in the folder of the certificates, in the YAML of a map. */
static void tls_keys(char out[PATH_ROOM * 2], const char *folder, const char *ca)
{
    snprintf(out, PATH_ROOM * 2,
             "    tls: {ca_file: %s/%s, cert_file: %s/client.pem, key_file: %s/client.key}\n",
             folder, ca, folder, folder);
}

static void a_cluster_speaks_tls_alone(void **state)
{
    (void)state;
    scratch *papers;
    nodes set;
    evs_error err;
    char pem[PATH_ROOM], key[PATH_ROOM], ca[PATH_ROOM], seed[64], more[PATH_ROOM * 2];
    assert_int_equal(scratch_new(&papers), SCRATCH_OK);
    const char *folder = scratch_folder(papers);
    certificates_make(folder);
    snprintf(pem, sizeof pem, "%s/server.pem", folder);
    snprintf(key, sizeof key, "%s/server.key", folder);
    snprintf(ca, sizeof ca, "%s/ca.pem", folder);
    const char *config[] = {"--tls-cert-file",    pem,   "--tls-key-file",     key,
                            "--tls-ca-cert-file", ca,    "--tls-auth-clients", "yes",
                            "--tls-cluster",      "yes", "--tls-replication",  "yes"};
    scratch_options how = {SCRATCH_UNIX_AND_TLS, config, sizeof config / sizeof config[0]};
    nodes_start_with(&set, PRIMARIES, 0, &how);
    snprintf(seed, sizeof seed, "\"127.0.0.1:%d\"", scratch_port(set.servers[1]));

    tls_keys(more, folder, "ca.pem");
    evs_client *client = open_client(seed, more);
    move_under_load(&set, client, "tls");
    evs_client_free(client);

    tls_keys(more, folder, "stranger.pem");
    client = open_client(seed, more);
    assert_int_equal(call(client, "k", 2000, &err), EVS_E_TLS);
    print_message("%s\n", err.message);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "certificate"));
    evs_client_free(client);
    nodes_stop(&set);
    scratch_free(papers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_go_by_their_host_names),
        cmocka_unit_test(nodes_announce_another_address),
        cmocka_unit_test(seeds_that_cannot_tell_are_passed_over),
        cmocka_unit_test(a_cluster_speaks_tls_alone),
    };
    if (evs_registry_new(&registry, NULL, NULL) != EVS_OK ||
        evs_script_load(registry, "add", evs_text(ADD), NULL, NULL) != EVS_OK)
        abort();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    evs_registry_free(registry);
    return failed;
}
