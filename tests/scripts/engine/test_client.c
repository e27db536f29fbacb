/* A client's life: options that make none, freeing it inside completions and in a forked child. */
#include "tests/support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct reader {
    evs_client *client;
    size_t done;
} reader;

static void read_stats(void *arg, const evs_result *result)
{
    reader *self = arg;
    evs_client_stats stats;
    assert_int_equal(result->status, EVS_E_CANCELED);
    assert_int_equal(result->outcome, EVS_NOT_EXECUTED);
    self->done++;
    evs_client_stats_get(&stats, self->client);
    assert_int_equal(stats.calls, self->done);
}

static void stats_may_be_read_while_the_client_is_freed(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_ACCEPT};
    fake_shard *fakes[] = {FAKE_START(FAKE_UNIX, steps), FAKE_START(FAKE_UNIX, steps)};
    const char *addresses[] = {fake_shard_address(fakes[0]), fake_shard_address(fakes[1])};
    shards set = {0};
    shards_open(&set, addresses, 2, NULL);
    reader self = {set.client, 0};
    const evs_script *script = shards_script(&set, "one", "return 1");
    for (size_t i = 0; i < 2; i++) {
        char text[32];
        evs_bytes key = evs_text(shards_key(&set, i, text));
        evs_invocation call = {.handle = script, .keys = &key, .nkeys = 1, .timeout_ms = 60000};
        assert_int_equal(evs_submit(set.client, &call, read_stats, &self, NULL), EVS_OK);
    }
    evs_client_free(set.client);
    set.client = NULL;
    assert_int_equal(self.done, 2);
    fake_shard_stop(fakes[0]);
    fake_shard_stop(fakes[1]);
    shards_stop(&set);
}

/* ---- options ---- */

static void open_says(const shards *set, const evs_client_options *options, const char *text)
{
    evs_client *client = NULL;
    evs_error err;
    assert_int_equal(evs_client_open(&client, set->map, set->registry, options, &err),
                     EVS_E_INVALID);
    assert_string_equal(err.message, text);
    assert_null(client);
}

/* Set without INIT they would all count for nothing, in silence. */
static void options_begin_with_their_size(void **state)
{
    (void)state;
    shards set = {0};
    const char *nowhere[] = {"unix:/nowhere"};
    shards_open(&set, nowhere, 1, NULL);
    evs_error err;
    evs_batch *batch = NULL;
    evs_transaction *tx = NULL;
    evs_client_options of_client = {.threaded = 1};
    evs_batch_options of_batch = {.on_error = EVS_BATCH_STOP};
    evs_transaction_options of_tx = {.timeout_ms = 7};
    open_says(&set, &of_client, "options without EVS_CLIENT_OPTIONS_INIT");
    assert_int_equal(evs_batch_new(&batch, set.client, &of_batch, &err), EVS_E_INVALID);
    assert_string_equal(err.message, "options without EVS_BATCH_OPTIONS_INIT");
    assert_int_equal(evs_transaction_new(&tx, set.client, &of_tx, &err), EVS_E_INVALID);
    assert_string_equal(err.message, "options without EVS_TRANSACTION_OPTIONS_INIT");
    shards_stop(&set);
}

static void a_choice_that_there_is_not_is_named(void **state)
{
    (void)state;
    shards set = {0};
    const char *nowhere[] = {"unix:/nowhere"};
    shards_open(&set, nowhere, 1, NULL);
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.order = (evs_order)2;
    open_says(&set, &options, "order is 2, which there is not; the last one is 1");
    options.order = EVS_ORDER_STRICT;
    options.patience = (evs_patience)9;
    open_says(&set, &options, "patience is 9, which there is not; the last one is 1");
    options.patience = EVS_PATIENCE_NONE;
    options.on_full = (evs_on_full)3;
    open_says(&set, &options, "on_full is 3, which there is not; the last one is 2");
    options.on_full = EVS_FULL_BLOCK;
    options.completions = (evs_completions)2;
    open_says(&set, &options, "completions is 2, which there is not; the last one is 1");
    shards_stop(&set);
}

/* ---- freeing ---- */

static size_t open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;
    while (folder != NULL && readdir(folder) != NULL)
        count++;
    if (folder != NULL)
        closedir(folder);
    return count;
}

