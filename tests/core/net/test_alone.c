/* A single answer that somebody waits for: slept for in reading, unless others could be missed. */
#include "core/net/conn_inner.h"
#include "core/net/waker.h"
#include "tests/support/fake_shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>

enum { PEERS = 2, SOON_MS = 100, LATER_MS = 60000, TRIES = 100 };

typedef struct peer {
    evs__request request; /* first */
    fake_shard *fake;
    evs__conn *conn;
    size_t answers;
    evs__got got;
} peer;

typedef struct fixture {
    evs__loop *loop;
    peer peers[PEERS];
} fixture;

static void note(evs__request *request, const evs__answer *answer)
{
    peer *self = (peer *)request;
    self->got = answer->got;
    self->answers++;
}

static void ask(peer *self)
{
    static const char ping[] = "*1\r\n$4\r\nPING\r\n";
    assert_int_equal(evs__conn_prepare(self->conn, NULL), EVS_OK);
    self->request = (evs__request){.done = note};
    evs__buf_append(evs__conn_begin(self->conn, &self->request), ping, sizeof ping - 1);
    assert_true(evs__conn_end(self->conn, &self->request));
}

static void ignore(void *owner, const evs_reply *reply)
{
    (void)owner;
    (void)reply;
}

static void connect_to(fixture *self, size_t i, const evs__conn_limits *limits)
{
    peer *one = &self->peers[i];
    assert_int_equal(
        evs__conn_new(&one->conn, self->loop, fake_shard_login(one->fake), limits, NULL), EVS_OK);
    ask(one);
    while (one->answers == 0)
        evs__loop_run(self->loop, -1);
    one->answers = 0;
}

static const evs__conn_limits plain = {
    .max_reply_bytes = 1 << 20, .max_reply_depth = 8, .max_queued_bytes = 1 << 20};

/* The first takes the steps; the other answers one request more than the first. Both are READY. */
static void begin(fixture *self, fake_shard *fake, const evs__conn_limits *of_other)
{
    static const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(2, "+ready\r\n")};
    *self = (fixture){.peers = {{.fake = fake}, {.fake = FAKE_START(FAKE_UNIX, steps)}}};
    assert_int_equal(evs__loop_new(&self->loop, NULL), EVS_OK);
    connect_to(self, 0, &plain);
    connect_to(self, 1, of_other);
}

static void end(fixture *self)
{
    peer *other = &self->peers[1];
    if (other->answers == 0 && evs__conn_queued(other->conn) == 0)
        ask(other);
    while (other->answers == 0)
        evs__loop_run(self->loop, -1);
    for (size_t i = 0; i < PEERS; i++) {
        evs__conn_free(self->peers[i].conn);
        fake_shard_stop(self->peers[i].fake);
    }
    assert_int_equal(self->loop->listeners, 0);
    evs__loop_free(self->loop);
}

/* As if a whole turn had just ended. */
static int alone(const fixture *self)
{
    self->loop->turned = evs__loop_about_ms();
    return evs__loop_run_alone(self->loop);
}

/* It may have to be tried again when the system's clock ticks meanwhile, or when the answer takes
 * longer than the sleep, with which one leaves the line. */
static void must_be_alone(const fixture *self, const peer *asked)
{
    for (size_t i = 0; i < TRIES; i++) {
        if (alone(self))
            return;
        if (self->loop->ahead.waiting == 0)
            evs__ahead_join(asked->conn, NULL, NULL);
    }
    fail_msg("a whole turn is needed");
}

static void must_be_answered(const peer *asked, evs__loop *loop)
{
    assert_int_equal(asked->answers, 0);
    while (asked->answers == 0)
        evs__loop_run(loop, -1);
    assert_int_equal(asked->got, EVS__GOT_REPLY);
}

/* Nothing was read, and so it is answered in whole turns only. */
static void must_not_be_alone(fixture *self)
{
    for (size_t i = 0; i < TRIES; i++)
        assert_false(alone(self));
    must_be_answered(&self->peers[0], self->loop);
}

static fake_shard *answers_once_more(void)
{
    static const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(2, "+ready\r\n")};
    return FAKE_START(FAKE_UNIX, steps);
}

