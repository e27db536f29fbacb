/*
 * The engine against a model. The servers are a few hundred bytes of state in this very thread, so
 * that every interleaving of submitting, canceling, expiring, replies in pieces, refusals, lies,
 * flushes, cut connections and lack of memory can be played, at random and again; and once more
 * with servers that hang at times, where calls are refused then, and where they wait:
 *
 *     scripts.engine.test_model [STEPS [SEED]]
 *
 * The model knows how often each call ran. Held against it: every submitted call completes exactly
 * once; EXECUTED ran, NOT_EXECUTED did not, `once` ran at most once; a reply is that of its own
 * call; with strict order, calls of a shard run in order; the client's numbers add up.
 */
#include "core/buf.h"
#include "core/mem.h"
#include "core/net/loop.h"
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { SERVERS = 2, BIG = 300 * 1024, MOST_LIVE = 150, LONG_MS = 3600 * 1000, WORDS = 8 };

typedef enum kind { LIAR, HONEST, AGAIN, READER, KINDS } kind;

static const char *const sources[KINDS] = {
    "return redis.pcall('GET', KEYS[1])", /* may return an error */
    "return 1",
    "--- x\n-- @key k any\n-- @arg a... any\n-- @retry idempotent\nreturn redis.pcall('GET', "
    "KEYS[1])",
    "--- x\n-- @key k any\n-- @arg a... any\n-- @retry read_only\nreturn redis.pcall('GET', "
    "KEYS[1])",
};

typedef struct ticket {
    struct model *all;
    evs_ticket number;
    unsigned char kind, submitted, done, outcome, ran;
    evs_status status;
} ticket;

typedef struct server {
    int listener, fd;
    char path[108];
    evs__buf in, out;
    unsigned known;  /* a bit per kind */
    unsigned lied;   /* the same: it claimed NOSCRIPT and that is not settled yet, so no flush */
    size_t last_ran; /* for strict order */
    uint64_t hangs;  /* until then, in milliseconds; 0: it does not */
} server;

typedef struct model {
    shards set;
    server servers[SERVERS];
    const evs_script *scripts[KINDS];
    char keys[SERVERS][32];
    char *big;
    ticket *tickets;
    size_t count, most;
    size_t submitted, completed; /* of the client there is */
    evs_order order;
    int closed; /* by a completion */
    int room;
    int may_hang;
    uint64_t downs, ups;
    uint64_t random;
} model;

static unsigned pick(model *m, unsigned below)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return (unsigned)((m->random >> 11) % below);
}

/* ---- the servers ---- */

static void hang_up(server *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    s->lied = 0;
    evs__buf_clear(&s->in);
    evs__buf_clear(&s->out);
}

static void accept_one(server *s)
{
    int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    hang_up(s);
    s->fd = fd;
}

