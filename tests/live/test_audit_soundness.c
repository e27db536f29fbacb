/*
 * A declared verdict is never wrong: random scripts are audited, then run on a real server.
 *
 * Each call of a script carries its line as its last argument, and MONITOR shows the
 * commands that a script runs. So every command that was executed is traced back to the site the
 * audit judged. tests/support/witness.h says what is compared.
 *
 * EVALSHARD_SOUNDNESS_RUNS says how many scripts (default 400), EVALSHARD_SOUNDNESS_SEED where the
 * random numbers begin. One script in eight is a library of functions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/lua_writer.h"
#include "tests/support/witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 3, KEYS_MAX = 3 };

typedef struct tally {
    size_t declared, harmless, honest;
} tally;

static void try_script(witness *w, uint64_t seed, tally *sum)
{
    static lua_writer script;
    int is_library = seed % 8 == 7;
    evs_report *report;
    lua_write(&script, seed, is_library);
    assert_int_equal(evs_audit(&report, evs_text(script.text), NULL, NULL), EVS_OK);
    witness_trial trial = {.source = script.text, .report = report, .by_line = 1};
    trial.function = is_library ? "g" : NULL;
    trial.wrapper_line = script.wrapper_line;
    sum->declared += evs_report_verdict(report) == EVS_VERDICT_DECLARED;
    sum->harmless += !evs_report_may_write(report);
    sum->honest += !evs_report_may_return_errors(report);
    /* Who calls tostring(KEYS[3]) is believed to be called with so many keys. */
    int all_keys = strstr(script.text, "tostring(") != NULL;
    /* So is, with one, who appends to a list that KEYS[1] is in. */
    int appends = strstr(script.text, " + 1] =") != NULL || strstr(script.text, "insert(t") != NULL;
    for (unsigned turn = 0; turn < TRIES; turn++) {
        trial.turn = turn;
        trial.nkeys = all_keys ? KEYS_MAX : (unsigned)(seed + turn * 2) % (KEYS_MAX + 1);
        if (trial.nkeys == 0 && appends)
            trial.nkeys = 1;
        const char *problem = witness_check(w, &trial);
        if (problem != NULL) {
            fprintf(stderr, "%s\n", script.text);
            fail_msg("seed %llu %s", (unsigned long long)seed, problem);
        }
    }
    evs_report_free(report);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void what_is_declared_is_so(void **state)
{
    witness *w = *state;
    uint64_t scripts = setting("EVALSHARD_SOUNDNESS_RUNS", 400);
    uint64_t seed = setting("EVALSHARD_SOUNDNESS_SEED", 1);
    tally sum = {0, 0, 0};
    for (uint64_t i = 0; i < scripts; i++)
        try_script(w, seed + i, &sum);
    const witness_counts *seen = witness_seen(w);
    print_message(
        "%zu runs of %llu scripts: %zu declared, %zu that may not write, %zu that may not "
        "return errors; %zu commands traced, %zu errors, %zu crashes\n",
        seen->runs, (unsigned long long)scripts, sum.declared, sum.harmless, sum.honest,
        seen->commands, seen->errors, seen->crashes);
    /* The test shows something only if scripts are declared and run. */
    assert_true(sum.declared * 50 >= scripts);
    assert_true(sum.honest * 50 >= scripts);
    assert_true(seen->commands >= scripts);
}

static int begin(void **state)
{
    *state = witness_open();
    return 0;
}

static int end(void **state)
{
    witness_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_declared_is_so),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
