/* A real server that stops answering while a connection to it is idle: it is found and replaced
 * before a call waits for it, by driven clients and by those with a thread. */
#include "tools/scratch/scratch.h"
#include <evalshard/evalshard.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <semaphore.h>
#include <signal.h>

enum { LONG_MS = 30000 };

static scratch *area;
static scratch_server *server;
static evs_registry *registry;
static evs_shardmap *map;

static int set_up(void **state)
{
    (void)state;
    char yaml[256];
    evs_error err;
    scratch_options options = {.listen = SCRATCH_UNIX_AND_TCP};
    if (scratch_new(&area) != SCRATCH_OK ||
        scratch_start(&server, area, "s0", &options) != SCRATCH_OK)
        return -1;
    snprintf(yaml, sizeof yaml,
             "evalshard: 1\ndefaults: {connect_timeout: 30s, keepalive: 2s}\n"
             "shards: {s0: \"127.0.0.1:%d\"}\n",
             scratch_port(server));
    if (evs_shardmap_parse(&map, evs_text(yaml), "test.yaml", NULL, &err) != EVS_OK ||
        evs_registry_new(&registry, NULL, &err) != EVS_OK)
        return -1;
    return evs_script_load(registry, "incr", evs_text("return redis.call('INCR', KEYS[1])"), NULL,
                           &err) == EVS_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    evs_registry_free(registry);
    evs_shardmap_free(map);
    scratch_free(area);
    return 0;
}

typedef struct listener {
    sem_t silent, back;
    int losses;
} listener;

static void listen(void *arg, const evs_log_event *event)
{
    listener *self = arg;
    if (strstr(event->message, "no answer to PING for 2000 ms") != NULL) {
        self->losses++;
        sem_post(&self->silent);
    }
    if (event->status == EVS_OK && strcmp(event->message, "connected") == 0)
        sem_post(&self->back);
}

static evs_client *open_client(listener *self, int threaded)
{
    evs_client *client = NULL;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = threaded;
    options.log = listen;
    options.log_arg = self;
    sem_init(&self->silent, 0, 0);
    sem_init(&self->back, 0, 0);
    self->losses = 0;
    assert_int_equal(evs_client_open(&client, map, registry, &options, NULL), EVS_OK);
    return client;
}

static void call(evs_client *client)
{
    evs_reply *reply = NULL;
    evs_error err;
    evs_bytes key = evs_text("k");
    evs_invocation one = {.script = "incr", .keys = &key, .nkeys = 1, .timeout_ms = LONG_MS};
    if (evs_call(&reply, client, &one, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_reply_free(reply);
}

static void expect_undisturbed(evs_client *client, const listener *self)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, client);
    assert_int_equal(self->losses, 1);
    assert_int_equal(stats.connects, 2);
    assert_int_equal(stats.calls, 2);
    assert_int_equal(stats.resends + stats.retries + stats.downs, 0);
}

static void a_thread_finds_it_and_connects_anew(void **state)
{
    (void)state;
    listener self;
    evs_client *client = open_client(&self, 1);
    call(client);
    sem_wait(&self.back);
    kill(scratch_pid(server), SIGSTOP);
    sem_wait(&self.silent);
    kill(scratch_pid(server), SIGCONT);
    sem_wait(&self.back);
    call(client);
    expect_undisturbed(client, &self);
    evs_client_free(client);
}

/* An event loop of somebody else drives it, with nothing to do. */
static void a_driven_client_does_while_it_is_driven(void **state)
{
    (void)state;
    listener self;
    evs_client *client = open_client(&self, 0);
    call(client);
    kill(scratch_pid(server), SIGSTOP);
    while (self.losses == 0)
        assert_int_equal(evs_client_process(client, 50, NULL), EVS_OK);
    kill(scratch_pid(server), SIGCONT);
    call(client);
    expect_undisturbed(client, &self);
    evs_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_finds_it_and_connects_anew),
        cmocka_unit_test(a_driven_client_does_while_it_is_driven),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
