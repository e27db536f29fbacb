/* A client's life: freeing it inside completions and in a forked child. */
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
        cmocka_unit_test(stats_may_be_read_while_the_client_is_freed),
        cmocka_unit_test(a_child_that_frees_the_client_keeps_no_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
