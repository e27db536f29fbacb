/*
 * The wire between a client and a real server is cut at every byte of the requests and of the
 * replies, in the ways a wire can end, for each kind of call. The server's own count of what ran is
 * held against the outcome that was reported:
 *
 *   - sound: never NOT_EXECUTED of what ran, never EXECUTED of what did not, never twice
 *   - tight: never MAYBE_EXECUTED when the kernel had not taken the last byte of the request
 *
 * Each prints how many cuts there were, how often what was called ran, and what was said. In a
 * cluster it is every seventh byte, or with an argument (`live.test_faults all`) every byte.
 */
#include "tests/support/kernel.h"
#include "tests/support/nodes.h"
#include "tests/support/proxy.h"
#include "tests/support/ways.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>
#include <sys/socket.h>

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    return kernel_send(fd, data, len, flags);
}

static struct {
    shards set;
    size_t noscript; /* bytes of the server's NOSCRIPT */
    int in_cluster;  /* where a call waits for a node that cannot be reached */
    size_t step;     /* from one cut to the next there */
} world;

/* ---- ways to be cut ---- */

typedef struct cut {
    proxy_way way;
    proxy_what what;
    int by_kernel; /* it takes no more than the proxy forwards */
    int alone;     /* the server cannot be reached afterwards */
} cut;

static const cut cuts[] = {
    {PROXY_UP, PROXY_CLOSE, 0, 1},   {PROXY_UP, PROXY_RESET, 0, 0}, {PROXY_UP, PROXY_CLOSE, 1, 1},
    {PROXY_UP, PROXY_RESET, 1, 1},   {PROXY_UP, PROXY_CLOSE, 1, 0}, {PROXY_DOWN, PROXY_CLOSE, 0, 1},
    {PROXY_DOWN, PROXY_RESET, 0, 0},
};

typedef struct trial {
    evs_client *client;
    way_run run;
    size_t before[2]; /* bytes that went either way before what is tried */
} trial;

typedef struct tally {
    size_t cuts, ran, said[3], unsound, not_tight;
} tally;

/* ---- one trial ---- */

static size_t count_of(const char *end, evs_bytes taken)
{
    size_t n = 0, len = strlen(end);
    const char *stop = taken.data + taken.len;
    for (const char *at = taken.data; at != NULL && at < stop; n += at != NULL) {
        at = memmem(at, (size_t)(stop - at), end, len);
        at = at == NULL ? NULL : at + len;
    }
    return n;
}

/* Was an element taken behind MULTI, in a whole that ends with EXEC? A server that refuses MULTI
 * runs such an element, and the wire was cut before it could say that it did not refuse. */
static int left_bare(const way *how, const char *key, evs_bytes taken)
{
    static const char multi[] = "MULTI\r\n";
    const char *at = how->last == NULL ? NULL
                                       : memmem(taken.data, taken.len, multi, sizeof multi - 1);
    return at != NULL && count_of(key, (evs_bytes){at, taken.len - (size_t)(at - taken.data)}) > 0;
}

/* How often a request as a whole was taken by the kernel and not refused: NOSCRIPT of an honest
 * script, arrived, proves that that time it did not run. */
static size_t times_left(const trial *self, const way *how, const way_call *call)
{
    char key[32], first[32];
    size_t n = 0;
    snprintf(key, sizeof key, "%s\r\n", call->key);
    const char *end = how->last == NULL ? key : how->last;
    snprintf(first, sizeof first, "%s\r\n", self->run.calls[0].key);
    for (size_t i = 0; i < kernel_connections(); i++) {
        size_t whole = count_of(end, kernel_taken(i));
        n += whole > 0 ? whole : (size_t)left_bare(how, first, kernel_taken(i));
    }
    int refused = how->believed && proxy_forwarded(world.set.wire, PROXY_DOWN) >=
                                       self->before[PROXY_DOWN] + world.noscript;
    return refused ? n - 1 : n;
}

static void open_trial(trial *self, const way *how)
{
    memset(self, 0, sizeof *self);
    proxy_harm(world.set.wire, NULL);
    kernel_watch(proxy_port(world.set.wire));
    freeReplyObject(redisCommand(shards_side(&world.set), "SCRIPT FLUSH"));
    self->client = way_open(how, &world.set);
    way_begin(&self->run, how, self->client, &world.set);
    for (int to = 0; how->before != NULL && to < 2; to++)
        self->before[to] = proxy_forwarded(world.set.wire, (proxy_way)to);
}

static void judge(const trial *self, const way *how, tally *seen)
{
    for (size_t i = 0; i < how->ncalls; i++) {
        const way_call *call = &self->run.calls[i];
        long long ran = shards_counter(&world.set, call->key);
        int unsound = (call->outcome == EVS_NOT_EXECUTED && ran > 0) ||
                      (call->outcome == EVS_EXECUTED && ran == 0) || ran > how->most;
        int not_tight = call->outcome == EVS_MAYBE_EXECUTED && times_left(self, how, call) == 0;
        if (unsound || not_tight)
            print_error("%s: call %zu: %s, %s, ran %lld times\n", how->name, i,
                        evs_status_name(call->status), evs_outcome_text(call->outcome), ran);
        assert_int_equal(call->done, 1);
        seen->ran += ran > 0;
        seen->said[call->outcome]++;
        seen->unsound += (size_t)unsound;
        seen->not_tight += (size_t)not_tight;
    }
    seen->cuts++;
}

