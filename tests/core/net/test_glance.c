/* One look at all sockets of a turn. */
#include "core/net/glance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { PAIRS = EVS__GLANCE_MOST + 2 };

typedef struct fixture {
    evs__glance glance;
    int set;
    int pairs[PAIRS][2];
} fixture;

static int setup(void **state)
{
    static fixture self;
    self = (fixture){.set = epoll_create1(EPOLL_CLOEXEC)};
    for (size_t i = 0; i < PAIRS; i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self.pairs[i]), 0);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = self.pairs[i][0]};
        assert_int_equal(epoll_ctl(self.set, EPOLL_CTL_ADD, self.pairs[i][0], &event), 0);
    }
    *state = &self;
    return 0;
}

static int teardown(void **state)
{
    fixture *self = *state;
    for (size_t i = 0; i < PAIRS; i++) {
        close(self->pairs[i][0]);
        if (self->pairs[i][1] >= 0)
            close(self->pairs[i][1]);
    }
    close(self->set);
    return 0;
}

static int at(fixture *self, size_t i)
{
    return evs__glance_at(&self->glance, self->set, self->pairs[i][0], 7);
}

static void hang_up(fixture *self, size_t i)
{
    close(self->pairs[i][1]);
    self->pairs[i][1] = -1;
}

static void a_closed_socket_is_seen_and_others_are_quiet(void **state)
{
    fixture *self = *state;
    hang_up(self, 1);
    assert_int_equal(at(self, 0), 0);
    assert_int_equal(at(self, 1), 1);
    assert_int_equal(at(self, 1), 1); /* looking takes nothing away */
    evs__glance_expire(&self->glance);
    assert_int_equal(at(self, 1), 1);
}

static void a_look_lasts_until_it_expires(void **state)
{
    fixture *self = *state;
    assert_int_equal(at(self, 0), 0);
    assert_int_equal(send(self->pairs[0][1], "+", 1, 0), 1);
    assert_int_equal(at(self, 0), 0);
    evs__glance_expire(&self->glance);
    assert_int_equal(at(self, 0), 1);
}

static void a_look_lasts_for_a_tick(void **state)
{
    fixture *self = *state;
    int fd = self->pairs[0][0];
    assert_int_equal(evs__glance_at(&self->glance, self->set, fd, 1), 0);
    hang_up(self, 0);
    assert_int_equal(evs__glance_at(&self->glance, self->set, fd, 1), 0);
    assert_int_equal(evs__glance_at(&self->glance, self->set, fd, 2), 1);
}

static void when_there_may_be_more_every_socket_is_suspect(void **state)
{
    fixture *self = *state;
    for (size_t i = 1; i < PAIRS; i++)
        hang_up(self, i);
    for (size_t i = 0; i < PAIRS; i++)
        assert_int_equal(at(self, i), 1);
}

static void a_failed_look_leaves_every_socket_suspect(void **state)
{
    fixture *self = *state;
    assert_int_equal(evs__glance_at(&self->glance, -1, self->pairs[0][0], 7), 1);
}

/* There are more sockets than programs may usually have open. */
static void raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(void)
{
    raise_limit();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_closed_socket_is_seen_and_others_are_quiet, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_look_lasts_for_a_tick, setup, teardown),
        cmocka_unit_test_setup_teardown(a_look_lasts_until_it_expires, setup, teardown),
        cmocka_unit_test_setup_teardown(when_there_may_be_more_every_socket_is_suspect, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_failed_look_leaves_every_socket_suspect, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
