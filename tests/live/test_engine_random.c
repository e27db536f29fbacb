/*
 * What calls say has happened, held against what happened: thousands of calls, each with a counter
 * of its own on a real server, while scripts are flushed, connections killed, deadlines missed,
 * memory refused and the client freed, at random.
 *
 *     EXECUTED            the counter is 1
 *     NOT_EXECUTED        the counter is 0
 *     MAYBE_EXECUTED      the counter is 0 or 1
 *     not even submitted  the counter is 0
 *
 * An idempotent script may run twice, so its counter may be 2 where 1 is right. Every submitted
 * call completes exactly once. `live.test_engine_random SEED` repeats a run as far as the timing of
 * two processes can be repeated.
 */
#include "core/mem.h"
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>
#include <unistd.h>

enum { SERVERS = 2, ROUNDS = 24, STEPS = 60, MOST_CALLS = 20000, BIG = 400 * 1024 };

typedef struct run run;

typedef enum kind { INCR_ONCE, INCR_AGAIN, LIAR, SLOW, KINDS } kind;

typedef struct ticket {
    run *all;
    kind kind;
    int submitted;
    int done;
    evs_status status;
    evs_outcome outcome;
} ticket;

struct run {
    shards set;
    const evs_script *scripts[KINDS];
    redisContext *side[SERVERS]; /* what disturbs and looks comes this way */
    ticket tickets[MOST_CALLS];
    size_t count;
    int flushing; /* in this round; liars then do not speak of NOSCRIPT */
    int freed;    /* by a completion; the client is gone when the call that drove it returns */
    uint64_t random;
    char *big;
};

static const char *const sources[KINDS] = {
    "return redis.call('INCR', KEYS[1])",
    ("--- Counts.\n-- @key k counter\n-- @arg a... filler\n-- @retry idempotent\n"
     "return redis.call('INCR', KEYS[1])"),
    "redis.call('INCR', KEYS[1]) return redis.error_reply(ARGV[1])",
    "for i = 1, 20000 do local x = i end return redis.call('INCR', KEYS[1])",
};

/* xorshift64 */
static unsigned pick(run *all, unsigned below)
{
    all->random ^= all->random << 13;
    all->random ^= all->random >> 7;
    all->random ^= all->random << 17;
    return (unsigned)((all->random >> 11) % below);
}

/* ---- calls ---- */

static void submit(run *all);

static void finished(void *arg, const evs_result *result)
{
    ticket *mine = arg;
    run *all = mine->all;
    mine->done++;
    mine->status = result->status;
    mine->outcome = result->outcome;
    if (pick(all, 4) == 0)
        submit(all);
    if (pick(all, 1500) == 0 && !all->freed) {
        all->freed = 1;
        evs_client_free(all->set.client);
    }
}

static unsigned timeout_of(run *all)
{
    switch (pick(all, 8)) {
    case 0:
        return 1;
    case 1:
        return 1 + pick(all, 10);
    case 2:
        return UINT32_MAX;
    default:
        return 5000;
    }
}

static void submit(run *all)
{
    if (all->count == MOST_CALLS)
        return;
    ticket *mine = &all->tickets[all->count];
    char text[32];
    snprintf(text, sizeof text, "n%zu", all->count++);
    mine->all = all;
    mine->kind = (kind)pick(all, KINDS);
    evs_bytes key = evs_text(text), arg = {all->big, pick(all, 40) == 0 ? BIG : 10};
    if (mine->kind == LIAR)
        arg = evs_text(all->flushing || pick(all, 2) == 0 ? "BUSY with a lie"
                                                          : "NOSCRIPT is a lie");
    evs_invocation call = {.handle = all->scripts[mine->kind],
                           .keys = &key,
                           .nkeys = 1,
                           .args = &arg,
                           .nargs = 1,
                           .timeout_ms = timeout_of(all)};
    mine->submitted = evs_submit(all->set.client, &call, finished, mine, NULL) == EVS_OK;
}

/* ---- disturbances ---- */

static long long tell(run *all, size_t server, const char *command)
{
    redisReply *reply = redisCommand(all->side[server], command);
    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    long long number = reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
    freeReplyObject(reply);
    return number;
}

static void process(run *all, int timeout_ms)
{
    evs_client_process(all->set.client, timeout_ms, NULL);
}

static void open_client(run *all)
{
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    if (pick(all, 4) == 0)
        options.max_in_flight = 16;
    if (pick(all, 4) == 0)
        options.max_queued_bytes = 2 * BIG;
    assert_int_equal(
        evs_client_open(&all->set.client, all->set.map, all->set.registry, &options, NULL), EVS_OK);
    all->freed = 0;
}

