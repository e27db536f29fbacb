/*
 * A declared verdict is never wrong: random scripts are audited, then run on a real server.
 *
 * Each call of a script carries the number of its line as its last argument, and MONITOR shows the
 * commands that a script runs. So every command that was executed is traced back to the site the
 * audit judged: when the site is declared, its keys must be among KEYS; when it is unreached, or
 * not there at all, it must not have run.
 *
 * EVALSHARD_SOUNDNESS_RUNS says how many scripts (default 400), EVALSHARD_SOUNDNESS_SEED where the
 * random numbers begin.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/command.h"
#include "tools/scratch/scratch.h"

#include <evalshard/audit.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRIPT_MAX = 32768, WORDS_MAX = 16, WORD_MAX = 64, KEYS_MAX = 3, TRIES = 3 };

/* ---- scripts ---- */

typedef struct writer {
    char text[SCRIPT_MAX];
    size_t len;
    int line;
    uint64_t random;
    unsigned bad; /* one in how many expressions is no key; 0: none */
    int in_function;
    int loops;
} writer;

static unsigned roll(writer *w, unsigned sides)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(w->random >> 33) % sides;
}

static void put(writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(writer *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(w->text + w->len, SCRIPT_MAX - w->len, format, args);
    va_end(args);
    assert_true(n >= 0 && w->len + (size_t)n < SCRIPT_MAX);
    for (int i = 0; i < n; i++)
        w->line += w->text[w->len + (size_t)i] == '\n';
    w->len += (size_t)n;
}

static void variable(writer *w)
{
    static const char *const names[] = {"v0", "v1", "v2", "v3", "a", "b"};
    put(w, "%s", names[roll(w, w->in_function ? 6 : 4)]);
}

static void key(writer *w, int depth);

static void condition(writer *w)
{
    switch (roll(w, 8)) {
    case 0:
        put(w, "#KEYS > %u", roll(w, 3));
        return;
    case 1:
        variable(w);
        return;
    case 2:
        put(w, "not ");
        variable(w);
        return;
    case 3:
        variable(w);
        put(w, roll(w, 2) ? " == KEYS[%u]" : " ~= KEYS[%u]", 1 + roll(w, 3));
        return;
    case 4:
        variable(w);
        put(w, roll(w, 2) ? " == 'bad'" : " ~= 'bad'");
        return;
    case 5:
        variable(w);
        put(w, roll(w, 2) ? " and " : " or ");
        variable(w);
        put(w, " ~= nil");
        return;
    case 6:
        put(w, "f%u(", roll(w, 2));
        variable(w);
        put(w, ") == ");
        variable(w);
        return;
    default:
        put(w, "ARGV[1] == '%u'", roll(w, 3));
        return;
    }
}

static void bad_key(writer *w)
{
    static const char *const bad[] = {
        "'bad'", "ARGV[1]", "ARGV[#ARGV]", "'k1'..'z'", "redis.call('ECHO', 'bad')", "'bad'"};
    put(w, "%s", bad[roll(w, 6)]);
}

static void call_of(writer *w, int depth)
{
    static const char *const calls[] = {"f0(", "f1(", "h(f0, ", "t0.f("};
    put(w, "%s", calls[roll(w, 4)]);
    key(w, depth);
    put(w, ", ");
    key(w, depth);
    put(w, ")");
}

static void key(writer *w, int depth)
{
    if (w->bad > 0 && roll(w, w->bad) == 0) {
        bad_key(w);
        return;
    }
    switch (depth <= 0 ? roll(w, 6) : roll(w, 16)) {
    case 0:
    case 1:
        put(w, "KEYS[%u]", 1 + roll(w, 3));
        return;
    case 2:
    case 3:
    case 4:
        variable(w);
        return;
    case 5:
        put(w, "KEYS[#KEYS]");
        return;
    case 6:
    case 7:
        call_of(w, depth - 1);
        return;
    case 8:
        put(w, "t%u[%u]", roll(w, 2), 1 + roll(w, 2));
        return;
    case 9:
        put(w, "t%u.%c", roll(w, 2), "xy"[roll(w, 2)]);
        return;
    case 10:
        put(w, "t%u[#t0]", roll(w, 2));
        return;
    case 11:
        put(w, "(");
        condition(w);
        put(w, " and ");
        key(w, depth - 1);
        put(w, " or ");
        key(w, depth - 1);
        put(w, ")");
        return;
    case 12:
        put(w, "(unpack(t%u))", roll(w, 2));
        return;
    case 13:
        put(w, "t%u[", roll(w, 2));
        key(w, 0);
        put(w, "]");
        return;
    case 14:
        put(w, w->in_function ? "(select(%u, ...))" : "KEYS[%u]", 1 + roll(w, 2));
        return;
    default:
        put(w, "({");
        key(w, depth - 1);
        put(w, ", ");
        key(w, depth - 1);
        put(w, "})[%u]", 1 + roll(w, 2));
        return;
    }
}

/* One call, on a line of its own that it names. */
static void command(writer *w)
{
    static const char *const runs[] = {"redis.pcall(", "call(", "pcall(redis.call, ", "wrap("};
    put(w, "%s", runs[roll(w, 4)]);
    switch (roll(w, 4)) {
    case 0:
        put(w, "'MSET', ");
        key(w, 1);
        put(w, ", 'v', ");
        key(w, 1);
        break;
    case 1:
        put(w, "'HSET', ");
        key(w, 2);
        put(w, ", 'f'");
        break;
    default:
        put(w, "'SET', ");
        key(w, 2);
        break;
    }
    put(w, ", '%d')\n", w->line);
}

static void statements(writer *w, int depth);

static void assignment(writer *w)
{
    switch (roll(w, 12)) {
    case 0:
        put(w, "v0, v1 = v1, v0\n");
        return;
    case 1:
        put(w, "local v%u = ", roll(w, 4));
        break;
    case 2:
        put(w, "t%u[%u] = ", roll(w, 2), 1 + roll(w, 2));
        break;
    case 3:
        put(w, "t%u.%c = ", roll(w, 2), "xy"[roll(w, 2)]);
        break;
    case 4:
        put(w, "if #t0 < 9 then t0[#t0 + 1] = "); /* tables must not double for ever */
        key(w, 2);
        put(w, " end\n");
        return;
    case 5:
        put(w, "if #t1 < 9 then table.insert(t1, 1, (");
        key(w, 1);
        put(w, ") or KEYS[1]) end\n");
        return;
    case 6:
        put(w, "t%u[", roll(w, 2));
        key(w, 0);
        put(w, " or 1] = ");
        break;
    case 7:
        put(w, "v%u = table.remove(t%u)\n", roll(w, 4), roll(w, 2));
        return;
    default:
        variable(w);
        put(w, " = ");
        break;
    }
    key(w, 2);
    put(w, "\n");
}

static void function(writer *w, int depth)
{
    int outer = w->in_function, loops = w->loops;
    w->in_function = 1;
    w->loops = 0;
    put(w, "function(a, b, ...)\nfuel = fuel - 1 if fuel < 0 then return KEYS[1] end\n");
    statements(w, depth - 1);
    put(w, "return ");
    key(w, 1);
    put(w, "\nend");
    w->in_function = outer;
    w->loops = loops;
}

static void loop(writer *w, int depth)
{
    static const char *const heads[] = {"for i = 1, #KEYS do v0 = KEYS[i]\n",
                                        "for i, v1 in ipairs(KEYS) do\n",
                                        "for i, v2 in pairs(t0) do\n",
                                        "for i, v3 in ipairs(t1) do\n",
                                        "for i = 1, 2 do\n",
                                        "local n = 0 while n < 3 do n = n + 1\n",
                                        "for v0 in pairs(t1) do\n",
                                        "table.foreachi(KEYS, function(i, v1, ...)\n"};
    unsigned which = roll(w, 8);
    int loops = w->loops;
    put(w, "%s", heads[which]);
    w->loops = which != 7;
    if (w->loops)
        put(w, "fuel = fuel - 1 if fuel < 0 then break end\n");
    statements(w, depth - 1);
    if (w->loops && roll(w, 5) == 0) {
        put(w, "if ");
        condition(w);
        put(w, " then break end\n");
    }
    w->loops = loops;
    put(w, which == 7 ? "end)\n" : "end\n");
}

static void rare(writer *w, int depth)
{
    switch (roll(w, 8)) {
    case 0:
        put(w, "t0 = setmetatable({}, {__index = t1})\n");
        return;
    case 1:
        put(w, "t%u = KEYS\n", roll(w, 2));
        return;
    case 2:
        put(w, "t0, t1 = t1, t0\n");
        return;
    case 3:
        put(w, "t1 = {x = v0, v1, v2, f = f0}\n");
        return;
    case 4:
        put(w, "table.sort(t1, function(c, d) v0 = c return c < d end)\n");
        return;
    case 5:
        put(w, "KEYS[%u] = ", 1 + roll(w, 3));
        key(w, 1);
        put(w, "\n");
        return;
    case 6:
        put(w, "t0.f = ");
        function(w, depth);
        put(w, "\n");
        return;
    default:
        put(w, "string.gsub('ab', '.', function(c) v1 = v2 v2 = v3 end)\n");
        return;
    }
}

static void statement(writer *w, int depth)
{
    switch (roll(w, depth > 0 ? 14 : 9)) {
    case 0:
    case 1:
    case 2:
    case 3:
        assignment(w);
        return;
    case 9:
        put(w, "if ");
        condition(w);
        put(w, " then\n");
        statements(w, depth - 1);
        if (roll(w, 2)) {
            put(w, "else\n");
            statements(w, depth - 1);
        }
        put(w, "end\n");
        return;
    case 10:
        loop(w, depth);
        return;
    case 11:
        put(w, "f%u = ", roll(w, 2));
        function(w, depth);
        put(w, "\n");
        return;
    case 12:
        put(w, "pcall(function(...)\n");
        statements(w, depth - 1);
        put(w, roll(w, 2) ? "error('x')\nend)\n" : "end)\n");
        return;
    case 13:
        rare(w, depth);
        return;
    default:
        command(w);
        return;
    }
}

static void statements(writer *w, int depth)
{
    unsigned n = 1 + roll(w, 4);
    if (w->len > SCRIPT_MAX / 2)
        return;
    for (unsigned i = 0; i < n; i++)
        statement(w, depth);
}

static void write_script(writer *w, uint64_t seed)
{
    static const unsigned bads[] = {0, 12, 25, 60, 60};
    w->len = 0;
    w->line = 1;
    w->random = seed * 2654435761u + 99;
    roll(w, 2);
    w->bad = bads[roll(w, 5)];
    w->in_function = w->loops = 0;
    put(w, "local call, fuel = redis.pcall, 50\n"
           "local v0, v1, v2, v3 = KEYS[1], KEYS[2], KEYS[1], KEYS[3]\n"
           "local t0, t1 = {KEYS[1], KEYS[2], x = KEYS[1]}, {}\n"
           "local f0 = function(a) return a end\n"
           "local f1 = function(a, b) v3 = b return a end\n"
           "local function h(f, ...) return f(...) end\n"
           "local function wrap(...) return redis.pcall(...) end\n"
           "t0.f = f0\n");
    for (int i = 0; i < 5; i++)
        statements(w, 3);
}

/* ---- the server ---- */

typedef struct world {
    scratch *area;
    redisContext *redis, *monitor;
    size_t declared, commands, marks;
} world;

static redisContext *connect_to(const scratch_server *server)
{
    redisContext *redis = redisConnectUnix(scratch_socket(server));
    assert_non_null(redis);
    assert_int_equal(redis->err, 0);
    return redis;
}

static int begin(void **state)
{
    static world w;
    scratch_server *server;
    assert_int_equal(scratch_new(&w.area), SCRATCH_OK);
    assert_int_equal(scratch_start(&server, w.area, "soundness", NULL), SCRATCH_OK);
    w.redis = connect_to(server);
    w.monitor = connect_to(server);
    freeReplyObject(redisCommand(w.monitor, "MONITOR"));
    *state = &w;
    return 0;
}

static int end(void **state)
{
    world *w = *state;
    redisFree(w->redis);
    redisFree(w->monitor);
    scratch_free(w->area);
    return 0;
}

/* ---- what was run ---- */

typedef struct words {
    char text[WORDS_MAX][WORD_MAX];
    evs_bytes args[WORDS_MAX];
    size_t count;
} words;

/* The words of a line of MONITOR; none of them has a quote or a backslash in it. */
static void split(words *out, const char *line)
{
    out->count = 0;
    const char *at = strchr(line, ']');
    while (at != NULL && (at = strchr(at, '"')) != NULL && out->count < WORDS_MAX) {
        const char *stop = strchr(at + 1, '"');
        assert_non_null(stop);
        size_t len = (size_t)(stop - at - 1);
        assert_true(len < WORD_MAX);
        char *word = out->text[out->count];
        memcpy(word, at + 1, len);
        word[len] = '\0';
        out->args[out->count].data = word;
        out->args[out->count++].len = len;
        at = stop + 1;
    }
}

/* One run of a script that was judged. */
typedef struct trial {
    const writer *script;
    const evs_report *report;
    unsigned nkeys;
} trial;

static int is_declared(const trial *t, evs_bytes key)
{
    return key.len == 2 && key.data[0] == 'k' && key.data[1] >= '1' &&
           (unsigned)(key.data[1] - '0') <= t->nkeys;
}

/* The worst verdict of the sites on a line; UNREACHED when there is none. */
static evs_verdict verdict_of(const trial *t, int line)
{
    size_t count;
    const evs_site *sites = evs_report_sites(t->report, &count);
    evs_verdict worst = EVS_VERDICT_UNREACHED;
    for (size_t i = 0; i < count; i++)
        if (sites[i].at.line == line && sites[i].verdict > worst)
            worst = sites[i].verdict;
    return worst;
}

static void unsound(const trial *t, const char *line, const char *why)
{
    fprintf(stderr, "%s\nwith %u keys it ran: %s\n", t->script->text, t->nkeys, line);
    fail_msg("%s", why);
}

/* The wrapper has the only site of the calls that go through it. */
static evs_verdict wrapper_verdict(const trial *t)
{
    return verdict_of(t, 7);
}

static void check_command(world *w, const trial *t, const char *line)
{
    words said;
    size_t positions[WORDS_MAX];
    evs_bytes none = {"", 0};
    split(&said, line);
    const evs__command *found = evs__command_find(said.args[0], none);
    assert_non_null(found);
    int count = evs__command_keys(found, said.args, said.count, positions, WORDS_MAX);
    if (count <= 0)
        return; /* ECHO, or refused */
    w->commands++;
    evs_verdict verdict = verdict_of(t, atoi(said.text[said.count - 1]));
    if (verdict == EVS_VERDICT_UNREACHED)
        verdict = wrapper_verdict(t);
    if (verdict == EVS_VERDICT_UNREACHED)
        unsound(t, line, "code ran that was judged unreached");
    if (verdict > EVS_VERDICT_DECLARED && evs_report_verdict(t->report) > EVS_VERDICT_DECLARED)
        return;
    for (int i = 0; i < count; i++)
        if (!is_declared(t, said.args[positions[i]]))
            unsound(t, line, "a key was touched that is not in KEYS");
}

static void read_monitor(world *w, const trial *t)
{
    char mark[32];
    snprintf(mark, sizeof mark, "mark-%zu", ++w->marks);
    freeReplyObject(redisCommand(w->redis, "ECHO %s", mark));
    for (;;) {
        redisReply *reply;
        assert_int_equal(redisGetReply(w->monitor, (void **)&reply), REDIS_OK);
        int done = strstr(reply->str, mark) != NULL;
        if (strstr(reply->str, " lua] ") != NULL)
            check_command(w, t, reply->str);
        freeReplyObject(reply);
        if (done)
            return;
    }
}

static void run(world *w, const trial *t, unsigned turn)
{
    const char *argv[4 + KEYS_MAX + 1] = {"EVAL", t->script->text};
    static const char *const keys[] = {"k1", "k2", "k3"};
    static const char *const args[] = {"0", "1", "k1"};
    char number[8];
    int argc = 3;
    snprintf(number, sizeof number, "%u", t->nkeys);
    argv[2] = number;
    for (unsigned i = 0; i < t->nkeys; i++)
        argv[argc++] = keys[i];
    argv[argc++] = args[turn % 3];
    freeReplyObject(redisCommand(w->redis, "FLUSHALL"));
    redisReply *reply = redisCommandArgv(w->redis, argc, argv, NULL);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR && strstr(reply->str, "compiling") != NULL)
        unsound(t, reply->str, "a script does not compile");
    freeReplyObject(reply);
    read_monitor(w, t);
}

static void try_script(world *w, uint64_t seed)
{
    static writer script;
    trial t = {&script, NULL, 0};
    evs_report *report;
    write_script(&script, seed);
    assert_int_equal(evs_audit(&report, evs_text(script.text), NULL, NULL), EVS_OK);
    t.report = report;
    w->declared += evs_report_verdict(report) == EVS_VERDICT_DECLARED;
    for (unsigned turn = 0; turn < TRIES; turn++) {
        t.nkeys = (unsigned)(seed + turn * 2) % (KEYS_MAX + 1);
        run(w, &t, turn);
    }
    evs_report_free(report);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void no_declared_site_touches_another_key(void **state)
{
    world *w = *state;
    uint64_t runs = setting("EVALSHARD_SOUNDNESS_RUNS", 400);
    uint64_t seed = setting("EVALSHARD_SOUNDNESS_SEED", 1);
    for (uint64_t i = 0; i < runs; i++)
        try_script(w, seed + i);
    print_message("%llu scripts, %zu of them declared, %zu commands traced\n",
                  (unsigned long long)runs, w->declared, w->commands);
    /* The test shows something only if scripts are declared and run. */
    assert_true(w->declared * 50 >= runs);
    assert_true(w->commands >= runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_declared_site_touches_another_key),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
