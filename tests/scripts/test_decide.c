/* The decision table, row by row: who said it, what it said, what that means. */
#include "scripts/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define SUFFIX " script: 56f60c1d9eb2e4a4c5ba4ef9e8b9b2a1d2c3e4f5, on @user_script:1."

typedef struct row {
    const char *what;
    evs__speaker speaker;
    const char *text;
    evs__action action;
    evs_status status;
    evs_outcome outcome;
} row;

static const row table[] = {
    {"a plain command's own error is the caller's to read", EVS__SPEAKER_COMMAND,
     "WRONGTYPE Operation against a key", EVS__RETURN, EVS_OK, EVS_EXECUTED},
    {"a busy shard refuses a plain command", EVS__SPEAKER_COMMAND, "BUSY Redis is busy",
     EVS__RETURN, EVS_E_BUSY, EVS_NOT_EXECUTED},
    {"NOSCRIPT is settled", EVS__SPEAKER_SCRIPT, "NOSCRIPT No matching script.", EVS__HEAL,
     EVS_E_NO_SCRIPT, EVS_NOT_EXECUTED},
    {"Redis says NOSCRIPT in other words", EVS__SPEAKER_SCRIPT,
     "NOSCRIPT No matching script. Please use EVAL.", EVS__HEAL, EVS_E_NO_SCRIPT, EVS_NOT_EXECUTED},
    {"a word that only begins like NOSCRIPT is the script's", EVS__SPEAKER_SCRIPT,
     "NOSCRIPTS are here", EVS__RETURN, EVS_E_SCRIPT, EVS_EXECUTED},
    {"BUSY of a script that may lie proves nothing", EVS__SPEAKER_SCRIPT, "BUSY Redis is busy",
     EVS__RETURN, EVS_E_BUSY, EVS_MAYBE_EXECUTED},
    {"BUSY of an honest script is the server's", EVS__SPEAKER_HONEST, "BUSY Valkey is busy",
     EVS__RETURN, EVS_E_BUSY, EVS_NOT_EXECUTED},
    {"LOADING", EVS__SPEAKER_HONEST, "LOADING Redis is loading the dataset in memory", EVS__RETURN,
     EVS_E_LOADING, EVS_NOT_EXECUTED},
    {"MASTERDOWN", EVS__SPEAKER_HONEST, "MASTERDOWN Link with MASTER is down", EVS__RETURN,
     EVS_E_READONLY, EVS_NOT_EXECUTED},
    {"READONLY up front", EVS__SPEAKER_HONEST,
     "READONLY You can't write against a read only replica.", EVS__RETURN, EVS_E_READONLY,
     EVS_NOT_EXECUTED},
    {"READONLY inside: the script had started", EVS__SPEAKER_SCRIPT,
     "READONLY You can't write against a read only replica." SUFFIX, EVS__RETURN, EVS_E_READONLY,
     EVS_EXECUTED},
    {"OOM inside", EVS__SPEAKER_SCRIPT, "OOM command not allowed" SUFFIX, EVS__RETURN, EVS_E_OOM,
     EVS_EXECUTED},
    {"OOM of a pcall result", EVS__SPEAKER_SCRIPT, "OOM command not allowed", EVS__RETURN,
     EVS_E_OOM, EVS_MAYBE_EXECUTED},
    {"NOREPLICAS", EVS__SPEAKER_HONEST, "NOREPLICAS Not enough good replicas to write.",
     EVS__RETURN, EVS_E_NOREPLICAS, EVS_NOT_EXECUTED},
    {"MISCONF", EVS__SPEAKER_HONEST, "MISCONF Redis is configured to save", EVS__RETURN,
     EVS_E_MISCONF, EVS_NOT_EXECUTED},
    {"NOAUTH", EVS__SPEAKER_HONEST, "NOAUTH Authentication required.", EVS__RETURN, EVS_E_AUTH,
     EVS_NOT_EXECUTED},
    {"NOPERM", EVS__SPEAKER_HONEST, "NOPERM No permissions to access a key", EVS__RETURN,
     EVS_E_DENIED, EVS_NOT_EXECUTED},
    {"MOVED", EVS__SPEAKER_HONEST, "MOVED 8579 127.0.0.1:24011", EVS__RETURN, EVS_E_MOVED,
     EVS_NOT_EXECUTED},
    {"ASK", EVS__SPEAKER_HONEST, "ASK 449 127.0.0.1:24011", EVS__RETURN, EVS_E_MOVED,
     EVS_NOT_EXECUTED},
    {"CROSSSLOT", EVS__SPEAKER_HONEST, "CROSSSLOT Keys in request don't hash", EVS__RETURN,
     EVS_E_CROSS_SLOT, EVS_NOT_EXECUTED},
    {"TRYAGAIN", EVS__SPEAKER_HONEST, "TRYAGAIN Multiple keys request", EVS__RETURN, EVS_E_CLUSTER,
     EVS_NOT_EXECUTED},
    {"CLUSTERDOWN", EVS__SPEAKER_HONEST, "CLUSTERDOWN The cluster is down", EVS__RETURN,
     EVS_E_CLUSTER, EVS_NOT_EXECUTED},
    {"a script's own error ran", EVS__SPEAKER_SCRIPT, "MYERR no such user", EVS__RETURN,
     EVS_E_SCRIPT, EVS_EXECUTED},
    {"an error of redis.call ran", EVS__SPEAKER_SCRIPT, "WRONGTYPE Operation against a key" SUFFIX,
     EVS__RETURN, EVS_E_SCRIPT, EVS_EXECUTED},
    {"6.2 wraps errors", EVS__SPEAKER_SCRIPT,
     "ERR Error running script (call to f_56f6): @user_script:1: x", EVS__RETURN, EVS_E_SCRIPT,
     EVS_EXECUTED},
    {"a killed script ran", EVS__SPEAKER_SCRIPT,
     "ERR Script killed by user with SCRIPT KILL..." SUFFIX, EVS__RETURN, EVS_E_SCRIPT,
     EVS_EXECUTED},
    {"a server that knows no EVALSHA may be a script's lie", EVS__SPEAKER_SCRIPT,
     "ERR unknown command 'EVALSHA', with args beginning with: ", EVS__RETURN, EVS_E_SCRIPT,
     EVS_MAYBE_EXECUTED},
    {"or is not, when the script is honest", EVS__SPEAKER_HONEST,
     "ERR unknown command 'EVALSHA', with args beginning with: ", EVS__RETURN, EVS_E_SCRIPT,
     EVS_NOT_EXECUTED},
    {"an empty error is the script's", EVS__SPEAKER_SCRIPT, "", EVS__RETURN, EVS_E_SCRIPT,
     EVS_EXECUTED},
};

static void decide_follows_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        evs__decision got = evs__decide(table[i].speaker, evs_text(table[i].text));
        if (got.action != table[i].action || got.status != table[i].status ||
            got.outcome != table[i].outcome)
            fail_msg("%s: got action %d, %s, %s", table[i].what, (int)got.action,
                     evs_status_name(got.status), evs_outcome_text(got.outcome));
    }
}

static void no_word_of_a_script_that_may_lie_proves_that_it_did_not_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        evs__decision got = evs__decide(EVS__SPEAKER_SCRIPT, evs_text(table[i].text));
        if (got.action == EVS__RETURN)
            assert_int_not_equal(got.outcome, EVS_NOT_EXECUTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decide_follows_the_table),
        cmocka_unit_test(no_word_of_a_script_that_may_lie_proves_that_it_did_not_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
