/* Scripts that are loaded as soon as a connection is used: all in one write, again on each new
 * connection, without getting into anybody's way. */
#include "tests/support/shards.h"

#include <evalshard/transaction.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { MANY = 50, LONG_MS = 30000 };

static const char ALL[] = "    preload: all\n    audit: deny\n";

static void start(shards *set)
{
    shards_start(set, 1, ALL);
    shards_script(set, "incr", "return redis.call('INCR', KEYS[1])");
    for (int i = 0; i < MANY; i++) {
        char name[16], source[64];
        snprintf(name, sizeof name, "s%d", i);
        snprintf(source, sizeof source, "return redis.call('GET', KEYS[1]) or %d", i);
        shards_script(set, name, source);
    }
    shards_script(set, "denied", "return redis.call('GET', 'k' .. ARGV[1])");
}

static void call(evs_client *client, const char *script)
{
    evs_error err;
    evs_reply *reply = NULL;
    evs_bytes key = evs_text("k");
    evs_invocation one = {.script = script, .keys = &key, .nkeys = 1, .timeout_ms = LONG_MS};
    if (evs_call(&reply, client, &one, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_reply_free(reply);
}

static long loads(shards *set)
{
    return shards_info(set, 0, "commandstats", "cmdstat_script|load:calls=");
}

static evs_client_stats stats_of(const evs_client *client)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, client);
    return stats;
}

static void the_first_call_brings_all_in_one_write(void **state)
{
    (void)state;
    shards set;
    start(&set);
    call(set.client, "incr");
    assert_int_equal(loads(&set), MANY + 1); /* not the one that the pool refuses */
    assert_int_equal(stats_of(set.client).writes, 1);
    call(set.client, "s7");
    call(set.client, "s49");
    assert_int_equal(loads(&set), MANY + 1);
    shards_script(&set, "late", "return redis.call('GET', KEYS[1])");
    call(set.client, "late");
    assert_int_equal(loads(&set), MANY + 2);
    shards_stop(&set);
}

static void each_connection_gets_them(void **state)
{
    (void)state;
    shards set;
    start(&set);
    call(set.client, "incr");
    shards_do(&set, 0, "SCRIPT FLUSH");
    shards_do(&set, 0, "CLIENT KILL TYPE normal SKIPME yes");
    call(set.client, "s3");
    assert_int_equal(loads(&set), 2 * (MANY + 1));
    call(set.client, "s4");
    assert_int_equal(stats_of(set.client).heals, 0);
    shards_stop(&set);
}

static void they_take_nobodys_place(void **state)
{
    (void)state;
    shards set;
    evs_client *client;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 1;
    start(&set);
    assert_int_equal(evs_client_open(&client, set.map, set.registry, &options, NULL), EVS_OK);
    call(client, "incr");
    call(client, "s1");
    evs_client_free(client);
    shards_stop(&set);
}

static void a_transaction_finds_them_there(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    evs_transaction *tx;
    evs_bytes key = evs_text("k");
    evs_invocation one = {.script = "incr", .keys = &key, .nkeys = 1};
    start(&set);
    assert_int_equal(evs_transaction_new(&tx, set.client, NULL, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add(tx, &one, NULL), EVS_OK);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_OK);
    assert_int_equal(evs_transaction_result(tx, 0)->status, EVS_OK);
    evs_transaction_free(tx);
    assert_int_equal(loads(&set), MANY + 1);
    shards_stop(&set);
}

static void who_may_not_load_still_calls(void **state)
{
    (void)state;
    shards set, app = {0};
    start(&set);
    call(set.client, "incr");
    shards_do(&set, 0, "ACL SETUSER app on >secret ~* &* +@all -script|load");
    char keys[128];
    snprintf(keys, sizeof keys, "%s    auth: {username: app, password: secret}\n", ALL);
    const char *address = scratch_address(set.servers[0]);
    shards_open(&app, &address, 1, keys);
    shards_script(&app, "incr", "return redis.call('INCR', KEYS[1])");
    call(app.client, "incr");
    shards_stop(&app);
    shards_stop(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_call_brings_all_in_one_write),
        cmocka_unit_test(each_connection_gets_them),
        cmocka_unit_test(they_take_nobodys_place),
        cmocka_unit_test(a_transaction_finds_them_there),
        cmocka_unit_test(who_may_not_load_still_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