static void take(model *m, server *s)
{
    size_t most = pick(m, 3) == 0 ? 1 + pick(m, 200) : 65536;
    char *room = s->fd < 0 ? NULL : evs__buf_reserve(&s->in, most);
    if (room == NULL)
        return;
    ssize_t n = recv(s->fd, room, most, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        hang_up(s);
    else if (n > 0)
        s->in.len += (size_t)n;
}

static void give(model *m, server *s)
{
    if (s->fd < 0 || s->out.len == 0)
        return;
    size_t len = pick(m, 3) == 0 ? 1 + pick(m, (unsigned)s->out.len) : s->out.len;
    ssize_t n = send(s->fd, s->out.data, len, MSG_NOSIGNAL);
    if (n > 0)
        evs__buf_consume(&s->out, (size_t)n);
    else if (n < 0 && errno != EAGAIN)
        hang_up(s);
}

/* A whole command at the beginning of what arrived: its length and first words, 0 when there is
 * none yet. */
static size_t command(const server *s, evs_bytes words[WORDS])
{
    const char *at = s->in.data, *end = at + s->in.len;
    const char *eol = s->in.len == 0 ? NULL : memchr(at, '\n', s->in.len);
    if (eol == NULL)
        return 0;
    size_t count = strtoul(at + 1, NULL, 10);
    at = eol + 1;
    for (size_t i = 0; i < count; i++) {
        eol = memchr(at, '\n', (size_t)(end - at));
        size_t len = eol == NULL ? 0 : strtoul(at + 1, NULL, 10);
        if (eol == NULL || (size_t)(end - eol) < len + 3)
            return 0;
        if (i < WORDS)
            words[i] = (evs_bytes){eol + 1, len};
        at = eol + 1 + len + 2;
    }
    return (size_t)(at - s->in.data);
}

static int kind_of(const model *m, evs_bytes sha)
{
    for (int i = 0; i < KINDS; i++)
        if (memcmp(evs_script_sha1(m->scripts[i]), sha.data, 40) == 0)
            return i;
    fail_msg("no such script");
    return 0;
}

static void run(model *m, server *s, size_t id)
{
    ticket *one = &m->tickets[id];
    one->ran++;
    if (m->order == EVS_ORDER_STRICT && one->ran == 1) {
        if (id < s->last_ran)
            fail_msg("call %zu ran behind %zu", id, s->last_ran);
        s->last_ran = id;
    }
}

static void say_lie(model *m, server *s, int of)
{
    unsigned noscript = pick(m, 2);
    s->lied |= noscript << of;
    evs__buf_text(&s->out, noscript ? "-NOSCRIPT a lie\r\n" : "-BUSY a lie\r\n");
}

static void evalsha(model *m, server *s, const evs_bytes words[WORDS])
{
    static const char *const refusals[] = {"-BUSY x\r\n", "-LOADING x\r\n", "-OOM x\r\n",
                                           "-READONLY x\r\n", "-NOPERM x\r\n"};
    int of = kind_of(m, words[1]);
    size_t id = strtoul(words[4].data, NULL, 10);
    if (!(s->known >> of & 1)) {
        evs__buf_text(&s->out, "-NOSCRIPT No matching script.\r\n");
    } else if (pick(m, 10) == 0) {
        evs__buf_text(&s->out, refusals[pick(m, 5)]);
    } else {
        run(m, s, id);
        if (of != HONEST && pick(m, 8) == 0)
            say_lie(m, s, of);
        else if (pick(m, 8) == 0)
            evs__buf_text(&s->out, "-ERR x script: 56f6, on @user_script:1.\r\n");
        else
            evs__buf_format(&s->out, ":%zu\r\n", id);
    }
}

static void script(model *m, server *s, const evs_bytes words[WORDS])
{
    if (words[1].len == 6) { /* EXISTS */
        int of = kind_of(m, words[2]);
        evs__buf_format(&s->out, "*1\r\n:%u\r\n", s->known >> of & 1);
        s->lied &= ~(1u << of);
        return;
    }
    if (pick(m, 20) == 0) {
        evs__buf_text(&s->out, "-NOPERM not you\r\n");
        return;
    }
    for (int i = 0; i < KINDS; i++) {
        evs_bytes source = evs_script_source(m->scripts[i]);
        if (source.len == words[2].len && memcmp(source.data, words[2].data, source.len) == 0) {
            s->known |= 1u << i;
            evs__buf_format(&s->out, "$40\r\n%s\r\n", evs_script_sha1(m->scripts[i]));
        }
    }
}

/* Deals with one command. 0 when there is none. */
static int serve(model *m, server *s)
{
    evs_bytes words[WORDS] = {{NULL, 0}};
    size_t len = command(s, words);
    if (len == 0)
        return 0;
    if (words[0].len == 7)
        evalsha(m, s, words);
    else if (words[0].data[0] == 'S')
        script(m, s, words);
    else
        evs__buf_text(&s->out, "+OK\r\n");
    evs__buf_consume(&s->in, len);
    return 1;
}

/* Some of what arrived still runs, and nobody hears of it. */
static void cut(model *m, server *s)
{
    for (unsigned n = pick(m, 5); n > 0 && serve(m, s); n--)
        ;
    if (pick(m, 4) == 0) { /* not RESP: the client hangs up */
        evs__buf_text(&s->out, "what?\r\n");
        return;
    }
    if (pick(m, 10) == 0)
        s->known = 0; /* a restart */
    hang_up(s);
}

/* When it goes on, it may first do what it was sent before, which nobody hears of if the client has
 * connected anew meanwhile. */
static int hangs(model *m, server *s)
{
    uint64_t now = evs__loop_about_ms();
    if (s->hangs == 0 && m->may_hang && pick(m, 4000) == 0)
        s->hangs = now + 10 + pick(m, 40);
    if (s->hangs > now)
        return 1;
    if (s->hangs != 0 && pick(m, 2)) {
        take(m, s);
        while (serve(m, s))
            ;
    }
    s->hangs = 0;
    return 0;
}

static void move_server(model *m, server *s)
{
    if (hangs(m, s))
        return;
    accept_one(s);
    switch (pick(m, 12)) {
    case 0:
        if (pick(m, 12) == 0)
            cut(m, s);
        break;
    case 1:
        if (!s->lied && pick(m, 4) == 0)
            s->known = 0;
        break;
    case 2:
    case 3:
    case 4:
        take(m, s);
        break;
    case 5:
    case 6:
    case 7:
        give(m, s);
        break;
    default:
        take(m, s);
        for (unsigned n = pick(m, 8); n > 0 && serve(m, s); n--)
            ;
        give(m, s);
    }
}

/* ---- the client ---- */

static void submit(model *m);

static void finished(void *arg, const evs_result *result)
{
    ticket *one = arg;
    model *m = one->all;
    if (++one->done > 1)
        fail_msg("call %zu completed twice", (size_t)(one - m->tickets));
    one->status = result->status;
    one->outcome = (unsigned char)result->outcome;
    m->completed++;
    if (result->status == EVS_OK)
        assert_int_equal(evs_reply_integer(result->reply), one - m->tickets);
    if (pick(m, 6) == 0)
        submit(m);
    if (pick(m, 20) == 0 && m->count > 0)
        evs_cancel(m->set.client, m->tickets[m->count - 1 - pick(m, 50) % m->count].number, NULL);
    if (pick(m, 3000) == 0)
        m->closed |= evs_client_close(m->set.client, pick(m, 2) ? EVS_CLOSE_ABORT : EVS_CLOSE_DRAIN,
                                      (int)pick(m, 3), NULL) == EVS_OK;
}

static void submit(model *m)
{
    if (m->count == m->most || m->submitted - m->completed > MOST_LIVE)
        return;
    ticket *one = &m->tickets[m->count];
    char text[24];
    snprintf(text, sizeof text, "%zu", m->count++);
    one->all = m;
    one->kind = (unsigned char)pick(m, KINDS);
    evs_bytes key = evs_text(m->keys[pick(m, SERVERS)]);
    evs_bytes args[2] = {evs_text(text), {m->big, pick(m, 100) == 0 ? BIG : pick(m, 40)}};
    unsigned timeout = pick(m, 12) == 0 ? 1 + pick(m, 30) : LONG_MS;
    evs_invocation call = {.handle = m->scripts[one->kind],
                           .keys = &key,
                           .nkeys = 1,
                           .args = args,
                           .nargs = 2,
                           .timeout_ms = timeout,
                           .ticket = &one->number};
    one->submitted = evs_submit(m->set.client, &call, finished, one, NULL) == EVS_OK;
    m->submitted += one->submitted;
}

static void has_room(void *arg, const char *shard)
{
    (void)shard;
    ((model *)arg)->room++;
}

static void open_client(model *m)
{
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    m->order = options.order = pick(m, 3) == 0 ? EVS_ORDER_STRICT : EVS_ORDER_LOOSE;
    options.patience = pick(m, 2) ? EVS_PATIENCE_DEADLINE : EVS_PATIENCE_NONE;
    options.max_in_flight = pick(m, 3) == 0 ? 20 : 0;
    options.max_queued_bytes = pick(m, 3) == 0 ? BIG : 0;
    options.on_full = pick(m, 2) ? EVS_FULL_FAIL : EVS_FULL_SIGNAL;
    options.room = has_room;
    options.room_arg = m;
    m->submitted = m->completed = 0;
    m->closed = 0;
    for (int i = 0; i < SERVERS; i++)
        m->servers[i].last_ran = 0;
    assert_int_equal(evs_client_open(&m->set.client, m->set.map, m->set.registry, &options, NULL),
                     EVS_OK);
}

static void check_numbers(const model *m)
{
    evs_stats *stats;
    uint64_t calls = 0, in_flight = 0;
    assert_int_equal(evs_stats_snapshot(&stats, m->set.client, NULL), EVS_OK);
    for (size_t i = 0; i < evs_stats_count(stats); i++) {
        calls += evs_stats_at(stats, i)->calls;
        in_flight += evs_stats_at(stats, i)->in_flight;
    }
    evs_stats_free(stats);
    assert_int_equal(calls, m->completed);
    assert_int_equal(in_flight, m->submitted - m->completed);
    assert_int_equal(evs_client_pending(m->set.client), m->submitted - m->completed);
}

static void count_silences(model *m)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, m->set.client);
    m->downs += stats.downs;
    m->ups += stats.ups;
}

