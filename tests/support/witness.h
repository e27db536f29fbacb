/*
 * witness.h - runs an audited script on a real server, and holds what the audit said against the
 * commands that MONITOR saw and the reply that came.
 *
 *   - a command at a declared site touches nothing but elements of KEYS, and so does every command
 *     of a script that is declared as a whole
 *   - a command at an unreached site, or at none, does not run if everything was followed
 *   - a script that may not write runs no command that writes or goes to replicas
 *   - a script that may not return errors is answered no error without the server's mark
 */
#ifndef EVS_TESTS_SUPPORT_WITNESS_H
#define EVS_TESTS_SUPPORT_WITNESS_H

#include <evalshard/audit.h>

typedef struct witness witness;

/* One way to run a script. Keys are "k1", "k2", ... as many as `nkeys`, at most 3. */
typedef struct witness_trial {
    const char *source;
    const evs_report *report;
    const char *function; /* of the library that `source` is; NULL for a script */
    unsigned nkeys;
    unsigned turn;    /* chooses the arguments and what is stored before */
    int by_line;      /* the last argument of a command is the line of its call, as in "L17" */
    int wrapper_line; /* or it went through the call in this line; 0: there is none */
} witness_trial;

typedef struct witness_counts {
    size_t runs, commands, errors, crashes;
} witness_counts;

/* Ends the test program when no server is installed. */
witness *witness_open(void);
void witness_close(witness *w);

/* NULL, or what is wrong, until the next call. */
const char *witness_check(witness *w, const witness_trial *trial);

const witness_counts *witness_seen(const witness *w);

#endif
