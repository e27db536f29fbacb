/*
 * A process is forked while a client with a thread of its own is at work: the child frees what it
 * inherited, whatever that thread was doing, and the parent notices nothing.
 */
#include "tests/support/crowd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <dirent.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- children ---- */

typedef int child_fn(evs_client *client);

/* What the child returns; fails when it does not come to that. */
static int in_a_child(child_fn *act, evs_client *client)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(act(client));
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status))
        fail_msg("the child ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static int count_descriptors(void)
{
    int count = 0;
    DIR *all = opendir("/proc/self/fd");
    while (all != NULL && readdir(all) != NULL)
        count++;
    if (all != NULL)
        closedir(all);
    return count;
}

static int just_free(evs_client *client)
{
    evs_client_free(client);
    return 0;
}

/* How many descriptors went with the client. */
static int free_and_count(evs_client *client)
{
    int before = count_descriptors();
    evs_client_free(client);
    return before - count_descriptors();
}

static void call_once(evs_client *client)
{
    evs_bytes key = evs_text("{c:0}");
    evs_invocation call = crowd_call(crowd.incr, &key);
    evs_reply *reply = NULL;
    assert_int_equal(evs_call(&reply, client, &call, NULL), EVS_OK);
    evs_reply_free(reply);
}

/* Nobody says when the thread waits; it does so soon, and then for long. */
static void of_a_client_that_waits_a_child_frees_all(void **state)
{
    (void)state;
    int gone = 0;
    evs_client *client = crowd_open(NULL);
    call_once(client);
    for (int i = 0; i < 20000 && gone == 0; i++) {
        gone = in_a_child(free_and_count, client);
        sched_yield();
    }
    assert_true(gone >= 2); /* a connection, and what wakes the thread */
    call_once(client);
    evs_client_free(client);
}

static void of_a_client_at_work_a_child_touches_nothing(void **state)
{
    (void)state;
    crowd_hold held;
    evs_bytes key = evs_text("{c:0}");
    evs_invocation call = crowd_call(crowd.incr, &key);
    evs_client *client = crowd_open(NULL);
    crowd_hold_init(&held);
    assert_int_equal(evs_submit(client, &call, crowd_hold_up, &held, NULL), EVS_OK);
    crowd_wait(&held.begun);
    assert_int_equal(in_a_child(free_and_count, client), 0);
    sem_post(&held.go);
    call_once(client);
    evs_client_free(client);
    crowd_hold_destroy(&held);
}

/* ---- at any moment ---- */

static atomic_int over;

/* The same shards each time; the last one is in another database by turns. NULL when it failed. */
static evs_shardmap *make_map(size_t generation)
{
    char text[1024];
    evs_shardmap *map = NULL;
    snprintf(text, sizeof text,
             "evalshard: 1\ngeneration: %zu\npools:\n  all:\n    shards:\n      s0: \"%s\"\n"
             "      s1: \"%s\"\n      s2:\n        address: \"%s\"\n        db: %zu\n",
             generation, scratch_address(crowd.set.servers[0]),
             scratch_address(crowd.set.servers[1]), scratch_address(crowd.set.servers[2]),
             generation % 2);
    evs_shardmap_parse(&map, evs_text(text), "map", NULL, NULL);
    return map;
}

static evs_client *open_by_map(evs_shardmap *map)
{
    evs_error err;
    evs_client *client = NULL;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    if (evs_client_open(&client, map, crowd.set.registry, &options, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return client;
}

/* Long arguments make buffers grow. Every fourth call to a shard is waited for, which keeps calls
 * few. */
static void *call_and_grow(void *worker)
{
    static char large[100000];
    crowd_worker *self = worker;
    for (size_t i = 0; !over; i++) {
        char text[32];
        snprintf(text, sizeof text, "{c:%zu}", i / 4 % 8);
        evs_bytes key = evs_text(text), arg = {large, i % 16 == 0 ? sizeof large : 100};
        evs_invocation call = crowd_call(crowd.incr, &key);
        evs_reply *reply = NULL;
        call.args = &arg;
        call.nargs = 1;
        if (i % 4 == 3) {
            self->other += evs_call(&reply, self->client, &call, NULL) != EVS_OK;
            evs_reply_free(reply);
            continue;
        }
        evs_status status = evs_submit(self->client, &call, crowd_count, &crowd.totals, NULL);
        self->ok += status == EVS_OK;
        self->other += status != EVS_OK;
    }
    return NULL;
}

static void *reload_often(void *worker)
{
    crowd_worker *self = worker;
    for (size_t i = 2; !over; i++) {
        evs_shardmap *map = make_map(i);
        evs_status status = evs_client_reload(self->client, map, NULL);
        evs_shardmap_free(map);
        self->ok += status == EVS_OK;
        self->other += status != EVS_OK;
    }
    return NULL;
}

static void children_of_any_moment_can_free(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* their allocators do not care for children */
#endif
    crowd_worker callers[2], reloader;
    size_t ok = 0;
    evs_shardmap *map = make_map(1);
    evs_client *client = open_by_map(map);
    over = 0;
    crowd_begin(0, NULL, NULL);
    crowd_run(callers, 2, client, call_and_grow);
    crowd_run(&reloader, 1, client, reload_often);
    for (int i = 0; i < 500; i++)
        assert_int_equal(in_a_child(just_free, client), 0);
    over = 1;
    crowd_join(callers, 2);
    crowd_join(&reloader, 1);
    assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
    for (size_t i = 0; i < 2; i++) {
        ok += callers[i].ok;
        assert_int_equal(callers[i].other, 0);
    }
    assert_true(reloader.ok > 0);
    assert_int_equal(reloader.other, 0);
    assert_int_equal(crowd.totals.ok, ok);
    evs_client_free(client);
    evs_shardmap_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(of_a_client_that_waits_a_child_frees_all, crowd_empty_servers),
        cmocka_unit_test_setup(of_a_client_at_work_a_child_touches_nothing, crowd_empty_servers),
        cmocka_unit_test_setup(children_of_any_moment_can_free, crowd_empty_servers),
    };
    return cmocka_run_group_tests(tests, crowd_set_up, crowd_tear_down);
}
