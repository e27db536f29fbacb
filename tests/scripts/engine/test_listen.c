/*
 * May channels be listened to? Asked of sentinels that say what they are told to, by clients that
 * are driven and ones with a thread.
 */
#include "core/mem.h"
#include "tests/support/fake_sentinel.h"
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>

typedef struct scene {
    fake_sentinel *sentinel;
    shards set; /* whose only shard is the sentinel */
} scene;

static void set_up(scene *s, const char *pool_keys)
{
    char address[32];
    const char *only = address;
    s->sentinel = fake_sentinel_start();
    s->set = (shards){0};
    snprintf(address, sizeof address, "127.0.0.1:%d", fake_sentinel_port(s->sentinel));
    shards_open(&s->set, &only, 1, pool_keys);
}

static void tear_down(scene *s)
{
    shards_stop(&s->set);
    fake_sentinel_stop(s->sentinel);
}

static evs_status try_one(evs_client *client, evs_error *err)
{
    const evs_bytes channel = evs_text("+switch-master");
    return evs_may_listen(client, "s0", &channel, 1, err);
}

static evs_status try_two(evs_client *client, evs_error *err)
{
    const evs_bytes channels[] = {evs_text("+slave"), evs_text("+reboot")};
    return evs_may_listen(client, "s0", channels, 2, err);
}

static void check_answers(const evs_client_options *options)
{
    scene s;
    evs_error err;
    set_up(&s, NULL);
    evs_client *client = shards_client(&s.set, options);
    for (size_t i = 1; i <= 3; i++) {
        if (try_two(client, &err) != EVS_OK)
            fail_msg("%s", err.message);
        assert_int_equal(fake_sentinel_connections(s.sentinel), i); /* a new one each time */
    }
    fake_sentinel_refuse_subscribers(s.sentinel, 1);
    assert_int_equal(try_one(client, &err), EVS_E_DENIED);
    assert_non_null(strstr(err.message, "shard s0 at 127.0.0.1:"));
    assert_non_null(strstr(err.message, ": NOPERM"));
    assert_int_equal(try_one(client, NULL), EVS_E_DENIED);
    fake_sentinel_refuse_subscribers(s.sentinel, 0);
    assert_int_equal(try_one(client, &err), EVS_OK);
    evs_client_free(client);
    tear_down(&s);
}

static void the_server_decides(void **state)
{
    (void)state;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    check_answers(&options);
    options.protocol = 3; /* which is not spoken then */
    check_answers(&options);
    options.threaded = 1;
    check_answers(&options);
}

static void silence_ends_at_the_deadline(void **state)
{
    (void)state;
    scene s;
    evs_error err;
    set_up(&s, "    command_timeout: 50ms\n");
    fake_sentinel_mute(s.sentinel, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(try_two(s.set.client, &err), EVS_E_TIMEOUT);
        assert_non_null(strstr(err.message, "no answer before the deadline"));
    }
    tear_down(&s);
}

static void nobody_there_is_told(void **state)
{
    (void)state;
    scene s;
    evs_error err;
    set_up(&s, NULL);
    fake_sentinel_stop(s.sentinel);
    assert_int_equal(try_two(s.set.client, &err), EVS_E_CONNECT);
    assert_non_null(strstr(err.message, "refused"));
    shards_stop(&s.set);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    scene s;
    evs_error err;
    evs_bytes many[65];
    set_up(&s, NULL);
    for (size_t i = 0; i < 65; i++)
        many[i] = evs_text("c");
    assert_int_equal(evs_may_listen(s.set.client, "s0", many, 0, &err), EVS_E_INVALID);
    assert_int_equal(evs_may_listen(s.set.client, "s0", many, 65, &err), EVS_E_INVALID);
    assert_int_equal(evs_may_listen(s.set.client, "s1", many, 1, &err), EVS_E_INVALID);
    assert_int_equal(fake_sentinel_connections(s.sentinel), 0);
    assert_int_equal(evs_client_close(s.set.client, EVS_CLOSE_DRAIN, 0, &err), EVS_OK);
    assert_int_equal(try_two(s.set.client, &err), EVS_E_STATE);
    tear_down(&s);
}

/* Where a shard is several servers, none is meant. */
static void a_shard_needs_an_address(void **state)
{
    (void)state;
    static const char *const maps[] = {
        "evalshard: 1\npools: {s0: {cluster: {seeds: [\"127.0.0.1:1\"]}}}\n",
        "evalshard: 1\nsentinels: {eu: {addresses: [\"127.0.0.1:1\"]}}\n"
        "shards: {s0: {sentinel: eu, master_name: m}}\n",
    };
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        evs_error err;
        evs_shardmap *map;
        evs_registry *registry;
        evs_client *client;
        assert_int_equal(evs_shardmap_parse(&map, evs_text(maps[i]), "t", NULL, &err), EVS_OK);
        assert_int_equal(evs_registry_new(&registry, NULL, &err), EVS_OK);
        assert_int_equal(evs_client_open(&client, map, registry, NULL, &err), EVS_OK);
        assert_int_equal(try_two(client, &err), EVS_E_INVALID);
        assert_non_null(strstr(err.message, "not one server"));
        evs_client_free(client);
        evs_registry_free(registry);
        evs_shardmap_free(map);
    }
}

static void *try_in_vain(void *arg)
{
    evs_error err;
    evs_status status = try_two(arg, &err);
    return status == EVS_E_CANCELED || status == EVS_E_STATE ? NULL : arg;
}

/* Somebody waits for a server that says nothing while the client is closed. */
static void closing_ends_the_waiting(void **state)
{
    (void)state;
    scene s;
    evs_error err;
    pthread_t thread;
    void *wrong;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    set_up(&s, NULL);
    fake_sentinel_mute(s.sentinel, 1);
    evs_client *client = shards_client(&s.set, &options);
    assert_int_equal(pthread_create(&thread, NULL, try_in_vain, client), 0);
    while (fake_sentinel_connections(s.sentinel) == 0)
        sched_yield();
    assert_int_equal(evs_client_close(client, EVS_CLOSE_ABORT, 0, &err), EVS_OK);
    pthread_join(thread, &wrong);
    assert_null(wrong);
    evs_client_free(client);
    tear_down(&s);
}

static void a_lack_of_memory_is_told(void **state)
{
    (void)state;
    scene s;
    evs_error err;
    size_t failures = 0;
    set_up(&s, NULL);
    for (size_t n = 1; n < 30; n++) {
        evs__mem_fail_at(n);
        evs_status status = try_two(s.set.client, &err);
        evs__mem_fail_at(0);
        if (status != EVS_OK && status != EVS_E_NOMEM)
            fail_msg("%zu: %s", n, err.message);
        failures += status != EVS_OK;
        assert_int_equal(try_two(s.set.client, &err), EVS_OK);
    }
    assert_in_range(failures, 3, 28); /* in the end it works */
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_decides),
        cmocka_unit_test(silence_ends_at_the_deadline),
        cmocka_unit_test(nobody_there_is_told),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(a_shard_needs_an_address),
        cmocka_unit_test(closing_ends_the_waiting),
        cmocka_unit_test(a_lack_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
