/*
 * The thread plays the steps; everything it shares with the test (progress, the permission to go
 * on) is behind one mutex. Failures are texts, shown by the test's thread, since cmocka's asserts
 * work only there.
 */
#include "tests/support/fake_shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, CHUNK = 64 * 1024 };

struct fake_shard {
    const fake_step *steps;
    size_t nsteps;
    int listener;
    int fd; /* the connection; -1 when there is none */
    char folder[64];
    char address[128];
    evs__login login;

    char *received;
    size_t len, cap;
    size_t seen; /* of received, by steps that took bytes */

    pthread_t thread;
    int joined;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t done;
    size_t permits;
    int over;
    char failure[256];
};

/* ---- taking bytes ---- */

static int flunk(fake_shard *fake, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(fake->failure, sizeof fake->failure, format, args);
    va_end(args);
    return 0;
}

static int readable(fake_shard *fake, int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, PATIENCE_MS) == 1)
        return 1;
    return flunk(fake, "step %zu: nothing came for %d ms", fake->done + 1, PATIENCE_MS);
}

/* Reads up to `most` bytes. Returns what recv does. */
static ssize_t take(fake_shard *fake, size_t most, int flags)
{
    if (most > CHUNK)
        most = CHUNK;
    if (fake->cap - fake->len < most) {
        fake->cap = fake->cap * 2 + CHUNK;
        fake->received = realloc(fake->received, fake->cap);
        if (fake->received == NULL)
            abort();
    }
    ssize_t n = recv(fake->fd, fake->received + fake->len, most, flags);
    if (n > 0)
        fake->len += (size_t)n;
    return n;
}

/* Waits until `n` bytes are there that no step has taken. */
static int need(fake_shard *fake, size_t n)
{
    while (fake->len - fake->seen < n) {
        if (!readable(fake, fake->fd))
            return 0;
        if (take(fake, n - (fake->len - fake->seen), 0) <= 0)
            return flunk(fake, "step %zu: the client closed", fake->done + 1);
    }
    return 1;
}

static int take_bytes(fake_shard *fake, const fake_step *step)
{
    if (!need(fake, step->n))
        return 0;
    fake->seen += step->n;
    return 1;
}

/* A line "<mark><number>\r\n" from byte `at` on; `*at` is then behind it. */
static int take_number(size_t *out, fake_shard *fake, char mark, size_t *at)
{
    size_t end = *at;
    do {
        end++;
        if (!need(fake, end - fake->seen))
            return 0;
    } while (fake->received[end - 1] != '\n');
    if (fake->received[*at] != mark)
        return flunk(fake, "step %zu: expected '%c' in a command", fake->done + 1, mark);
    *out = strtoul(fake->received + *at + 1, NULL, 10);
    *at = end;
    return 1;
}

static int take_command(fake_shard *fake)
{
    size_t at = fake->seen;
    size_t words, len;
    if (!take_number(&words, fake, '*', &at))
        return 0;
    for (size_t i = 0; i < words; i++) {
        if (!take_number(&len, fake, '$', &at) || !need(fake, at + len + 2 - fake->seen))
            return 0;
        at += len + 2;
    }
    fake->seen = at;
    return 1;
}

static int take_commands(fake_shard *fake, const fake_step *step)
{
    for (size_t i = 0; i < step->n; i++)
        if (!take_command(fake))
            return 0;
    return 1;
}

static int take_expected(fake_shard *fake, const fake_step *step)
{
    if (!need(fake, step->data.len))
        return 0;
    if (memcmp(fake->received + fake->seen, step->data.data, step->data.len) != 0)
        return flunk(fake, "step %zu: expected \"%.60s\", got \"%.60s\"", fake->done + 1,
                     step->data.data, fake->received + fake->seen);
    fake->seen += step->data.len;
    return 1;
}

static int drain(fake_shard *fake, const fake_step *step)
{
    (void)step;
    while (take(fake, CHUNK, MSG_DONTWAIT) > 0)
        ;
    fake->seen = fake->len;
    return 1;
}

static int await_eof(fake_shard *fake, const fake_step *step)
{
    (void)step;
    ssize_t n;
    do {
        if (!readable(fake, fake->fd))
            return 0;
        n = take(fake, CHUNK, 0);
    } while (n > 0);
    fake->seen = fake->len;
    return 1;
}

/* ---- other steps ---- */

static void hang_up(fake_shard *fake)
{
    if (fake->fd >= 0)
        close(fake->fd);
    fake->fd = -1;
    fake->seen = fake->len;
}