static void renew_client(model *m)
{
    evs_error err;
    count_silences(m);
    if (!m->closed && pick(m, 3) > 0)
        evs_client_close(m->set.client, pick(m, 2) ? EVS_CLOSE_ABORT : EVS_CLOSE_DRAIN,
                         (int)pick(m, 3), &err);
    evs_client_free(m->set.client);
    assert_int_equal(m->submitted, m->completed);
    for (int i = 0; i < SERVERS; i++) {
        server *s = &m->servers[i];
        while (s->fd >= 0) { /* what it sent before it went */
            take(m, s);
            while (serve(m, s))
                ;
        }
    }
    open_client(m);
}

/* From some allocation on, all fail for a while. */
static void move_without_memory(model *m)
{
    evs__mem_fail_at(1 + pick(m, 12));
    submit(m);
    evs_client_process(m->set.client, 0, NULL);
    evs__mem_fail_at(0);
}

static void step(model *m)
{
    if (pick(m, 100) == 0)
        move_without_memory(m);
    switch (pick(m, 16)) {
    case 0:
    case 1:
    case 2:
    case 3:
        submit(m);
        break;
    case 4:
        if (m->count > 0)
            evs_cancel(m->set.client, m->tickets[m->count - 1 - pick(m, 100) % m->count].number,
                       NULL);
        break;
    case 5:
        if (m->closed || pick(m, 200) == 0)
            renew_client(m);
        else
            check_numbers(m);
        break;
    case 6:
    case 7:
    case 8:
        evs_client_process(m->set.client, 0, NULL);
        break;
    default:
        move_server(m, &m->servers[pick(m, SERVERS)]);
    }
}

