/* From IDLE to READY, and all the ways in which that does not happen. */
#include "core/net/conn_inner.h"
#include "tests/support/asker.h"
#include "tests/support/fake_shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Asks one thing and returns what came of it, be it at once or later. */
static evs_error failure_of(const evs__login *login)
{
    asker a;
    evs_error err = {0};
    asker_open(&a, login);
    if (evs__conn_prepare(a.conn, &err) == EVS_OK) {
        ask *one = asker_queue(&a, evs_text("*1\r\n$4\r\nPING\r\n"));
        asker_run(&a);
        assert_int_equal(one->got, EVS__GOT_LOST);
        assert_int_equal(one->sent, 0);
        err = one->why;
    }
    assert_int_equal(evs__conn_state_of(a.conn), EVS__CONN_IDLE);
    asker_close(&a);
    return err;
}

static evs__login tcp_login(int port, const char *text)
{
    evs__login login = {.name = "b", .client_name = "test", .connect_timeout_ms = 20000};
    login.endpoint = (evs__endpoint){.text = text, .host = "127.0.0.1", .port = port};
    return login;
}

/* A socket that listens and never accepts; its queue holds one connection. */
static int listen_quietly(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void connect_to(int fd, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)connect(fd, (struct sockaddr *)&address, sizeof address);
}

/* ---- no connection ---- */

static void a_refused_connection_names_shard_and_address(void **state)
{
    (void)state;
    int port;
    close(listen_quietly(&port));
    evs__login login = tcp_login(port, "10.0.0.2:6379");
    evs_error err = failure_of(&login);
    assert_int_equal(err.status, EVS_E_CONNECT);
    assert_string_equal(err.shard, "b");
    assert_string_equal(err.message, "shard b at 10.0.0.2:6379: connection refused");
}

static void a_missing_unix_socket_is_said_at_once(void **state)
{
    (void)state;
    evs__login login = {.name = "a"};
    login.endpoint = (evs__endpoint){.text = "unix:/nowhere/x", .path = "/nowhere/x"};
    evs_error err = failure_of(&login);
    assert_int_equal(err.status, EVS_E_CONNECT);
    assert_string_equal(err.message, "shard a at unix:/nowhere/x: no such file or directory");
}

static void a_path_too_long_for_a_socket_is_refused(void **state)
{
    (void)state;
    char path[200];
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    evs__login login = {.name = "a"};
    login.endpoint = (evs__endpoint){.text = "unix:/long", .path = path};
    evs_error err = failure_of(&login);
    assert_int_equal(err.status, EVS_E_CONNECT);
    assert_non_null(strstr(err.message, "longer than 107 bytes"));
}

static void a_host_that_swallows_packets_times_out(void **state)
{
    (void)state;
    int port;
    int listener = listen_quietly(&port);
    int fill[4];
    for (int i = 0; i < 4; i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect_to(fill[i], port);
    }
    evs__login login = tcp_login(port, "there:1");
    login.connect_timeout_ms = 60;
    evs_error err = failure_of(&login);
    assert_int_equal(err.status, EVS_E_CONNECT);
    assert_string_equal(err.message, "shard b at there:1: timed out after 60 ms");
    for (int i = 0; i < 4; i++)
        close(fill[i]);
    close(listener);
}

static void a_server_that_never_answers_the_greeting_times_out(void **state)
{
    (void)state;
    int port;
    int listener = listen_quietly(&port);
    evs__login login = tcp_login(port, "there:1");
    login.connect_timeout_ms = 40;
    evs_error err = failure_of(&login);
    assert_int_equal(err.status, EVS_E_CONNECT);
    assert_string_equal(err.message, "shard b at there:1: timed out after 40 ms");
    close(listener);
}

static int listen_on(struct sockaddr_un *address, char *folder)
{
    assert_non_null(mkdtemp(folder));
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof address->sun_path, "%s/sock", folder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
    assert_int_equal(listen(fd, 0), 0);
    return fd;
}

static void a_full_queue_of_a_unix_socket_is_waited_for(void **state)
{
    (void)state;
    char folder[] = "/tmp/evs-queue-XXXXXX";
    struct sockaddr_un address;
    int listener = listen_on(&address, folder);
    int fill = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fill, (struct sockaddr *)&address, sizeof address), 0);

    evs__login login = {.name = "a", .connect_timeout_ms = 10000};
    login.endpoint = (evs__endpoint){.text = "unix:x", .path = address.sun_path};
    asker a;
    asker_open(&a, &login);
    ask *one = asker_ask(&a, "A", NULL);
    evs__loop_run(a.loop, 0);
    assert_int_equal(evs__conn_state_of(a.conn), EVS__CONN_CONNECTING);
    close(accept(listener, NULL, NULL)); /* makes room */
    while (evs__conn_state_of(a.conn) == EVS__CONN_CONNECTING)
        evs__loop_run(a.loop, 100);
    assert_int_equal(evs__conn_state_of(a.conn), EVS__CONN_GREETING);
    assert_int_equal(one->answers, 0);

    asker_close(&a);
    close(fill);
    close(listener);
    unlink(address.sun_path);
    rmdir(folder);
}

