/* evalshard without servers: help, usage errors, exit codes, check, route, environment, colour. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/program.h"

#define MAPS       EVS_TEST_SOURCE_DIR "/tests/tools/maps/"
#define GOOD       MAPS "good.yaml"
#define BAD        MAPS "bad.yaml"
#define WARNING    MAPS "warning.yaml"
#define NO_DEFAULT MAPS "no_default.yaml"
#define FOUR       MAPS "four.yaml"
#define MOVED      MAPS "moved.yaml"
#define NUTCRACKER MAPS "nutcracker.yml"
#define MISSING    MAPS "missing.yaml"
#define ELSEWHERE  MAPS "elsewhere.yaml"

static const char EVALSHARD[] = "tools/evalshard";
static const char *const commands[] = {"demo",   "check",  "route", "diff",   "fingerprint", "fmt",
                                       "schema", "import", "load",  "status", "call"};

enum { NCOMMANDS = sizeof commands / sizeof commands[0] };

static void assert_has(const char *text, const char *part, const char *what)
{
    if (strstr(text, part) == NULL)
        fail_msg("%s: \"%s\" is not in: %s", what, part, text);
}

static const struct {
    const char *what;
    const char *words[8];
    const char *input;
    int exit_code;
    const char *in_out, *in_err; /* NULL: nothing at all may be written there */
} cases[] = {
    {"no command", {NULL}, NULL, 2, NULL, "usage: evalshard COMMAND"},
    {"help", {"help"}, NULL, 0, "usage: evalshard COMMAND", NULL},
    {"--help", {"--help"}, NULL, 0, "EVALSHARD_MAP", NULL},
    {"-h", {"-h"}, NULL, 0, "exit codes", NULL},
    {"--version", {"--version"}, NULL, 0, "evalshard 0.", NULL},
    {"help for nonsense", {"help", "rote"}, NULL, 2, NULL, "did you mean route?"},
    {"a mistyped command", {"stauts"}, NULL, 2, NULL, "did you mean status?"},
    {"an unknown command", {"elephant"}, NULL, 2, NULL, "evalshard help"},
    {"a mistyped option", {"check", "--strickt"}, NULL, 2, NULL, "did you mean --strict?"},
    {"check without a map", {"check"}, NULL, 2, NULL, "EVALSHARD_MAP"},
    {"check of two maps", {"check", GOOD, BAD}, NULL, 2, NULL, "one map"},
    {"check of two maps by option", {"check", "-m", GOOD, BAD}, NULL, 2, NULL, "one map"},
    {"check of a good map", {"check", GOOD}, NULL, 0, "map good, generation 7, fingerprint ", NULL},
    {"check by option", {"check", "-m", GOOD}, NULL, 0, "1 pool, 3 shards, 0 warnings", NULL},
    {"check of a bad map", {"check", BAD}, NULL, 1, "bad.yaml:5:19: error[E204]", NULL},
    {"all problems at once", {"check", BAD}, NULL, 1, "error[E203]", NULL},
    {"check of no file", {"check", MISSING}, NULL, 3, NULL, "missing.yaml"},
    {"check of a folder", {"check", MAPS}, NULL, 3, NULL, "maps"},
    {"warnings are shown", {"check", WARNING}, NULL, 0, "warning[W343]", NULL},
    {"strict about warnings", {"check", "--strict", WARNING}, NULL, 1, "--strict", NULL},
    {"strict without warnings", {"check", "--strict", GOOD}, NULL, 0, "usable", NULL},
    {"files and secrets are missing", {"check", ELSEWHERE}, NULL, 1, "3 errors", NULL},
    {"and are not looked at", {"check", "--no-files", ELSEWHERE}, NULL, 0, "0 warnings", NULL},
    {"what else is wrong is", {"check", "--no-files", BAD}, NULL, 1, "E204", NULL},
    {"servers need the files",
     {"check", "--no-files", "--online", ELSEWHERE},
     NULL,
     2,
     NULL,
     "--no-files"},
    {"scripts without servers", {"check", "-s", MAPS, GOOD}, NULL, 2, NULL, "goes with --online"},
    {"a bad map has no servers", {"check", "--online", BAD}, NULL, 1, "not usable: ", NULL},
    {"route without keys", {"route", "-m", GOOD}, NULL, 2, NULL, "no keys"},
    {"route without a map", {"route", "k"}, NULL, 2, NULL, "EVALSHARD_MAP"},
    {"route with a bad map", {"route", "-m", BAD, "k"}, NULL, 2, NULL, "E204"},
    {"route with no file", {"route", "-m", MISSING, "k"}, NULL, 3, NULL, "missing.yaml"},
    {"route with no key file", {"route", "-m", GOOD, "--keys", MISSING}, NULL, 3, NULL, "missing"},
    {"no route", {"route", "-m", NO_DEFAULT, "other:1"}, NULL, 1, NULL, "other:1"},
    {"a route",
     {"route", "-m", NO_DEFAULT, "cart:1"},
     NULL,
     0,
     "cart:1\tcarts\tcarts-a\t127.0.0.1:7002\n",
     NULL},
    {"one key of two", {"route", "-m", NO_DEFAULT, "x", "user:1"}, NULL, 1, "user:1\tusers\t", "x"},
    {"keys from a pipe",
     {"route", "-m", NO_DEFAULT, "--keys", "-"},
     "user:1\ncart:2",
     0,
     "127.0.0.1:7001\ncart:2\tcarts\tcarts-a\t127.0.0.1:7002\n",
     NULL},
    {"hexadecimal keys",
     {"route", "-m", NO_DEFAULT, "--hex", "757365723A090a"},
     NULL,
     0,
     "757365723A090a\tusers\t",
     NULL},
    {"no hexadecimal", {"route", "-m", GOOD, "--hex", "0g"}, NULL, 2, NULL, "not hexadecimal"},
    {"half a byte", {"route", "-m", GOOD, "--hex", "abc"}, NULL, 2, NULL, "not hexadecimal"},
    {"a key that begins with a dash", {"route", "-m", GOOD, "--", "--x"}, NULL, 0, "--x\t", NULL},
    {"diff of one map", {"diff", GOOD}, NULL, 2, NULL, "diff OLD NEW"},
    {"diff of nothing", {"diff", GOOD, MISSING}, NULL, 3, NULL, "missing.yaml"},
    {"diff with a bad map", {"diff", GOOD, BAD}, NULL, 2, NULL, "E204"},
    {"diff of equal maps", {"diff", GOOD, GOOD, "--sample", "10"}, NULL, 0, NULL, "0 of 10 keys"},
    {"other addresses", {"diff", GOOD, MOVED}, NULL, 0, NULL, "0 of 100000 keys move"},
    {"one shard more",
     {"diff", GOOD, FOUR, "--sample", "1000"},
     NULL,
     1,
     "default/users-a\tdefault/users-d\t",
     ", 0 of them needlessly"},
    {"one shard less",
     {"diff", FOUR, GOOD},
     NULL,
     1,
     "\tneeded\n",
     "good.yaml:4:1: error[E111]: this file has generation 7, older than"},
    {"diff of given keys",
     {"diff", GOOD, FOUR, "--keys", "-"},
     "user:1\nuser:2\nuser:3\nuser:4\nuser:5\nuser:6\n",
     1,
     "default/users-d\t",
     " of 6 keys move"},
    {"diff of servers and a sample",
     {"diff", GOOD, FOUR, "--scan", "--sample", "3"},
     NULL,
     2,
     NULL,
     "--scan goes with no other keys"},
    {"a limit of nothing", {"diff", GOOD, FOUR, "--limit", "3"}, NULL, 2, NULL, "goes with --scan"},
    {"a limit that is none",
     {"diff", GOOD, FOUR, "--scan", "--limit", "x"},
     NULL,
     2,
     NULL,
     "--limit takes a whole number"},
    {"diff of keys and a sample",
     {"diff", GOOD, FOUR, "--keys", "-", "--sample", "3"},
     NULL,
     2,
     NULL,
     "neither --sample"},
    {"a sample of nothing", {"diff", GOOD, FOUR, "--sample", "0"}, NULL, 2, NULL, "whole number"},
    {"diff as JSON",
     {"diff", GOOD, FOUR, "--sample", "9", "--json"},
     NULL,
     1,
     "\"generation_is_enough\":true",
     NULL},
    {"fingerprints", {"fingerprint", GOOD}, NULL, 0, "pool\tdefault\t", NULL},
    {"fingerprints as JSON", {"fingerprint", GOOD, "--json"}, NULL, 0, "\"rendezvous\"", NULL},
    {"fingerprint of a bad map", {"fingerprint", BAD}, NULL, 2, NULL, "E204"},
    {"import of nothing", {"import"}, NULL, 2, NULL, "import twemproxy FILE"},
    {"import of another format", {"import", "envoy", GOOD}, NULL, 2, NULL, "it can be twemproxy"},
    {"import of no file", {"import", "twemproxy", MISSING}, NULL, 3, NULL, "E100"},
    {"import of several pools",
     {"import", "twemproxy", NUTCRACKER},
     NULL,
     1,
     NULL,
     "pools: sessions, other, lucky"},
    {"import of no such pool",
     {"import", "twemproxy", NUTCRACKER, "--pool", "x"},
     NULL,
     1,
     NULL,
     "E291"},
    {"import of an unknown hash",
     {"import", "twemproxy", NUTCRACKER, "--pool", "other"},
     NULL,
     1,
     NULL,
     "unknown hash"},
    {"import of random placement",
     {"import", "twemproxy", NUTCRACKER, "--pool", "lucky"},
     NULL,
     1,
     NULL,
     "nutcracker.yml:25:17: error[E290]"},
    {"import of a pool",
     {"import", "twemproxy", NUTCRACKER, "--pool", "sessions"},
     NULL,
     0,
     "      run-redis.sock: {address: \"unix:/run/redis.sock\", ring_name: \"/run/redis.sock:\", "
     "weight: 1}\n",
     "auto_eject_hosts has no counterpart"},
    {"a schema", {"schema"}, NULL, 0, "\"expect_fingerprint\": {\n", NULL},
    {"schema takes no words", {"schema", "x"}, NULL, 2, NULL, "unexpected word \"x\""},
    {"load takes no words", {"load", "x"}, NULL, 2, NULL, "unexpected word \"x\""},
    {"status takes no words", {"status", "x"}, NULL, 2, NULL, "unexpected word \"x\""},
    {"demo takes no words", {"demo", "x"}, NULL, 2, NULL, "unexpected word \"x\""},
    {"load without a map", {"load"}, NULL, 2, NULL, "EVALSHARD_MAP"},
    {"status with no file", {"status", "-m", MISSING}, NULL, 3, NULL, "missing.yaml"},
    {"no folder of scripts", {"status", "-m", GOOD, "-s", MISSING}, NULL, 3, NULL, "missing.yaml"},
    {"call without a name", {"call", "-m", GOOD}, NULL, 2, NULL, "no script"},
    {"call of two names", {"call", "a", "b", "-m", GOOD}, NULL, 2, NULL, "keys follow -k"},
    {"a bare number is no time", {"call", "a", "--timeout", "5"}, NULL, 2, NULL, "is no time"},
    {"an unknown script",
     {"call", "create_statsu", "-m", GOOD},
     NULL,
     2,
     NULL,
     "did you mean create_status"},
    {"too few keys",
     {"call", "create_status", "-m", GOOD, "-k", "{user:1}"},
     NULL,
     2,
     NULL,
     "not executed"},
};