static void a_single_answer_is_read_without_a_whole_turn(void **state)
{
    (void)state;
    fixture self;
    begin(&self, answers_once_more(), &plain);
    ask(&self.peers[0]);
    must_be_alone(&self, &self.peers[0]);
    assert_int_equal(fcntl(self.peers[0].conn->fd, F_GETFL) & O_NONBLOCK, 0); /* it sleeps */
    assert_int_equal(self.peers[0].answers, 1);
    assert_int_equal(self.peers[0].got, EVS__GOT_REPLY);
    end(&self);
}

static void two_that_owe_need_a_whole_turn(void **state)
{
    (void)state;
    fixture self;
    begin(&self, answers_once_more(), &plain);
    ask(&self.peers[0]);
    ask(&self.peers[1]);
    must_not_be_alone(&self);
    end(&self);
}

static void a_tick_without_a_whole_turn_needs_one(void **state)
{
    (void)state;
    fixture self;
    begin(&self, answers_once_more(), &plain);
    ask(&self.peers[0]);
    self.loop->turned = evs__loop_about_ms() - 1;
    assert_false(evs__loop_run_alone(self.loop));
    must_be_alone(&self, &self.peers[0]);
    end(&self);
}

static void fired(void *owner)
{
    int *times = owner;
    ++*times;
}

static void a_timer_that_is_due_soon_needs_whole_turns(void **state)
{
    (void)state;
    fixture self;
    int times = 0;
    begin(&self, answers_once_more(), &plain);
    evs__timer *timer = evs__timer_new(self.loop, fired, &times);
    evs__timer_start(timer, SOON_MS);
    ask(&self.peers[0]);
    must_not_be_alone(&self);
    evs__timer_start(timer, LATER_MS);
    ask(&self.peers[1]);
    must_be_alone(&self, &self.peers[1]);
    assert_int_equal(times, 0);
    evs__timer_free(timer);
    end(&self);
}

/* As when a completion took a minute. */
static void a_timer_is_due_however_late_the_time_of_libuv_is(void **state)
{
    (void)state;
    fixture self;
    int times = 0;
    begin(&self, answers_once_more(), &plain);
    evs__timer *timer = evs__timer_new(self.loop, fired, &times);
    evs__timer_start(timer, SOON_MS);
    self.loop->uv.time -= LATER_MS;
    ask(&self.peers[0]);
    must_not_be_alone(&self);
    evs__timer_free(timer);
    end(&self);
}

typedef struct starter {
    evs__dirty dirty; /* first */
    evs__timer *timer;
    evs__loop *loop;
} starter;

static void start_soon(evs__dirty *dirty)
{
    evs__timer_start(((starter *)dirty)->timer, SOON_MS);
}

static void what_was_unwritten_may_make_a_timer_due_soon(void **state)
{
    (void)state;
    fixture self;
    int times = 0;
    begin(&self, answers_once_more(), &plain);
    starter starts = {{.flush = start_soon}, evs__timer_new(self.loop, fired, &times), NULL};
    ask(&self.peers[0]);
    evs__loop_mark(self.loop, &starts.dirty);
    must_not_be_alone(&self);
    evs__timer_free(starts.timer);
    end(&self);
}

static void stir(evs__dirty *dirty)
{
    evs__loop_stir(((starter *)dirty)->loop);
}

static void mark_again(evs__dirty *dirty)
{
    evs__loop_mark(((starter *)dirty)->loop, dirty);
}

/* What somebody waits for may have happened. */
static void when_writing_completes_something_nobody_sleeps(void **state)
{
    (void)state;
    fixture self;
    begin(&self, answers_once_more(), &plain);
    starter stirs = {.dirty = {.flush = stir}, .loop = self.loop};
    ask(&self.peers[0]);
    do {
        evs__loop_mark(self.loop, &stirs.dirty);
    } while (!alone(&self)); /* the clock ticked meanwhile */
    must_be_answered(&self.peers[0], self.loop);
    end(&self);
}

