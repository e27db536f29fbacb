/*
 * What a client makes of what a node says of its cluster. The nodes are played.
 */
#include "tests/support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct cluster {
    fake_shard *owner; /* of all slots */
    fake_shard *seed;  /* is asked */
    char shards[512], slots[256];
    evs_shardmap *map;
    evs_registry *registry;
    evs_client *client;
} cluster;

static int port_of(const fake_shard *fake)
{
    return atoi(strchr(fake_shard_address(fake), ':') + 1);
}

/* As servers say it from Redis 7.2 on when one of them was killed and taken over from. */
static const char two_primaries[] =
    "*1\r\n*4\r\n$5\r\nslots\r\n*2\r\n:0\r\n:16383\r\n$5\r\nnodes\r\n"
    "*2\r\n"
    "*8\r\n$4\r\nport\r\n:1\r\n$8\r\nendpoint\r\n$9\r\n127.0.0.1\r\n"
    "$4\r\nrole\r\n$6\r\nmaster\r\n$6\r\nhealth\r\n$6\r\nonline\r\n"
    "*8\r\n$4\r\nport\r\n:%d\r\n$8\r\nendpoint\r\n$9\r\n127.0.0.1\r\n"
    "$4\r\nrole\r\n$6\r\nmaster\r\n$6\r\nhealth\r\n$6\r\nonline\r\n";

static const char one_owner[] = "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:%d\r\n";

static void open_client(cluster *self, const char *topology)
{
    evs_error err;
    char text[256];
    snprintf(text, sizeof text,
             "evalshard: 1\npools: {c: {cluster: {seeds: [\"%s\"], topology: %s}}}\n",
             fake_shard_address(self->seed), topology);
    assert_int_equal(evs_shardmap_parse(&self->map, evs_text(text), "t", NULL, &err), EVS_OK);
    assert_int_equal(evs_registry_new(&self->registry, NULL, &err), EVS_OK);
    assert_int_equal(evs_script_load(self->registry, "one", evs_text("return 1"), NULL, &err),
                     EVS_OK);
    assert_int_equal(evs_client_open(&self->client, self->map, self->registry, NULL, &err), EVS_OK);
}

static void close_all(cluster *self)
{
    evs_client_free(self->client);
    evs_registry_free(self->registry);
    evs_shardmap_free(self->map);
    fake_shard_stop(self->seed);
    fake_shard_stop(self->owner);
}

static evs_status call(const cluster *self, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes key = evs_text("k");
    evs_invocation one = {
        .script = "one", .keys = &key, .nkeys = 1, .timeout_ms = WORLD_PATIENCE_MS};
    evs_status status = evs_call(&reply, self->client, &one, err);
    evs_reply_free(reply);
    return status;
}

static void of_two_primaries_the_one_with_the_slots_is_called(void **state)
{
    (void)state;
    cluster self;
    evs_error err;
    const fake_step owner[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(WORLD_SHA_REPLY ":1\r\n")};
    self.owner = FAKE_START(FAKE_TCP, owner);
    int port = port_of(self.owner);
    int first = snprintf(self.shards, sizeof self.shards, two_primaries, port);
    int second = snprintf(self.slots, sizeof self.slots, one_owner, port);
    const fake_step seed[] = {FAKE_GREET, FAKE_COMMANDS(1),
                              FAKE_SAY_BYTES(self.shards, (size_t)first), FAKE_COMMANDS(1),
                              FAKE_SAY_BYTES(self.slots, (size_t)second)};
    self.seed = FAKE_START(FAKE_TCP, seed);
    open_client(&self, "auto");
    assert_int_equal(call(&self, &err), EVS_OK);
    fake_shard_wait(self.seed);
    evs_bytes asked = fake_shard_received(self.seed);
    assert_non_null(memmem(asked.data, asked.len, "SHARDS", 6));
    assert_non_null(memmem(asked.data, asked.len, "SLOTS", 5));
    close_all(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_two_primaries_the_one_with_the_slots_is_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
