/* One connection by TLS against a real server: what works, each failure in its own words, sessions,
 * and what is sent when the kernel takes only a part. */
#include "core/net/conn_inner.h"
#include "tests/support/asker.h"
#include "tests/support/certificates.h"
#include "tests/support/fake_shard.h"
#include "tools/scratch/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Certificates, and one server that takes clients without. */
static struct {
    scratch *area;
    scratch_server *server;
} common;

static const char *at(const char *name)
{
    static char paths[8][256];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", scratch_folder(common.area), name);
    return path;
}

static scratch_server *start(const char *name, const char *cert, const char *clients,
                             const char *versions)
{
    return certificates_serve(common.area, name, cert, clients, versions);
}

static int set_up(void **state)
{
    (void)state;
    if (scratch_new(&common.area) != SCRATCH_OK)
        return -1;
    certificates_make(scratch_folder(common.area));
    common.server = start("tls", "server", "no", "TLSv1.2 TLSv1.3");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_free(common.area);
    return 0;
}

static evs__tls_conf trusting(void)
{
    return (evs__tls_conf){.ca_file = at("ca.pem")};
}

static evs__login login_to(int port, const evs__tls_conf *conf)
{
    return (evs__login){
        .name = "s",
        .client_name = "evalshard-test",
        .connect_timeout_ms = 20000,
        .tls = conf,
        .endpoint = {.text = "127.0.0.1:port", .host = "127.0.0.1", .port = port},
    };
}

static evs__login login_to_server(const evs__tls_conf *conf)
{
    return login_to(scratch_port(common.server), conf);
}

static void run_one(const evs__login *login, ask *result)
{
    asker a;
    asker_open(&a, login);
    ask *one = asker_ask(&a, "PING", NULL);
    asker_run(&a);
    *result = *one;
    asker_close(&a);
}

static void pings(const evs__login *login)
{
    ask got;
    run_one(login, &got);
    assert_string_equal(got.text, "PONG");
}

/* A connection that has answered once, to a server that is trusted. */
typedef struct talk {
    evs__tls_conf conf;
    evs__login login;
    asker a;
} talk;

static void talk_to(talk *t, const scratch_server *server)
{
    t->conf = trusting();
    t->login = login_to(scratch_port(server), &t->conf);
    asker_open(&t->a, &t->login);
    asker_ask(&t->a, "PING", NULL);
    asker_run(&t->a);
}

/* ---- what works ---- */

static const struct good {
    const char *shows;
    const char *host;
    evs__tls_conf conf;
} goods[] = {
    {"an address in the certificate", "127.0.0.1", {.verify = EVS__VERIFY_FULL}},
    {"a name in the certificate", "localhost", {.verify = EVS__VERIFY_FULL}},
    {"a name instead of the address", "127.0.0.1", {.server_name = "localhost"}},
    {"TLS 1.3 only", "127.0.0.1", {.only_1_3 = 1}},
};

static void ping_works(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
        evs__tls_conf conf = goods[i].conf;
        conf.ca_file = at("ca.pem");
        evs__login login = login_to_server(&conf);
        login.endpoint.host = goods[i].host;
        ask got;
        run_one(&login, &got);
        if (strcmp(got.text, "PONG") != 0)
            fail_msg("%s: %s", goods[i].shows, got.why.message);
    }
}

static void a_folder_of_authorities_works(void **state)
{
    (void)state;
    char command[1024];
    assert_int_equal(mkdir(at("authorities"), 0700), 0);
    snprintf(command, sizeof command, "cp %s %s && openssl rehash %s", at("ca.pem"),
             at("authorities"), at("authorities"));
    assert_int_equal(system(command), 0);
    evs__tls_conf conf = {.ca_dir = at("authorities")};
    evs__login login = login_to_server(&conf);
    pings(&login);
}

static void a_client_certificate_is_shown(void **state)
{
    (void)state;
    scratch_server *strict = start("strict-good", "server", "yes", "TLSv1.2 TLSv1.3");
    evs__tls_conf conf = {
        .ca_file = at("ca.pem"), .cert_file = at("client.pem"), .key_file = at("client.key")};
    evs__login login = login_to(scratch_port(strict), &conf);
    pings(&login);
}

static void without_verification_anybody_will_do(void **state)
{
    (void)state;
    scratch_server *stranger = start("stranger-ok", "stranger", "no", "TLSv1.3");
    evs__tls_conf conf = {.verify = EVS__VERIFY_NONE};
    evs__login login = login_to(scratch_port(stranger), &conf);
    pings(&login);
}

