/* evalshard load, status and call against real servers: output, JSON and all exit codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/program.h"
#include "tools/scratch/scratch.h"

static const char EVALSHARD[] = "tools/evalshard";

/* Two shards, a map of them, a folder of three scripts. */
typedef struct stage {
    scratch *area;
    scratch_server *shards[2];
    char map[256];     /* path */
    char scripts[256]; /* path */
} stage;

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void write_scripts(const stage *s)
{
    assert_int_equal(mkdir(s->scripts, 0700), 0);
    write_file(s->scripts, "many.lua",
               "--- Answers with a bit of everything.\n"
               "-- @version 3\n"
               "return {1, 'two\\n', false, {'\\255'}, redis.error_reply('ERR inner')}\n");
    write_file(s->scripts, "fail.lua", "return redis.call('INCRBY', KEYS[1], 'no number')\n");
    write_file(s->scripts, "add.lua",
               "--- Adds.\n"
               "-- @key  counter\n"
               "-- @arg  amount\n"
               "-- @version 1\n"
               "return redis.call('INCRBY', KEYS[1], ARGV[1])\n");
}

static int set_up(void **state)
{
    char text[1024];
    stage *s = calloc(1, sizeof *s);
    *state = s;
    if (s == NULL || scratch_new(&s->area) != SCRATCH_OK ||
        scratch_start(&s->shards[0], s->area, "a", NULL) != SCRATCH_OK ||
        scratch_start(&s->shards[1], s->area, "b", NULL) != SCRATCH_OK)
        return -1;
    snprintf(s->map, sizeof s->map, "%s/map.yaml", scratch_folder(s->area));
    snprintf(s->scripts, sizeof s->scripts, "%s/scripts", scratch_folder(s->area));
    snprintf(text, sizeof text,
             "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\nshards:\n  a: "
             "%s\n  b: %s\n",
             scratch_address(s->shards[0]), scratch_address(s->shards[1]));
    write_file(scratch_folder(s->area), "map.yaml", text);
    write_scripts(s);
    return 0;
}

static int tear_down(void **state)
{
    stage *s = *state;
    scratch_free(s->area);
    free(s);
    return 0;
}

/* Runs a command on the stage. */
#define ON(s, run, how, ...) \
    RUN(run, how, EVALSHARD, __VA_ARGS__, "-m", (s)->map, "-s", (s)->scripts)

static void assert_has(const program_run *run, const char *part)
{
    if (strstr(run->out, part) == NULL && strstr(run->err, part) == NULL)
        fail_msg("\"%s\" is not in:\n%s%s", part, run->out, run->err);
}

static void do_on(const stage *s, int shard, const char *command)
{
    redisContext *c = redisConnectUnix(scratch_socket(s->shards[shard]));
    redisReply *reply = redisCommand(c, command);
    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    freeReplyObject(reply);
    redisFree(c);
}

static void status_tells_missing_from_loaded(void **state)
{
    stage *s = *state;
    program_run run;
    ON(s, &run, NULL, "status");
    assert_int_equal(run.exit_code, 1);
    assert_string_equal(run.out, "add@1\tdefault\ta\tmissing\nadd@1\tdefault\tb\tmissing\n"
                                 "fail\tdefault\ta\tmissing\nfail\tdefault\tb\tmissing\n"
                                 "many@3\tdefault\ta\tmissing\nmany@3\tdefault\tb\tmissing\n"
                                 "(not ours)\tdefault\ta\t0\n(not ours)\tdefault\tb\t0\n");
    program_free(&run);

    ON(s, &run, NULL, "load");
    assert_int_equal(run.exit_code, 0);
    assert_has(&run, "many@3\tdefault\tb\tloaded\n");
    program_free(&run);

    do_on(s, 1, "SCRIPT LOAD return'somebody_elses'");
    ON(s, &run, NULL, "status");
    assert_int_equal(run.exit_code, 0);
    assert_has(&run, "fail\tdefault\ta\tloaded\n");
    assert_has(&run, "(not ours)\tdefault\ta\t0\n(not ours)\tdefault\tb\t1\n");
    program_free(&run);
}

static void a_dry_run_changes_nothing(void **state)
{
    stage *s = *state;
    program_run run;
    for (int i = 0; i < 2; i++) {
        ON(s, &run, NULL, "load", "--dry-run");
        assert_int_equal(run.exit_code, 0);
        assert_has(&run, "add@1\tdefault\ta\twould load\n");
        program_free(&run);
    }
}

static void the_terminal_shows_scripts_by_shards(void **state)
{
    stage *s = *state;
    const program_how how = {.on_terminal = 1, .settings = {"NO_COLOR=1"}};
    program_run run;
    ON(s, &run, &how, "load");
    assert_string_equal(run.out, "script  a       b\r\n"
                                 "add@1   loaded  loaded\r\n"
                                 "fail    loaded  loaded\r\n"
                                 "many@3  loaded  loaded\r\n");
    program_free(&run);
}