static void words_give_the_expected_output_and_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *argv[10] = {EVALSHARD};
        const program_how how = {.input = cases[i].input};
        program_run run;
        memcpy(argv + 1, cases[i].words, sizeof cases[i].words);
        program_run_it(&run, &how, argv);
        if (run.exit_code != cases[i].exit_code)
            fail_msg("%s: exit code %d: %s%s", cases[i].what, run.exit_code, run.out, run.err);
        assert_has(run.out, cases[i].in_out == NULL ? "" : cases[i].in_out, cases[i].what);
        assert_has(run.err, cases[i].in_err == NULL ? "" : cases[i].in_err, cases[i].what);
        if ((cases[i].in_out == NULL && run.out_len > 0) ||
            (cases[i].in_err == NULL && run.err_len > 0))
            fail_msg("%s: unexpected output: %s%s", cases[i].what, run.out, run.err);
        program_free(&run);
    }
}

static void every_command_explains_itself(void **state)
{
    program_run asked, helped, overview;
    char usage[64];
    (void)state;
    RUN(&overview, NULL, EVALSHARD, "help");
    for (size_t i = 0; i < NCOMMANDS; i++) {
        RUN(&asked, NULL, EVALSHARD, commands[i], "--help");
        RUN(&helped, NULL, EVALSHARD, "help", commands[i]);
        assert_int_equal(asked.exit_code, 0);
        assert_int_equal(asked.err_len, 0);
        assert_string_equal(asked.out, helped.out);
        snprintf(usage, sizeof usage, "usage: evalshard %s", commands[i]);
        assert_has(asked.out, usage, commands[i]);
        assert_has(asked.out, "exit codes:", commands[i]);
        assert_has(overview.out, commands[i], "overview");
        program_free(&asked);
        program_free(&helped);
    }
    program_free(&overview);
}