static int accept_client(fake_shard *fake, const fake_step *step)
{
    (void)step;
    hang_up(fake);
    if (!readable(fake, fake->listener))
        return 0;
    fake->fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
    return fake->fd >= 0 ? 1 : flunk(fake, "accept: %s", strerror(errno));
}

/* A client that is gone is no failure: tests cut connections in the middle of anything. */
static int say(fake_shard *fake, const fake_step *step)
{
    size_t sent = 0;
    while (sent < step->data.len) {
        struct pollfd wait = {.fd = fake->fd, .events = POLLOUT};
        if (poll(&wait, 1, PATIENCE_MS) != 1)
            return flunk(fake, "step %zu: the client reads nothing", fake->done + 1);
        ssize_t n = sendto(fake->fd, step->data.data + sent, step->data.len - sent,
                           MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0); /* tests replace send() */
        if (n < 0 && errno != EAGAIN)
            return 1;
        sent += n < 0 ? 0 : (size_t)n;
    }
    return 1;
}

static int answer(fake_shard *fake, const fake_step *step)
{
    for (size_t i = 0; i < step->n; i++)
        if (!take_command(fake) || !say(fake, step))
            return 0;
    return 1;
}

static struct timespec patience(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    return until;
}

static int pause_here(fake_shard *fake, const fake_step *step)
{
    (void)step;
    struct timespec until = patience();
    int result = 0;
    pthread_mutex_lock(&fake->mutex);
    while (fake->permits == 0 && result == 0)
        result = pthread_cond_timedwait(&fake->changed, &fake->mutex, &until);
    if (result == 0)
        fake->permits--;
    pthread_mutex_unlock(&fake->mutex);
    return result == 0 ? 1 : flunk(fake, "step %zu: fake_shard_go never came", fake->done + 1);
}

static int permitted(fake_shard *fake)
{
    pthread_mutex_lock(&fake->mutex);
    int permitted = fake->permits > 0;
    fake->permits -= (size_t)permitted;
    pthread_mutex_unlock(&fake->mutex);
    return permitted;
}

/* Clients may come, go and break off as they like. */
static int serve(fake_shard *fake, const fake_step *step)
{
    enum { LOOK_MS = 2 }; /* how often fake_shard_go is looked for */
    while (!permitted(fake)) {
        struct pollfd wait[] = {{.fd = fake->listener, .events = POLLIN},
                                {.fd = fake->fd, .events = POLLIN}};
        poll(wait, 2, LOOK_MS);
        if (wait[0].revents & POLLIN)
            accept_client(fake, step);
        else if (wait[1].revents != 0 && (!take_command(fake) || !say(fake, step)))
            hang_up(fake);
    }
    fake->failure[0] = '\0';
    return 1;
}

static int close_client(fake_shard *fake, const fake_step *step)
{
    (void)step;
    hang_up(fake);
    return 1;
}

static int reset_client(fake_shard *fake, const fake_step *step)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fake->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return close_client(fake, step);
}

static int stop_listening(fake_shard *fake, const fake_step *step)
{
    (void)step;
    close(fake->listener);
    fake->listener = -1;
    return 1;
}

static int (*const play_step[])(fake_shard *fake, const fake_step *step) = {
    [FAKE_DO_ACCEPT] = accept_client,
    [FAKE_DO_BYTES] = take_bytes,
    [FAKE_DO_COMMANDS] = take_commands,
    [FAKE_DO_EXPECT] = take_expected,
    [FAKE_DO_SAY] = say,
    [FAKE_DO_ANSWER] = answer,
    [FAKE_DO_EOF] = await_eof,
    [FAKE_DO_DRAIN] = drain,
    [FAKE_DO_PAUSE] = pause_here,
    [FAKE_DO_SERVE] = serve,
    [FAKE_DO_CLOSE] = close_client,
    [FAKE_DO_RESET] = reset_client,
    [FAKE_DO_DEAF] = stop_listening,
};

static void *play(void *arg)
{
    fake_shard *fake = arg;
    int fine = 1;
    for (size_t i = 0; fine && i < fake->nsteps; i++) {
        fine = play_step[fake->steps[i].what](fake, &fake->steps[i]);
        pthread_mutex_lock(&fake->mutex);
        fake->done += (size_t)fine;
        pthread_cond_broadcast(&fake->changed);
        pthread_mutex_unlock(&fake->mutex);
    }
    pthread_mutex_lock(&fake->mutex);
    fake->over = 1;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->mutex);
    return NULL;
}

/* ---- starting ---- */