static void a_dead_shard_is_reported_and_tolerated(void **state)
{
    stage *s = *state;
    program_run run;
    scratch_kill(s->shards[0]);
    ON(s, &run, NULL, "load");
    assert_int_equal(run.exit_code, 3);
    assert_has(&run, "add@1\tdefault\ta\tunreachable\nadd@1\tdefault\tb\tloaded\n");
    assert_has(&run, "evalshard: shard a at unix:");
    program_free(&run);

    ON(s, &run, NULL, "status", "--json");
    json_t *root = json_loadb(run.out, run.out_len, 0, NULL);
    assert_non_null(root);
    json_t *first = json_array_get(json_object_get(root, "shards"), 0);
    json_t *second = json_array_get(json_object_get(root, "shards"), 1);
    assert_int_equal(run.exit_code, 3);
    assert_true(json_is_false(json_object_get(first, "reachable")));
    assert_true(json_is_null(json_object_get(first, "not_ours")));
    assert_true(json_is_string(json_object_get(first, "problem")));
    assert_true(json_is_true(json_object_get(second, "reachable")));
    assert_int_equal(json_integer_value(json_object_get(second, "not_ours")), 0);
    json_t *script = json_array_get(json_object_get(root, "scripts"), 2);
    assert_string_equal(json_string_value(json_object_get(script, "name")), "many");
    assert_int_equal(json_integer_value(json_object_get(script, "version")), 3);
    json_t *on_b = json_array_get(json_object_get(script, "on"), 1);
    assert_string_equal(json_string_value(json_object_get(on_b, "state")), "loaded");
    json_decref(root);
    program_free(&run);
}

static void call_prints_raw_in_a_pipe_and_types_on_a_terminal(void **state)
{
    stage *s = *state;
    const program_how terminal = {.on_terminal = 1};
    program_run run;
    ON(s, &run, NULL, "call", "add", "-k", "n", "-a", "-5");
    assert_int_equal(run.exit_code, 0);
    assert_string_equal(run.out, "-5\n");
    assert_int_equal(run.err_len, 0);
    program_free(&run);
    ON(s, &run, &terminal, "call", "add", "-k", "n", "-a", "7");
    assert_string_equal(run.out, "(integer) 2\r\n");
    program_free(&run);
    ON(s, &run, NULL, "call", "many", "--shard", "b");
    assert_int_equal(run.out_len, strlen("1\ntwo\n\n\n\xff\nERR inner\n"));
    program_free(&run);
    ON(s, &run, &terminal, "call", "many", "--shard", "default/b");
    assert_string_equal(run.out, "1) (integer) 1\r\n2) \"two\\n\"\r\n3) (nil)\r\n"
                                 "4) 1) \"\\xff\"\r\n5) (error) ERR inner\r\n");
    program_free(&run);
}

static void a_shard_that_refuses_is_no_unreachable_one(void **state)
{
    stage *s = *state;
    const char *config[] = {"--rename-command", "SCRIPT", ""};
    const scratch_options opts = {.config = config, .nconfig = 3};
    scratch_server *strict;
    char text[512], map[256];
    program_run run;
    assert_int_equal(scratch_start(&strict, s->area, "strict", &opts), SCRATCH_OK);
    snprintf(text, sizeof text,
             "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\nshards:\n  "
             "strict: %s\n",
             scratch_address(strict));
    write_file(scratch_folder(s->area), "strict.yaml", text);
    snprintf(map, sizeof map, "%s/strict.yaml", scratch_folder(s->area));
    RUN(&run, NULL, EVALSHARD, "load", "-m", map, "-s", s->scripts);
    assert_int_equal(run.exit_code, 1);
    assert_has(&run, "add@1\tdefault\tstrict\trefused\n");
    assert_has(&run, "evalshard: shard default/strict: ERR unknown command");
    program_free(&run);
    RUN(&run, NULL, EVALSHARD, "status", "-m", map, "-s", s->scripts);
    assert_int_equal(run.exit_code, 1);
    assert_has(&run, "many@3\tdefault\tstrict\trefused\n");
    program_free(&run);
}

static json_t *json_of(const program_run *run)
{
    json_t *root = json_loadb(run->out, run->out_len, 0, NULL);
    if (root == NULL)
        fail_msg("no JSON: %s%s", run->out, run->err);
    return root;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL)
        fail_msg("no text under \"%s\"", key);
    return text;
}