/* ---- what the model says ---- */

static void check(const model *m)
{
    size_t by_outcome[3] = {0, 0, 0};
    for (size_t i = 0; i < m->count; i++) {
        const ticket *one = &m->tickets[i];
        int once = one->kind == LIAR || one->kind == HONEST;
        int right = one->submitted == one->done && (!once || one->ran <= 1);
        if (!one->submitted)
            right = right && one->ran == 0;
        else if (one->outcome == EVS_NOT_EXECUTED)
            right = right && one->ran == 0;
        else if (one->outcome == EVS_EXECUTED)
            right = right && one->ran > 0;
        if (!right)
            fail_msg("call %zu of kind %d: submitted %d, done %d, %s, %s, but it ran %d times", i,
                     one->kind, one->submitted, one->done, evs_status_name(one->status),
                     evs_outcome_text((evs_outcome)one->outcome), one->ran);
        by_outcome[one->outcome] += one->submitted;
    }
    printf("%zu calls: %zu executed, %zu not, %zu maybe; room %d times, down %llu, up %llu\n",
           m->count, by_outcome[EVS_EXECUTED], by_outcome[EVS_NOT_EXECUTED],
           by_outcome[EVS_MAYBE_EXECUTED], m->room, (unsigned long long)m->downs,
           (unsigned long long)m->ups);
    for (int i = 0; i < 3; i++)
        assert_true(by_outcome[i] > m->count / 200); /* else it plays nothing of interest */
}

