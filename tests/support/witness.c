#include "tests/support/witness.h"

#include "core/command.h"
#include "tools/scratch/scratch.h"

#include <hiredis/hiredis.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS_MAX = 300, TEXT_MAX = 1 << 16, KEYS_MAX = 3, SECONDS = 5 };

struct witness {
    scratch *area;
    scratch_server *server;
    redisContext *redis, *monitor;
    witness_counts counts;
    size_t marks;
    char problem[1024];
};

/* ---- the server ---- */

static redisContext *connect_to(const scratch_server *server)
{
    struct timeval limit = {SECONDS, 0};
    redisContext *redis = redisConnectUnix(scratch_socket(server));
    assert_non_null(redis);
    assert_int_equal(redis->err, 0);
    redisSetTimeout(redis, limit);
    return redis;
}

static void start(witness *w)
{
    char name[32];
    snprintf(name, sizeof name, "witness-%zu", w->counts.crashes);
    assert_int_equal(scratch_start(&w->server, w->area, name, NULL), SCRATCH_OK);
    w->redis = connect_to(w->server);
    w->monitor = connect_to(w->server);
    freeReplyObject(redisCommand(w->monitor, "MONITOR"));
}

/* Some scripts crash a server (an error object without a text), some keep it busy for ever. */
static void start_again(witness *w)
{
    redisFree(w->redis);
    redisFree(w->monitor);
    scratch_kill(w->server);
    w->counts.crashes++;
    start(w);
}

witness *witness_open(void)
{
    witness *w = calloc(1, sizeof *w);
    assert_non_null(w);
    assert_int_equal(scratch_new(&w->area), SCRATCH_OK);
    start(w);
    return w;
}

void witness_close(witness *w)
{
    redisFree(w->redis);
    redisFree(w->monitor);
    scratch_free(w->area);
    free(w);
}

const witness_counts *witness_seen(const witness *w)
{
    return &w->counts;
}

static const char *wrong(witness *w, const witness_trial *trial, const char *why, const char *what)
{
    snprintf(w->problem, sizeof w->problem, "with %u keys (turn %u): %s: %.700s", trial->nkeys,
             trial->turn, why, what);
    return w->problem;
}

/* ---- what was run ---- */

typedef struct words {
    char text[TEXT_MAX];
    evs_bytes args[WORDS_MAX];
    size_t count;
} words;

static int hex(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* A word in quotes, as MONITOR escapes it; returns what is behind it. */
static const char *unquote(const char *at, char **out)
{
    static const char from[] = "nrtab", to[] = "\n\r\t\a\b";
    for (; *at != '"' && *at != '\0'; at++) {
        if (*at != '\\') {
            *(*out)++ = *at;
            continue;
        }
        at++;
        const char *known = strchr(from, *at);
        if (*at == 'x') {
            *(*out)++ = (char)(hex(at[1]) * 16 + hex(at[2]));
            at += 2;
        } else {
            *(*out)++ = known == NULL ? *at : to[known - from];
        }
    }
    return *at == '"' ? at + 1 : at;
}

/* Longer lines are left out: 0. */
static int split(words *out, const char *line)
{
    const char *at = strchr(line, ']');
    char *text = out->text;
    out->count = 0;
    if (at == NULL || strlen(line) >= TEXT_MAX - WORDS_MAX)
        return 0;
    while ((at = strchr(at, '"')) != NULL && out->count < WORDS_MAX) {
        evs_bytes *word = &out->args[out->count++];
        word->data = text;
        at = unquote(at + 1, &text);
        word->len = (size_t)(text - word->data);
        *text++ = '\0';
    }
    return out->count > 0;
}

/* ---- what the audit said ---- */

static int is_declared(const witness_trial *t, evs_bytes key)
{
    return key.len == 2 && key.data[0] == 'k' && key.data[1] >= '1' &&
           (unsigned)(key.data[1] - '0') <= t->nkeys;
}

/* The worst verdict of the sites in a line, or (line 0) of a command; UNREACHED when there is none.
 */
static evs_verdict worst(const witness_trial *t, int line, const char *command)
{
    size_t count;
    const evs_site *sites = evs_report_sites(t->report, &count);
    evs_verdict found = EVS_VERDICT_UNREACHED;
    for (size_t i = 0; i < count; i++) {
        int here = line > 0 ? sites[i].at.line == line
                            : strcmp(sites[i].command, command) == 0 ||
                                  strcmp(sites[i].command, "?") == 0;
        if (here && sites[i].verdict > found)
            found = sites[i].verdict;
    }
    return found;
}

static evs_verdict verdict_of(const witness_trial *t, const words *said,
                              const evs__command *command)
{
    const char *last = said->args[said->count - 1].data;
    int line = t->by_line && last[0] == 'L' ? atoi(last + 1) : 0;
    evs_verdict verdict = worst(t, line, command->name);
    if (verdict == EVS_VERDICT_UNREACHED && t->wrapper_line > 0)
        verdict = worst(t, t->wrapper_line, command->name);
    return verdict;
}

static const char *check_keys(witness *w, const witness_trial *t, const words *said,
                              const evs__command *command, const char *line)
{
    size_t positions[WORDS_MAX];
    int count = evs__command_keys(command, said->args, said->count, positions, WORDS_MAX);
    if (count <= 0)
        return NULL;
    w->counts.commands++;
    evs_verdict verdict = verdict_of(t, said, command);
    if (verdict == EVS_VERDICT_UNREACHED && evs_report_complete(t->report))
        return wrong(w, t, "code ran that was judged unreached", line);
    int doubted = verdict > EVS_VERDICT_DECLARED || verdict == EVS_VERDICT_UNREACHED;
    if (doubted && evs_report_verdict(t->report) > EVS_VERDICT_DECLARED)
        return NULL;
    for (int i = 0; i < count && i < WORDS_MAX; i++)
        if (!is_declared(t, said->args[positions[i]]))
            return wrong(w, t, "a key was touched that is not in KEYS", line);
    return NULL;
}

static const char *check_command(witness *w, const witness_trial *t, const char *line)
{
    static words said;
    const unsigned changing = EVS__COMMAND_WRITE | EVS__COMMAND_MAY_REPLICATE;
    if (!split(&said, line))
        return NULL;
    evs_bytes sub = said.count > 1 ? said.args[1] : evs_text("");
    const evs__command *command = evs__command_find(said.args[0], sub);
    if (command == NULL)
        return wrong(w, t, "a command ran that is not in the table", line);
    if ((command->flags & changing) != 0 && !evs_report_may_write(t->report))
        return wrong(w, t, "a script wrote that may not write", line);
    return check_keys(w, t, &said, command, line);
}

static const char *read_monitor(witness *w, const witness_trial *t)
{
    char mark[32];
    const char *problem = NULL;
    snprintf(mark, sizeof mark, "mark-%zu", ++w->marks);
    freeReplyObject(redisCommand(w->redis, "ECHO %s", mark));
    for (;;) {
        redisReply *reply;
        if (redisGetReply(w->monitor, (void **)&reply) != REDIS_OK) {
            start_again(w);
            return NULL;
        }
        int done = strstr(reply->str, mark) != NULL && strstr(reply->str, "\"ECHO\"") != NULL;
        if (problem == NULL && strstr(reply->str, " lua] ") != NULL)
            problem = check_command(w, t, reply->str);
        freeReplyObject(reply);
        if (done)
            return problem;
    }
}

/* ---- the reply ---- */

static int is_marked(const char *text)
{
    const char *script = strstr(text, " script: ");
    return strncmp(text, "ERR Error running script", 24) == 0 ||
           (script != NULL && strstr(script, ", on @user_") != NULL &&
            text[strlen(text) - 1] == '.');
}

static const char *check_reply(witness *w, const witness_trial *t, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ERROR)
        return NULL;
    if (strstr(reply->str, "compiling") != NULL &&
        evs_report_verdict(t->report) != EVS_VERDICT_NONE)
        return wrong(w, t, "a script does not compile", reply->str);
    w->counts.errors++;
    if (!evs_report_may_return_errors(t->report) && !is_marked(reply->str))
        return wrong(w, t, "an error came that no server marked", reply->str);
    return NULL;
}