static void the_environment_names_map_and_scripts(void **state)
{
    const program_how map = {.settings = {"EVALSHARD_MAP=" GOOD}};
    const program_how empty = {.settings = {"EVALSHARD_MAP="}};
    const program_how both = {.settings = {"EVALSHARD_MAP=" GOOD,
                                           "EVALSHARD_SCRIPTS=" EVS_TEST_SOURCE_DIR
                                           "/scripts/lib/book"}};
    program_run run;
    (void)state;
    RUN(&run, &map, EVALSHARD, "check");
    assert_int_equal(run.exit_code, 0);
    program_free(&run);
    RUN(&run, &map, EVALSHARD, "check", BAD);
    assert_int_equal(run.exit_code, 1);
    program_free(&run);
    RUN(&run, &map, EVALSHARD, "route", "-m", NO_DEFAULT, "user:1");
    assert_has(run.out, "users-a", "the option wins");
    program_free(&run);
    RUN(&run, &empty, EVALSHARD, "check");
    assert_int_equal(run.exit_code, 2);
    program_free(&run);
    RUN(&run, &both, EVALSHARD, "call", "lock/acquire");
    assert_int_equal(run.exit_code, 2);
    assert_has(run.err, "no script \"lock/acquire\"", "the folder has no locks");
    program_free(&run);
}

