/* evalshard demo keeps every promise it prints, and leaves nothing behind however it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/support/program.h"

static const char EVALSHARD[] = "tools/evalshard";

/* The folder that the demonstration named; fails when it named none. */
static void folder_of(char *folder, size_t size, const char *out)
{
    const char *end = strstr(out, "/shards.yaml");
    assert_non_null(end);
    const char *start = end;
    while (start > out && start[-1] != ' ')
        start--;
    snprintf(folder, size, "%.*s", (int)(end - start), start);
    assert_int_equal(folder[0], '/');
}

/* Servers whose parent is gone become our children, so none may be left. */
static void assert_nothing_is_left(const char *out)
{
    char folder[256];
    struct stat st;
    folder_of(folder, sizeof folder, out);
    assert_int_equal(waitpid(-1, NULL, 0), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(stat(folder, &st), -1);
    assert_int_equal(errno, ENOENT);
}

static int adopt_orphans(void **state)
{
    (void)state;
    return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* The numbers of the row that begins with `name`, the `nth` such row of the output. */
static void row(int numbers[4], const char *out, const char *name, int nth)
{
    char start[32];
    snprintf(start, sizeof start, "\n  %s ", name);
    const char *p = out;
    for (int i = 0; i < nth; i++) {
        p = strstr(p + 1, start);
        if (p == NULL)
            fail_msg("no row %d of %s in:\n%s", i + 1, name, out);
    }
    assert_int_equal(sscanf(p + strlen(start), "%d %d %d %d", &numbers[0], &numbers[1], &numbers[2],
                            &numbers[3]),
                     4);
}

static void assert_posts(const char *out)
{
    static const char *const shards[] = {"users-a", "users-b", "users-c"};
    int n[4], keys = 0;
    for (size_t i = 0; i < 3; i++) {
        row(n, out, shards[i], 1);
        assert_in_range(n[1], 200, 470); /* a third each, more or less */
        assert_int_equal(n[0], 2 * n[1]);
        assert_int_equal(n[2], 1);
        assert_int_equal(n[3], n[1]);
        keys += n[0];
    }
    assert_int_equal(keys, 2000);
    row(n, out, "total", 1);
    assert_int_equal(n[0], 2000);
    assert_int_equal(n[1], 1000);
    assert_int_equal(n[2], 3);
    assert_int_equal(n[3], 1000);
}

static void assert_batch(const char *out)
{
    int n[4];
    row(n, out, "total", 2);
    assert_int_equal(n[0], 2000);
    assert_int_equal(n[1], 1000);
    assert_int_equal(n[2], 0);
    assert_in_range(n[3], 3, 200);
}

static void every_claim_is_shown_with_its_numbers(void **state)
{
    static const char *const claims[] = {
        "1.00 round trips per call",
        "2 calls, both answered. users-b saw 1 NOSCRIPT, 1 SCRIPT LOAD, 3 EVALSHA.",
        "A call to users-c: EVS_E_",
        "not executed",
        "A call to users-a meanwhile: answered.",
        "After the restart: answered. The new users-c saw 1 SCRIPT LOAD, 1 EVALSHA, 0 NOSCRIPT.",
        "create_status: EVS_E_CROSS_SHARD, not executed",
        "create_status: declared",
        "undeclared",
        "ES103",
        "Servers ended, temporary folder removed",
    };
    program_run run;
    (void)state;
    RUN(&run, NULL, EVALSHARD, "demo");
    if (run.exit_code != 0)
        fail_msg("exit code %d:\n%s%s", run.exit_code, run.out, run.err);
    assert_string_equal(run.err, "");
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        if (strstr(run.out, claims[i]) == NULL)
            fail_msg("\"%s\" is not in:\n%s", claims[i], run.out);
    }
    assert_posts(run.out);
    assert_batch(run.out);
    assert_nothing_is_left(run.out);
    program_free(&run);
}

typedef struct interruption {
    const char *at; /* text whose appearance is the moment */
    int signal;
    int sent;
} interruption;

static void interrupt(void *arg, pid_t pid, const char *out)
{
    interruption *it = arg;
    if (it->sent || strstr(out, it->at) == NULL)
        return;
    it->sent = 1;
    assert_int_equal(kill(pid, it->signal), 0);
}

static void an_interrupted_demonstration_cleans_up(void **state)
{
    static const interruption moments[] = {
        {"\n2.", SIGINT, 0}, {"\n2.", SIGTERM, 0}, {"\n5.", SIGHUP, 0}, {"\n2.", SIGKILL, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        interruption it = moments[i];
        const program_how how = {.watch = interrupt, .arg = &it};
        program_run run;
        RUN(&run, &how, EVALSHARD, "demo");
        assert_int_equal(run.signal, it.signal);
        while (it.signal == SIGKILL && waitpid(-1, NULL, 0) > 0)
            ; /* servers and keeper, which nobody else could wait for */
        assert_nothing_is_left(run.out);
        program_free(&run);
    }
}

static void a_missing_server_program_is_said_plainly(void **state)
{
    const program_how how = {.settings = {"EVALSHARD_SERVER=/nowhere/redis-server"}};
    program_run run;
    (void)state;
    RUN(&run, &how, EVALSHARD, "demo");
    assert_int_equal(run.exit_code, 3);
    assert_non_null(strstr(run.err, "sudo apt-get install redis-server"));
    program_free(&run);
}

static void settings_of_the_caller_do_not_disturb_it(void **state)
{
    const program_how how = {
        .settings = {"EVALSHARD_MAP=/nowhere", "EVALSHARD_SCRIPTS=/nowhere", "NOTIFY_SOCKET=/x"}};
    program_run run;
    (void)state;
    RUN(&run, &how, EVALSHARD, "demo");
    assert_int_equal(run.exit_code, 0);
    assert_nothing_is_left(run.out);
    program_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_claim_is_shown_with_its_numbers),
        cmocka_unit_test(an_interrupted_demonstration_cleans_up),
        cmocka_unit_test(a_missing_server_program_is_said_plainly),
        cmocka_unit_test(settings_of_the_caller_do_not_disturb_it),
    };
    return cmocka_run_group_tests(tests, adopt_orphans, NULL);
}