/* libuv keeps some descriptors for the process from its first loop on. */
static void a_child_that_frees_the_client_keeps_no_descriptor(void **state)
{
    (void)state;
    const char *address = "unix:/nobody/there";
    shards set = {0};
    shards_open(&set, &address, 1, NULL);
    evs_client_free(set.client);
    size_t before = open_descriptors();
    assert_int_equal(evs_client_open(&set.client, set.map, set.registry, NULL, NULL), EVS_OK);

    pid_t child = fork();
    if (child == 0) {
        evs_client_free(set.client);
        _exit(open_descriptors() == before ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    shards_stop(&set);
}

enum { TIMEOUT_MS = 20 };

/* How the first of two calls comes to its end, whose completion forks. The child frees the client
 * there, and ends at once or returns. */
typedef enum ending { ANSWERED, CANCELED, LOST, EXPIRED, WAITED_FOR, ENDINGS } ending;

static struct {
    world w;
    int returns;
    pid_t child;
} forker;

static void fork_there(slot *self)
{
    (void)self;
    forker.child = fork();
    if (forker.child != 0)
        return;
    alarm(60);
    evs_client_free(forker.w.set.client);
    if (!forker.returns)
        _exit(0);
}

static void start_world(ending how)
{
#define TWO_CALLS FAKE_GREET, FAKE_COMMANDS(3)
    static const fake_step answer[] = {TWO_CALLS, FAKE_SAY(WORLD_SHA_REPLY ":1\r\n:2\r\n")};
    static const fake_step close[] = {TWO_CALLS, FAKE_CLOSE};
    static const fake_step nothing[] = {TWO_CALLS, FAKE_PAUSE}, nobody[] = {FAKE_PAUSE};
    if (how == ANSWERED || how == WAITED_FOR)
        WORLD_OPEN(&forker.w, answer, NULL);
    else if (how == LOST)
        WORLD_OPEN(&forker.w, close, NULL);
    else if (how == CANCELED)
        WORLD_OPEN(&forker.w, nothing, NULL);
    else
        WORLD_OPEN(&forker.w, nobody, NULL);
}

static void await(const slot *first, ending how)
{
    evs_client *client = forker.w.set.client;
    while (how == CANCELED && fake_shard_done(forker.w.fake) < 3)
        evs_client_process(client, 1, NULL);
    if (how == CANCELED)
        evs_cancel(client, first->ticket, NULL);
    if (how == EXPIRED)
        poll(NULL, 0, 3 * TIMEOUT_MS); /* the second is due, too, when the first one is told */
    while (how != CANCELED && first->done == 0)
        evs_client_process(client, -1, NULL);
}

/* In the child: what waits is told. */
static evs_status wait_for_the_second(void)
{
    evs_reply *reply = NULL;
    evs_bytes key = evs_text("k");
    evs_invocation call = {
        .handle = forker.w.script, .keys = &key, .nkeys = 1, .timeout_ms = WORLD_PATIENCE_MS};
    evs_status status = evs_call(&reply, forker.w.set.client, &call, NULL);
    evs_reply_free(reply);
    return status;
}

static void fork_and_free(ending how, int returns)
{
    slot slots[2] = {{.then = fork_there}};
    unsigned timeout_ms = how == EXPIRED ? TIMEOUT_MS : WORLD_PATIENCE_MS;
    evs_status waited = EVS_OK;
    int status = 1;
    start_world(how);
    forker.returns = returns;
    assert_int_equal(world_submit(&forker.w, &slots[0], timeout_ms), EVS_OK);
    if (how == WAITED_FOR)
        waited = wait_for_the_second();
    else {
        assert_int_equal(world_submit(&forker.w, &slots[1], timeout_ms), EVS_OK);
        await(&slots[0], how);
    }
    if (forker.child == 0)
        _exit(slots[0].done == 1 && slots[1].done == 0 &&
                      waited == (how == WAITED_FOR ? EVS_E_STATE : EVS_OK)
                  ? 0
                  : 1);
    assert_int_equal(waitpid(forker.child, &status, 0), forker.child);
    assert_int_equal(status, 0);
    assert_int_equal(waited, EVS_OK);
    if (how == CANCELED)
        assert_int_equal(evs_cancel(forker.w.set.client, slots[1].ticket, NULL), EVS_OK);
    world_finish(&forker.w);
    assert_int_equal(slots[1].done, how != WAITED_FOR);
    if (how == ANSWERED)
        assert_int_equal(slots[1].number, 2);
    fake_shard_go(forker.w.fake);
    world_close(&forker.w);
}

static void a_child_of_a_completion_may_free_the_client(void **state)
{
    (void)state;
    for (int how = 0; how < ENDINGS; how++)
        for (int returns = 0; returns < 2; returns++)
            fork_and_free((ending)how, returns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_begin_with_their_size),
        cmocka_unit_test(a_choice_that_there_is_not_is_named),
        cmocka_unit_test(stats_may_be_read_while_the_client_is_freed),
        cmocka_unit_test(a_child_that_frees_the_client_keeps_no_descriptor),
        cmocka_unit_test(a_child_of_a_completion_may_free_the_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