static void what_is_unwritten_again_needs_a_whole_turn(void **state)
{
    (void)state;
    fixture self;
    begin(&self, answers_once_more(), &plain);
    starter marks = {.dirty = {.flush = mark_again}, .loop = self.loop};
    ask(&self.peers[0]);
    evs__loop_mark(self.loop, &marks.dirty);
    must_not_be_alone(&self);
    evs__loop_unmark(&marks.dirty);
    end(&self);
}

/* Nobody sleeps for it: what somebody waits for is elsewhere. */
static void an_answer_that_is_not_wanted_any_more_needs_a_whole_turn(void **state)
{
    (void)state;
    fixture self;
    begin(&self, answers_once_more(), &plain);
    ask(&self.peers[0]);
    self.peers[0].request.unwanted = 1;
    must_not_be_alone(&self);
    end(&self);
}

static void who_watches_the_descriptor_needs_whole_turns(void **state)
{
    (void)state;
    fixture self;
    int fd;
    begin(&self, answers_once_more(), &plain);
    assert_int_equal(evs__loop_fd(&fd, self.loop, NULL), EVS_OK);
    ask(&self.peers[0]);
    must_not_be_alone(&self);
    end(&self);
}

static void who_listens_needs_whole_turns(void **state)
{
    (void)state;
    fixture self;
    evs__conn_limits listening = plain;
    listening.unasked = ignore;
    begin(&self, answers_once_more(), &listening);
    ask(&self.peers[0]);
    must_not_be_alone(&self);
    assert_int_equal(self.loop->listeners, 1);
    end(&self);
}

static void a_silent_server_is_slept_for_only_a_while(void **state)
{
    (void)state;
    static const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+ready\r\n"), FAKE_COMMANDS(1),
                                      FAKE_PAUSE, FAKE_SAY(":1\r\n")};
    fixture self;
    begin(&self, FAKE_START(FAKE_UNIX, steps), &plain);
    ask(&self.peers[0]);
    assert_false(alone(&self));
    assert_int_equal(self.peers[0].answers, 0);
    fake_shard_go(self.peers[0].fake);
    while (self.peers[0].answers == 0)
        evs__loop_run(self.loop, -1);
    assert_int_equal(self.peers[0].got, EVS__GOT_REPLY);
    end(&self);
}

static void a_connection_that_ends_meanwhile_is_lost(void **state)
{
    (void)state;
    static const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+ready\r\n"), FAKE_COMMANDS(1),
                                      FAKE_CLOSE};
    fixture self;
    begin(&self, FAKE_START(FAKE_UNIX, steps), &plain);
    ask(&self.peers[0]);
    must_be_alone(&self, &self.peers[0]);
    assert_int_equal(self.peers[0].answers, 1);
    assert_int_equal(self.peers[0].got, EVS__GOT_LOST);
    end(&self);
}

/* The rest of an answer that comes in two parts is read in whole turns. */
static void half_an_answer_is_not_the_end(void **state)
{
    (void)state;
    static const fake_step steps[] = {FAKE_GREET,       FAKE_ANSWER(1, "+ready\r\n"),
                                      FAKE_COMMANDS(1), FAKE_SAY("$5\r\nhe"),
                                      FAKE_PAUSE,       FAKE_SAY("llo\r\n")};
    fixture self;
    begin(&self, FAKE_START(FAKE_UNIX, steps), &plain);
    ask(&self.peers[0]);
    assert_false(alone(&self));
    fake_shard_go(self.peers[0].fake);
    while (self.peers[0].answers == 0)
        evs__loop_run(self.loop, -1);
    assert_int_equal(self.peers[0].got, EVS__GOT_REPLY);
    end(&self);
}

/* More than the system takes from who does not sleep. */
static void ask_much(peer *self)
{
    enum { MUCH = 4 << 20 };
    static const char head[] = "*2\r\n$4\r\nECHO\r\n$4194304\r\n";
    char *text = calloc(1, MUCH);
    assert_non_null(text);
    self->answers = 0;
    self->request = (evs__request){.done = note};
    assert_int_equal(evs__conn_prepare(self->conn, NULL), EVS_OK);
    evs__buf *out = evs__conn_begin(self->conn, &self->request);
    evs__buf_append(out, head, sizeof head - 1);
    evs__buf_append(out, text, MUCH);
    evs__buf_append(out, "\r\n", 2);
    assert_true(evs__conn_end(self->conn, &self->request));
    free(text);
}

