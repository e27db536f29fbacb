/*
 * The command table against a real server.
 *
 * For every command with keys, argument lists are made from its recorded argument tree; where we
 * see the keys must be where COMMAND GETKEYS sees them. Every word is different, so words stand for
 * positions. Lists that the server refuses for their length are left out.
 */
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

#include "core/command.h"
#include "tests/support/one_server.h"

enum { WORDS = 96, WORD = 32, LISTS = 200, HEAD = 2 };

typedef struct list {
    char words[WORDS][WORD];
    size_t count;
    size_t numkeys; /* position of a key count to be filled in; 0 when there is none */
    size_t repeats; /* how often the last repeated key was repeated */
    unsigned random;
    unsigned next_word;
} list;

static unsigned roll(list *l, unsigned sides)
{
    l->random = l->random * 1103515245u + 12345u;
    return (l->random >> 16) % sides;
}

static void word(list *l, const char *text)
{
    assert_true(l->count < WORDS);
    snprintf(l->words[l->count++], WORD, "%s", text);
}

static void fresh_word(list *l)
{
    char text[WORD];
    snprintf(text, sizeof text, "w%u", l->next_word++);
    word(l, text);
}

static const char *text_of(const json_t *node, const char *name)
{
    const char *text = json_string_value(json_object_get(node, name));
    return text == NULL ? "" : text;
}

static int flagged(const json_t *node, const char *flag)
{
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(node, "flags"), i, value)
    {
        if (strcmp(json_string_value(value), flag) == 0)
            return 1;
    }
    return 0;
}

static void argument(list *l, const json_t *node);

static void arguments(list *l, const json_t *nodes)
{
    size_t i;
    json_t *node;
    json_array_foreach(nodes, i, node)
    {
        argument(l, node);
    }
}

static void value(list *l, const json_t *node)
{
    const json_t *inner = json_object_get(node, "arguments");
    const char *type = text_of(node, "type");
    if (strcmp(type, "oneof") == 0) {
        argument(l, json_array_get(inner, roll(l, (unsigned)json_array_size(inner))));
    } else if (strcmp(type, "block") == 0) {
        arguments(l, inner);
    } else if (strcmp(text_of(node, "name"), "numkeys") == 0) {
        l->numkeys = l->count;
        word(l, "0");
    } else if (strcmp(type, "pure-token") != 0) {
        fresh_word(l);
    }
}

/* As many ids as streams, as many keys as numkeys says. */
static size_t repetitions(list *l, const json_t *node)
{
    if (!flagged(node, "multiple"))
        return 1;
    if (strcmp(text_of(node, "name"), "id") == 0 && l->repeats > 0)
        return l->repeats;
    return 1 + roll(l, 3);
}

static void argument(list *l, const json_t *node)
{
    const json_t *token = json_object_get(node, "token");
    if (flagged(node, "optional") && roll(l, 2) == 0)
        return;
    size_t times = repetitions(l, node);
    for (size_t i = 0; i < times; i++) {
        if (token != NULL && (i == 0 || flagged(node, "multiple_token")))
            word(l, json_string_value(token));
        value(l, node);
    }
    if (strcmp(text_of(node, "type"), "key") != 0 || !flagged(node, "multiple"))
        return;
    l->repeats = times;
    if (l->numkeys > 0)
        snprintf(l->words[l->numkeys], WORD, "%zu", times);
    l->numkeys = 0;
}

/* COMMAND GETKEYS name [sub] arguments... */
static void make_list(list *l, const json_t *command)
{
    const char *name = text_of(command, "name");
    const char *bar = strchr(name, '|');
    l->count = l->numkeys = l->repeats = 0;
    word(l, "COMMAND");
    word(l, "GETKEYS");
    word(l, name);
    if (bar != NULL) {
        l->words[HEAD][bar - name] = '\0';
        word(l, bar + 1);
    }
    arguments(l, json_object_get(command, "arguments"));
}

static redisReply *ask(redisContext *c, const list *l)
{
    const char *argv[WORDS];
    for (size_t i = 0; i < l->count; i++)
        argv[i] = l->words[i];
    redisReply *reply = redisCommandArgv(c, (int)l->count, argv, NULL);
    assert_non_null(reply);
    return reply;
}