static void begin(model *m, size_t steps, const char *pool_keys)
{
    const char *addresses[SERVERS];
    char texts[SERVERS][128];
    for (int i = 0; i < SERVERS; i++) {
        server *s = &m->servers[i];
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        snprintf(s->path, sizeof s->path, "/tmp/evs-model-%d-%d", (int)getpid(), i);
        snprintf(texts[i], sizeof texts[i], "unix:%s", s->path);
        memcpy(address.sun_path, s->path, strlen(s->path) + 1);
        addresses[i] = texts[i];
        s->fd = -1;
        s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(s->listener, (struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(listen(s->listener, 16), 0);
    }
    shards_open(&m->set, addresses, SERVERS, pool_keys);
    evs_client_free(m->set.client);
    for (int i = 0; i < KINDS; i++) {
        char name[16];
        snprintf(name, sizeof name, "kind%d", i);
        m->scripts[i] = shards_script(&m->set, name, sources[i]);
    }
    for (size_t i = 0; i < SERVERS; i++)
        shards_key(&m->set, i, m->keys[i]);
    m->big = calloc(1, BIG);
    m->most = steps;
    m->tickets = calloc(steps, sizeof *m->tickets);
    assert_non_null(m->tickets);
    open_client(m);
}

static void end(model *m)
{
    count_silences(m);
    evs_client_free(m->set.client);
    m->set.client = NULL;
    for (int i = 0; i < SERVERS; i++) {
        server *s = &m->servers[i];
        while (s->fd >= 0) {
            take(m, s);
            while (serve(m, s))
                ;
        }
        close(s->listener);
        unlink(s->path);
        evs__buf_free(&s->in);
        evs__buf_free(&s->out);
    }
}

static size_t steps = 350000; /* of each play */
static uint64_t seed = 20240229;

static void play(int may_hang, const char *pool_keys)
{
    model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->random = seed;
    m->may_hang = may_hang;
    printf("%zu steps, seed %llu\n", steps, (unsigned long long)seed);
    begin(m, steps, pool_keys);
    for (size_t i = 0; i < steps; i++)
        step(m);
    end(m);
    check(m);
    free(m->tickets);
    free(m->big);
    shards_stop(&m->set);
    free(m);
}

static void the_engine_agrees_with_the_model(void **state)
{
    (void)state;
    play(0, NULL);
}

#define OFTEN "    down_after: 2\n    retry_after: 15ms\n    connect_timeout: 15ms\n"

static void also_where_servers_hang_and_calls_are_refused(void **state)
{
    (void)state;
    play(1, OFTEN);
}

static void also_where_servers_hang_and_calls_wait(void **state)
{
    (void)state;
    play(1, OFTEN "    on_shard_down: wait\n");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        steps = strtoul(argv[1], NULL, 10);
    if (argc > 2)
        seed = strtoull(argv[2], NULL, 10) | 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_agrees_with_the_model),
        cmocka_unit_test(also_where_servers_hang_and_calls_are_refused),
        cmocka_unit_test(also_where_servers_hang_and_calls_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
