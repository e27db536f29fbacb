/* The decision table, row by row: who said it, what it said, what that means. */
#include "scripts/engine/decide.h"
#include <evalshard/audit.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define SUFFIX " script: 56f60c1d9eb2e4a4c5ba4ef9e8b9b2a1d2c3e4f5, on @user_script:1."

enum { ONCE = EVS_RETRY_ONCE, AGAIN = EVS_RETRY_IDEMPOTENT, READS = EVS_RETRY_READ_ONLY };

typedef struct row {
    const char *what;
    evs__speaker speaker;
    int retry;
    const char *text;
    evs__action action;
    evs_status status;
    evs_outcome outcome;
} row;

static const row table[] = {
    {"a plain command's own error is the caller's to read", EVS__SPEAKER_COMMAND, ONCE,
     "WRONGTYPE Operation against a key", EVS__RETURN, EVS_OK, EVS_EXECUTED},
    {"a busy shard refuses a plain command", EVS__SPEAKER_COMMAND, ONCE, "BUSY Redis is busy",
     EVS__BACK_OFF, EVS_E_BUSY, EVS_NOT_EXECUTED},
    {"NOSCRIPT is settled", EVS__SPEAKER_SCRIPT, ONCE, "NOSCRIPT No matching script.", EVS__HEAL,
     EVS_E_NO_SCRIPT, EVS_NOT_EXECUTED},
    {"Redis says NOSCRIPT in other words", EVS__SPEAKER_SCRIPT, ONCE,
     "NOSCRIPT No matching script. Please use EVAL.", EVS__HEAL, EVS_E_NO_SCRIPT, EVS_NOT_EXECUTED},
    {"a word that only begins like NOSCRIPT is the script's", EVS__SPEAKER_SCRIPT, ONCE,
     "NOSCRIPTS are here", EVS__RETURN, EVS_E_SCRIPT, EVS_EXECUTED},
    {"BUSY of a script that may lie proves nothing", EVS__SPEAKER_SCRIPT, ONCE,
     "BUSY Redis is busy", EVS__RETURN, EVS_E_BUSY, EVS_MAYBE_EXECUTED},
    {"BUSY of an honest script is the server's", EVS__SPEAKER_HONEST, ONCE, "BUSY Valkey is busy",
     EVS__BACK_OFF, EVS_E_BUSY, EVS_NOT_EXECUTED},
    {"LOADING", EVS__SPEAKER_HONEST, ONCE, "LOADING Redis is loading the dataset in memory",
     EVS__BACK_OFF, EVS_E_LOADING, EVS_NOT_EXECUTED},
    {"MASTERDOWN", EVS__SPEAKER_HONEST, ONCE, "MASTERDOWN Link with MASTER is down", EVS__RECONNECT,
     EVS_E_READONLY, EVS_NOT_EXECUTED},
    {"READONLY up front", EVS__SPEAKER_HONEST, ONCE,
     "READONLY You can't write against a read only replica.", EVS__RECONNECT, EVS_E_READONLY,
     EVS_NOT_EXECUTED},
    {"READONLY inside: the script had started", EVS__SPEAKER_SCRIPT, ONCE,
     "READONLY You can't write against a read only replica." SUFFIX, EVS__RETURN, EVS_E_READONLY,
     EVS_EXECUTED},
    {"OOM inside", EVS__SPEAKER_SCRIPT, ONCE, "OOM command not allowed" SUFFIX, EVS__RETURN,
     EVS_E_OOM, EVS_EXECUTED},
    {"OOM of a pcall result", EVS__SPEAKER_SCRIPT, ONCE, "OOM command not allowed", EVS__RETURN,
     EVS_E_OOM, EVS_MAYBE_EXECUTED},
    {"NOREPLICAS", EVS__SPEAKER_HONEST, ONCE, "NOREPLICAS Not enough good replicas to write.",
     EVS__RETURN, EVS_E_NOREPLICAS, EVS_NOT_EXECUTED},
    {"MISCONF", EVS__SPEAKER_HONEST, ONCE, "MISCONF Redis is configured to save", EVS__RETURN,
     EVS_E_MISCONF, EVS_NOT_EXECUTED},
    {"NOAUTH", EVS__SPEAKER_HONEST, ONCE, "NOAUTH Authentication required.", EVS__RECONNECT,
     EVS_E_AUTH, EVS_NOT_EXECUTED},
    {"NOAUTH of a script that may lie", EVS__SPEAKER_SCRIPT, ONCE,
     "NOAUTH Authentication required.", EVS__RETURN, EVS_E_AUTH, EVS_MAYBE_EXECUTED},
    {"NOPERM", EVS__SPEAKER_HONEST, ONCE, "NOPERM No permissions to access a key", EVS__RETURN,
     EVS_E_DENIED, EVS_NOT_EXECUTED},
    {"MOVED", EVS__SPEAKER_HONEST, ONCE, "MOVED 8579 127.0.0.1:24011", EVS__REROUTE, EVS_E_MOVED,
     EVS_NOT_EXECUTED},
    {"ASK", EVS__SPEAKER_HONEST, ONCE, "ASK 449 127.0.0.1:24011", EVS__REROUTE, EVS_E_MOVED,
     EVS_NOT_EXECUTED},
    {"CROSSSLOT", EVS__SPEAKER_HONEST, ONCE, "CROSSSLOT Keys in request don't hash", EVS__RETURN,
     EVS_E_CROSS_SLOT, EVS_NOT_EXECUTED},
    {"TRYAGAIN", EVS__SPEAKER_HONEST, ONCE, "TRYAGAIN Multiple keys request", EVS__BACK_OFF,
     EVS_E_CLUSTER, EVS_NOT_EXECUTED},
    {"CLUSTERDOWN", EVS__SPEAKER_HONEST, ONCE, "CLUSTERDOWN The cluster is down", EVS__BACK_OFF,
     EVS_E_CLUSTER, EVS_NOT_EXECUTED},
    {"a script's own error ran", EVS__SPEAKER_SCRIPT, ONCE, "MYERR no such user", EVS__RETURN,
     EVS_E_SCRIPT, EVS_EXECUTED},
    {"an error of redis.call ran", EVS__SPEAKER_SCRIPT, ONCE,
     "WRONGTYPE Operation against a key" SUFFIX, EVS__RETURN, EVS_E_SCRIPT, EVS_EXECUTED},
    {"6.2 wraps errors", EVS__SPEAKER_SCRIPT, ONCE,
     "ERR Error running script (call to f_56f6): @user_script:1: x", EVS__RETURN, EVS_E_SCRIPT,
     EVS_EXECUTED},
    {"a killed script ran", EVS__SPEAKER_SCRIPT, ONCE,
     "ERR Script killed by user with SCRIPT KILL..." SUFFIX, EVS__RETURN, EVS_E_SCRIPT,
     EVS_EXECUTED},
    {"a server that knows no EVALSHA may be a script's lie", EVS__SPEAKER_SCRIPT, ONCE,
     "ERR unknown command 'EVALSHA', with args beginning with: ", EVS__RETURN, EVS_E_SCRIPT,
     EVS_MAYBE_EXECUTED},
    {"or is not, when the script is honest", EVS__SPEAKER_HONEST, ONCE,
     "ERR unknown command 'EVALSHA', with args beginning with: ", EVS__RETURN, EVS_E_SCRIPT,
     EVS_NOT_EXECUTED},
    {"an empty error is the script's", EVS__SPEAKER_SCRIPT, ONCE, "", EVS__RETURN, EVS_E_SCRIPT,
     EVS_EXECUTED},
    {"a liar that may run twice is asked again", EVS__SPEAKER_SCRIPT, AGAIN, "BUSY Redis is busy",
     EVS__BACK_OFF, EVS_E_BUSY, EVS_MAYBE_EXECUTED},
    {"one that only reads too", EVS__SPEAKER_SCRIPT, READS, "LOADING Redis is loading",
     EVS__BACK_OFF, EVS_E_LOADING, EVS_MAYBE_EXECUTED},
    {"EVAL may lie", EVS__SPEAKER_EVAL, ONCE, "BUSY Redis is busy", EVS__RETURN, EVS_E_BUSY,
     EVS_MAYBE_EXECUTED},
    {"EVAL_RO may, and may run twice", EVS__SPEAKER_EVAL, READS, "BUSY Redis is busy",
     EVS__BACK_OFF, EVS_E_BUSY, EVS_MAYBE_EXECUTED},
    {"NOSCRIPT of EVALSHA as a command is the caller's to read", EVS__SPEAKER_EVAL, ONCE,
     "NOSCRIPT No matching script.", EVS__RETURN, EVS_OK, EVS_EXECUTED},
    {"READONLY inside of one that may run twice", EVS__SPEAKER_SCRIPT, AGAIN,
     "READONLY You can't write against a read only replica." SUFFIX, EVS__RECONNECT, EVS_E_READONLY,
     EVS_EXECUTED},
    {"BUSY inside is the script's own error", EVS__SPEAKER_SCRIPT, AGAIN, "BUSY lie" SUFFIX,
     EVS__RETURN, EVS_E_SCRIPT, EVS_EXECUTED},
    {"OOM does not pass by itself", EVS__SPEAKER_HONEST, AGAIN, "OOM command not allowed",
     EVS__RETURN, EVS_E_OOM, EVS_NOT_EXECUTED},
    {"NOSCRIPT inside is the script's own error", EVS__SPEAKER_SCRIPT, ONCE, "NOSCRIPT x" SUFFIX,
     EVS__RETURN, EVS_E_SCRIPT, EVS_EXECUTED},
    {"WRONGPASS", EVS__SPEAKER_HONEST, ONCE, "WRONGPASS invalid username", EVS__RETURN, EVS_E_AUTH,
     EVS_NOT_EXECUTED},
    {"REDIRECT", EVS__SPEAKER_HONEST, ONCE, "REDIRECT 127.0.0.1:24002", EVS__RECONNECT,
     EVS_E_READONLY, EVS_NOT_EXECUTED},
    {"REDIRECT to a plain command", EVS__SPEAKER_COMMAND, ONCE, "REDIRECT 127.0.0.1:24002",
     EVS__RECONNECT, EVS_E_READONLY, EVS_NOT_EXECUTED},
    {"DENIED", EVS__SPEAKER_HONEST, ONCE, "DENIED Redis is running in protected mode", EVS__RETURN,
     EVS_E_DENIED, EVS_NOT_EXECUTED},
};