static void a_socket_that_slept_in_reading_does_not_in_writing(void **state)
{
    (void)state;
    static const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(2, "+ready\r\n"), FAKE_PAUSE,
                                      FAKE_ANSWER(1, ":1\r\n")};
    fixture self;
    peer *first = &self.peers[0];
    begin(&self, FAKE_START(FAKE_UNIX, steps), &plain);
    ask(first);
    must_be_alone(&self, first);
    ask_much(first); /* it comes back, though nobody reads */
    evs__loop_run(self.loop, 0);
    fake_shard_go(first->fake);
    must_be_answered(first, self.loop);
    end(&self);
}

static void wake(void *owner)
{
    (void)owner;
}

static void who_may_be_woken_needs_whole_turns(void **state)
{
    (void)state;
    fixture self;
    begin(&self, answers_once_more(), &plain);
    evs__waker *waker = evs__waker_new(self.loop, wake, NULL);
    ask(&self.peers[0]);
    must_not_be_alone(&self);
    evs__waker_free(waker);
    end(&self);
}

/* With turns as they come. */
static void answers_behind_a_whole_turn_are_read_alone(void **state)
{
    (void)state;
    static const fake_step steps[] = {FAKE_GREET, FAKE_SERVE(":1\r\n")};
    enum { MANY = 100000 };
    fixture self;
    peer *first = &self.peers[0];
    size_t times = 0;
    begin(&self, FAKE_START(FAKE_UNIX, steps), &plain);
    for (size_t i = 0; i < MANY && times == 0; i++) {
        first->answers = 0;
        ask(first);
        times += (size_t)evs__loop_run_alone(self.loop);
        while (first->answers == 0)
            evs__loop_run(self.loop, -1);
    }
    assert_true(times > 0);
    fake_shard_go(first->fake);
    end(&self);
}

/* As long as answers come, and nobody does anything but wait for them. */
static void timers_fire_between_answers(void **state)
{
    (void)state;
    static const fake_step steps[] = {FAKE_GREET, FAKE_SERVE(":1\r\n")};
    fixture self;
    int times = 0;
    peer *first = &self.peers[0];
    begin(&self, FAKE_START(FAKE_UNIX, steps), &plain);
    evs__timer *timer = evs__timer_new(self.loop, fired, &times);
    evs__timer_start(timer, 2 * EVS__NAP_MS);
    while (times == 0) {
        first->answers = 0;
        ask(first);
        while (first->answers == 0)
            if (!evs__loop_run_alone(self.loop))
                evs__loop_run(self.loop, -1);
    }
    evs__timer_free(timer);
    fake_shard_go(first->fake);
    end(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_single_answer_is_read_without_a_whole_turn),
        cmocka_unit_test(two_that_owe_need_a_whole_turn),
        cmocka_unit_test(a_tick_without_a_whole_turn_needs_one),
        cmocka_unit_test(a_timer_that_is_due_soon_needs_whole_turns),
        cmocka_unit_test(a_timer_is_due_however_late_the_time_of_libuv_is),
        cmocka_unit_test(what_was_unwritten_may_make_a_timer_due_soon),
        cmocka_unit_test(when_writing_completes_something_nobody_sleeps),
        cmocka_unit_test(what_is_unwritten_again_needs_a_whole_turn),
        cmocka_unit_test(an_answer_that_is_not_wanted_any_more_needs_a_whole_turn),
        cmocka_unit_test(who_watches_the_descriptor_needs_whole_turns),
        cmocka_unit_test(who_listens_needs_whole_turns),
        cmocka_unit_test(a_silent_server_is_slept_for_only_a_while),
        cmocka_unit_test(a_connection_that_ends_meanwhile_is_lost),
        cmocka_unit_test(half_an_answer_is_not_the_end),
        cmocka_unit_test(a_socket_that_slept_in_reading_does_not_in_writing),
        cmocka_unit_test(who_may_be_woken_needs_whole_turns),
        cmocka_unit_test(answers_behind_a_whole_turn_are_read_alone),
        cmocka_unit_test(timers_fire_between_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