static void call_prints_json(void **state)
{
    stage *s = *state;
    program_run run;
    ON(s, &run, NULL, "call", "many", "--shard", "b", "--json");
    json_t *root = json_of(&run);
    json_t *reply = json_object_get(root, "reply");
    assert_int_equal(run.exit_code, 0);
    assert_string_equal(text_of(root, "script"), "many");
    assert_string_equal(text_of(root, "shard"), "b");
    assert_string_equal(text_of(root, "status"), "EVS_OK");
    assert_string_equal(text_of(root, "outcome"), "executed");
    assert_int_equal(json_integer_value(json_array_get(reply, 0)), 1);
    assert_string_equal(json_string_value(json_array_get(reply, 1)), "two\n");
    assert_true(json_is_null(json_array_get(reply, 2)));
    assert_string_equal(text_of(json_array_get(json_array_get(reply, 3), 0), "base64"), "/w==");
    assert_string_equal(text_of(json_array_get(reply, 4), "error"), "ERR inner");
    json_decref(root);
    program_free(&run);

    ON(s, &run, NULL, "call", "fail", "-k", "k", "--json");
    root = json_of(&run);
    assert_int_equal(run.exit_code, 1);
    assert_string_equal(text_of(root, "status"), "EVS_E_SCRIPT");
    assert_string_equal(text_of(root, "outcome"), "executed");
    assert_non_null(strstr(text_of(root, "error"), "not an integer"));
    assert_null(json_object_get(root, "reply"));
    json_decref(root);
    program_free(&run);
}

static void call_says_what_became_of_it(void **state)
{
    stage *s = *state;
    program_run run;
    ON(s, &run, NULL, "call", "fail", "-k", "k");
    assert_int_equal(run.exit_code, 1);
    assert_has(&run, "not an integer");
    assert_has(&run, "(EVS_E_SCRIPT, executed)");
    program_free(&run);

    ON(s, &run, NULL, "call", "add", "-k", "k");
    assert_int_equal(run.exit_code, 2);
    assert_has(&run, "(EVS_E_ARITY, not executed)");
    program_free(&run);

    ON(s, &run, NULL, "call", "many");
    assert_int_equal(run.exit_code, 2);
    assert_has(&run, "(EVS_E_NO_KEYS, not executed)");
    program_free(&run);

    scratch_kill(s->shards[0]);
    scratch_kill(s->shards[1]);
    ON(s, &run, NULL, "call", "add", "-k", "k", "-a", "1");
    assert_int_equal(run.exit_code, 3);
    assert_has(&run, "(EVS_E_CONNECT, not executed)");
    program_free(&run);
}

static void a_call_without_answer_ends_at_its_time(void **state)
{
    stage *s = *state;
    program_run run;
    for (int i = 0; i < 2; i++)
        do_on(s, i, "CLIENT PAUSE 600000 WRITE");
    ON(s, &run, NULL, "call", "add", "-k", "k", "-a", "1", "--timeout", "200ms", "--json");
    json_t *root = json_of(&run);
    assert_int_equal(run.exit_code, 3);
    assert_string_equal(text_of(root, "status"), "EVS_E_TIMEOUT");
    assert_string_equal(text_of(root, "outcome"), "maybe executed");
    json_decref(root);
    program_free(&run);
}

static void keys_on_two_shards_are_refused(void **state)
{
    stage *s = *state;
    program_run run, routes;
    char words[8][8];
    const char *argv[16] = {EVALSHARD, "call", "fail", "-m", s->map, "-s", s->scripts, "-k"};
    for (int i = 0; i < 7; i++) {
        snprintf(words[i], sizeof words[i], "key%d", i);
        argv[8 + i] = words[i];
    }
    RUN(&routes, NULL, EVALSHARD, "route", "-m", s->map, "key0", "key1", "key2", "key3", "key4",
        "key5", "key6");
    assert_non_null(strstr(routes.out, "\ta\t"));
    assert_non_null(strstr(routes.out, "\tb\t"));
    program_run_it(&run, NULL, argv);
    assert_int_equal(run.exit_code, 2);
    assert_has(&run, "(EVS_E_CROSS_SHARD, not executed)");
    program_free(&routes);
    program_free(&run);
}

static void undeclared_keys_are_warned_of(void **state)
{
    stage *s = *state;
    program_run run;
    do_on(s, 0, "HSET {u}1 login x");
    do_on(s, 1, "HSET {u}1 login x");
    RUN(&run, NULL, EVALSHARD, "call", "book/create_status", "-m", s->map, "-k", "{u}1", "{u}id");
    assert_int_equal(run.exit_code, 0);
    assert_string_equal(run.out, "1\n");
    assert_has(&run, "warning: book/create_status touches keys that nobody passed");
    program_free(&run);
    RUN(&run, NULL, EVALSHARD, "call", "create_status", "-m", s->map, "-k", "{u}1", "{u}2", "-a",
        "7");
    assert_int_equal(run.exit_code, 0);
    assert_string_equal(run.out, "7\n");
    assert_int_equal(run.err_len, 0);
    program_free(&run);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(status_tells_missing_from_loaded),
        LIVE(a_dry_run_changes_nothing),
        LIVE(the_terminal_shows_scripts_by_shards),
        LIVE(a_dead_shard_is_reported_and_tolerated),
        LIVE(a_shard_that_refuses_is_no_unreachable_one),
        LIVE(call_prints_raw_in_a_pipe_and_types_on_a_terminal),
        LIVE(call_prints_json),
        LIVE(call_says_what_became_of_it),
        LIVE(a_call_without_answer_ends_at_its_time),
        LIVE(keys_on_two_shards_are_refused),
        LIVE(undeclared_keys_are_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