static json_t *parse(const program_run *run)
{
    json_error_t error;
    json_t *root = json_loadb(run->out, run->out_len, JSON_DISABLE_EOF_CHECK, &error);
    if (root == NULL)
        fail_msg("%s: %s", error.text, run->out);
    return root;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    return text;
}

static void check_prints_json(void **state)
{
    program_run run;
    (void)state;
    RUN(&run, NULL, EVALSHARD, "check", "--json", GOOD);
    json_t *root = parse(&run);
    assert_int_equal(run.exit_code, 0);
    assert_true(json_is_true(json_object_get(root, "usable")));
    assert_string_equal(text_of(root, "name"), "good");
    assert_int_equal(json_integer_value(json_object_get(root, "generation")), 7);
    assert_int_equal(json_integer_value(json_object_get(root, "shards")), 3);
    assert_int_equal(strlen(text_of(root, "fingerprint")), 16);
    json_decref(root);
    program_free(&run);

    RUN(&run, NULL, EVALSHARD, "check", "--json", BAD);
    root = parse(&run);
    json_t *first = json_array_get(json_object_get(root, "diagnostics"), 0);
    assert_int_equal(run.exit_code, 1);
    assert_true(json_is_false(json_object_get(root, "usable")));
    assert_true(json_integer_value(json_object_get(root, "errors")) >= 2);
    assert_string_equal(text_of(first, "code"), "E204");
    assert_int_equal(json_integer_value(json_object_get(first, "line")), 5);
    json_decref(root);
    program_free(&run);
}

