#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scripts/shipped.h"
#include "tests/support/script_case.h"
#include "tools/scratch/scratch.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORDS_MAX = 32, STEP_MAX = 512 };

static const char dump_script[] =
    "local function list(open, flat, between, close)\n"
    "    local out = {}\n"
    "    for i = 1, #flat, 2 do out[#out + 1] = flat[i] .. between .. flat[i + 1] end\n"
    "    table.sort(out)\n"
    "    return open .. table.concat(out, ' ') .. close\n"
    "end\n"
    "local out, keys = {}, redis.call('KEYS', '*')\n"
    "table.sort(keys)\n"
    "for _, key in ipairs(keys) do\n"
    "    local value = redis.call('TYPE', key).ok\n"
    "    if value == 'string' then value = redis.call('GET', key)\n"
    "    elseif value == 'hash' then value = list('{', redis.call('HGETALL', key), '=', '}')\n"
    "    elseif value == 'zset' then\n"
    "        value = list('[', redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'), ':', ']')\n"
    "    end\n"
    "    if redis.call('PTTL', key) > 0 then value = value .. ' (expires)' end\n"
    "    out[#out + 1] = key .. '=' .. value\n"
    "end\n"
    "return table.concat(out, ' ')\n";

int script_server_start(void **state)
{
    script_server *server = calloc(1, sizeof *server);
    scratch_server *started;
    if (server == NULL || scratch_new(&server->area) != SCRATCH_OK)
        return -1;
    *state = server;
    if (scratch_start(&started, server->area, "scripts", NULL) != SCRATCH_OK) {
        print_error("%s\n", scratch_error(server->area));
        return -1;
    }
    server->redis = redisConnectUnix(scratch_socket(started));
    return server->redis != NULL && server->redis->err == 0 ? 0 : -1;
}

int script_server_stop(void **state)
{
    script_server *server = *state;
    if (server == NULL)
        return 0;
    if (server->redis != NULL)
        redisFree(server->redis);
    scratch_free(server->area);
    free(server);
    return 0;
}

static const evs__shipped_script *shipped(const char *name)
{
    for (size_t i = 0; i < evs__shipped_count; i++)
        if (strcmp(evs__shipped_scripts[i].name, name) == 0)
            return &evs__shipped_scripts[i];
    fail_msg("%s is not shipped", name);
    return NULL;
}

redisReply *script_eval(script_server *server, const char *name, const evs_bytes *words,
                        size_t nkeys, size_t nwords)
{
    const evs__shipped_script *script = shipped(name);
    const char **argv = calloc(nwords + 3, sizeof *argv);
    size_t *lens = calloc(nwords + 3, sizeof *lens);
    char count[24];
    assert_non_null(argv);
    assert_non_null(lens);
    argv[0] = "EVAL", lens[0] = 4;
    argv[1] = script->source, lens[1] = script->len;
    argv[2] = count, lens[2] = (size_t)snprintf(count, sizeof count, "%zu", nkeys);
    for (size_t i = 0; i < nwords; i++) {
        argv[i + 3] = words[i].data;
        lens[i + 3] = words[i].len;
    }
    redisReply *reply = redisCommandArgv(server->redis, (int)nwords + 3, argv, lens);
    assert_non_null(reply);
    free(lens);
    free(argv);
    return reply;
}

static redisReply *command(script_server *server, const char *text)
{
    redisReply *reply = redisCommand(server->redis, text);
    assert_non_null(reply);
    return reply;
}

void script_server_dump(evs__buf *out, script_server *server)
{
    redisReply *reply = redisCommand(server->redis, "EVAL %s 0", dump_script);
    assert_non_null(reply);
    if (reply->type != REDIS_REPLY_STRING)
        fail_msg("the dump answered %s", reply->str);
    evs__buf_append(out, reply->str, reply->len);
    freeReplyObject(reply);
}

/* A server adds " script: SHA1, on LINE." to what a command inside failed with. */
static int error_len(const redisReply *reply)
{
    const char *place = strstr(reply->str, " script: ");
    return place == NULL ? (int)reply->len : (int)(place - reply->str);
}

static void render(evs__buf *out, const redisReply *reply)
{
    switch (reply->type) {
    case REDIS_REPLY_STATUS:
        evs__buf_format(out, "+%s", reply->str);
        break;
    case REDIS_REPLY_ERROR:
        evs__buf_format(out, "-%.*s", error_len(reply), reply->str);
        break;
    case REDIS_REPLY_INTEGER:
        evs__buf_format(out, ":%lld", reply->integer);
        break;
    case REDIS_REPLY_STRING:
        evs__buf_format(out, "$%s", reply->str);
        break;
    case REDIS_REPLY_NIL:
        evs__buf_char(out, '_');
        break;
    default:
        evs__buf_format(out, "reply of type %d", reply->type);
    }
}

/* Takes the next of the steps separated by "; " off `*list`; 0 at the end. */
static int next_step(char step[STEP_MAX], const char **list)
{
    if (**list == '\0')
        return 0;
    const char *end = strstr(*list, "; ");
    size_t len = end == NULL ? strlen(*list) : (size_t)(end - *list);
    assert_true(len < STEP_MAX);
    memcpy(step, *list, len);
    step[len] = '\0';
    *list += end == NULL ? len : len + 2;
    return 1;
}

/* Takes the next of the words separated by blanks off `*text`; 0 at the end. */
static int next_word(evs_bytes *word, const char **text)
{
    *text += strspn(*text, " ");
    word->data = *text;
    word->len = strcspn(*text, " ");
    *text += word->len;
    return word->len > 0;
}

static redisReply *call(script_server *server, const char *step)
{
    if (step[0] == '!')
        return command(server, step + 1);
    evs_bytes words[WORDS_MAX], word;
    size_t nwords = 0, nkeys = 0;
    char name[64];
    next_word(&word, &step);
    snprintf(name, sizeof name, "%.*s", (int)word.len, word.data);
    while (next_word(&word, &step)) {
        assert_true(nwords < WORDS_MAX);
        if (word.len == 1 && word.data[0] == '/')
            nkeys = nwords;
        else
            words[nwords++] = word;
    }
    return script_eval(server, name, words, nkeys, nwords);
}

void script_server_fill(script_server *server, const char *commands)
{
    char step[STEP_MAX];
    freeReplyObject(command(server, "FLUSHALL"));
    while (next_step(step, &commands)) {
        redisReply *reply = command(server, step);
        if (reply->type == REDIS_REPLY_ERROR)
            fail_msg("%s: %s", step, reply->str);
        freeReplyObject(reply);
    }
}

static void assert_case(script_server *server, const script_case *c)
{
    evs__buf replies = EVS__BUF_INIT, after = EVS__BUF_INIT;
    char step[STEP_MAX];
    const char *calls = c->calls;
    script_server_fill(server, c->before);
    while (next_step(step, &calls)) {
        redisReply *reply = call(server, step);
        if (replies.len > 0)
            evs__buf_text(&replies, "; ");
        render(&replies, reply);
        freeReplyObject(reply);
    }
    script_server_dump(&after, server);
    if (strcmp(replies.data, c->replies) != 0)
        fail_msg("%s: answered %s\nexpected %s", c->what, replies.data, c->replies);
    if (strcmp(after.data, c->after) != 0)
        fail_msg("%s: left %s\nexpected %s", c->what, after.data, c->after);
    evs__buf_free(&replies);
    evs__buf_free(&after);
}

void assert_cases(script_server *server, const script_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_case(server, &cases[i]);
}
