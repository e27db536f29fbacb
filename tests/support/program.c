/*
 * program.c - runs a program of the build and keeps what it wrote. Both outputs are read with poll,
 * so that neither can fill up and block the program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct sink {
    int fd;
    char *text;
    size_t len;
} sink;

static void set_up_environment(const program_how *how)
{
    unsetenv("EVALSHARD_MAP");
    unsetenv("EVALSHARD_SCRIPTS");
    unsetenv("NO_COLOR");
    setenv("TERM", "xterm", 1);
    for (size_t i = 0; i < 4 && how->settings[i] != NULL; i++)
        putenv((char *)how->settings[i]);
}

/* In the child. */
static void become(const program_how *how, const char *const *argv, const int fds[3])
{
    char path[4096];
    const char *folder = argv[0][0] == '/' ? "" : EVS_TEST_BINARY_DIR "/";
    for (int i = 0; i < 3; i++)
        dup2(fds[i], i);
    signal(SIGINT, SIG_DFL); /* ignored by what runs in the background of a shell */
    signal(SIGHUP, SIG_DFL);
    set_up_environment(how);
    snprintf(path, sizeof path, "%s%s", folder, argv[0]);
    execv(path, (char *const *)argv);
    fprintf(stderr, "cannot run %s: %s\n", path, strerror(errno));
    _exit(127);
}

/* A file with the input, already unlinked; positioned at its start. */
static int input_file(const char *text)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    if (text != NULL)
        fputs(text, file);
    rewind(file);
    int fd = fcntl(fileno(file), F_DUPFD_CLOEXEC, 10);
    fclose(file);
    return fd;
}

/* A pipe of one page, in which each write is a packet of its own that fills it. */
static void open_narrow_pipe(int ends[2])
{
    assert_int_equal(pipe2(ends, O_DIRECT), 0);
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, 1) > 0);
}

/* `ends[0]` is ours, `ends[1]` the program's. */
static void open_output(int ends[2], const program_how *how)
{
    const struct winsize size = {.ws_row = 40, .ws_col = 100};
    if (how->on_terminal)
        assert_int_equal(openpty(&ends[0], &ends[1], NULL, NULL, &size), 0);
    else if (how->watch != NULL)
        open_narrow_pipe(ends);
    else
        assert_int_equal(pipe(ends), 0);
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
}

/* Reads what is there; returns 0 at the end, which is an error (EIO) on a terminal. */
static int take(sink *s)
{
    char chunk[4096];
    ssize_t n = read(s->fd, chunk, sizeof chunk);
    if (n <= 0)
        return 0;
    s->text = realloc(s->text, s->len + (size_t)n + 1);
    assert_non_null(s->text);
    memcpy(s->text + s->len, chunk, (size_t)n);
    s->len += (size_t)n;
    s->text[s->len] = '\0';
    return 1;
}

static void take_all(sink sinks[2], const program_how *how, pid_t pid)
{
    struct pollfd fds[2] = {{.fd = sinks[0].fd, .events = POLLIN},
                            {.fd = sinks[1].fd, .events = POLLIN}};
    while (fds[0].fd != -1 || fds[1].fd != -1) {
        assert_true(poll(fds, 2, -1) > 0);
        for (int i = 0; i < 2; i++) {
            if (fds[i].fd == -1 || fds[i].revents == 0)
                continue;
            if (!take(&sinks[i]))
                fds[i].fd = -1;
            else if (i == 0 && how->watch != NULL)
                how->watch(how->arg, pid, sinks[0].text);
        }
    }
}

void program_run_it(program_run *run, const program_how *how, const char *const *argv)
{
    static const program_how plain = {0};
    int out[2], err[2], status;
    if (how == NULL)
        how = &plain;
    int in = input_file(how->input);
    open_output(out, how);
    open_output(err, &plain);

    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        become(how, argv, (const int[]){in, out[1], err[1]});
    close(in);
    close(out[1]);
    close(err[1]);
    sink sinks[2] = {{out[0], strdup(""), 0}, {err[0], strdup(""), 0}};
    take_all(sinks, how, pid);
    close(out[0]);
    close(err[0]);

    assert_int_equal(waitpid(pid, &status, 0), pid);
    *run = (program_run){.out = sinks[0].text,
                         .out_len = sinks[0].len,
                         .err = sinks[1].text,
                         .err_len = sinks[1].len,
                         .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                         .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0};
}

void program_free(program_run *run)
{
    free(run->out);
    free(run->err);
}

void program_write_map(char *path, size_t size, const char *folder, const char *name,
                       const char *text)
{
    snprintf(path, size, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "evalshard: 1\n%s%s",
            strstr(text, "defaults:") != NULL
                ? ""
                : "defaults: {connect_timeout: 20s, command_timeout: 20s}\n",
            text);
    fclose(file);
}