static void with_the_chain_alone_any_name_will_do(void **state)
{
    (void)state;
    scratch_server *other = start("other-ok", "other", "no", "TLSv1.3");
    evs__tls_conf conf = {.ca_file = at("ca.pem"), .verify = EVS__VERIFY_CA};
    evs__login login = login_to(scratch_port(other), &conf);
    pings(&login);
}

/* ---- what fails ---- */

/* `ca`, `cert`, `key` are names of files; NULL for none. */
static const struct failure {
    const char *shows;
    const char *server_cert, *clients, *versions;
    const char *ca, *cert, *key;
    const char *server_name;
    int only_1_3;
    const char *message; /* a part of it */
} failures[] = {
    {"another authority", "server", "no", "TLSv1.3", "stranger.pem", NULL, NULL, NULL, 0,
     "the server's certificate is refused: it is from no CA we trust, "},
    {"a self-signed certificate", "stranger", "no", "TLSv1.3", "ca.pem", NULL, NULL, NULL, 0,
     "the server's certificate is refused: it is from no CA we trust, self-signed certificate"},
    {"the system's authorities", "server", "no", "TLSv1.3", NULL, NULL, NULL, NULL, 0,
     "the server's certificate is refused: it is from no CA we trust, "},
    {"a certificate for somebody else", "other", "no", "TLSv1.3", "ca.pem", NULL, NULL, NULL, 0,
     "the server's certificate is not for 127.0.0.1"},
    {"a name that is not in the certificate", "server", "no", "TLSv1.2", "ca.pem", NULL, NULL,
     "db.example", 0, "the server's certificate is not for db.example"},
    {"an expired certificate", "old", "no", "TLSv1.3", "ca.pem", NULL, NULL, NULL, 0,
     "the server's certificate is refused: certificate has expired"},
    {"no client certificate, TLS 1.3", "server", "yes", "TLSv1.3", "ca.pem", NULL, NULL, NULL, 0,
     "the server requires a client certificate (cert_file, key_file)"},
    {"no client certificate, TLS 1.2", "server", "yes", "TLSv1.2", "ca.pem", NULL, NULL, NULL, 0,
     "it requires a client certificate"},
    {"a client certificate of a stranger", "server", "yes", "TLSv1.3", "ca.pem", "stranger.pem",
     "stranger.key", NULL, 0, "the server does not know the CA of our certificate"},
    {"only an old version", "server", "no", "TLSv1.2", "ca.pem", NULL, NULL, NULL, 1,
     "the server does not speak a version of TLS we accept"},
    {"no such file", "server", "no", "TLSv1.3", "nothing.pem", NULL, NULL, NULL, 0,
     "nothing.pem cannot be used: "},
    {"a key that is not the certificate's", "server", "no", "TLSv1.3", "ca.pem", "client.pem",
     "server.key", NULL, 0, "server.key cannot be used: key values mismatch"},
    {"a key with a password", "server", "no", "TLSv1.3", "ca.pem", "client.pem", "locked.key", NULL,
     0, "locked.key cannot be used: "},
};

static const char *at_or_null(const char *name)
{
    return name == NULL ? NULL : at(name);
}

static void each_failure_has_words_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        const struct failure *row = &failures[i];
        char name[24];
        snprintf(name, sizeof name, "fail-%zu", i);
        scratch_server *server = start(name, row->server_cert, row->clients, row->versions);
        evs__tls_conf conf = {.ca_file = at_or_null(row->ca),
                              .cert_file = at_or_null(row->cert),
                              .key_file = at_or_null(row->key),
                              .server_name = row->server_name,
                              .only_1_3 = row->only_1_3};
        evs__login login = login_to(scratch_port(server), &conf);
        ask got;
        run_one(&login, &got);
        if (got.why.status != EVS_E_TLS || strstr(got.why.message, row->message) == NULL)
            fail_msg("%s: %d %s", row->shows, got.why.status, got.why.message);
        assert_int_equal(got.sent, 0);
        scratch_stop(server);
    }
}

/* One question by TLS to who does as the steps say. */
static void ask_fake(const fake_step *steps, size_t count, unsigned timeout_ms, ask *got)
{
    fake_shard *fake = fake_shard_start(FAKE_TCP, steps, count);
    evs__tls_conf conf = trusting();
    evs__login login = *fake_shard_login(fake);
    login.tls = &conf;
    login.connect_timeout_ms = timeout_ms;
    run_one(&login, got);
    fake_shard_stop(fake);
}