/* ---- names ---- */

static void a_name_is_looked_up_and_its_addresses_tried(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+one\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    evs__login login = *fake_shard_login(fake);
    login.endpoint.host = "localhost"; /* ::1 comes first, where nobody listens */
    asker a;
    asker_open(&a, &login);
    ask *one = asker_ask(&a, "A", NULL);
    asker_run(&a);
    assert_string_equal(one->text, "one");
    asker_close(&a);
    fake_shard_stop(fake);
}

static void a_lookup_may_be_given_up(void **state)
{
    (void)state;
    evs__login login = tcp_login(1, "localhost:1");
    login.endpoint.host = "localhost";
    asker a;
    asker_open(&a, &login);
    ask *one = asker_ask(&a, "A", NULL);
    evs__conn_free(a.conn);
    a.conn = NULL;
    assert_int_equal(one->why.status, EVS_E_CANCELED);
    asker_close(&a);
}

static void a_name_that_cannot_exist_is_said_so(void **state)
{
    (void)state;
    evs__login login = tcp_login(1, "..:1");
    login.endpoint.host = "..";
    evs_error err = failure_of(&login);
    assert_int_equal(err.status, EVS_E_CONNECT);
    assert_non_null(strstr(err.message, "shard b at ..:1: name lookup: "));
}

static void numeric_addresses_need_no_lookup(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "::1", "fe80::1"};
    for (size_t i = 0; i < 3; i++) {
        struct addrinfo *found = NULL;
        assert_int_equal(evs__resolve_numeric(&found, hosts[i], 6379), 0);
        assert_non_null(found);
        freeaddrinfo(found);
    }
    struct addrinfo *found = NULL;
    assert_int_not_equal(evs__resolve_numeric(&found, "localhost", 6379), 0);
}

/* ---- greetings that fail ---- */

static const struct refusal {
    const char *shows;
    evs_bytes says;
    evs_status status;
    const char *message; /* behind the shard */
} refusals[] = {
    {"a password is needed", FAKE_TEXT("-NOAUTH Authentication required.\r\n"), EVS_E_AUTH,
     "shard requires a password"},
    {"protected mode", FAKE_TEXT("-DENIED Redis is running in protected mode\r\n"), EVS_E_DENIED,
     "DENIED Redis is running in protected mode"},
    {"too many clients", FAKE_TEXT("-ERR max number of clients reached\r\n"), EVS_E_CONNECT,
     "ERR max number of clients reached"},
    {"loading", FAKE_TEXT("-LOADING Redis is loading the dataset in memory\r\n"), EVS_E_LOADING,
     "LOADING Redis is loading the dataset in memory"},
    {"nothing at all", FAKE_TEXT(""), EVS_E_CONNECT,
     "connection closed by the server during the greeting: does it expect TLS at this port?"},
    {"half an answer", FAKE_TEXT("+O"), EVS_E_CONNECT,
     "connection closed by the server during the greeting: does it expect TLS at this port?"},
};

static void greetings_that_fail_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *row = &refusals[i];
        const fake_step steps[] = {FAKE_ACCEPT, FAKE_COMMANDS(1),
                                   FAKE_SAY_BYTES(row->says.data, row->says.len), FAKE_CLOSE};
        fake_shard *fake = FAKE_START(FAKE_TCP, steps);
        evs_error err = failure_of(fake_shard_login(fake));
        char message[300];
        snprintf(message, sizeof message, "shard fake at %s: %s", fake_shard_address(fake),
                 row->message);
        assert_string_equal(err.message, message);
        assert_int_equal(err.status, row->status);
        fake_shard_stop(fake);
    }
}

static void servers_that_speak_no_resp_are_recognised(void **state)
{
    (void)state;
    static const struct {
        evs_bytes says;
        const char *message;
    } rows[] = {{FAKE_TEXT("HTTP/1.1 400 Bad Request\r\n\r\n"), "HTTP server"},
                {FAKE_TEXT("\x15\x03\x01\x00\x02\x02\x46"), "TLS server"},
                {FAKE_TEXT("220 mail.example ESMTP\r\n"), "'2'"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const fake_step steps[] = {FAKE_ACCEPT, FAKE_COMMANDS(1),
                                   FAKE_SAY_BYTES(rows[i].says.data, rows[i].says.len), FAKE_EOF};
        fake_shard *fake = FAKE_START(FAKE_TCP, steps);
        evs_error err = failure_of(fake_shard_login(fake));
        assert_int_equal(err.status, EVS_E_PROTOCOL);
        if (strstr(err.message, rows[i].message) == NULL)
            fail_msg("%s", err.message);
        fake_shard_stop(fake);
    }
}

static void the_greeting_is_one_write_and_requests_wait_for_its_end(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_ACCEPT,
        FAKE_EXPECT("*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$2\r\npw\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n"
                    "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$4\r\ntest\r\n"),
        FAKE_SAY("+OK\r\n+O"),
        FAKE_PAUSE,
        FAKE_DRAIN,
        FAKE_SAY("K\r\n-NOPERM no\r\n"),
        FAKE_ANSWER(1, "+one\r\n"),
    };
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    evs__login login = *fake_shard_login(fake);
    login.username = "app";
    login.password = "pw";
    login.db = 3;
    asker a;
    asker_open(&a, &login);
    ask *one = asker_ask(&a, "A", NULL);
    fake_shard_await_on(fake, 3, a.loop);
    evs__loop_run(a.loop, 1);
    assert_int_equal(evs__conn_state_of(a.conn), EVS__CONN_GREETING);
    fake_shard_go(fake);
    asker_run(&a);
    assert_string_equal(one->text, "one");
    asker_close(&a);
    fake_shard_stop(fake);
}

