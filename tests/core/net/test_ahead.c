/* Replies of many servers: read in the order of writing, and nobody is held up by who is silent. */
#include "core/net/conn_inner.h"
#include "tests/support/fake_shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { PEERS = 40, CROWD = EVS__AHEAD_MOST + 76 };

typedef struct peer peer;

typedef struct crowd {
    evs__loop *loop;
    size_t answered;
    peer *peers;
} crowd;

struct peer {
    evs__request request; /* first */
    crowd *of;
    fake_shard *fake;
    evs__conn *conn;
    size_t order; /* among the answers, from 1 */
    evs__got got;
    void (*then)(peer *self);
};

static void note(evs__request *request, const evs__answer *answer)
{
    peer *self = (peer *)request;
    self->got = answer->got;
    self->order = ++self->of->answered;
    if (self->then != NULL)
        self->then(self);
}

static void ask(peer *self)
{
    static const char ping[] = "*1\r\n$4\r\nPING\r\n";
    assert_int_equal(evs__conn_prepare(self->conn, NULL), EVS_OK);
    self->request = (evs__request){.done = note};
    evs__buf_append(evs__conn_begin(self->conn, &self->request), ping, sizeof ping - 1);
    assert_true(evs__conn_end(self->conn, &self->request));
}

static void run_until(crowd *all, size_t answered)
{
    while (all->answered < answered)
        evs__loop_run(all->loop, -1);
}

/* All are READY, nothing was asked that they wait for. */
static int setup(void **state)
{
    static const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+ready\r\n"), FAKE_COMMANDS(1),
                                      FAKE_PAUSE, FAKE_SAY(":1\r\n")};
    static const evs__conn_limits limits = {
        .max_reply_bytes = 1 << 20, .max_reply_depth = 8, .max_queued_bytes = 64 << 20};
    static crowd all;
    static peer peers[PEERS];
    all = (crowd){.peers = peers};
    assert_int_equal(evs__loop_new(&all.loop, NULL), EVS_OK);
    for (size_t i = 0; i < PEERS; i++) {
        peers[i] = (peer){.of = &all, .fake = FAKE_START(FAKE_UNIX, steps)};
        assert_int_equal(
            evs__conn_new(&peers[i].conn, all.loop, fake_shard_login(peers[i].fake), &limits, NULL),
            EVS_OK);
        ask(&peers[i]);
    }
    run_until(&all, PEERS);
    all.answered = 0;
    *state = &all;
    return 0;
}

static int teardown(void **state)
{
    crowd *all = *state;
    for (size_t i = 0; i < PEERS; i++) {
        evs__conn_free(all->peers[i].conn);
        fake_shard_stop(all->peers[i].fake);
    }
    evs__loop_free(all->loop);
    return 0;
}

static void ask_all(crowd *all)
{
    for (size_t i = 0; i < PEERS; i++)
        ask(&all->peers[i]);
    evs__loop_run(all->loop, 0);
    assert_int_equal(all->answered, 0);
}

static void let_answer(crowd *all, size_t from, size_t step)
{
    for (size_t i = from; i < PEERS; i += step)
        fake_shard_go(all->peers[i].fake);
    for (size_t i = from; i < PEERS; i += step)
        fake_shard_wait(all->peers[i].fake);
}

/* The first two had said nothing when they were looked at, which ended that. */
static void replies_are_read_in_the_order_of_writing(void **state)
{
    crowd *all = *state;
    ask_all(all);
    let_answer(all, 0, 1);
    run_until(all, PEERS);
    for (size_t i = 2; i < PEERS; i++)
        assert_int_equal(all->peers[i].order, i - 1);
    assert_true(all->peers[0].order > PEERS - 2 && all->peers[1].order > PEERS - 2);
}

static void the_silent_hold_up_nobody(void **state)
{
    crowd *all = *state;
    ask_all(all);
    let_answer(all, 1, 2);
    run_until(all, PEERS / 2);
    for (size_t i = 0; i < PEERS; i++)
        assert_int_equal(evs__conn_queued(all->peers[i].conn), i % 2 == 0);
    let_answer(all, 0, 2);
    run_until(all, PEERS);
    for (size_t i = 0; i < PEERS; i++)
        assert_int_equal(all->peers[i].got, EVS__GOT_REPLY);
}

static void free_others(peer *self)
{
    for (size_t i = 10; i < 20; i++) {
        evs__conn *conn = self->of->peers[i].conn;
        self->of->peers[i].conn = NULL;
        evs__conn_free(conn);
    }
    evs__conn *own = self->conn;
    self->conn = NULL;
    evs__conn_free(own);
}

static void a_completion_may_free_connections_that_are_in_line(void **state)
{
    crowd *all = *state;
    ask_all(all);
    all->peers[5].then = free_others;
    let_answer(all, 0, 1);
    run_until(all, PEERS);
    for (size_t i = 0; i < PEERS; i++) {
        int late = i >= 10 && i < 20 && all->peers[i].order > all->peers[5].order;
        assert_int_equal(all->peers[i].got, late ? EVS__GOT_LOST : EVS__GOT_REPLY);
    }
}

static void ask_again(peer *self)
{
    self->then = NULL;
    ask(self);
}

/* Whose servers then say nothing more. */
static void a_completion_may_ask_again(void **state)
{
    crowd *all = *state;
    ask_all(all);
    for (size_t i = 0; i < PEERS; i++)
        all->peers[i].then = ask_again;
    let_answer(all, 0, 1);
    run_until(all, PEERS);
    evs__loop_run(all->loop, 0);
    for (size_t i = 0; i < PEERS; i++)
        assert_int_equal(evs__conn_queued(all->peers[i].conn), 1);
}

/* Those that are not READY have nothing to be read, whatever the line thinks. */
static void who_is_first_leaves_a_line_that_is_full(void **state)
{
    (void)state;
    static evs__conn conns[CROWD];
    evs__loop *loop;
    assert_int_equal(evs__loop_new(&loop, NULL), EVS_OK);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < CROWD; i++) {
            conns[i].loop = loop;
            evs__ahead_make_known(&loop->ahead, &conns[i]);
            evs__ahead_join(&conns[i], NULL, NULL);
            evs__ahead_join(&conns[i], &conns[i], NULL);
        }
        for (size_t i = 0; i < CROWD; i++)
            assert_int_equal(conns[i].soon == &loop->ahead.nobodys, i < CROWD - EVS__AHEAD_MOST);
        for (size_t i = 0; i < CROWD; i += 2)
            evs__ahead_leave(&conns[i]);
        evs__ahead_read(&loop->ahead, 0);
        for (size_t i = 0; i < CROWD; i++)
            assert_ptr_equal(conns[i].soon, &loop->ahead.nobodys);
    }
    evs__loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(replies_are_read_in_the_order_of_writing, setup, teardown),
        cmocka_unit_test_setup_teardown(the_silent_hold_up_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(a_completion_may_free_connections_that_are_in_line, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_completion_may_ask_again, setup, teardown),
        cmocka_unit_test(who_is_first_leaves_a_line_that_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