static void a_server_in_the_clear_is_told(void **state)
{
    (void)state;
    static const fake_step steps[] = {FAKE_ACCEPT, FAKE_BYTES(5),
                                      FAKE_SAY("-ERR unknown command\r\n"), FAKE_EOF};
    ask got;
    ask_fake(steps, sizeof steps / sizeof steps[0], 20000, &got);
    assert_int_equal(got.why.status, EVS_E_TLS);
    assert_non_null(strstr(got.why.message, "the server answers, but not in TLS"));
}

static void a_server_that_hangs_up_is_told(void **state)
{
    (void)state;
    static const fake_step steps[] = {FAKE_ACCEPT, FAKE_BYTES(5), FAKE_DRAIN, FAKE_CLOSE};
    ask got;
    ask_fake(steps, sizeof steps / sizeof steps[0], 20000, &got);
    assert_int_equal(got.why.status, EVS_E_TLS);
}

static void silence_in_the_handshake_has_an_end(void **state)
{
    (void)state;
    static const fake_step steps[] = {FAKE_ACCEPT, FAKE_BYTES(5), FAKE_EOF};
    ask got;
    ask_fake(steps, sizeof steps / sizeof steps[0], 2000, &got);
    assert_int_equal(got.why.status, EVS_E_CONNECT);
    assert_non_null(strstr(got.why.message, "timed out after 2000 ms, in the TLS handshake"));
    assert_int_equal(got.sent, 0);
}

static void a_tls_server_spoken_to_in_the_clear_is_told(void **state)
{
    (void)state;
    evs__login login = login_to_server(NULL);
    ask got;
    run_one(&login, &got);
    assert_int_not_equal(got.got, EVS__GOT_REPLY);
    print_message("in the clear: %s\n", got.why.message);
    assert_true(got.why.status == EVS_E_CONNECT || got.why.status == EVS_E_PROTOCOL);
    assert_non_null(strstr(got.why.message, "TLS"));
}

/* ---- sessions ---- */

static void coming_back_resumes_the_session(void **state)
{
    (void)state;
    static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};
    for (size_t i = 0; i < 2; i++) {
        scratch_server *server = start(versions[i], "server", "no", versions[i]);
        talk t;
        talk_to(&t, server);
        assert_false(evs__tls_resumed(t.a.conn->tls));
        assert_string_equal(evs__tls_version(t.a.conn->tls), versions[i]);
        for (int again = 0; again < 3; again++) {
            asker_ask(&t.a, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no", NULL);
            asker_run(&t.a);
            ask *ping = asker_ask(&t.a, "PING", NULL);
            asker_run(&t.a);
            if (ping->got == EVS__GOT_LOST) { /* the end was not noticed in time */
                ping = asker_ask(&t.a, "PING", NULL);
                asker_run(&t.a);
            }
            assert_string_equal(ping->text, "PONG");
            assert_true(evs__tls_resumed(t.a.conn->tls));
        }
        asker_close(&t.a);
        scratch_stop(server);
    }
}

/* Who finds primaries has moved the login to another host. The server would take the session, but
 * that vouches for the name it was made with. */
static void a_session_is_not_taken_to_another_name(void **state)
{
    (void)state;
    talk t;
    talk_to(&t, common.server);
    evs__conn_down(t.a.conn, EVS_E_CLOSED, "moved");
    t.login.endpoint.host = "127.1"; /* the same server; but its certificate has no such name */
    ask *refused = asker_ask(&t.a, "PING", NULL);
    asker_run(&t.a);
    assert_int_equal(refused->got, EVS__GOT_LOST);
    assert_int_equal(refused->why.status, EVS_E_TLS);
    assert_non_null(strstr(refused->why.message, "not for 127.1"));
    asker_close(&t.a);
}

static void an_idle_connection_is_not_taken_for_a_talking_one(void **state)
{
    (void)state;
    evs__tls_conf conf = trusting();
    evs__login login = login_to_server(&conf);
    asker a;
    asker_open(&a, &login);
    asker_run_ready((evs__conn_prepare(a.conn, NULL), &a));
    uint64_t epoch = evs__conn_epoch(a.conn);
    for (int i = 0; i < 50; i++) {
        asker_ask(&a, "PING", NULL);
        asker_run(&a);
    }
    assert_int_equal(evs__conn_epoch(a.conn), epoch);
    asker_close(&a);
}