static evs__decision ask(evs__speaker speaker, int retry, const char *text)
{
    evs__situation situation = {speaker, (evs_retry)retry, EVS__EVENT_ERROR, evs_text(text)};
    return evs__decide(&situation);
}

static void a_lost_connection_is_decided_by_the_last_byte(void **state)
{
    (void)state;
    static const struct {
        evs__event event;
        int retry;
        evs__action action;
        evs_outcome outcome;
    } rows[] = {
        {EVS__EVENT_UNSENT, ONCE, EVS__RESEND, EVS_NOT_EXECUTED},
        {EVS__EVENT_UNSENT, AGAIN, EVS__RESEND, EVS_NOT_EXECUTED},
        {EVS__EVENT_SENT, ONCE, EVS__RETURN, EVS_MAYBE_EXECUTED},
        {EVS__EVENT_SENT, AGAIN, EVS__RESEND, EVS_MAYBE_EXECUTED},
        {EVS__EVENT_SENT, READS, EVS__RESEND, EVS_MAYBE_EXECUTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int speaker = 0; speaker <= EVS__SPEAKER_SCRIPT; speaker++) {
            evs__situation s = {
                (evs__speaker)speaker, (evs_retry)rows[i].retry, rows[i].event, {NULL, 0}};
            evs__decision got = evs__decide(&s);
            assert_int_equal(got.action, rows[i].action);
            assert_int_equal(got.outcome, rows[i].outcome);
        }
    }
}

