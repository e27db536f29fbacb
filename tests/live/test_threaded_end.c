/*
 * The end of a client with a thread of its own: closing races calls and loses none, what is still
 * in flight completes, completions free the client, a forked child frees what it inherited.
 */
#include "tests/support/crowd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static atomic_int set_back; /* the calendar, to its first day */

/* Visible, so that the library finds this one. */
EVS_API int clock_gettime(clockid_t id, struct timespec *now)
{
    if (id != CLOCK_REALTIME || !atomic_load(&set_back))
        return (int)syscall(SYS_clock_gettime, id, now);
    *now = (struct timespec){0, 0};
    return 0;
}

static void free_and_ask(void *arg, const evs_result *result)
{
    crowd_tally *t = arg;
    evs_bytes key = evs_text("{c:0}");
    evs_invocation call = crowd_call(crowd.incr, &key);
    if (t->done++ == 0)
        evs_client_free(t->client);
    t->ok += result->status == EVS_OK;
    t->waited += evs_submit(t->client, &call, crowd_count, t, NULL) == EVS_E_STATE;
}

/* It is there until the last of those that were taken together has returned. */
static void a_queued_completion_may_free_the_client(void **state)
{
    (void)state;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.completions = EVS_COMPLETIONS_QUEUED;
    evs_client *client = crowd_open(&options);
    evs_bytes key = evs_text("{c:0}");
    evs_invocation call = crowd_call(crowd.incr, &key);
    evs_client_stats stats = {0};
    crowd_begin(0, client, NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(evs_submit(client, &call, free_and_ask, &crowd.totals, NULL), EVS_OK);
    while (stats.calls < 3)
        evs_client_stats_get(&stats, client);
    assert_int_equal(evs_client_process(client, -1, NULL), EVS_OK);
    assert_int_equal(crowd.totals.done, 3);
    assert_int_equal(crowd.totals.ok, 3);
    assert_int_equal(crowd.totals.waited, 3);
}

static void closing_races_calls_and_loses_none(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        crowd_worker workers[16];
        long long ok = 0, before = crowd_sum();
        evs_client *client = crowd_open(NULL);
        evs_client_stats stats = {0};
        crowd_run(workers, 16, client, crowd_call_until_closed);
        while (stats.calls < 200)
            evs_client_stats_get(&stats, client);
        assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
        crowd_join(workers, 16);
        for (size_t i = 0; i < 16; i++) {
            ok += (long long)workers[i].ok;
            assert_int_equal(workers[i].other, 0);
        }
        assert_int_equal(evs_client_close(client, EVS_CLOSE_ABORT, 0, NULL), EVS_E_STATE);
        evs_client_free(client);
        assert_int_equal(crowd_sum() - before, ok);
    }
}

typedef struct closer {
    pthread_t id;
    evs_client *client;
    sem_t *begun;
    evs_status status;
} closer;

static void *close_it(void *arg)
{
    closer *self = arg;
    sem_post(self->begun);
    self->status = evs_client_close(self->client, EVS_CLOSE_DRAIN, -1, NULL);
    return NULL;
}

/* Each looks whether the client is closed before the thread of the client gets to either. */
static void of_two_who_close_at_once_one_closes(void **state)
{
    (void)state;
    crowd_hold held;
    sem_t begun;
    closer pair[2];
    evs_bytes key = evs_text("{c:0}");
    evs_invocation call = crowd_call(crowd.incr, &key);
    evs_client *client = crowd_open(NULL);
    sem_init(&begun, 0, 0);
    crowd_hold_init(&held);
    assert_int_equal(evs_submit(client, &call, crowd_hold_up, &held, NULL), EVS_OK);
    crowd_wait(&held.begun);
    for (int i = 0; i < 2; i++) {
        pair[i] = (closer){.client = client, .begun = &begun};
        assert_int_equal(pthread_create(&pair[i].id, NULL, close_it, &pair[i]), 0);
    }
    crowd_wait(&begun);
    crowd_wait(&begun);
    for (int i = 0; i < 1000; i++)
        sched_yield();
    sem_post(&held.go);
    for (int i = 0; i < 2; i++)
        pthread_join(pair[i].id, NULL);
    assert_int_equal(pair[0].status + pair[1].status, EVS_OK + EVS_E_STATE);
    evs_client_free(client);
    sem_destroy(&begun);
    crowd_hold_destroy(&held);
}

