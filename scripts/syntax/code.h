/*
 * code.h - the code Lua's compiler would make of a function, counted but not made.
 *
 * A script that is well-formed can still be refused: for needing more than 250 registers, more
 * constants than an instruction can name, or a jump longer than 131,071 instructions. To refuse
 * the same scripts at the same place, the parser keeps Lua's books: the next free register, the
 * number of instructions, and for each list of pending jumps where it begins and ends.
 *
 * operand.h builds on this; both say nothing about what a script means.
 */
#ifndef EVS_SCRIPTS_SYNTAX_CODE_H
#define EVS_SCRIPTS_SYNTAX_CODE_H

#include "scripts/syntax/constants.h"
#include "scripts/syntax/lexer.h"

/* Jumps that will get one target, chained from `head` to `last`. */
typedef struct evs__jumps {
    int head; /* -1 when there are none */
    int last;
    int lowest;
    int highest;
    int needs_value; /* one of them leaves no value behind that an `and` or `or` could use */
} evs__jumps;

#define EVS__NO_JUMPS     \
    {                     \
        -1, -1, -1, -1, 0 \
    }

typedef struct evs__code {
    evs__lexer *lexer;     /* errors go there */
    const evs__token *now; /* the parser's current token, for messages */
    const evs__token *before;
    int nactive; /* local variables in scope: they have the lowest registers */
    int free;    /* the first free register */
    int pc;      /* instructions so far */
    int label;   /* the last instruction that is known to be jumped to */
    int nil_pc;  /* the last LOADNIL, and the registers it fills */
    int nil_from, nil_to;
    evs__jumps here; /* jumps to the next instruction */
    evs__constants constants;
    int nfunctions; /* functions directly inside */
} evs__code;

void evs__code_init(evs__code *code, evs__lexer *lexer, const evs__token *now,
                    const evs__token *before);

/* One instruction. */
void evs__code_emit(evs__code *code);
void evs__code_unemit(evs__code *code);

/* One LOADNIL, unless the one before it can do that too. */
void evs__code_nil(evs__code *code, int from, int count);

/* The instruction that fetches a function with `nupvalues`. */
void evs__code_closure(evs__code *code, size_t nupvalues);

/* Fails when `count` more registers are not there; _reserve also takes them. */
void evs__code_check(evs__code *code, int count);
void evs__code_reserve(evs__code *code, int count);

/* The number of a constant; -1 after a failure. */
int evs__code_constant(evs__code *code, const evs__constant *constant);
int evs__code_string(evs__code *code, evs_bytes text);
int evs__code_number(evs__code *code, double number);

/* A jump that has no target yet; jumps that would land on it go where it goes. A numeric `for` has
 * instructions of its own for that, on which jumps land. */
evs__jumps evs__code_jump(evs__code *code);
evs__jumps evs__code_loop(evs__code *code);

/* Adds `more` to `list`. */
void evs__code_join(evs__code *code, evs__jumps *list, evs__jumps more);

/* Makes the next instruction a target and returns its number. */
int evs__code_label(evs__code *code);

/* Sends the jumps to `target`, or to the next instruction. */
void evs__code_send(evs__code *code, evs__jumps list, int target);
void evs__code_land(evs__code *code, evs__jumps list);

/* Fails with a message that the server tells without a line. */
void evs__code_overflow(evs__code *code, const char *message);

#endif