/* Whatever the words: a script that runs once is not sent again unless it certainly did not run. */
static void once_is_never_sent_again_after_maybe(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (int speaker = 0; speaker <= EVS__SPEAKER_SCRIPT; speaker++) {
            evs__decision got = ask((evs__speaker)speaker, ONCE, table[i].text);
            if (got.outcome != EVS_NOT_EXECUTED)
                assert_int_equal(got.action, EVS__RETURN);
        }
    }
}

static const char *const actions[] = {
    [EVS__RETURN] = "fails",
    [EVS__BACK_OFF] = "is asked again later",
    [EVS__RECONNECT] = "is asked again on a new connection",
    [EVS__REROUTE] = "follows the slot; outside of cluster pools it fails",
};

/* The table of docs/calls.md says what the code does. */
static void the_manual_has_the_same_table(void **state)
{
    (void)state;
    static char manual[64 * 1024];
    FILE *file = fopen(EVS_TEST_SOURCE_DIR "/docs/calls.md", "r");
    assert_non_null(file);
    size_t len = fread(manual, 1, sizeof manual - 1, file);
    fclose(file);
    manual[len] = '\0';
    const char *word;
    for (size_t i = 0; (word = evs__decide_word(i)) != NULL; i++) {
        char line[200];
        evs__decision got = ask(EVS__SPEAKER_HONEST, ONCE, word);
        snprintf(line, sizeof line, "| `%s` | `%s` | %s |\n", word, evs_status_name(got.status),
                 actions[got.action]);
        if (strstr(manual, line) == NULL)
            fail_msg("docs/calls.md lacks: %s", line);
    }
}

