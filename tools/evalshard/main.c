/*
 * main.c - finds the command, parses its words, runs it; prints help.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/term.h"

#include <evalshard/base.h>

#define EVALSHARD_COMMAND(name) extern const command command_##name;
#include "tools/evalshard/commands.def"
#undef EVALSHARD_COMMAND

static const command *const commands[] = {
#define EVALSHARD_COMMAND(name) &command_##name,
#include "tools/evalshard/commands.def"
#undef EVALSHARD_COMMAND
};

enum { NCOMMANDS = sizeof commands / sizeof commands[0] };

static void print_overview(FILE *out)
{
    fputs("evalshard runs Lua scripts on sharded Redis and Valkey.\n"
          "\n"
          "usage: evalshard COMMAND [OPTIONS] ...\n"
          "\n",
          out);
    for (size_t i = 0; i < NCOMMANDS; i++)
        fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    fputs(
        "\n"
        "`evalshard help COMMAND` tells more about one; `evalshard --version` prints the version.\n"
        "\n"
        "environment:\n"
        "  EVALSHARD_MAP      the shard map when -m is not given\n"
        "  EVALSHARD_SCRIPTS  the folder of scripts when -s is not given\n"
        "  NO_COLOR           set to anything: no colour\n"
        "\n"
        "exit codes: 0 fine; 1 the answer is no; 2 wrong usage, or an unusable map or script;\n"
        "            3 an unreadable file or an unreachable server\n",
        out);
}

static void print_option(const opt_spec *spec)
{
    char left[64], letter[8] = "    ";
    if (spec->letter != '\0')
        snprintf(letter, sizeof letter, "-%c, ", spec->letter);
    snprintf(left, sizeof left, "%s--%s %s%s", letter, spec->name,
             spec->argument == NULL ? "" : spec->argument, spec->kind == OPT_WORDS ? "..." : "");
    printf("  %-22s %s\n", left, spec->help);
}

static void print_help(const command *c)
{
    static const opt_spec help = {'h', "help", OPT_FLAG, NULL, "print this"};
    printf("evalshard %s: %s\n\nusage: evalshard %s %s\n\n", c->name, c->summary, c->name,
           c->usage);
    for (size_t i = 0; i < c->noptions; i++)
        print_option(&c->options[i]);
    print_option(&help);
    printf("\n%s", c->details);
}

static const command *find(const char *name)
{
    const char *names[NCOMMANDS + 1] = {"help"};
    for (size_t i = 0; i < NCOMMANDS; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
        names[i + 1] = commands[i]->name;
    }
    const char *similar = opt_similar(name, names, NCOMMANDS + 1);
    if (similar != NULL)
        complain("unknown command \"%s\"; did you mean %s?", name, similar);
    else
        complain("unknown command \"%s\"; `evalshard help` lists them", name);
    return NULL;
}

static int help(const char *name)
{
    if (name == NULL) {
        print_overview(stdout);
        return EXIT_FINE;
    }
    const command *c = find(name);
    if (c == NULL)
        return EXIT_USAGE;
    print_help(c);
    return EXIT_FINE;
}

static int run(const command *c, const char *const *words)
{
    opts given;
    int code = EXIT_FINE;
    if (opt_parse(&given, c->options, c->noptions, words) != 0) {
        complain("%s: %s (see `evalshard help %s`)", c->name, given.problem, c->name);
        code = EXIT_USAGE;
    } else if (given.help) {
        print_help(c);
    } else {
        code = c->run(&given);
    }
    opt_free(&given);
    return code;
}

static int dispatch(const char *const *words)
{
    const char *first = words[0];
    if (first == NULL) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
        return help(NULL);
    if (strcmp(first, "help") == 0)
        return help(words[1]);
    if (strcmp(first, "--version") == 0) {
        printf("evalshard %s\n", evs_version());
        return EXIT_FINE;
    }
    const command *c = find(first);
    return c == NULL ? EXIT_USAGE : run(c, words + 1);
}

int main(int argc, char **argv)
{
    int code = dispatch((const char *const *)argv + (argc > 0));
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    complain("cannot write to standard output: %s", strerror(errno));
    return EXIT_UNREACHABLE;
}