static void finish(trial *self, const way *how, tally *seen)
{
    how->act(&self->run);
    evs_client_free(self->client);
    proxy_settle(world.set.wire);
    judge(self, how, seen);
}

static void cut_at(const way *how, const cut *by, size_t at, tally *seen)
{
    trial self;
    open_trial(&self, how);
    at += self.before[by->way];
    if (by->by_kernel)
        kernel_limit(at);
    proxy_harm(world.set.wire, &(proxy_fault){.what = by->what,
                                              .way = by->way,
                                              .at = at,
                                              .at_once = by->by_kernel,
                                              .alone = by->alone});
    finish(&self, how, seen);
}

/* Without a cut: how many bytes go each way. */
static void measure(const way *how, size_t total[2])
{
    trial self;
    tally seen = {0};
    open_trial(&self, how);
    finish(&self, how, &seen);
    assert_int_equal(seen.said[EVS_EXECUTED], how->ncalls);
    assert_int_equal(seen.ran, how->ncalls);
    for (int to = 0; to < 2; to++)
        total[to] = proxy_forwarded(world.set.wire, (proxy_way)to) - self.before[to];
}

static void cut_everywhere(const way *how, tally *sum)
{
    size_t total[2];
    measure(how, total);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        if (world.in_cluster && cuts[i].alone)
            continue;
        size_t step = world.in_cluster ? world.step : 1;
        for (size_t at = i % step; at < total[cuts[i].way]; at += step)
            cut_at(how, &cuts[i], at, sum);
    }
}

static void add(tally *sum, const tally *one)
{
    sum->cuts += one->cuts;
    sum->ran += one->ran;
    sum->unsound += one->unsound;
    sum->not_tight += one->not_tight;
    for (size_t i = 0; i < 3; i++)
        sum->said[i] += one->said[i];
}

static void print(const char *what, const tally *seen)
{
    print_message("%s: cuts %zu, ran %zu, NOT %zu, EXECUTED %zu, MAYBE %zu, unsound %zu, "
                  "not tight %zu\n",
                  what, seen->cuts, seen->ran, seen->said[EVS_NOT_EXECUTED],
                  seen->said[EVS_EXECUTED], seen->said[EVS_MAYBE_EXECUTED], seen->unsound,
                  seen->not_tight);
}

static void cut_every_way(int (*skips)(const way *))
{
    tally all = {0};
    for (size_t i = 0; i < ways_count; i++) {
        tally one = {0};
        if (skips(&ways[i]))
            continue;
        cut_everywhere(&ways[i], &one);
        print(ways[i].name, &one);
        add(&all, &one);
    }
    print("all", &all);
    assert_int_equal(all.unsound, 0);
    assert_int_equal(all.not_tight, 0);
}

/* ---- the tests ---- */

static int none(const way *how)
{
    (void)how;
    return 0;
}

static void outcomes_are_true_wherever_the_wire_is_cut(void **state)
{
    (void)state;
    cut_every_way(none);
}

/* ---- a cluster of one node, which is known by the address of the proxy ---- */

static int has_no_place_in_a_cluster(const way *how)
{
    return strcmp(how->name, "a script everywhere") == 0;
}

static void start_node(nodes *cluster)
{
    nodes_start(cluster, 1, 0);
    world.set.servers[0] = cluster->servers[0];
    world.set.wire = proxy_start(scratch_address(cluster->servers[0]));
    nodes_do(cluster, 0, "CONFIG SET cluster-announce-ip 127.0.0.1");
    nodes_do(cluster, 0, "CONFIG SET cluster-announce-port %d", proxy_port(world.set.wire));
}

static void open_cluster(void)
{
    char yaml[256];
    evs_error err;
    snprintf(yaml, sizeof yaml,
             "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s, retry: "
             "{backoff: 1ms}}\n"
             "pools:\n  c:\n    on_no_keys: all\n    audit: warn\n"
             "    cluster: {seeds: [\"%s\"], tryagain_backoff: 1ms}\n",
             proxy_address(world.set.wire));
    if (evs_shardmap_parse(&world.set.map, evs_text(yaml), "test.yaml", NULL, &err) != EVS_OK ||
        evs_registry_new(&world.set.registry, NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    ways_load(&world.set);
}

static void so_they_are_in_a_cluster(void **state)
{
    (void)state;
    nodes cluster;
    shards plain = world.set;
    memset(&world.set, 0, sizeof world.set);
    start_node(&cluster);
    open_cluster();
    world.in_cluster = 1;
    cut_every_way(has_no_place_in_a_cluster);
    world.in_cluster = 0;
    shards_stop(&world.set);
    nodes_stop(&cluster);
    world.set = plain;
}

static size_t length_of_noscript(void)
{
    redisReply *reply = redisCommand(shards_side(&world.set), "EVALSHA %s 0", "unknown");
    assert_int_equal(reply->type, REDIS_REPLY_ERROR);
    size_t len = 1 + reply->len + 2;
    freeReplyObject(reply);
    return len;
}

static int set_up(void **state)
{
    (void)state;
    shards_start_behind(&world.set);
    world.noscript = length_of_noscript();
    ways_load(&world.set);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kernel_watch(0);
    shards_stop(&world.set);
    return 0;
}

/* A call waits a moment for the next table there; with an argument it is cut at every byte, too. */
int main(int argc, char **argv)
{
    (void)argv;
    world.step = argc > 1 ? 1 : 7;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes_are_true_wherever_the_wire_is_cut),
        cmocka_unit_test(so_they_are_in_a_cluster),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