/* Whether `key` is an element of the reply. */
static int answered(const redisReply *reply, const char *key)
{
    for (size_t i = 0; i < reply->elements; i++) {
        if (strcmp(reply->element[i]->str, key) == 0)
            return 1;
    }
    return 0;
}

/* Whether we see what the server sees; -1 when it did not look. */
static int agrees(const list *l, const redisReply *reply)
{
    evs_bytes args[WORDS];
    size_t at[WORDS], n = l->count - HEAD;
    for (size_t i = 0; i < n; i++)
        args[i] = evs_text(l->words[i + HEAD]);
    const evs__command *command = evs__command_find(args[0], n > 1 ? args[1] : evs_text(""));
    if (command == NULL)
        return 0;
    int count = evs__command_keys(command, args, n, at, WORDS);
    if (reply->type == REDIS_REPLY_ERROR && strstr(reply->str, "number of arguments") != NULL)
        return -1;
    if (reply->type == REDIS_REPLY_ERROR && strstr(reply->str, "no key arguments") != NULL)
        return count == 0;
    if (reply->type == REDIS_REPLY_ERROR)
        return count == -1;
    if (count != (int)reply->elements)
        return 0;
    for (int i = 0; i < count; i++) {
        if (!answered(reply, l->words[at[i] + HEAD]))
            return 0;
    }
    return 1;
}

typedef struct tally {
    unsigned commands, lists, skipped, differences;
} tally;

static void show(const list *l, const redisReply *reply)
{
    print_error("differs:");
    for (size_t i = HEAD; i < l->count; i++)
        print_error(" %s", l->words[i]);
    print_error(" -> %s", reply->type == REDIS_REPLY_ERROR ? reply->str : "");
    for (size_t i = 0; i < reply->elements; i++)
        print_error(" %s", reply->element[i]->str);
    print_error("\n");
}

static void compare_command(tally *t, redisContext *c, list *l, const json_t *command)
{
    size_t i;
    json_t *subcommand;
    json_array_foreach(json_object_get(command, "subcommands"), i, subcommand)
    {
        compare_command(t, c, l, subcommand);
    }
    if (json_array_size(json_object_get(command, "key_specs")) == 0)
        return;
    t->commands++;
    for (unsigned n = 0; n < LISTS; n++) {
        make_list(l, command);
        redisReply *reply = ask(c, l);
        int same = agrees(l, reply);
        t->lists += same >= 0;
        t->skipped += same < 0;
        t->differences += same == 0;
        if (same == 0)
            show(l, reply);
        freeReplyObject(reply);
    }
}

static void keys_are_where_getkeys_sees_them(void **state)
{
    json_t *data = json_load_file(EVS_TEST_SOURCE_DIR "/core/data/commands-redis-7.0.json", 0,
                                  NULL);
    assert_non_null(data);
    list *l = calloc(1, sizeof *l);
    assert_non_null(l);
    l->random = 1;
    tally t = {0, 0, 0, 0};
    size_t i;
    json_t *command;
    json_array_foreach(json_object_get(data, "commands"), i, command)
    {
        compare_command(&t, *state, l, command);
    }
    print_message("%u commands, %u lists compared, %u skipped, %u differences\n", t.commands,
                  t.lists, t.skipped, t.differences);
    free(l);
    json_decref(data);
    assert_true(t.lists > 20000);
    assert_int_equal(t.differences, 0);
}

/* What lists made from argument trees do not have: empty keys, options in the place of values. */
static void odd_lists_are_seen_alike(void **state)
{
    static const char *const rows[][12] = {
        {"SORT", ""},
        {"SORT", "k", "BY", "STORE", "x"},
        {"SORT", "k", "STORE", "a", "STORE", "b"},
        {"GEORADIUS", "", "0", "0", "1", "m"},
        {"GEORADIUS", "k", "0", "0", "1", "m", "COUNT", "STORE", "x"},
        {"GEORADIUS", "k", "0", "0", "1", "m", "COUNT", "STOREDIST", "x", "ASC"},
        {"GEORADIUS", "k", "0", "0", "1", "m", "COUNT", "STORE"},
        {"GEORADIUS", "k", "1", "2", "3", "m", "STORE"},
        {"GEORADIUSBYMEMBER", "k", "m", "1", "m", "COUNT", "STORE", "x"},
        {"GEORADIUSBYMEMBER", "", "m", "1", "m", "STOREDIST", ""},
    };
    list *l = calloc(1, sizeof *l);
    assert_non_null(l);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        l->count = 0;
        word(l, "COMMAND");
        word(l, "GETKEYS");
        for (size_t k = 0; k < sizeof *rows / sizeof **rows && rows[i][k] != NULL; k++)
            word(l, rows[i][k]);
        redisReply *reply = ask(*state, l);
        if (agrees(l, reply) != 1) {
            show(l, reply);
            fail();
        }
        freeReplyObject(reply);
    }
    free(l);
}

