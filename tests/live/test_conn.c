/* One connection against a real server: greetings it accepts and refuses, restarts, crashes, and
 * what an idle connection costs. */
#include "tests/support/asker.h"
#include "tools/scratch/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>

static int make(void **state)
{
    return scratch_new((scratch **)state) == SCRATCH_OK ? 0 : -1;
}

static int drop(void **state)
{
    scratch_free(*state);
    return 0;
}

static scratch_server *start(scratch *area, const char *const *config, size_t nconfig)
{
    scratch_options opts = {.listen = SCRATCH_UNIX_AND_TCP, .config = config, .nconfig = nconfig};
    scratch_server *server;
    if (scratch_start(&server, area, "s", &opts) != SCRATCH_OK)
        fail_msg("%s", scratch_error(area));
    return server;
}

static evs__login unix_login(const scratch_server *server)
{
    evs__login login = {.name = "s", .client_name = "evalshard-test", .connect_timeout_ms = 20000};
    login.endpoint.path = scratch_socket(server);
    login.endpoint.text = scratch_address(server);
    return login;
}

static evs__login tcp_login(const scratch_server *server)
{
    evs__login login = unix_login(server);
    login.endpoint = (evs__endpoint){
        .host = "127.0.0.1", .port = scratch_port(server), .text = "127.0.0.1:port"};
    return login;
}

static void run_one(const evs__login *login, const char *word, ask *result)
{
    asker a;
    asker_open(&a, login);
    ask *one = asker_ask(&a, word, word[0] == 'C' ? "LIST" : NULL, NULL);
    asker_run(&a);
    *result = *one;
    asker_close(&a);
}

static void ping_works_over_unix_and_tcp(void **state)
{
    scratch_server *server = start(*state, NULL, 0);
    evs__login logins[] = {unix_login(server), tcp_login(server)};
    for (size_t i = 0; i < 2; i++) {
        ask got;
        run_one(&logins[i], "PING", &got);
        assert_string_equal(got.text, "PONG");
    }
}

static void the_server_shows_name_and_database(void **state)
{
    scratch_server *server = start(*state, NULL, 0);
    evs__login login = tcp_login(server);
    login.db = 5;
    ask got;
    run_one(&login, "CLIENT", &got);
    assert_int_equal(got.type, EVS_REPLY_STRING);
    assert_non_null(strstr(got.text, " name=evalshard-test "));
    assert_non_null(strstr(got.text, " db=5 "));
}

static const struct greeting {
    const char *shows;
    const char *username;
    const char *password;
    int db;
    evs_status status;
    const char *message; /* a part of it */
} greetings[] = {
    {"the right password", NULL, "hunter2", 0, EVS_OK, ""},
    {"a wrong password", NULL, "hunter3", 0, EVS_E_AUTH, ": AUTH refused: WRONGPASS"},
    {"no password", NULL, NULL, 0, EVS_E_AUTH, ": shard requires a password"},
    {"a user", "app", "secret9", 0, EVS_OK, ""},
    {"a user with a wrong password", "app", "secret8", 0, EVS_E_AUTH, ": AUTH refused: WRONGPASS"},
    {"a user that is not there", "nobody", "secret9", 0, EVS_E_AUTH, ": AUTH refused: WRONGPASS"},
    {"a database that is not there", NULL, "hunter2", 16, EVS_E_CONFIG,
     ": db 16 cannot be selected: ERR DB index is out of range"},
    {"a user that may not select", "app", "secret9", 2, EVS_E_CONFIG,
     ": db 2 cannot be selected: NOPERM"},
};

/* The user may run PING and nothing else, so that its CLIENT SETNAME is refused. */
static void logins_are_accepted_or_refused_with_a_reason(void **state)
{
    static const char *const config[] = {"--requirepass", "hunter2", "--user", "app",  "on",
                                         ">secret9",      "~*",      "-@all",  "+ping"};
    scratch_server *server = start(*state, config, 9);
    for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++) {
        const struct greeting *row = &greetings[i];
        evs__login login = unix_login(server);
        login.username = row->username;
        login.password = row->password;
        login.db = row->db;
        ask got;
        run_one(&login, "PING", &got);
        if (got.why.status != row->status || strstr(got.why.message, row->message) == NULL)
            fail_msg("%s: %s", row->shows, got.why.message);
        if (row->status == EVS_OK)
            assert_string_equal(got.text, "PONG");
        assert_null(strstr(got.why.message, "hunter"));
        assert_null(strstr(got.why.message, "secret"));
    }
}

static void a_password_that_no_server_asked_for_is_refused(void **state)
{
    scratch_server *server = start(*state, NULL, 0);
    evs__login login = unix_login(server);
    login.password = "hunter2";
    ask got;
    run_one(&login, "PING", &got);
    assert_int_equal(got.why.status, EVS_E_AUTH);
    assert_non_null(strstr(got.why.message, "without any password configured"));
}

static void a_server_without_auth_does_not_get_the_password_shown(void **state)
{
    static const char *const config[] = {"--rename-command", "AUTH", ""};
    scratch_server *server = start(*state, config, 3);
    evs__login login = unix_login(server);
    login.password = "hunter2";
    ask got;
    run_one(&login, "PING", &got);
    assert_int_equal(got.why.status, EVS_E_AUTH);
    assert_null(strstr(got.why.message, "hunter2"));
}

