/*
 * The Lua of this repository, changed at random, audited, and run on a real server.
 *
 * The scripts of test_audit_soundness.c are all of one kind; these begin as what people write.
 * tests/support/witness.h says what is compared. A command is judged by the sites with its name.
 *
 * EVALSHARD_SOUNDNESS_RUNS says how many scripts are tried (default 1500), and
 * EVALSHARD_SOUNDNESS_SEED where the random numbers begin.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/lua_tokens.h"
#include "tests/support/witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 2, KEYS_MAX = 3 };

typedef struct tally {
    size_t scripts, declared, harmless, honest;
} tally;

/* What would stop the server or the test, as error({}) does, rather than show anything; and what
 * makes a key of nil, which callers are believed not to do. */
static int is_left_out(const lua_tokens *tokens)
{
    static const char *const never[] = {"MIGRATE", "rep", "tostring", "format", "os"};
    for (size_t i = 0; i < tokens->count; i++) {
        const lua_token *token = &tokens->items[i];
        for (size_t k = 0; k < sizeof never / sizeof *never; k++)
            if (lua_token_is(token, never[k]))
                return 1;
        if (token->kind == EVS__TK_STRING && memmem(token->text.data, token->text.len, "%s", 2))
            return 1;
        if (lua_token_is(token, "error") &&
            (i + 2 >= tokens->count || tokens->items[i + 2].kind != EVS__TK_STRING))
            return 1;
    }
    return 0;
}

static void show(const char *text, uint64_t seed, const char *problem)
{
    fprintf(stderr, "%s\n", text);
    fail_msg("seed %llu %s", (unsigned long long)seed, problem);
}

static void try_mutant(witness *w, const lua_corpus *corpus, uint64_t seed, tally *sum)
{
    static lua_tokens tokens;
    static char text[LUA_MUTANT_MAX];
    evs_report *report;
    lua_mutate(&tokens, corpus, seed);
    if (is_left_out(&tokens) || !lua_tokens_write(text, &tokens))
        return;
    assert_int_equal(evs_audit(&report, evs_text(text), NULL, NULL), EVS_OK);
    evs_verdict verdict = evs_report_verdict(report);
    int says_something = verdict <= EVS_VERDICT_DECLARED || !evs_report_may_write(report) ||
                         !evs_report_may_return_errors(report) || seed % 4 == 0;
    if (verdict != EVS_VERDICT_NONE && says_something) {
        sum->scripts++;
        sum->declared += verdict == EVS_VERDICT_DECLARED;
        sum->harmless += !evs_report_may_write(report);
        sum->honest += !evs_report_may_return_errors(report);
        witness_trial trial = {.source = text, .report = report};
        for (unsigned turn = 0; turn < TRIES; turn++) {
            trial.turn = (unsigned)(seed + turn) % 15;
            trial.nkeys = turn == 0 ? KEYS_MAX : (unsigned)(seed % (KEYS_MAX + 1));
            const char *problem = witness_check(w, &trial);
            if (problem != NULL)
                show(text, seed, problem);
        }
    }
    evs_report_free(report);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void what_is_said_of_changed_scripts_is_so(void **state)
{
    witness *w = *state;
    lua_corpus corpus;
    tally sum = {0, 0, 0, 0};
    uint64_t tries = setting("EVALSHARD_SOUNDNESS_RUNS", 1500);
    uint64_t seed = setting("EVALSHARD_SOUNDNESS_SEED", 1);
    lua_corpus_load(&corpus);
    for (uint64_t i = 0; i < tries; i++)
        try_mutant(w, &corpus, seed + i, &sum);
    const witness_counts *seen = witness_seen(w);
    print_message("%zu runs of %zu scripts: %zu declared, %zu that may not write, %zu that may not "
                  "return errors; %zu commands traced, %zu errors, %zu crashes\n",
                  seen->runs, sum.scripts, sum.declared, sum.harmless, sum.honest, seen->commands,
                  seen->errors, seen->crashes);
    lua_corpus_free(&corpus);
    assert_true(sum.declared * 20 >= tries);
    assert_true(seen->commands * 4 >= tries);
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
        cmocka_unit_test(what_is_said_of_changed_scripts_is_so),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