/* The version of the server, or of the Redis that it says it is like. */
static int version_of(redisContext *server, const char *field)
{
    redisReply *reply = redisCommand(server, "INFO server");
    assert_non_null(reply);
    const char *at = strstr(reply->str, field);
    int major = 0, minor = 0;
    if (at != NULL)
        sscanf(at + strlen(field), "%d.%d", &major, &minor);
    freeReplyObject(reply);
    return EVS__VERSION(major, minor);
}

/* How many arguments a server of that version takes; `valkey` is 0 for Redis. */
static int arity_at(const evs__command *command, int redis, int valkey)
{
    int is_old = valkey > 0 ? valkey < command->arity_since.valkey
                            : redis < command->arity_since.redis;
    return is_old ? command->older_arity : command->arity;
}

static void arities_change_with_versions(void **state)
{
    (void)state;
    const evs__command *zrank = evs__command_find(evs_text("ZRANK"), evs_text(""));
    const evs__command *get = evs__command_find(evs_text("GET"), evs_text(""));
    assert_int_equal(arity_at(zrank, EVS__VERSION(7, 0), 0), 3);
    assert_int_equal(arity_at(zrank, EVS__VERSION(7, 2), 0), -3);
    assert_int_equal(arity_at(zrank, EVS__VERSION(7, 2), EVS__VERSION(8, 0)), -3);
    assert_int_equal(arity_at(get, EVS__VERSION(2, 6), 0), 2);
}

/* `info`: name, arity, flags, ... and subcommands at 9. The name of a subcommand is
 * "xgroup|create". */
static unsigned check_info(const redisReply *info, int redis, int valkey)
{
    const char *name = info->element[0]->str, *bar = strchr(name, '|');
    evs_bytes first = {name, bar == NULL ? strlen(name) : (size_t)(bar - name)};
    const evs__command *command = evs__command_find(first, evs_text(bar ? bar + 1 : ""));
    const redisReply *flags = info->element[2];
    if (command == NULL)
        print_error("%s is not in the table\n", name);
    assert_non_null(command);
    if (arity_at(command, redis, valkey) != info->element[1]->integer)
        print_error("%s takes %lld\n", name, info->element[1]->integer);
    assert_int_equal(arity_at(command, redis, valkey), info->element[1]->integer);
    assert_int_equal(!!(command->flags & EVS__COMMAND_WRITE), answered(flags, "write"));
    assert_int_equal(!!(command->flags & EVS__COMMAND_READONLY), answered(flags, "readonly"));
    assert_int_equal(!!(command->flags & EVS__COMMAND_NOSCRIPT), answered(flags, "noscript"));
    assert_int_equal(!!(command->flags & EVS__COMMAND_BLOCKING), answered(flags, "blocking"));
    unsigned count = 1;
    for (size_t i = 0; i < info->element[9]->elements; i++)
        count += check_info(info->element[9]->element[i], redis, valkey);
    return count;
}

static void every_command_of_the_server_is_in_the_table(void **state)
{
    int redis = version_of(*state, "redis_version:");
    int valkey = version_of(*state, "valkey_version:");
    redisReply *reply = redisCommand(*state, "COMMAND");
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
    unsigned count = 0;
    for (size_t i = 0; i < reply->elements; i++)
        count += check_info(reply->element[i], redis, valkey);
    print_message("%u commands and subcommands\n", count);
    assert_true(count > 300);
    freeReplyObject(reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_where_getkeys_sees_them),
        cmocka_unit_test(odd_lists_are_seen_alike),
        cmocka_unit_test(arities_change_with_versions),
        cmocka_unit_test(every_command_of_the_server_is_in_the_table),
    };
    return cmocka_run_group_tests(tests, one_server_begin, one_server_end);
}
