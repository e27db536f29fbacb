/*
 * program.h - runs a program of the build and keeps what it wrote.
 *
 *     program_run run;
 *     RUN(&run, NULL, "tools/evalshard", "check", path);
 *     assert_int_equal(run.exit_code, 0);
 *     program_free(&run);
 *
 * The program gets our environment without EVALSHARD_MAP, EVALSHARD_SCRIPTS and NO_COLOR, and with
 * the settings that were asked for.
 */
#ifndef EVS_TESTS_SUPPORT_PROGRAM_H
#define EVS_TESTS_SUPPORT_PROGRAM_H

#include <stddef.h>
#include <sys/types.h>

typedef struct program_run {
    char *out, *err; /* with a NUL behind */
    size_t out_len, err_len;
    int exit_code; /* -1 when a signal ended it */
    int signal;    /* 0 when it ended by itself */
} program_run;

/* How to run it; NULL stands for all of these empty. */
typedef struct program_how {
    const char *input;       /* standard input; NULL: empty */
    const char *settings[4]; /* "NAME=value", up to the first NULL */
    int on_terminal;         /* standard output is a terminal of 100 columns; it comes with CR LF */
    /* Called with what was written so far to standard output, each time there is more. The program
     * is ahead of it by one write at most. */
    void (*watch)(void *arg, pid_t pid, const char *out);
    void *arg;
} program_how;

/* `argv` ends with NULL; argv[0] is a path below the build folder, or absolute. Fails the test when
 * the program cannot be run. */
void program_run_it(program_run *run, const program_how *how, const char *const *argv);
#define RUN(run, how, ...) program_run_it((run), (how), (const char *const[]){__VA_ARGS__, NULL})

void program_free(program_run *run);

/* Writes a map into folder/name, and that into `path`. Where `text` has no defaults they are time
 * limits that a busy machine keeps. */
void program_write_map(char *path, size_t size, const char *folder, const char *name,
                       const char *text);

#endif