static void route_prints_json(void **state)
{
    program_run run;
    (void)state;
    RUN(&run, NULL, EVALSHARD, "route", "--json", "-m", NO_DEFAULT, "user:\xff", "cart:\"", "x");
    json_t *root = parse(&run);
    assert_int_equal(run.exit_code, 1);
    assert_int_equal(json_array_size(root), 3);
    json_t *binary = json_array_get(root, 0);
    json_t *plain = json_array_get(root, 1);
    json_t *lost = json_array_get(root, 2);
    assert_string_equal(text_of(json_object_get(binary, "key"), "base64"), "dXNlcjr/");
    assert_string_equal(text_of(plain, "key"), "cart:\"");
    assert_string_equal(text_of(plain, "pool"), "carts");
    assert_string_equal(text_of(plain, "shard"), "carts-a");
    assert_string_equal(text_of(plain, "address"), "127.0.0.1:7002");
    assert_string_equal(text_of(lost, "status"), "EVS_E_NO_ROUTE");
    json_decref(root);
    program_free(&run);
}

static void a_terminal_gets_columns_and_colour(void **state)
{
    const program_how colour = {.on_terminal = 1};
    const program_how plain = {.on_terminal = 1, .settings = {"NO_COLOR=1"}};
    const program_how dumb = {.on_terminal = 1, .settings = {"TERM=dumb"}};
    program_run run;
    (void)state;
    RUN(&run, &colour, EVALSHARD, "route", "-m", GOOD, "a\x1b[2J");
    assert_has(run.out, "\033[2mkey", "a faint header");
    assert_has(run.out, "a\\x1b[2J  default  users-", "control characters are escaped");
    program_free(&run);
    RUN(&run, &plain, EVALSHARD, "route", "-m", GOOD, "a");
    assert_has(run.out, "key  pool     shard    address", "a header without colour");
    assert_null(strchr(run.out, '\033'));
    program_free(&run);
    RUN(&run, &dumb, EVALSHARD, "check", GOOD);
    assert_null(strchr(run.out, '\033'));
    program_free(&run);
    RUN(&run, NULL, EVALSHARD, "check", BAD);
    assert_null(strchr(run.out, '\033'));
    program_free(&run);
}

static void a_full_disk_is_no_success(void **state)
{
    program_run run;
    (void)state;
    RUN(&run, NULL, "/bin/sh", "-c", "\"$0\" help >/dev/full",
        EVS_TEST_BINARY_DIR "/tools/evalshard");
    assert_int_equal(run.exit_code, 3);
    assert_has(run.err, "cannot write", "a full disk");
    program_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_give_the_expected_output_and_code),
        cmocka_unit_test(every_command_explains_itself),
        cmocka_unit_test(the_environment_names_map_and_scripts),
        cmocka_unit_test(check_prints_json),
        cmocka_unit_test(route_prints_json),
        cmocka_unit_test(a_terminal_gets_columns_and_colour),
        cmocka_unit_test(a_full_disk_is_no_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