/* ---- one run ---- */

/* What is stored before: nothing, or names of keys, or values of several types. */
static void prepare(witness *w, unsigned turn)
{
    static const char *const stored[] = {
        "SET k1 k2",          "HSET k2 f bad name k3 err BUSY",
        "RPUSH k3 bad k1 k2", "SET k2 bad",
        "SADD k1 k2 bad",     "ZADD k3 1 k1 2 bad",
    };
    redisAppendCommand(w->redis, "FLUSHALL");
    size_t n = turn % 3 == 0 ? 0 : 3, first = turn % 3 == 1 ? 0 : 3;
    for (size_t i = 0; i < n; i++)
        redisAppendCommand(w->redis, stored[first + i]);
    for (size_t i = 0; i <= n; i++) {
        redisReply *reply = NULL;
        redisGetReply(w->redis, (void **)&reply);
        freeReplyObject(reply);
    }
}

static redisReply *run(witness *w, const witness_trial *t)
{
    static const char *const keys[] = {"k1", "k2", "k3"};
    static const char *const args[] = {"0", "1", "k1", "bad", "k2"};
    const char *argv[4 + KEYS_MAX + 4];
    char number[8];
    int argc = 0;
    argv[argc++] = t->function != NULL ? "FCALL" : "EVAL";
    argv[argc++] = t->function != NULL ? t->function : t->source;
    snprintf(number, sizeof number, "%u", t->nkeys);
    argv[argc++] = number;
    for (unsigned i = 0; i < t->nkeys; i++)
        argv[argc++] = keys[i];
    for (unsigned i = 0; i < 1 + t->turn % 3; i++)
        argv[argc++] = args[(t->turn + i) % 5];
    return redisCommandArgv(w->redis, argc, argv, NULL);
}

/* 0 when it does not load: then there is nothing to see. */
static int load(witness *w, const witness_trial *t)
{
    if (t->function == NULL)
        return 1;
    const char *argv[] = {"FUNCTION", "LOAD", "REPLACE", t->source};
    redisReply *reply = redisCommandArgv(w->redis, 4, argv, NULL);
    int loaded = reply != NULL && reply->type == REDIS_REPLY_STRING;
    if (reply == NULL)
        start_again(w);
    else
        freeReplyObject(reply);
    return loaded;
}

const char *witness_check(witness *w, const witness_trial *trial)
{
    prepare(w, trial->turn);
    if (!load(w, trial))
        return NULL;
    w->counts.runs++;
    redisReply *reply = run(w, trial);
    if (reply == NULL) {
        start_again(w);
        return NULL;
    }
    const char *problem = check_reply(w, trial, reply);
    freeReplyObject(reply);
    if (problem != NULL)
        return problem;
    return read_monitor(w, trial);
}