static void every_word_has_a_row(void **state)
{
    (void)state;
    const char *word;
    for (size_t i = 0; (word = evs__decide_word(i)) != NULL; i++) {
        int found = 0;
        for (size_t j = 0; j < sizeof table / sizeof table[0]; j++)
            found |= strncmp(table[j].text, word, strlen(word)) == 0;
        if (!found)
            fail_msg("%s has no test", word);
    }
}

/* What is believed of a server, the audit warns of where a script says it. */
static void the_audit_warns_of_every_word(void **state)
{
    (void)state;
    const char *word;
    for (size_t i = 0; (word = evs__decide_word(i)) != NULL; i++) {
        char source[128];
        size_t count, warned = 0;
        evs_report *report;
        snprintf(source, sizeof source, "return redis.error_reply('%s by itself')", word);
        assert_int_equal(evs_audit(&report, evs_text(source), NULL, NULL), EVS_OK);
        const evs_finding *findings = evs_report_findings(report, &count);
        for (size_t k = 0; k < count; k++)
            warned += strcmp(findings[k].code, "ES615") == 0;
        if (warned == 0)
            fail_msg("a script may say %s", word);
        evs_report_free(report);
    }
}

static void decide_follows_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        evs__decision got = ask(table[i].speaker, table[i].retry, table[i].text);
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
        evs__decision got = ask(EVS__SPEAKER_SCRIPT, ONCE, table[i].text);
        if (got.action == EVS__RETURN)
            assert_int_not_equal(got.outcome, EVS_NOT_EXECUTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decide_follows_the_table),
        cmocka_unit_test(a_lost_connection_is_decided_by_the_last_byte),
        cmocka_unit_test(once_is_never_sent_again_after_maybe),
        cmocka_unit_test(the_manual_has_the_same_table),
        cmocka_unit_test(every_word_has_a_row),
        cmocka_unit_test(the_audit_warns_of_every_word),
        cmocka_unit_test(no_word_of_a_script_that_may_lie_proves_that_it_did_not_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
