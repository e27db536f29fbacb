/* Scratch servers start, answer, come back at the same address, and leave nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/scratch/scratch.h"

static int exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

static void assert_answers(redisContext *c)
{
    assert_non_null(c);
    assert_int_equal(c->err, 0);
    redisReply *reply = redisCommand(c, "PING");
    assert_non_null(reply);
    assert_string_equal(reply->str, "PONG");
    freeReplyObject(reply);
    redisFree(c);
}

static int make(void **state)
{
    return scratch_new((scratch **)state) == SCRATCH_OK ? 0 : -1;
}

static int drop(void **state)
{
    scratch_free(*state);
    return 0;
}

static void a_started_server_answers_at_once(void **state)
{
    scratch_server *server;
    assert_int_equal(scratch_start(&server, *state, "one", NULL), SCRATCH_OK);
    assert_true(scratch_pid(server) > 0);
    assert_int_equal(strncmp(scratch_address(server), "unix:/", 6), 0);
    assert_string_equal(scratch_address(server) + 5, scratch_socket(server));
    assert_answers(redisConnectUnix(scratch_socket(server)));
    assert_non_null(strstr(scratch_log(server), "ready to accept"));
}

static void a_port_is_there_only_when_asked_for(void **state)
{
    const scratch_options opts = {.listen = SCRATCH_UNIX_AND_TCP};
    scratch_server *with, *without;
    assert_int_equal(scratch_start(&with, *state, "with", &opts), SCRATCH_OK);
    assert_int_equal(scratch_start(&without, *state, "without", NULL), SCRATCH_OK);
    assert_true(scratch_port(with) > 0);
    assert_int_equal(scratch_port(without), 0);
    assert_answers(redisConnect("127.0.0.1", scratch_port(with)));
    assert_answers(redisConnectUnix(scratch_socket(with)));
}

static void a_restarted_server_is_new_at_the_same_addresses(void **state)
{
    const scratch_options opts = {.listen = SCRATCH_UNIX_AND_TCP};
    scratch_server *server;
    assert_int_equal(scratch_start(&server, *state, "one", &opts), SCRATCH_OK);
    pid_t before = scratch_pid(server);
    int port = scratch_port(server);

    scratch_kill(server);
    assert_int_equal(scratch_pid(server), 0);
    assert_int_equal(kill(before, 0), -1);
    assert_int_equal(scratch_restart(server), SCRATCH_OK);
    assert_int_not_equal(scratch_pid(server), before);
    assert_int_equal(scratch_port(server), port);
    assert_answers(redisConnectUnix(scratch_socket(server)));
    assert_int_equal(scratch_restart(server), SCRATCH_FAILED);

    scratch_stop(server);
    assert_int_equal(scratch_restart(server), SCRATCH_OK);
    assert_answers(redisConnect("127.0.0.1", port));
}

static void the_callers_configuration_wins(void **state)
{
    const char *config[] = {"--requirepass", "secret", "--maxmemory", "10mb"};
    const scratch_options opts = {.config = config, .nconfig = 4};
    scratch_server *server;
    assert_int_equal(scratch_start(&server, *state, "one", &opts), SCRATCH_OK);
    redisContext *c = redisConnectUnix(scratch_socket(server));
    redisReply *reply = redisCommand(c, "PING");
    assert_int_equal(reply->type, REDIS_REPLY_ERROR);
    freeReplyObject(reply);
    freeReplyObject(redisCommand(c, "AUTH secret"));
    reply = redisCommand(c, "CONFIG GET maxmemory");
    assert_string_equal(reply->element[1]->str, "10485760");
    freeReplyObject(reply);
    redisFree(c);
}

static void a_server_that_does_not_start_says_why(void **state)
{
    const char *config[] = {"--maxmemory", "many"};
    const scratch_options opts = {.config = config, .nconfig = 2};
    scratch_server *server = NULL;
    assert_int_equal(scratch_start(&server, *state, "one", &opts), SCRATCH_FAILED);
    assert_null(server);
    assert_non_null(strstr(scratch_error(*state), "maxmemory"));
    assert_int_equal(scratch_start(&server, *state, "one", NULL), SCRATCH_OK);
    assert_int_equal(scratch_start(&server, *state, "one", NULL), SCRATCH_FAILED);
    assert_int_equal(scratch_start(&server, *state, "a/b", NULL), SCRATCH_FAILED);
}

static void freeing_ends_the_servers_and_removes_the_folder(void **state)
{
    (void)state;
    scratch *area;
    scratch_server *one, *two;
    assert_int_equal(scratch_new(&area), SCRATCH_OK);
    assert_int_equal(scratch_start(&one, area, "one", NULL), SCRATCH_OK);
    assert_int_equal(scratch_start(&two, area, "two", NULL), SCRATCH_OK);
    char *folder = strdup(scratch_folder(area));
    pid_t pids[] = {scratch_pid(one), scratch_pid(two)};
    assert_true(exists(folder));

    scratch_free(area);
    assert_false(exists(folder));
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(kill(pids[i], 0), -1);
        assert_int_equal(errno, ESRCH);
    }
    free(folder);
    scratch_free(NULL);
}

static void a_missing_program_is_its_own_result(void **state)
{
    char path[4096];
    scratch_server *server;
    assert_non_null(scratch_program(path, sizeof path));
    setenv("EVALSHARD_SERVER", path, 1);
    assert_int_equal(scratch_start(&server, *state, "one", NULL), SCRATCH_OK);
    setenv("EVALSHARD_SERVER", "/nowhere/redis-server", 1);
    assert_null(scratch_program(path, sizeof path));
    assert_int_equal(scratch_start(&server, *state, "two", NULL), SCRATCH_NO_SERVER);
    unsetenv("EVALSHARD_SERVER");
    assert_int_equal(scratch_start(&server, *state, "two", NULL), SCRATCH_OK);
}

/* What a child tells about the area it made before it dies. */
typedef struct told {
    pid_t server;
    char folder[128];
} told;