static void listen_unix(fake_shard *fake)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(fake->folder, sizeof fake->folder, "/tmp/evs-fake-XXXXXX");
    assert_non_null(mkdtemp(fake->folder));
    snprintf(address.sun_path, sizeof address.sun_path, "%.64s/sock", fake->folder);
    snprintf(fake->address, sizeof fake->address, "unix:%s", address.sun_path);
    fake->login.endpoint.path = fake->address + sizeof "unix:" - 1;
    fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fake->listener, (struct sockaddr *)&address, sizeof address), 0);
}

static void listen_tcp(fake_shard *fake, fake_listen how)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int least = 1; /* the kernel rounds up */
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (how == FAKE_TCP_NARROW)
        setsockopt(fake->listener, SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
    assert_int_equal(bind(fake->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fake->listener, (struct sockaddr *)&address, &len), 0);
    fake->login.endpoint.host = "127.0.0.1";
    fake->login.endpoint.port = ntohs(address.sin_port);
    snprintf(fake->address, sizeof fake->address, "127.0.0.1:%d", fake->login.endpoint.port);
}

fake_shard *fake_shard_start(fake_listen how, const fake_step *steps, size_t nsteps)
{
    fake_shard *fake = calloc(1, sizeof *fake);
    assert_non_null(fake);
    fake->steps = steps;
    fake->nsteps = nsteps;
    fake->fd = -1;
    fake->login.name = "fake";
    fake->login.client_name = "test";
    fake->login.connect_timeout_ms = 20000;
    fake->login.endpoint.text = fake->address;
    if (how == FAKE_UNIX)
        listen_unix(fake);
    else
        listen_tcp(fake, how);
    assert_int_equal(listen(fake->listener, 16), 0);
    pthread_mutex_init(&fake->mutex, NULL);
    pthread_cond_init(&fake->changed, NULL);
    assert_int_equal(pthread_create(&fake->thread, NULL, play, fake), 0);
    return fake;
}

/* ---- what tests ask ---- */

const evs__login *fake_shard_login(const fake_shard *fake)
{
    return &fake->login;
}

const char *fake_shard_address(const fake_shard *fake)
{
    return fake->address;
}

size_t fake_shard_done(fake_shard *fake)
{
    pthread_mutex_lock(&fake->mutex);
    size_t done = fake->done;
    pthread_mutex_unlock(&fake->mutex);
    return done;
}

static int is_over(fake_shard *fake)
{
    pthread_mutex_lock(&fake->mutex);
    int over = fake->over;
    pthread_mutex_unlock(&fake->mutex);
    return over;
}

static void check_progress(fake_shard *fake, size_t nsteps)
{
    if (fake_shard_done(fake) < nsteps)
        fail_msg("fake shard: %s",
                 fake->failure[0] != '\0' ? fake->failure : "the script did not come to that step");
}

void fake_shard_await(fake_shard *fake, size_t nsteps)
{
    struct timespec until = patience();
    int result = 0;
    pthread_mutex_lock(&fake->mutex);
    while (fake->done < nsteps && !fake->over && result == 0)
        result = pthread_cond_timedwait(&fake->changed, &fake->mutex, &until);
    pthread_mutex_unlock(&fake->mutex);
    check_progress(fake, nsteps);
}

void fake_shard_await_on(fake_shard *fake, size_t nsteps, evs__loop *loop)
{
    uint64_t until = evs__loop_now_ms(loop) + PATIENCE_MS;
    while (fake_shard_done(fake) < nsteps && !is_over(fake) && evs__loop_now_ms(loop) < until)
        evs__loop_run(loop, 1);
    check_progress(fake, nsteps);
}

void fake_shard_go(fake_shard *fake)
{
    pthread_mutex_lock(&fake->mutex);
    fake->permits++;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->mutex);
}

void fake_shard_wait(fake_shard *fake)
{
    if (!fake->joined)
        pthread_join(fake->thread, NULL);
    fake->joined = 1;
    check_progress(fake, fake->nsteps);
}

evs_bytes fake_shard_received(const fake_shard *fake)
{
    evs_bytes received = {fake->received, fake->len};
    return received;
}

void fake_shard_stop(fake_shard *fake)
{
    if (fake == NULL)
        return;
    fake_shard_wait(fake);
    hang_up(fake);
    if (fake->listener >= 0)
        close(fake->listener);
    if (fake->folder[0] != '\0') {
        unlink(fake->login.endpoint.path);
        rmdir(fake->folder);
    }
    pthread_cond_destroy(&fake->changed);
    pthread_mutex_destroy(&fake->mutex);
    free(fake->received);
    free(fake);
}
