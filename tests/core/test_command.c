/* The command table: look-up, and where keys are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/command.h"

#include "core/command_table.inc"

enum { ROWS = sizeof commands / sizeof *commands, MOST = 16 };

static const evs__command *find(const char *name, const char *sub)
{
    return evs__command_find(evs_text(name), evs_text(sub));
}

static void every_row_is_found_under_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const char *name = commands[i].name;
        const char *space = strchr(name, ' ');
        evs_bytes first = {name, space == NULL ? strlen(name) : (size_t)(space - name)};
        const evs__command *command = evs__command_find(first, evs_text(space ? space + 1 : NULL));
        assert_non_null(command);
        assert_string_equal(command->name, name);
        if (i > 0)
            assert_true(strcmp(commands[i - 1].name, name) < 0);
    }
}

static void names_are_found_in_any_case(void **state)
{
    (void)state;
    static const struct {
        const char *name, *sub, *found;
    } rows[] = {
        {"get", "", "GET"},
        {"gEt", "whatever", "GET"},
        {"zrangebyscore", "", "ZRANGEBYSCORE"},
        {"xgroup", "", "XGROUP"},
        {"xgroup", "create", "XGROUP CREATE"},
        {"OBJECT", "Encoding", "OBJECT ENCODING"},
        {"xgroup", "nosuch", NULL},
        {"nosuch", "", NULL},
        {"", "", NULL},
        {"xgroup create", "", NULL},
        {"object|encoding", "", NULL},
        {"GE", "", NULL},
        {"GETX", "", NULL},
        {"hexpire", "", "HEXPIRE"},
        {"commandlog", "get", "COMMANDLOG GET"},
        {"a-name-that-is-far-longer-than-the-longest-name-of-any-command", "", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const evs__command *command = find(rows[i].name, rows[i].sub);
        if (rows[i].found == NULL)
            assert_null(command);
        else
            assert_string_equal(command->name, rows[i].found);
    }
    assert_null(evs__command_find((evs_bytes){"GET\0", 4}, evs_text("")));
    assert_null(evs__command_find((evs_bytes){NULL, 0}, (evs_bytes){NULL, 0}));
}

static void facts_are_those_of_the_server(void **state)
{
    (void)state;
    static const struct {
        const char *name, *sub;
        int arity;
        unsigned flags; /* all of these */
        unsigned not ;  /* and none of these */
    } rows[] = {
        {"GET", "", 2, EVS__COMMAND_READONLY, EVS__COMMAND_WRITE | EVS__COMMAND_NOSCRIPT},
        {"SET", "", -3, EVS__COMMAND_WRITE | EVS__COMMAND_DENYOOM, EVS__COMMAND_READONLY},
        {"BLPOP", "", -3, EVS__COMMAND_BLOCKING | EVS__COMMAND_WRITE, 0},
        {"EVALSHA", "", -3, EVS__COMMAND_NOSCRIPT | EVS__COMMAND_KEYS_OPTIONAL, 0},
        {"SORT", "", -2, EVS__COMMAND_CODE | EVS__COMMAND_MOVABLE, 0},
        {"XGROUP", "", -2, EVS__COMMAND_CONTAINER, EVS__COMMAND_WRITE},
        {"XGROUP", "CREATE", -5, EVS__COMMAND_WRITE, EVS__COMMAND_CONTAINER},
        {"SUBSCRIBE", "", -2, EVS__COMMAND_PUBSUB | EVS__COMMAND_NOSCRIPT, 0},
        {"SPOP", "", -2, EVS__COMMAND_RANDOM, 0},
        {"SMEMBERS", "", 2, EVS__COMMAND_RANDOM_ORDER, EVS__COMMAND_RANDOM},
        {"CONFIG", "SET", -4, EVS__COMMAND_ADMIN, 0},
        {"HMSET", "", -4, EVS__COMMAND_DEPRECATED, 0},
        {"ZRANK", "", -3, EVS__COMMAND_READONLY, 0},
        {"DELIFEQ", "", 3, EVS__COMMAND_WRITE, 0},
        {"PFCOUNT", "", -2, EVS__COMMAND_MAY_REPLICATE, EVS__COMMAND_WRITE},
        {"FLUSHALL", "", -1, EVS__COMMAND_DESTRUCTIVE | EVS__COMMAND_NODE_LOCAL, 0},
        {"SELECT", "", 2, EVS__COMMAND_OTHER_DATABASE, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const evs__command *command = find(rows[i].name, rows[i].sub);
        assert_non_null(command);
        assert_int_equal(command->arity, rows[i].arity);
        assert_int_equal(command->flags & rows[i].flags, rows[i].flags);
        assert_int_equal(command->flags & rows[i].not, 0);
    }
}

