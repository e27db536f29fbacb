/* Passwords that are changed on the server and in their source while a client runs: it goes on,
 * asks no more often than it has to, and never shows one. */
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LONG_MS = 30000 };

typedef struct bench {
    shards set;
    evs_client *client; /* logs in as "app" */
    char path[300];     /* of the password */
    char map[900];
    int reread, shown;
} bench;

static void listen(void *arg, const evs_log_event *event)
{
    bench *b = arg;
    b->reread += strstr(event->message, "its source has another one by now") != NULL;
    b->shown += strstr(event->message, "pass-") != NULL;
}

static void write_password(const bench *b, const char *password)
{
    char beside[310];
    snprintf(beside, sizeof beside, "%s.new", b->path);
    FILE *file = fopen(beside, "w");
    assert_non_null(file);
    fprintf(file, "%s\n", password);
    fclose(file);
    assert_int_equal(rename(beside, b->path), 0);
}

static void set_on_server(bench *b, const char *password)
{
    char command[200];
    snprintf(command, sizeof command, "ACL SETUSER app on resetpass >%s ~* &* +@all", password);
    shards_do(&b->set, 0, command);
}

static evs_shardmap *load(const bench *b)
{
    evs_error err;
    evs_shardmap *map = NULL;
    if (evs_shardmap_parse(&map, evs_text(b->map), "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return map;
}

static void open_bench(bench *b, const char *source)
{
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    memset(b, 0, sizeof *b);
    shards_start(&b->set, 1, NULL);
    shards_script(&b->set, "incr", "return redis.call('INCR', KEYS[1])");
    snprintf(b->path, sizeof b->path, "%s/password", scratch_folder(b->set.area));
    set_on_server(b, "pass-1");
    write_password(b, "pass-1");
    snprintf(b->map, sizeof b->map,
             "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s, retry: "
             "{backoff: 1ms}}\npools:\n"
             "  main:\n    down_after: 1000\n    auth: {username: app, %s%s}\n"
             "    shards: {s0: \"%s\"}\n",
             source, strcmp(source, "password_file: ") == 0 ? b->path : "",
             scratch_address(b->set.servers[0]));
    options.log = listen;
    options.log_arg = b;
    evs_shardmap *map = load(b);
    assert_int_equal(evs_client_open(&b->client, map, b->set.registry, &options, NULL), EVS_OK);
    evs_shardmap_free(map);
}

static void close_bench(bench *b)
{
    assert_int_equal(b->shown, 0);
    evs_client_free(b->client);
    shards_stop(&b->set);
}

static evs_status call(bench *b, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes key = evs_text("k");
    evs_invocation one = {.script = "incr", .keys = &key, .nkeys = 1, .timeout_ms = LONG_MS};
    evs_status status = evs_call(&reply, b->client, &one, err);
    evs_reply_free(reply);
    if (status != EVS_OK)
        assert_null(strstr(err->message, "pass-"));
    return status;
}

static void expect_fine(bench *b)
{
    evs_error err;
    if (call(b, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static void kick(bench *b)
{
    shards_do(&b->set, 0, "CLIENT KILL USER app");
}

static long count_auth(bench *b)
{
    return shards_info(&b->set, 0, "commandstats", "cmdstat_auth:calls=");
}

static void a_running_client_goes_on(void **state)
{
    (void)state;
    bench b;
    open_bench(&b, "password_file: ");
    expect_fine(&b);
    for (int i = 2; i < 5; i++) {
        char password[16];
        snprintf(password, sizeof password, "pass-%d", i);
        set_on_server(&b, password);
        write_password(&b, password);
        kick(&b);
        expect_fine(&b);
        assert_int_equal(b.reread, i - 1);
    }
    kick(&b); /* and knows what it learnt */
    long asked = count_auth(&b);
    expect_fine(&b);
    assert_int_equal(count_auth(&b), asked + 1);
    assert_int_equal(b.reread, 3);
    close_bench(&b);
}

static void so_it_does_when_the_environment_changes(void **state)
{
    (void)state;
    bench b;
    setenv("EVS_TEST_PASSWORD", "pass-1", 1);
    open_bench(&b, "password_env: EVS_TEST_PASSWORD");
    expect_fine(&b);
    set_on_server(&b, "pass-2");
    setenv("EVS_TEST_PASSWORD", "pass-2", 1);
    kick(&b);
    expect_fine(&b);
    assert_int_equal(b.reread, 1);
    close_bench(&b);
}

static void an_unchanged_one_is_not_tried_twice(void **state)
{
    (void)state;
    bench b;
    evs_error err;
    open_bench(&b, "password_file: ");
    expect_fine(&b);
    set_on_server(&b, "pass-2");
    kick(&b);
    long asked = count_auth(&b);
    assert_int_equal(call(&b, &err), EVS_E_AUTH);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_int_equal(count_auth(&b), asked + 1);

    write_password(&b, "pass-wrong");
    while (count_auth(&b) == asked + 1) /* the next attempt comes when it is due */
        assert_int_equal(call(&b, &err), EVS_E_AUTH);
    assert_int_equal(count_auth(&b), asked + 3); /* both, and no more */
    write_password(&b, "pass-2");
    while (call(&b, &err) != EVS_OK)
        assert_int_equal(err.status, EVS_E_AUTH);
    close_bench(&b);
}

static void a_source_that_is_gone_changes_nothing(void **state)
{
    (void)state;
    bench b;
    evs_error err;
    open_bench(&b, "password_file: ");
    expect_fine(&b);
    set_on_server(&b, "pass-2");
    remove(b.path);
    kick(&b);
    assert_int_equal(call(&b, &err), EVS_E_AUTH);
    assert_non_null(strstr(err.message, "WRONGPASS"));
    close_bench(&b);
}

static void a_reload_reads_it_as_well(void **state)
{
    (void)state;
    bench b;
    evs_error err;
    open_bench(&b, "password_file: ");
    expect_fine(&b);
    set_on_server(&b, "pass-2");
    write_password(&b, "pass-2");
    evs_shardmap *map = load(&b);
    assert_int_equal(evs_client_reload(b.client, map, &err), EVS_OK);
    evs_shardmap_free(map);
    kick(&b);
    long asked = count_auth(&b);
    expect_fine(&b);
    assert_int_equal(count_auth(&b), asked + 1);
    assert_int_equal(b.reread, 0);

    set_on_server(&b, "pass-3"); /* one that was read again outlives a map that changes nothing */
    write_password(&b, "pass-3");
    kick(&b);
    expect_fine(&b);
    write_password(&b, "pass-2");
    map = load(&b);
    write_password(&b, "pass-3");
    assert_int_equal(evs_client_reload(b.client, map, &err), EVS_OK);
    evs_shardmap_free(map);
    kick(&b);
    expect_fine(&b);
    assert_int_equal(b.reread, 1);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_client_goes_on),
        cmocka_unit_test(so_it_does_when_the_environment_changes),
        cmocka_unit_test(an_unchanged_one_is_not_tried_twice),
        cmocka_unit_test(a_source_that_is_gone_changes_nothing),
        cmocka_unit_test(a_reload_reads_it_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