/* ---- backing off ---- */

static void failures_in_a_row_are_retried_ever_later(void **state)
{
    (void)state;
    evs__login login = {.name = "a"};
    login.endpoint = (evs__endpoint){.text = "unix:/nowhere/x", .path = "/nowhere/x"};
    asker a;
    asker_open(&a, &login);
    static const uint64_t delays[] = {50, 100, 200, 400, 800, 1600, 2000, 2000, 2000};
    for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
        uint64_t before = evs__loop_now_ms(a.loop);
        assert_int_equal(evs__conn_prepare(a.conn, NULL), EVS_E_CONNECT);
        uint64_t after = evs__loop_now_ms(a.loop);
        assert_true(a.conn->retry_at >= before + delays[i] * 3 / 4);
        assert_true(a.conn->retry_at <= after + delays[i] * 5 / 4);
        a.conn->retry_at = before; /* as if the time had passed */
    }
    asker_close(&a);
}

static void waiting_fails_fast_with_the_last_problem(void **state)
{
    (void)state;
    evs__login login = {.name = "a"};
    login.endpoint = (evs__endpoint){.text = "unix:/nowhere/x", .path = "/nowhere/x"};
    asker a;
    evs_error err = {0};
    asker_open(&a, &login);
    assert_int_equal(evs__conn_prepare(a.conn, &err), EVS_E_CONNECT);
    assert_null(strstr(err.message, "retry"));
    a.conn->retry_at = evs__loop_now_ms(a.loop) + 1000000;
    unsigned failures = a.conn->failures;
    assert_int_equal(evs__conn_prepare(a.conn, &err), EVS_E_CONNECT);
    assert_non_null(
        strstr(err.message, "shard a at unix:/nowhere/x: no such file or directory (retry in "));
    ask *one = asker_queue(&a, evs_text("*1\r\n$4\r\nPING\r\n")); /* against the rules */
    asker_run(&a);
    assert_int_equal(one->got, EVS__GOT_LOST);
    assert_int_equal(one->why.status, EVS_E_CONNECT);
    assert_int_equal(a.conn->failures, failures);
    asker_close(&a);
}

static void one_that_worked_is_reconnected_at_once(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(1),        FAKE_CLOSE,
                               FAKE_GREET, FAKE_COMMANDS(1),        FAKE_RESET,
                               FAKE_GREET, FAKE_ANSWER(1, "+a\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    for (int i = 0; i < 3; i++) {
        asker_ask(&a, "A", NULL); /* fails the test when refused */
        asker_run(&a);
    }
    assert_string_equal(a.asks->text, "a");
    evs__loop_counts stats = evs__loop_counted(a.loop);
    assert_int_equal(stats.connects, 3);
    asker_close(&a);
    fake_shard_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_connection_names_shard_and_address),
        cmocka_unit_test(a_missing_unix_socket_is_said_at_once),
        cmocka_unit_test(a_path_too_long_for_a_socket_is_refused),
        cmocka_unit_test(a_host_that_swallows_packets_times_out),
        cmocka_unit_test(a_server_that_never_answers_the_greeting_times_out),
        cmocka_unit_test(a_full_queue_of_a_unix_socket_is_waited_for),
        cmocka_unit_test(a_name_is_looked_up_and_its_addresses_tried),
        cmocka_unit_test(a_lookup_may_be_given_up),
        cmocka_unit_test(a_name_that_cannot_exist_is_said_so),
        cmocka_unit_test(numeric_addresses_need_no_lookup),
        cmocka_unit_test(greetings_that_fail_say_why),
        cmocka_unit_test(servers_that_speak_no_resp_are_recognised),
        cmocka_unit_test(the_greeting_is_one_write_and_requests_wait_for_its_end),
        cmocka_unit_test(failures_in_a_row_are_retried_ever_later),
        cmocka_unit_test(waiting_fails_fast_with_the_last_problem),
        cmocka_unit_test(one_that_worked_is_reconnected_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
