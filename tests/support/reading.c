#include "tests/support/reading.h"

#include "core/mem.h"
#include "tests/support/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *name, *source;
} scripts[] = {
    {"set", "--- Writes.\n-- @key k a string\n-- @arg v its value\n"
            "return redis.call('SET', KEYS[1], ARGV[1])"},
    {"get", "--- Reads.\n-- @key k a string\n-- @retry read_only\n"
            "return redis.call('GET', KEYS[1])"},
    {"plain_get", "--- Reads, and does not say so.\n-- @key k a string\n"
                  "return redis.call('GET', KEYS[1])"},
    {"flagged", "#!lua flags=allow-oom\n--- Reads, for all that the server knows "
                "it may write.\n-- @key k a string\n-- @retry read_only\n"
                "return redis.call('GET', KEYS[1])"},
};

evs_registry *reading_scripts(void)
{
    evs_error err;
    evs_registry *registry;
    if (evs_registry_new(&registry, NULL, NULL) != EVS_OK)
        scene_die("registry", "cannot be made");
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
        if (evs_script_load(registry, scripts[i].name, evs_text(scripts[i].source), NULL, &err) !=
            EVS_OK)
            scene_die(scripts[i].name, err.message);
    return registry;
}

const char *reading_key(int i)
{
    static char key[32];
    snprintf(key, sizeof key, "key:%d", i);
    return key;
}

/* ---- calls ---- */

evs_status reading_try(evs_client *client, const char *script, const char *key, unsigned timeout_ms,
                       evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes keys = evs_text(key);
    evs_invocation one = {.script = script, .keys = &keys, .nkeys = 1, .timeout_ms = timeout_ms};
    evs_status status = evs_call(&reply, client, &one, err);
    if (status == EVS_OK) {
        evs_bytes text = evs_reply_bytes(reply);
        assert_int_equal(text.len, strlen(key));
        assert_memory_equal(text.data, key, text.len);
    }
    evs_reply_free(reply);
    return status;
}

void reading_read(evs_client *client, const char *script, const char *key)
{
    evs_error err;
    if (reading_try(client, script, key, 0, &err) != EVS_OK)
        fail_msg("%s: %s", key, err.message);
}

void reading_write(evs_client *client, const char *key)
{
    evs_error err;
    evs_reply *reply;
    evs_bytes text = evs_text(key);
    evs_invocation one = {.script = "set", .keys = &text, .nkeys = 1, .args = &text, .nargs = 1};
    if (evs_call(&reply, client, &one, &err) != EVS_OK)
        fail_msg("%s: %s", key, err.message);
    evs_reply_free(reply);
}

int reading_starved(evs_shardmap *map, evs_registry *registry, void (*starve)(size_t n), size_t n)
{
    evs_error err = {0};
    evs_client *client = NULL;
    starve(n);
    evs_status status = evs_client_open(&client, map, registry, NULL, &err);
    if (status == EVS_OK)
        status = reading_try(client, "get", reading_key(0), 20, &err);
    evs__mem_fail_at(0);
    int failed = status != EVS_OK;
    status = client == NULL ? EVS_OK : reading_try(client, "get", reading_key(1), 0, &err);
    if (status != EVS_OK && status != EVS_E_NOMEM) /* said while a connection pauses for it */
        fail_msg("%zu: %s", n, err.message);
    evs_client_free(client);
    return failed;
}

/* ---- tests ---- */

static long primaries_ran(const reading_stage *stage, const char *command)
{
    long sum = 0;
    for (size_t i = 0; i < stage->primaries; i++)
        sum += stage->ran(i, command);
    return sum;
}

static long replicas_ran(const reading_stage *stage, const char *command)
{
    long sum = 0;
    for (size_t i = 0; i < stage->replicas; i++)
        sum += stage->ran(stage->primaries + i, command);
    return sum;
}

static void check_spread(const reading_stage *stage, const char *rule,
                         const evs_client_options *options)
{
    evs_client *client = stage->open(rule, options);
    stage->settle();
    for (int i = 0; i < stage->keys; i++) {
        reading_write(client, reading_key(i));
        reading_read(client, "get", reading_key(i));
        reading_read(client, "plain_get", reading_key(i));
    }
    assert_int_equal(primaries_ran(stage, "evalsha"), 2 * stage->keys);
    assert_int_equal(primaries_ran(stage, "evalsha_ro"), 0);
    assert_int_equal(replicas_ran(stage, "evalsha"), 0);
    assert_int_equal(replicas_ran(stage, "evalsha_ro"), stage->keys);
    for (size_t i = 0; i < stage->replicas; i++)
        assert_true(stage->ran(stage->primaries + i, "evalsha_ro") > 0);
    evs_client_free(client);
}

void reading_is_spread_over_replicas(void **state)
{
    const reading_stage *stage = *state;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    check_spread(stage, "prefer_replica", NULL);
    check_spread(stage, "replica", NULL);
    options.threaded = 1;
    check_spread(stage, "replica", &options);
    check_spread(stage, "prefer_replica", &options);
    options.threaded = 0;
    options.order = EVS_ORDER_STRICT;
    check_spread(stage, "replica", &options);
}

void reading_goes_to_primaries_without_a_rule(void **state)
{
    const reading_stage *stage = *state;
    stage->settle();
    evs_client *client = stage->open("primary", NULL);
    for (int i = 0; i < stage->keys; i++)
        reading_read(client, "get", reading_key(i));
    assert_int_equal(primaries_ran(stage, "evalsha"), stage->keys);
    assert_int_equal(replicas_ran(stage, "evalsha_ro"), 0);
    evs_client_free(client);
}

void reading_by_plain_commands_goes_to_replicas(void **state)
{
    const reading_stage *stage = *state;
    evs_error err;
    stage->settle();
    evs_client *client = stage->open("replica", NULL);
    for (int i = 0; i < stage->keys; i++) {
        evs_reply *reply;
        evs_bytes get[] = {evs_text("GET"), evs_text(reading_key(i))};
        evs_bytes append[] = {evs_text("APPEND"), evs_text(reading_key(i)), evs_text("")};
        evs_plain_command read = {.args = get, .nargs = 2}, write = {.args = append, .nargs = 3};
        assert_int_equal(evs_command(&reply, client, &read, &err), EVS_OK);
        assert_true(evs_reply_bytes(reply).len > 0);
        evs_reply_free(reply);
        assert_int_equal(evs_command(&reply, client, &write, &err), EVS_OK);
        evs_reply_free(reply);
    }
    assert_int_equal(primaries_ran(stage, "get"), 0);
    assert_int_equal(replicas_ran(stage, "get"), stage->keys);
    assert_int_equal(primaries_ran(stage, "append"), stage->keys);
    evs_client_free(client);
}

void reading_heals_scripts_on_replicas(void **state)
{
    const reading_stage *stage = *state;
    stage->settle();
    evs_client *client = stage->open("replica", NULL);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < stage->keys; i++)
            reading_read(client, "get", reading_key(i));
        for (size_t i = 0; i < stage->replicas; i++)
            stage->forget_scripts(stage->primaries + i);
    }
    reading_read(client, "get", reading_key(0));
    evs_client_free(client);
}