static void start_tell_and_die(int fd)
{
    scratch *area;
    scratch_server *server;
    told what = {0};
    if (scratch_new(&area) == SCRATCH_OK &&
        scratch_start(&server, area, "one", NULL) == SCRATCH_OK) {
        what.server = scratch_pid(server);
        strncpy(what.folder, scratch_folder(area), sizeof what.folder - 1);
    }
    if (write(fd, &what, sizeof what) != sizeof what)
        _exit(1);
    kill(getpid(), SIGKILL);
}

static void a_killed_process_leaves_nothing_behind(void **state)
{
    (void)state;
    int ends[2], status;
    told what;
    /* Orphans become ours, so that their end is an event. */
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        start_tell_and_die(ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], &what, sizeof what), sizeof what);
    close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(what.server > 0);
    assert_int_equal(waitpid(what.server, &status, 0), what.server);
    assert_int_equal(WTERMSIG(status), SIGKILL);
    while (waitpid(-1, NULL, 0) > 0)
        ; /* the keeper */
    assert_false(exists(what.folder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_started_server_answers_at_once, make, drop),
        cmocka_unit_test_setup_teardown(a_port_is_there_only_when_asked_for, make, drop),
        cmocka_unit_test_setup_teardown(a_restarted_server_is_new_at_the_same_addresses, make,
                                        drop),
        cmocka_unit_test_setup_teardown(the_callers_configuration_wins, make, drop),
        cmocka_unit_test_setup_teardown(a_server_that_does_not_start_says_why, make, drop),
        cmocka_unit_test(freeing_ends_the_servers_and_removes_the_folder),
        cmocka_unit_test_setup_teardown(a_missing_program_is_its_own_result, make, drop),
        cmocka_unit_test(a_killed_process_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
