/*
 * demo.c - evalshard demo: the main job on three scratch shards, from nothing to clean again.
 *
 * SIGINT, SIGTERM and SIGHUP are blocked from before the first server starts until after the last
 * one is gone; the steps look for a pending one between calls. At the end they are let through, and
 * we end by the signal as a shell expects. A signal that was ignored before stays ignored.
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/demo_steps.h"
#include "tools/evalshard/term.h"

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};

enum { NSIGNALS = sizeof ending_signals / sizeof ending_signals[0] };

static void hold_back(sigset_t *old)
{
    sigset_t set;
    struct sigaction action;
    sigemptyset(&set);
    for (size_t i = 0; i < NSIGNALS; i++) {
        if (sigaction(ending_signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&set, ending_signals[i]);
    }
    sigprocmask(SIG_BLOCK, &set, old);
}

int demo_is_interrupted(void)
{
    sigset_t set;
    sigset_t blocked;
    sigpending(&set);
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (size_t i = 0; i < NSIGNALS; i++) {
        if (sigismember(&set, ending_signals[i]) && sigismember(&blocked, ending_signals[i]))
            return 1;
    }
    return 0;
}

static int show(demo *d)
{
    static int (*const steps[])(demo *) = {
        demo_show_map,   demo_show_posts,   demo_show_batch, demo_show_heal,
        demo_show_crash, demo_show_refusal, demo_show_audit,
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (demo_is_interrupted())
            return DEMO_INTERRUPTED;
        int code = steps[i](d);
        if (code != EXIT_FINE)
            return code;
        fflush(stdout);
    }
    return EXIT_FINE;
}

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static int run(const opts *given)
{
    sigset_t old;
    struct timespec start;
    demo d = {0};
    if (given->plain.count > 0) {
        complain("demo: unexpected word \"%s\"", given->plain.words[0]);
        return EXIT_USAGE;
    }
    clock_gettime(CLOCK_MONOTONIC, &start);
    hold_back(&old);
    printf(
        "%sevalshard demo%s: scripts on three shards. Every number was counted by the servers.\n",
        colour(stdout, STRONG), colour(stdout, PLAIN));
    int code = demo_open(&d);
    if (code == EXIT_FINE)
        code = show(&d);
    demo_close(&d);
    if (code == EXIT_FINE)
        printf("\nServers ended, temporary folder removed; %.1f s.\n", seconds_since(&start));
    if (code == DEMO_INTERRUPTED)
        complain("demo: interrupted; servers ended, temporary folder removed");
    fflush(stdout);
    sigprocmask(SIG_SETMASK, &old, NULL); /* a pending signal ends us here */
    return code == DEMO_INTERRUPTED ? EXIT_UNREACHABLE : code;
}

const command command_demo = {
    .name = "demo",
    .usage = "",
    .summary = "show the main job on three scratch servers, then clean up",
    .details =
        "Starts three redis-server or valkey-server on unix sockets in a temporary folder, posts\n"
        "statuses for 1000 users, lets a shard forget its scripts and another one die, and shows\n"
        "what the servers saw. Needs no network and no configuration, takes about a second, and\n"
        "leaves nothing behind, Ctrl-C included. EVALSHARD_SERVER names another server program.\n"
        "\n"
        "exit codes: 0 shown; 3 no server program is installed, or something did not work\n",
    .options = NULL,
    .noptions = 0,
    .run = run,
};