static void versions_are_those_of_both_servers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        evs__since since, allowed;
    } rows[] = {
        {"GET", {EVS__VERSION(1, 0), 0}, {0, 0}},
        {"LMPOP", {EVS__VERSION(7, 0), 0}, {0, 0}},
        {"GEOSEARCH", {EVS__VERSION(6, 2), 0}, {0, 0}},
        {"HEXPIRE", {EVS__VERSION(7, 4), EVS__VERSION(9, 0)}, {0, 0}},
        {"VADD", {EVS__VERSION(8, 0), EVS__VERSION_NEVER}, {0, 0}},
        {"DELIFEQ", {EVS__VERSION_NEVER, EVS__VERSION(9, 0)}, {0, 0}},
        {"BLPOP", {EVS__VERSION(2, 0), 0}, {EVS__VERSION(7, 2), 0}},
        {"WAITAOF", {EVS__VERSION(7, 2), 0}, {EVS__VERSION(7, 4), EVS__VERSION(8, 0)}},
        {"EVAL", {EVS__VERSION(2, 6), 0}, {EVS__VERSION_NEVER, EVS__VERSION_NEVER}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const evs__command *command = find(rows[i].name, "");
        assert_memory_equal(&command->since, &rows[i].since, sizeof rows[i].since);
        assert_memory_equal(&command->allowed, &rows[i].allowed, sizeof rows[i].allowed);
    }
}

static const evs__option *option_of(const char *name, const char *sub, const char *word)
{
    const evs__command *command = find(name, sub);
    for (size_t i = 0; i < command->noptions; i++) {
        const evs__option *o = &command->options[i];
        if (word == NULL ? o->word == NULL : o->word != NULL && strcmp(o->word, word) == 0)
            return o;
    }
    fail_msg("%s has no option %s", name, word == NULL ? "by place" : word);
    return NULL;
}