static void a_replaced_certificate_is_read_anew(void **state)
{
    (void)state;
    char command[1024];
    snprintf(command, sizeof command, "cp %s %s", at("stranger.pem"), at("rotated.pem"));
    assert_int_equal(system(command), 0);
    evs__tls_conf conf = {.ca_file = at("rotated.pem")};
    evs__login login = login_to_server(&conf);
    asker a;
    asker_open(&a, &login);
    ask *refused = asker_ask(&a, "PING", NULL);
    asker_run(&a);
    assert_int_equal(refused->why.status, EVS_E_TLS);

    snprintf(command, sizeof command, "cp %s %s.new && mv %s.new %s", at("ca.pem"),
             at("rotated.pem"), at("rotated.pem"), at("rotated.pem"));
    assert_int_equal(system(command), 0);
    while (evs__conn_wait(a.conn) > 0)
        evs__loop_run(a.loop, 10);
    ask *fine = asker_ask(&a, "PING", NULL);
    asker_run(&a);
    assert_string_equal(fine->text, "PONG");
    asker_close(&a);
}

/* ---- bytes ---- */

static void large_requests_and_replies_arrive(void **state)
{
    (void)state;
    enum { LARGE = 1024 * 1024 };
    evs__tls_conf conf = trusting();
    evs__login login = login_to_server(&conf);
    evs__conn_limits limits = {
        .max_reply_bytes = 2 * LARGE, .max_reply_depth = 8, .max_queued_bytes = 64 << 20};
    static char text[LARGE + 1];
    static const char sum[] = "local s = 0 for i = 1, #ARGV[1], 1000 do "
                              "s = s + ARGV[1]:byte(i) * i end return {s, ARGV[1]}";
    int64_t expected = 0;
    for (size_t i = 0; i < LARGE; i++)
        text[i] = (char)('a' + i % 23);
    for (size_t i = 1; i <= LARGE; i += 1000)
        expected += text[i - 1] * (int64_t)i;
    asker a;
    asker_open_limited(&a, &login, &limits);
    for (int i = 0; i < 5; i++)
        asker_ask(&a, "EVAL", sum, "0", text, NULL);
    ask *size = asker_ask(&a, "EVAL", "return #ARGV[1]", "0", text, NULL);
    ask *number = asker_ask(&a, "EVAL",
                            "local s = 0 for i = 1, #ARGV[1], 1000 do "
                            "s = s + ARGV[1]:byte(i) * i end return s",
                            "0", text, NULL);
    asker_run(&a);
    assert_int_equal(size->integer, LARGE);
    assert_int_equal(number->integer, expected);
    for (ask *one = a.asks; one != NULL; one = one->next)
        assert_int_equal(one->got, EVS__GOT_REPLY);
    asker_close(&a);
}

/* The server stands still, so that the kernel's buffers fill up and a record is taken in part. */
static void a_held_record_is_neither_sent_nor_taken_back(void **state)
{
    (void)state;
    enum { COUNT = 1500, SIZE = 8000 };
    static char text[SIZE + 1];
    static ask *asks[COUNT];
    memset(text, 'x', SIZE);
    scratch_server *server = start("still", "server", "no", "TLSv1.3");
    talk t;
    talk_to(&t, server);
    assert_int_equal(kill(scratch_pid(server), SIGSTOP), 0);
    for (int i = 0; i < COUNT; i++) {
        asks[i] = asker_ask(&t.a, "EVAL", "return redis.call('INCR', 'count')", "0", text, NULL);
        if (i % 20 == 0)
            evs__loop_run(t.a.loop, 0);
    }
    evs__loop_run(t.a.loop, 0);
    uint64_t written = t.a.conn->written, committed = evs__conn_committed(t.a.conn);
    assert_true(t.a.conn->blocked);
    assert_in_range(committed - written, 1, 16 * 1024);

    int64_t withdrawn = 0;
    for (int i = 0; i < COUNT; i += 2) {
        uint64_t start = asks[i]->request.start;
        int taken = evs__conn_withdraw(t.a.conn, &asks[i]->request);
        assert_int_equal(taken, start >= committed);
        withdrawn += taken;
        t.a.waiting -= (size_t)taken;
    }
    assert_in_range(withdrawn, 1, COUNT - 1);
    assert_int_equal(kill(scratch_pid(server), SIGCONT), 0);
    asker_run(&t.a);
    ask *count = asker_ask(&t.a, "GET", "count", NULL);
    asker_run(&t.a);
    assert_int_equal(strtoll(count->text, NULL, 10), COUNT - withdrawn);
    asker_close(&t.a);
    scratch_stop(server);
}

