/*
 * command.h - what a command of evalshard is: one file, one row in commands.def.
 *
 * A command gets its parsed words and returns an exit code. Results go to standard output,
 * everything else (problems, progress) to standard error. With --json, standard output is one JSON
 * document.
 */
#ifndef EVS_TOOLS_COMMAND_H
#define EVS_TOOLS_COMMAND_H

#include "tools/evalshard/opt.h"

enum {
    EXIT_FINE = 0,
    EXIT_NO = 1,         /* the answer is no: an invalid map, a missing script, an error reply */
    EXIT_USAGE = 2,      /* usage, or a map or script that was needed and could not be used */
    EXIT_UNREACHABLE = 3 /* an unreadable file or an unreachable server */
};

typedef struct command {
    const char *name;
    const char *usage;   /* what follows the name, with a space before it; "" when nothing does */
    const char *summary; /* one line */
    const char *details; /* for its own help: what it prints, examples; ends with a newline */
    const opt_spec *options;
    size_t noptions;
    int (*run)(const opts *given);
} command;

/* The options that several commands share. */
#define OPT_MAP                                                                             \
    {                                                                                       \
        'm', "map", OPT_TEXT, "MAP", "the shard map, a YAML file (default: $EVALSHARD_MAP)" \
    }
#define OPT_SCRIPTS                                                                               \
    {                                                                                             \
        's', "scripts", OPT_TEXT, "FOLDER",                                                       \
            "the scripts, a folder of .lua files (default: $EVALSHARD_SCRIPTS, else the shipped " \
            "scripts)"                                                                            \
    }
#define OPT_JSON                                                        \
    {                                                                   \
        '\0', "json", OPT_FLAG, NULL, "print one JSON document instead" \
    }

#endif