static void options_have_a_place_and_a_version(void **state)
{
    (void)state;
    static const struct {
        const char *name, *sub, *word;
        int from, place, values, since;
    } rows[] = {
        {"SET", "", "GET", 3, 0, 0, EVS__VERSION(6, 2)},
        {"SET", "", "EXAT", 3, 0, 1, EVS__VERSION(6, 2)},
        {"SET", "", "NX", 3, 0, 0, EVS__VERSION(2, 6)},
        {"EXPIRE", "", "NX", 3, 0, 0, EVS__VERSION(7, 0)},
        {"ZADD", "", "GT", 2, 0, 0, EVS__VERSION(6, 2)},
        {"ZRANGE", "", "LIMIT", 4, 0, 2, EVS__VERSION(6, 2)},
        {"LPOP", "", NULL, 2, 2, 0, EVS__VERSION(6, 2)},
        {"BITCOUNT", "", "BIT", 4, 0, 0, EVS__VERSION(7, 0)},
        {"XADD", "", "NOMKSTREAM", 2, 0, 0, EVS__VERSION(6, 2)},
        {"XGROUP", "CREATE", "MKSTREAM", 5, 0, 0, EVS__VERSION(5, 0)},
        {"SCAN", "", "TYPE", 2, 0, 1, EVS__VERSION(6, 0)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const evs__option *o = option_of(rows[i].name, rows[i].sub, rows[i].word);
        assert_int_equal(find(rows[i].name, rows[i].sub)->options_from, rows[i].from);
        assert_int_equal(o->place, rows[i].place);
        assert_int_equal(o->values, rows[i].values);
        assert_int_equal(o->since.redis, rows[i].since);
    }
}

/* Splits at blanks; '' is an empty argument. */
static size_t split(evs_bytes *args, char *line)
{
    size_t n = 0;
    for (char *word = strtok_r(line, " ", &line); word != NULL; word = strtok_r(NULL, " ", &line))
        args[n++] = strcmp(word, "''") == 0 ? (evs_bytes){"", 0} : evs_text(word);
    return n;
}

/* The positions as text: "1 3", "" for no keys, "invalid". */
static void positions_of(char *out, size_t size, const char *text)
{
    char line[256];
    evs_bytes args[64];
    size_t at[MOST];
    snprintf(line, sizeof line, "%s", text);
    size_t n = split(args, line);
    const evs__command *command = evs__command_find(args[0], n > 1 ? args[1] : evs_text(""));
    assert_non_null(command);
    int count = evs__command_keys(command, args, n, at, MOST);
    out[0] = '\0';
    if (count < 0)
        snprintf(out, size, "invalid");
    for (int i = 0; i < count; i++) {
        size_t len = strlen(out);
        snprintf(out + len, size - len, i == 0 ? "%zu" : " %zu", at[i]);
    }
}

static const char *const key_cases[][2] = {
    {"GET k", "1"},
    {"get k", "1"},
    {"GET", "invalid"},
    {"PING", ""},
    {"SCAN 0 MATCH k", ""},
    {"DEL a b c", "1 2 3"},
    {"MSET a 1 b 2 c 3", "1 3 5"},
    {"RENAME a b", "1 2"},
    {"RENAME a", "invalid"},
    {"BLPOP a b 0", "1 2"},
    {"BLPOP a", "invalid"},
    {"BITOP AND d a b", "2 3 4"},
    {"LCS a b LEN", "1 2"},
    {"PFMERGE d", "invalid"},
    {"SUNIONSTORE d a b", "1 2 3"},
    {"OBJECT", ""},
    {"OBJECT HELP", ""},
    {"OBJECT ENCODING k", "2"},
    {"MEMORY USAGE k SAMPLES 5", "2"},
    {"XGROUP CREATE k g $", "2"},
    {"SPUBLISH channel m", ""},
    {"SSUBSCRIBE a b", ""},

    {"EVAL s 0", ""},
    {"EVAL s 0 arg", ""},
    {"EVAL s 2 a b x", "3 4"},
    {"EVAL s 3 a b", "invalid"},
    {"EVAL s -1 a", "invalid"},
    {"EVAL s 02 a b", "invalid"},
    {"EVAL s 2x a b", "invalid"},
    {"EVAL s 99999999999999999999 a", "invalid"},
    {"EVAL s 999999999 a", "invalid"},
    {"EVAL s", "invalid"},
    {"FCALL f 1 a x", "3"},
    {"ZUNION 2 a b WEIGHTS 1 2", "2 3"},
    {"ZUNION 0", "invalid"},
    {"ZUNIONSTORE d 2 a b", "1 3 4"},
    {"ZUNIONSTORE d 0", "invalid"},
    {"BLMPOP 0 1 a LEFT", "3"},
    {"SINTERCARD 2 a b LIMIT 1", "2 3"},
    {"MSETEX 2 a 1 b 2 NX", "2 4"},
    {"MSETEX 2 a 1", "invalid"},

    {"SORT k", "1"},
    {"SORT", "invalid"},
    {"SORT k STORE d", "1 3"},
    {"SORT k store d", "1 3"},
    {"SORT k STORE a STORE b", "1 5"},
    {"SORT k BY STORE STORE d", "1 5"},
    {"SORT k GET STORE", "1"},
    {"SORT k LIMIT STORE x STORE d", "1 6"},
    {"SORT k STORE", "invalid"},
    {"SORT_RO k BY a GET STORE", "1"},

    {"GEORADIUS k 1 2 3 m", "1"},
    {"GEORADIUS k 1 2 3 m STORE d", "1 7"},
    {"GEORADIUS k 1 2 3 m COUNT 3 ASC STOREDIST d", "1 10"},
    {"GEORADIUS k 1 2 3 m STOREDIST a STORE b", "1 7 9"},
    {"GEORADIUS k 1 2 3 m STORE", "1"},
    {"GEORADIUS k 1 2 3 m COUNT STORE d", "1 8"},
    {"GEORADIUSBYMEMBER store store 1 m store x", "1 6"},
    {"GEORADIUS_RO k 1 2 3 m STORE d", "1"},

    {"MIGRATE h 1 k 0 1", "3"},
    {"MIGRATE h 1 '' 0 1", "3"},
    {"MIGRATE h 1 '' 0 1 COPY KEYS a b", "8 9"},
    {"MIGRATE h 1 '' 0 1 AUTH KEYS KEYS a", "9"},
    {"MIGRATE h 1 '' 0 1 AUTH2 KEYS KEYS KEYS a", "10"},
    {"MIGRATE h 1 k 0 1 KEYS a", "invalid"},
    {"MIGRATE h 1 '' 0 1 KEYS", "invalid"},

    {"XREAD STREAMS a 0", "2"},
    {"XREAD COUNT 1 BLOCK 2 STREAMS a b 0 0", "6 7"},
    {"XREAD COUNT 1 STREAMS a b 0", "invalid"},
    {"XREAD COUNT 1 STREAMS", "invalid"},
    {"XREAD COUNT 1 a 0", "invalid"},
    {"XREAD COUNT STREAMS STREAMS STREAMS 0", "4"},
    {"XREADGROUP GROUP STREAMS STREAMS NOACK STREAMS STREAMS >", "6"},
    {"XREADGROUP COUNT 1 GROUP STREAMS c STREAMS k >", "7"},
    {"XREADGROUP GROUP g c CLAIM 9 STREAMS k >", "7"},
};

static void keys_are_where_the_server_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof key_cases / sizeof *key_cases; i++) {
        char got[64];
        positions_of(got, sizeof got, key_cases[i][0]);
        if (strcmp(got, key_cases[i][1]) != 0)
            print_error("%s\n", key_cases[i][0]);
        assert_string_equal(got, key_cases[i][1]);
    }
}