/* What an idle connection costs, as docs/shard-map.md says. */
static void an_idle_connection_keeps_no_buffers(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    skip(); /* mallinfo2 knows nothing of the sanitizer's heap */
#else
    enum { COUNT = 50 };
    evs__conn_limits limits = {
        .max_reply_bytes = 1 << 20, .max_reply_depth = 8, .max_queued_bytes = 1 << 20};
    static evs__conn *conns[COUNT];
    talk t;
    talk_to(&t, common.server);
    evs__conn *own = t.a.conn;
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(evs__conn_new(&conns[i], t.a.loop, &t.login, &limits, NULL), EVS_OK);
        t.a.conn = conns[i];
        asker_ask(&t.a, "PING", NULL);
        asker_run(&t.a);
    }
    size_t each = (mallinfo2().uordblks - before) / COUNT;
    print_message("heap of an idle connection by TLS: %zu bytes\n", each);
    assert_in_range(each, 1, 32 * 1024);
    for (int i = 0; i < COUNT; i++)
        evs__conn_free(conns[i]);
    t.a.conn = own;
    asker_close(&t.a);
#endif
}

/* ---- a guest in the process ---- */

static void a_forked_child_leaves_the_parents_connection_alone(void **state)
{
    (void)state;
    talk t;
    talk_to(&t, common.server);
    uint64_t epoch = evs__conn_epoch(t.a.conn);
    pid_t child = fork();
    if (child == 0) {
        evs__conn_abandon(t.a.conn);
        evs__loop_abandon(t.a.loop);
        _exit(0);
    }
    int status = -1;
    while (waitpid(child, &status, 0) == -1 && errno == EINTR)
        ;
    assert_int_equal(status, 0);
    ask *ping = asker_ask(&t.a, "PING", NULL);
    asker_run(&t.a);
    assert_string_equal(ping->text, "PONG");
    assert_int_equal(evs__conn_epoch(t.a.conn), epoch);
    asker_close(&t.a);
}

/* SIGPIPE would end this program. */
static void a_killed_server_raises_no_signal(void **state)
{
    (void)state;
    scratch_server *server = start("killed", "server", "no", "TLSv1.3");
    talk t;
    talk_to(&t, server);
    ask *waits = asker_ask(&t.a, "BLPOP", "nothing", "0", NULL);
    evs__loop_run(t.a.loop, 0);
    scratch_kill(server);
    for (int i = 0; i < 3 && evs__conn_state_of(t.a.conn) == EVS__CONN_READY; i++) {
        asker_queue(&t.a, evs_text("*1\r\n$4\r\nPING\r\n"));
        evs__loop_run(t.a.loop, 0);
    }
    asker_run(&t.a);
    assert_int_equal(waits->got, EVS__GOT_LOST);
    assert_int_equal(waits->sent, 1);
    assert_int_equal(waits->why.status, EVS_E_CLOSED);
    asker_close(&t.a);
}

int main(void)
{
    signal(SIGPIPE, SIG_DFL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ping_works),
        cmocka_unit_test(a_folder_of_authorities_works),
        cmocka_unit_test(a_client_certificate_is_shown),
        cmocka_unit_test(without_verification_anybody_will_do),
        cmocka_unit_test(with_the_chain_alone_any_name_will_do),
        cmocka_unit_test(each_failure_has_words_of_its_own),
        cmocka_unit_test(a_server_in_the_clear_is_told),
        cmocka_unit_test(a_server_that_hangs_up_is_told),
        cmocka_unit_test(silence_in_the_handshake_has_an_end),
        cmocka_unit_test(a_tls_server_spoken_to_in_the_clear_is_told),
        cmocka_unit_test(coming_back_resumes_the_session),
        cmocka_unit_test(a_session_is_not_taken_to_another_name),
        cmocka_unit_test(an_idle_connection_is_not_taken_for_a_talking_one),
        cmocka_unit_test(a_replaced_certificate_is_read_anew),
        cmocka_unit_test(large_requests_and_replies_arrive),
        cmocka_unit_test(a_held_record_is_neither_sent_nor_taken_back),
        cmocka_unit_test(an_idle_connection_keeps_no_buffers),
        cmocka_unit_test(a_forked_child_leaves_the_parents_connection_alone),
        cmocka_unit_test(a_killed_server_raises_no_signal),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