static void one_client_too_many_is_told(void **state)
{
    static const char *const config[] = {"--maxclients", "1"};
    scratch_server *server = start(*state, config, 2);
    evs__login login = tcp_login(server);
    asker first, second;
    asker_open(&first, &login);
    asker_ask(&first, "PING", NULL);
    asker_run(&first);
    asker_open(&second, &login);
    ask *refused = asker_ask(&second, "PING", NULL);
    asker_run(&second);
    assert_int_equal(refused->why.status, EVS_E_CONNECT);
    assert_non_null(strstr(refused->why.message, ": ERR max number of clients reached"));
    asker_close(&first);
    asker_close(&second);
}

static void prepare_notices_a_restarted_server(void **state)
{
    scratch_server *server = start(*state, NULL, 0);
    evs__login logins[] = {unix_login(server), tcp_login(server)};
    for (size_t i = 0; i < 2; i++) {
        asker a;
        asker_open(&a, &logins[i]);
        asker_ask(&a, "PING", NULL);
        asker_run(&a);
        uint64_t epoch = evs__conn_epoch(a.conn);
        scratch_stop(server);
        assert_int_equal(scratch_restart(server), SCRATCH_OK);
        ask *again = asker_ask(&a, "PING", NULL);
        assert_true(evs__conn_epoch(a.conn) != epoch);
        asker_run(&a);
        assert_string_equal(again->text, "PONG");
        asker_close(&a);
    }
}

static void requests_of_a_killed_server_are_lost_and_then_refused(void **state)
{
    scratch_server *server = start(*state, NULL, 0);
    evs__login login = tcp_login(server);
    asker a;
    asker_open(&a, &login);
    asker_ask(&a, "PING", NULL);
    asker_run(&a);
    ask *waits = asker_ask(&a, "BLPOP", "nothing", "0", NULL);
    ask *behind = asker_ask(&a, "PING", NULL);
    evs__loop_run(a.loop, 0);
    scratch_kill(server);
    asker_run(&a);
    assert_int_equal(waits->got, EVS__GOT_LOST);
    assert_int_equal(waits->sent, 1);
    assert_int_equal(behind->sent, 1);
    assert_int_equal(behind->why.status, EVS_E_CLOSED);

    evs_error err = {0};
    if (evs__conn_prepare(a.conn, &err) == EVS_OK) {
        ask *late = asker_queue(&a, evs_text("*1\r\n$4\r\nPING\r\n"));
        asker_run(&a);
        err = late->why;
        assert_int_equal(late->sent, 0);
    }
    assert_int_equal(err.status, EVS_E_CONNECT);
    assert_non_null(strstr(err.message, "connection refused"));
    asker_close(&a);
}

static void many_replies_of_all_sizes_arrive(void **state)
{
    scratch_server *server = start(*state, NULL, 0);
    evs__login login = tcp_login(server);
    asker a;
    asker_open(&a, &login);
    static const char script[] = "local t = {} for i = 1, tonumber(ARGV[1]) do t[i] = i end "
                                 "return {string.rep('x', tonumber(ARGV[1]) * 10), t}";
    for (int i = 0; i < 300; i++) {
        char size[16];
        snprintf(size, sizeof size, "%d", i * i / 20);
        asker_ask(&a, "EVAL", script, "0", size, NULL);
    }
    asker_run(&a);
    for (ask *at = a.asks; at != NULL; at = at->next) {
        assert_int_equal(at->got, EVS__GOT_REPLY);
        assert_int_equal(at->count, 2);
    }
    asker_close(&a);
}

/* Heap per connection that is READY and idle, after it was used. */
static void an_idle_connection_is_small(void **state)
{
#if defined(__SANITIZE_ADDRESS__)
    (void)state;
    skip(); /* mallinfo2 knows nothing of the sanitizer's heap */
#else
    enum { COUNT = 200 };
    scratch_server *server = start(*state, NULL, 0);
    evs__login login = unix_login(server);
    evs__conn_limits limits = {
        .max_reply_bytes = 1 << 20, .max_reply_depth = 8, .max_queued_bytes = 1 << 20};
    static evs__conn *conns[COUNT];
    asker a;
    asker_open(&a, &login);
    asker_ask(&a, "PING", NULL);
    asker_run(&a);
    evs__conn *own = a.conn;
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(evs__conn_new(&conns[i], a.loop, &login, &limits, NULL), EVS_OK);
        a.conn = conns[i];
        ask *one = asker_ask(&a, "PING", NULL);
        asker_run(&a);
        assert_string_equal(one->text, "PONG");
    }
    size_t asks = COUNT * (sizeof(ask) + 16);
    size_t each = (mallinfo2().uordblks - before - asks) / COUNT;
    print_message("heap of an idle connection: %zu bytes\n", each);
    assert_in_range(each, 1, 2048);
    for (int i = 0; i < COUNT; i++)
        evs__conn_free(conns[i]);
    a.conn = own;
    asker_close(&a);
#endif
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ping_works_over_unix_and_tcp),
        TEST(the_server_shows_name_and_database),
        TEST(logins_are_accepted_or_refused_with_a_reason),
        TEST(a_password_that_no_server_asked_for_is_refused),
        TEST(a_server_without_auth_does_not_get_the_password_shown),
        TEST(one_client_too_many_is_told),
        TEST(prepare_notices_a_restarted_server),
        TEST(requests_of_a_killed_server_are_lost_and_then_refused),
        TEST(many_replies_of_all_sizes_arrive),
        TEST(an_idle_connection_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