static void more_keys_than_room_are_counted_only(void **state)
{
    (void)state;
    char line[] = "DEL a b c d";
    evs_bytes args[8];
    size_t at[2] = {0, 0};
    size_t n = split(args, line);
    assert_int_equal(evs__command_keys(find("DEL", ""), args, n, at, 2), 4);
    assert_int_equal(at[0], 1);
    assert_int_equal(at[1], 2);
    assert_int_equal(evs__command_keys(find("DEL", ""), args, n, NULL, 0), 4);
}

static void a_misspelled_name_has_a_suggestion(void **state)
{
    (void)state;
    assert_string_equal(evs__command_similar(evs_text("hgte")), "HGET");
    assert_string_equal(evs__command_similar(evs_text("ZRANGEBYSCOER")), "ZRANGEBYSCORE");
    assert_string_equal(evs__command_similar(evs_text("XGROUP CRAETE")), "XGROUP CREATE");
    assert_null(evs__command_similar(evs_text("qwertzuiop")));
}

/* Those of the server's group "scripting" that run something; _RO keeps it from writing. */
static void what_runs_scripts_is_known(void **state)
{
    (void)state;
    static const char *const running[] = {"EVAL",       "evalsha", "Eval_RO",
                                          "EVALSHA_RO", "FCALL",   "fcall_ro"};
    static const char *const others[] = {"SCRIPT", "FUNCTION", "EVA", "EVALS", "GET", ""};
    evs_bytes none = {NULL, 0};
    for (size_t i = 0; i < 6; i++) {
        const evs__command *command = evs__command_find(evs_text(running[i]), none);
        assert_non_null(command);
        assert_true(evs__command_runs_script(evs_text(running[i])));
        assert_int_equal((command->flags & EVS__COMMAND_READONLY) != 0,
                         strchr(running[i], '_') != NULL);
        assert_false(evs__command_runs_script(evs_text(others[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found_under_its_name),
        cmocka_unit_test(names_are_found_in_any_case),
        cmocka_unit_test(facts_are_those_of_the_server),
        cmocka_unit_test(versions_are_those_of_both_servers),
        cmocka_unit_test(options_have_a_place_and_a_version),
        cmocka_unit_test(keys_are_where_the_server_says),
        cmocka_unit_test(more_keys_than_room_are_counted_only),
        cmocka_unit_test(a_misspelled_name_has_a_suggestion),
        cmocka_unit_test(what_runs_scripts_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