/* The server is held up, so nothing is answered before the client is closed. */
static void an_abort_completes_what_is_in_flight(void **state)
{
    (void)state;
    char key_text[32];
    evs_client *client = crowd_open(NULL);
    evs_bytes key = evs_text(shards_key(&crowd.set, 0, key_text));
    evs_invocation call = crowd_call(crowd.incr, &key);
    shards_do(&crowd.set, 0, "CLIENT PAUSE 60000 WRITE");
    crowd_begin(10, NULL, NULL);
    for (int i = 0; i < 10; i++)
        assert_int_equal(evs_submit(client, &call, crowd_count, &crowd.totals, NULL), EVS_OK);
    assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, 1, NULL), EVS_E_TIMEOUT);
    assert_int_equal(crowd.totals.done, 10);
    assert_int_equal(crowd.totals.canceled, 10);
    assert_int_equal(evs_submit(client, &call, crowd_count, &crowd.totals, NULL), EVS_E_STATE);
    evs_client_free(client);
    shards_do(&crowd.set, 0, "CLIENT UNPAUSE");
}

static void *drain(void *arg)
{
    closer *self = arg;
    self->status = evs_client_close(self->client, EVS_CLOSE_DRAIN, 60000, NULL);
    return NULL;
}

/* The server is held up until the client is being closed. */
static void a_drain_does_not_follow_the_calendar(void **state)
{
    (void)state;
    char key_text[32];
    closer self = {.client = crowd_open(NULL)};
    evs_bytes key = evs_text(shards_key(&crowd.set, 0, key_text));
    evs_invocation call = crowd_call(crowd.incr, &key);
    shards_do(&crowd.set, 0, "CLIENT PAUSE 60000 WRITE");
    crowd_begin(0, NULL, NULL);
    assert_int_equal(evs_submit(self.client, &call, crowd_count, &crowd.totals, NULL), EVS_OK);
    atomic_store(&set_back, 1);
    assert_int_equal(pthread_create(&self.id, NULL, drain, &self), 0);
    while (evs_submit(self.client, &call, crowd_count, &crowd.totals, NULL) != EVS_E_STATE)
        sched_yield();
    for (int i = 0; i < 1000; i++)
        sched_yield();
    shards_do(&crowd.set, 0, "CLIENT UNPAUSE");
    pthread_join(self.id, NULL);
    atomic_store(&set_back, 0);
    assert_int_equal(self.status, EVS_OK);
    assert_int_equal(crowd.totals.canceled, 0);
    evs_client_free(self.client);
}

/* The child has neither the thread nor the sockets. */
static void a_forked_child_is_told_and_may_free(void **state)
{
    (void)state;
    int status;
    evs_bytes key = evs_text("{c:2}");
    evs_invocation call = crowd_call(crowd.incr, &key);
    evs_reply *reply = NULL;
    evs_client *client = crowd_open(NULL);
    assert_int_equal(evs_call(&reply, client, &call, NULL), EVS_OK);
    evs_reply_free(reply);
    pid_t child = fork();
    if (child == 0) {
        evs_stats *stats;
        int told = evs_call(&reply, client, &call, NULL) == EVS_E_STATE &&
                   evs_stats_snapshot(&stats, client, NULL) == EVS_E_STATE &&
                   evs_client_refusal(client, NULL) == EVS_E_STATE &&
                   evs_submit(client, &call, crowd_count, &crowd.totals, NULL) == EVS_E_STATE &&
                   evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL) == EVS_E_STATE;
        evs_client_free(client);
        _exit(told ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(evs_call(&reply, client, &call, NULL), EVS_OK);
    assert_int_equal(evs_reply_integer(reply), 2);
    evs_reply_free(reply);
    evs_client_free(client);
}

static void free_it(void *arg, const evs_result *result)
{
    crowd_tally *t = arg;
    t->ok += result->status == EVS_OK;
    evs_client_free(t->client);
    sem_post(t->all_done);
}

/* The thread ends by itself then; nobody joins it. */
static void a_completion_may_free_the_client(void **state)
{
    (void)state;
    sem_t all_done;
    evs_bytes key = evs_text("{c:1}");
    evs_invocation call = crowd_call(crowd.incr, &key);
    sem_init(&all_done, 0, 0);
    evs_client *client = crowd_open(NULL);
    crowd_begin(1, client, &all_done);
    assert_int_equal(evs_submit(client, &call, free_it, &crowd.totals, NULL), EVS_OK);
    crowd_wait(&all_done);
    assert_int_equal(crowd.totals.ok, 1);
    sem_destroy(&all_done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_queued_completion_may_free_the_client, crowd_empty_servers),
        cmocka_unit_test_setup(closing_races_calls_and_loses_none, crowd_empty_servers),
        cmocka_unit_test_setup(of_two_who_close_at_once_one_closes, crowd_empty_servers),
        cmocka_unit_test_setup(an_abort_completes_what_is_in_flight, crowd_empty_servers),
        cmocka_unit_test_setup(a_drain_does_not_follow_the_calendar, crowd_empty_servers),
        cmocka_unit_test_setup(a_forked_child_is_told_and_may_free, crowd_empty_servers),
        cmocka_unit_test_setup(a_completion_may_free_the_client, crowd_empty_servers),
    };
    return cmocka_run_group_tests(tests, crowd_set_up, crowd_tear_down);
}
