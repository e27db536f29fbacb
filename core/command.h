/*
 * command.h - every command of Redis: its arity, its flags, where its keys are.
 *
 * The table (command_table.inc) is generated from recorded COMMAND INFO by tools/gen_commands.py.
 * Containers ("XGROUP") are looked up with their subcommand ("CREATE").
 *
 * Key positions follow Redis' key specifications: a command has up to three, each says where to
 * begin and how to go on. SORT, SORT_RO and the like, whose keys no specification describes, have
 * EVS__COMMAND_CODE set and are handled in command.c.
 */
#ifndef EVS_CORE_COMMAND_H
#define EVS_CORE_COMMAND_H

#include <evalshard/base.h>

typedef enum evs__key_begin {
    EVS__KEY_BEGIN_UNKNOWN,
    EVS__KEY_BEGIN_INDEX,  /* at argument `begin` */
    EVS__KEY_BEGIN_KEYWORD /* behind the word `keyword`, searched from `begin` (< 0: from the end)
                            */
} evs__key_begin;

typedef enum evs__key_find {
    EVS__KEY_FIND_UNKNOWN,
    EVS__KEY_FIND_RANGE,  /* from there to `last` (0: only the first; < 0: from the end of the
                             arguments), every `step`; `limit` > 1: only the first 1/limit of them */
    EVS__KEY_FIND_NUMKEYS /* argument begin+`last` holds the count, keys start at begin+`first` */
} evs__key_find;

/* Argument 0 is the command's name; a subcommand is argument 1. */
typedef struct evs__key_spec {
    unsigned char begin_kind; /* evs__key_begin */
    unsigned char find_kind;  /* evs__key_find */
    signed char begin;
    signed char last;
    signed char first;
    signed char step;
    signed char limit;
    unsigned char flags; /* EVS__KEY_* below */
    const char *keyword; /* upper case, or NULL */
} evs__key_spec;

enum {
    EVS__KEY_NOT_A_KEY = 1, /* a sharded channel: hashed like a key, but none */
    EVS__KEY_READ = 2,
    EVS__KEY_WRITE = 4,
    EVS__KEY_INCOMPLETE = 8 /* the specification may miss keys */
};

enum {
    EVS__COMMAND_WRITE = 1,
    EVS__COMMAND_READONLY = 2,
    EVS__COMMAND_NOSCRIPT = 4,
    EVS__COMMAND_BLOCKING = 8,
    EVS__COMMAND_MOVABLE = 16,   /* key positions depend on the arguments */
    EVS__COMMAND_CODE = 32,      /* keys are found by code, not by the specifications alone */
    EVS__COMMAND_CONTAINER = 64, /* needs a subcommand; no keys of its own */
    EVS__COMMAND_PUBSUB = 128
};

typedef struct evs__command {
    const char *name;  /* upper case; "XGROUP CREATE" for a subcommand */
    signed char arity; /* > 0 exact, < 0 at least; name included, and the subcommand */
    unsigned short flags;
    unsigned char nspecs;
    const evs__key_spec *specs;
} evs__command;

/* The command called `name`, in any case; for a container with `sub` as its subcommand (which may
 * be empty: then the container itself is the answer). NULL when unknown. Static. */
const evs__command *evs__command_find(evs_bytes name, evs_bytes sub);

/* Up to `cap` positions of keys in `args` (the command's name is args[0]) go to `positions`.
 * Returns how many keys there are (may be more than `cap`), or -1 when the arguments are not
 * valid for the command (numkeys is no number, STREAMS is missing, ...). */
int evs__command_keys(const evs__command *command, const evs_bytes *args, size_t nargs,
                      size_t *positions, size_t cap);

/* The command most like `name`, for "did you mean"; NULL when none is near. */
const char *evs__command_similar(evs_bytes name);

#endif
