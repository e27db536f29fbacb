/* A client's life: options that make none, freeing it inside completions and in a forked child. */
#include "tests/support/fake_shard.h"
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_begin_with_their_size),
        cmocka_unit_test(a_choice_that_there_is_not_is_named),
        cmocka_unit_test(stats_may_be_read_while_the_client_is_freed),
        cmocka_unit_test(a_child_that_frees_the_client_keeps_no_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