static void step(run *all)
{
    for (unsigned n = pick(all, 12); n > 0; n--)
        submit(all);
    switch (pick(all, 16)) {
    case 0:
        if (all->flushing)
            tell(all, pick(all, SERVERS), "SCRIPT FLUSH");
        break;
    case 1:
        tell(all, pick(all, SERVERS), "CLIENT KILL TYPE normal SKIPME yes");
        break;
    case 2:
        usleep(pick(all, 2000)); /* deadlines pass unseen */
        break;
    case 3:
        evs__mem_fail_at(1 + pick(all, 20));
        submit(all);
        process(all, 0);
        evs__mem_fail_at(0);
        break;
    default:
        process(all, (int)pick(all, 2));
    }
    if (all->freed)
        open_client(all);
}

static void drain(run *all)
{
    while (!all->freed && evs_client_pending(all->set.client) > 0)
        process(all, -1);
    if (all->freed)
        open_client(all);
}

/* ---- what happened ---- */

/* Requests that were cut off may still lie in a server's socket. */
static void settle(run *all)
{
    for (size_t i = 0; i < SERVERS; i++)
        while (shards_info(&all->set, i, "clients", "connected_clients:") > 2)
            usleep(1000); /* the side's connection and that of the question stay */
}

static void add_counters(run *all, size_t server, long long *counters)
{
    for (size_t i = 0; i < all->count; i++)
        assert_int_equal(redisAppendCommand(all->side[server], "GET n%d", (int)i), REDIS_OK);
    for (size_t i = 0; i < all->count; i++) {
        void *reply;
        assert_int_equal(redisGetReply(all->side[server], &reply), REDIS_OK);
        redisReply *counter = reply;
        counters[i] += counter->type == REDIS_REPLY_STRING ? atoll(counter->str) : 0;
        freeReplyObject(counter);
    }
}

static int is_right(const ticket *one, long long counter)
{
    int most = one->kind == INCR_AGAIN ? 2 : 1;
    if (!one->submitted)
        return one->done == 0 && counter == 0;
    if (one->done != 1)
        return 0;
    if (one->outcome == EVS_NOT_EXECUTED)
        return counter == 0;
    return counter >= (one->outcome == EVS_EXECUTED) && counter <= most;
}

static void check(run *all)
{
    long long *counters = calloc(all->count, sizeof *counters);
    assert_non_null(counters);
    for (size_t i = 0; i < SERVERS; i++)
        add_counters(all, i, counters);
    for (size_t i = 0; i < all->count; i++) {
        const ticket *one = &all->tickets[i];
        if (!is_right(one, counters[i]))
            fail_msg("call %zu of kind %d, submitted %d, done %d: %s, %s, but its counter is %lld",
                     i, one->kind, one->submitted, one->done, evs_status_name(one->status),
                     evs_outcome_text(one->outcome), counters[i]);
    }
    free(counters);
}

static void summarise(const run *all)
{
    size_t by_outcome[3] = {0, 0, 0}, submitted = 0;
    for (size_t i = 0; i < all->count; i++) {
        submitted += (size_t)all->tickets[i].submitted;
        by_outcome[all->tickets[i].outcome] += (size_t)all->tickets[i].submitted;
    }
    printf("%zu calls, %zu submitted: %zu executed, %zu not, %zu maybe\n", all->count, submitted,
           by_outcome[EVS_EXECUTED], by_outcome[EVS_NOT_EXECUTED], by_outcome[EVS_MAYBE_EXECUTED]);
    for (int i = 0; i < 3; i++)
        assert_true(by_outcome[i] > 0); /* else the disturbances disturb nothing */
}

static void begin(run *all)
{
    shards_start(&all->set, SERVERS, NULL);
    for (int i = 0; i < KINDS; i++) {
        char name[16];
        snprintf(name, sizeof name, "kind%d", i);
        all->scripts[i] = shards_script(&all->set, name, sources[i]);
    }
    for (size_t i = 0; i < SERVERS; i++) {
        all->side[i] = redisConnectUnix(scratch_socket(all->set.servers[i]));
        assert_non_null(all->side[i]);
    }
    all->big = calloc(1, BIG);
    assert_non_null(all->big);
}

static void outcomes_agree_with_what_happened(void **state)
{
    run *all = calloc(1, sizeof *all);
    assert_non_null(all);
    all->random = *(uint64_t *)*state;
    printf("seed %llu\n", (unsigned long long)all->random);
    begin(all);
    for (int i = 0; i < ROUNDS; i++) {
        all->flushing = i % 2;
        for (int j = 0; j < STEPS; j++)
            step(all);
        drain(all); /* what settles a liar's NOSCRIPT in this round meets no flush of the next */
        if (pick(all, 2) == 0) {
            evs_client_free(all->set.client);
            open_client(all);
        }
    }
    evs_client_free(all->set.client);
    all->set.client = NULL;
    settle(all);
    check(all);
    summarise(all);
    for (size_t i = 0; i < SERVERS; i++)
        redisFree(all->side[i]);
    shards_stop(&all->set);
    free(all->big);
    free(all);
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 20240229;
    if (seed == 0)
        seed = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(outcomes_agree_with_what_happened, &seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
