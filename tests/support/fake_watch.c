#include "tests/support/fake_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char ADD[] = "--- Counts.\n-- @key k a counter\nreturn redis.call('INCR', KEYS[1])";

static const char GET[] = "--- Reads.\n-- @key k a counter\n-- @retry read_only\n"
                          "return redis.call('GET', KEYS[1])";

/* ---- sentinels and servers ---- */

int fake_watch_port(const fake_shard *server)
{
    return fake_shard_login(server)->endpoint.port;
}

void fake_watch_start(fake_watch *w, size_t count, fake_shard *a, fake_shard *b)
{
    memset(w, 0, sizeof *w);
    assert_true(count <= FAKE_WATCH_MOST);
    w->count = count;
    w->a = a;
    w->b = b;
    for (size_t i = 0; i < count; i++) {
        w->sentinels[i] = fake_sentinel_start();
        if (a != NULL)
            fake_sentinel_know(w->sentinels[i], "m", fake_watch_port(a), 1);
    }
}

void fake_watch_stop(fake_watch *w)
{
    evs_client_free(w->client);
    evs_registry_free(w->registry);
    for (size_t i = 0; i < w->count; i++)
        fake_sentinel_stop(w->sentinels[i]);
    fake_shard_stop(w->a);
    fake_shard_stop(w->b);
}

/* ---- the client ---- */

static void keep_log(void *arg, const evs_log_event *event)
{
    fake_watch *w = arg;
    size_t len = strlen(w->log);
    snprintf(w->log + len, sizeof w->log - len, "%s: %s\n", event->shard, event->message);
}

static evs_shardmap *map_of(const fake_watch *w, const char *more, const char *rest)
{
    char yaml[2048], addresses[200] = "";
    evs_error err;
    evs_shardmap *map = NULL;
    for (size_t i = 0; i < w->count; i++) {
        size_t len = strlen(addresses);
        snprintf(addresses + len, sizeof addresses - len, "%s\"127.0.0.1:%d\"", i > 0 ? ", " : "",
                 fake_sentinel_port(w->sentinels[i]));
    }
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 5s, command_timeout: 60s}\n"
                       "sentinels: {eu: {addresses: [%s]%s}}\n%s\n",
                       addresses, more, rest);
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return map;
}

void fake_watch_open(fake_watch *w, const char *more, const char *rest)
{
    evs_error err;
    evs_shardmap *map = map_of(w, more, rest);
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.log = keep_log;
    options.log_arg = w;
    assert_int_equal(evs_registry_new(&w->registry, NULL, &err), EVS_OK);
    assert_int_equal(evs_script_load(w->registry, "add", evs_text(ADD), NULL, &err), EVS_OK);
    assert_int_equal(evs_script_load(w->registry, "get", evs_text(GET), NULL, &err), EVS_OK);
    assert_int_equal(evs_client_open(&w->client, map, w->registry, &options, &err), EVS_OK);
    evs_shardmap_free(map);
}

uint64_t fake_watch_switches(const fake_watch *w)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, w->client);
    return stats.switches;
}

/* ---- calls ---- */

void fake_watch_ended(void *arg, const evs_result *result)
{
    fake_watch_ending *end = arg;
    end->done++;
    end->status = result->status;
    end->outcome = result->outcome;
    end->number = evs_reply_integer(result->reply);
    snprintf(end->message, sizeof end->message, "%s",
             result->error == NULL ? "" : result->error->message);
}

void fake_watch_submit(fake_watch *w, const char *script, const char *key, fake_watch_ending *end)
{
    evs_error err;
    evs_bytes text = evs_text(key);
    evs_invocation one = {.script = script, .keys = &text, .nkeys = 1};
    *end = (fake_watch_ending){0};
    if (evs_submit(w->client, &one, fake_watch_ended, end, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

void fake_watch_await(fake_watch *w, const fake_watch_ending *end)
{
    while (!end->done)
        assert_int_equal(evs_client_process(w->client, 100, NULL), EVS_OK);
}

void fake_watch_await_number(fake_watch *w, const fake_watch_ending *end, int64_t expected)
{
    fake_watch_await(w, end);
    if (end->status != EVS_OK)
        fail_msg("%s", end->message);
    assert_int_equal(end->number, expected);
}

void fake_watch_call(fake_watch *w, const char *script, int64_t expected)
{
    fake_watch_ending end;
    fake_watch_submit(w, script, "k", &end);
    fake_watch_await_number(w, &end, expected);
}

/* ---- driving ---- */

void fake_watch_drive(fake_watch *w, int rounds)
{
    for (int i = 0; i < rounds; i++)
        assert_int_equal(evs_client_process(w->client, 1, NULL), EVS_OK);
}

void fake_watch_await_steps(fake_watch *w, fake_shard *server, size_t steps)
{
    while (fake_shard_done(server) < steps)
        fake_watch_drive(w, 1);
}

void fake_watch_await_subscribers(fake_watch *w)
{
    for (size_t i = 0; i < w->count; i++)
        while (fake_sentinel_subscribers(w->sentinels[i]) == 0)
            assert_int_equal(evs_client_process(w->client, 0, NULL), EVS_OK);
}
