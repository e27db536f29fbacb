/*
 * What commands reply, against a real server.
 *
 * Each call of tests/data/command-calls.txt is made in a script, with RESP2 and with RESP3, and the
 * script says what it got. That must be what the table promises, and no row is left untried that
 * the server can try.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/command.h"
#include "core/command_reply.h"
#include "tools/scratch/scratch.h"

static const char path[] = EVS_TEST_SOURCE_DIR "/tests/data/command-calls.txt";

enum { ARGS = 24, ROWS_MAX = 500 };

/* ARGV: the protocol, the call. Gives the form of the whole, then of each element. */
static const char observer[] =
    "local function form(v)\n"
    "    local t = type(v)\n"
    "    if t == 'number' then return 'int ' .. string.format('%.17g', v) end\n"
    "    if t == 'string' then return 'bulk ' .. v end\n"
    "    if t ~= 'table' then return v == nil and 'nil3' or v == false and 'nil2' or 'other' end\n"
    "    if v.ok then return 'status' end\n"
    "    if v.err then return 'error ' .. v.err end\n"
    "    if v.map then return 'map' end\n"
    "    if v.set then return 'set' end\n"
    "    if v.double then return 'double' end\n"
    "    if v.verbatim_string then return 'verbatim' end\n"
    "    return 'list'\n"
    "end\n"
    "redis.setresp(tonumber(ARGV[1]))\n"
    "local r = redis.pcall(unpack(ARGV, 2))\n"
    "local out = { form(r) }\n"
    "if type(r) ~= 'table' then return out end\n"
    "for i = 1, #r do out[#out + 1] = form(r[i]) end\n"
    "for k, v in pairs(r.map or {}) do out[#out + 1] = form(v) end\n"
    "for k in pairs(r.set or {}) do out[#out + 1] = form(k) end\n"
    "return out\n";

static const struct {
    const char *name;
    unsigned resp2, resp3;
} observed[] = {
    {"status", EVS__REPLY_STATUS, EVS__REPLY_STATUS},
    {"int ", EVS__REPLY_INT, EVS__REPLY_INT},
    {"bulk ", EVS__REPLY_BULK | EVS__REPLY_DOUBLE | EVS__REPLY_VERBATIM, EVS__REPLY_BULK},
    {"nil2", EVS__REPLY_NIL, 0},
    {"nil3", 0, EVS__REPLY_NIL},
    {"double", 0, EVS__REPLY_DOUBLE},
    {"verbatim", 0, EVS__REPLY_VERBATIM},
    {"list", EVS__REPLY_LIST | EVS__REPLY_SET | EVS__REPLY_MAP, EVS__REPLY_LIST},
    {"set", 0, EVS__REPLY_SET},
    {"map", 0, EVS__REPLY_MAP},
};

/* Which kinds a form may stand for; 0 when it is none. */
static unsigned kinds_of(const char *form, int protocol)
{
    for (size_t i = 0; i < sizeof observed / sizeof *observed; i++)
        if (strncmp(form, observed[i].name, strlen(observed[i].name)) == 0)
            return protocol == 2 ? observed[i].resp2 : observed[i].resp3;
    return 0;
}

typedef struct bench {
    redisContext *server;
    char *dump; /* what DUMP gave for a string */
    size_t dump_len;
    const evs__command_reply *tried[ROWS_MAX]; /* rows */
    size_t ntried;
} bench;

typedef struct call {
    const char *args[ARGS];
    size_t lens[ARGS];
    size_t count;
    const evs__command *command;
    size_t head; /* words of the command's name */
} call;

static void split(const bench *b, call *c, char *text)
{
    memset(c, 0, sizeof *c);
    for (char *save, *word = strtok_r(text, " \n", &save); word;
         word = strtok_r(NULL, " \n", &save)) {
        int is_dump = strcmp(word, "@dump") == 0;
        assert_true(c->count < ARGS);
        c->lens[c->count] = is_dump ? b->dump_len : strlen(word);
        c->args[c->count++] = is_dump ? b->dump : word;
    }
    assert_true(c->count > 0);
    c->command = evs__command_find(evs_text(c->args[0]), evs_text(c->count > 1 ? c->args[1] : ""));
    assert_non_null(c->command);
    c->head = strchr(c->command->name, ' ') == NULL ? 1 : 2;
}

static int has_word(const call *c, const evs__command_reply *row)
{
    for (size_t i = row->from; i < c->count; i++)
        if (strcasecmp(c->args[i], row->word) == 0)
            return 1;
    return 0;
}

/* The row that is right; NULL when the table says nothing of the command. */
static const evs__command_reply *row_of(const call *c, int protocol)
{
    size_t count;
    const evs__command_reply *rows = evs__command_replies(c->command->name, &count);
    for (size_t i = 0; i < count; i++)
        if ((rows[i].word == NULL || has_word(c, &rows[i])) && c->count > rows[i].least &&
            (!rows[i].resp3 || protocol == 3))
            return &rows[i];
    return NULL;
}

static void check_number(const char *form, const double range[2], const char *what)
{
    const char *text = strchr(form, ' ');
    double number = strtod(text == NULL ? "" : text, NULL);
    if (number < range[0] || number > range[1])
        fail_msg("%s: %s is not in %g..%g", what, form, range[0], range[1]);
}

static void check(const redisReply *reply, const evs__command_reply *row, int protocol,
                  const char *what)
{
    const char *whole = reply->element[0]->str;
    if ((kinds_of(whole, protocol) & row->kinds) == 0)
        fail_msg("%s with RESP%d gives %s", what, protocol, whole);
    if (strncmp(whole, "int ", 4) == 0)
        check_number(whole, row->first_range, what);
    for (size_t i = 1; i < reply->elements; i++) {
        const char *form = reply->element[i]->str;
        unsigned wanted = i == 1 ? row->first : row->elements;
        if ((wanted & EVS__REPLY_ANY) == 0 && (kinds_of(form, protocol) & wanted) == 0)
            fail_msg("%s with RESP%d: element %zu is %s", what, protocol, i, form);
        int numeric = strncmp(form, "int ", 4) == 0 || strcmp(row->command, "TIME") == 0;
        if (numeric)
            check_number(form, i == 1 ? row->first_range : row->elements_range, what);
    }
}

static void note(bench *b, const evs__command_reply *row)
{
    assert_true(b->ntried < ROWS_MAX);
    size_t i = 0;
    while (i < b->ntried && b->tried[i] != row)
        i++;
    if (i == b->ntried)
        b->tried[b->ntried++] = row;
}

static redisReply *run(const bench *b, const call *c, int protocol)
{
    const char *args[ARGS + 4] = {"EVAL", observer, "0", protocol == 2 ? "2" : "3"};
    size_t lens[ARGS + 4] = {4, sizeof observer - 1, 1, 1};
    for (size_t i = 0; i < c->count; i++) {
        args[i + 4] = c->args[i];
        lens[i + 4] = c->lens[i];
    }
    redisReply *reply = redisCommandArgv(b->server, (int)c->count + 4, args, lens);
    assert_non_null(reply);
    return reply;
}

static void prepare(const bench *b, char *text)
{
    call c;
    split(b, &c, text);
    redisReply *reply = redisCommandArgv(b->server, (int)c.count, c.args, c.lens);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", c.command->name, reply->str);
    freeReplyObject(reply);
}

static void try_line(bench *b, const char *line, int protocol)
{
    char copy[256], *text = copy, *next;
    call c;
    freeReplyObject(redisCommand(b->server, "FLUSHALL"));
    snprintf(copy, sizeof copy, "%s", line);
    for (; (next = strstr(text, " ; ")) != NULL; text = next + 3) {
        *next = '\0';
        prepare(b, text);
    }
    split(b, &c, text);
    redisReply *reply = run(b, &c, protocol);
    const evs__command_reply *row = row_of(&c, protocol);
    if (reply->type != REDIS_REPLY_ARRAY || strncmp(reply->element[0]->str, "error", 5) == 0)
        fail_msg("%s: %s", line,
                 reply->type == REDIS_REPLY_ARRAY ? reply->element[0]->str : reply->str);
    if (row == NULL)
        fail_msg("%s: the table says nothing of it; it is %s", line, reply->element[0]->str);
    check(reply, row, protocol, line);
    note(b, row);
    freeReplyObject(reply);
}

static void replies_are_what_the_table_says(void **state)
{
    bench *b = *state;
    char line[256];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        for (int protocol = 2; line[0] != '#' && protocol <= 3; protocol++)
            try_line(b, line, protocol);
    fclose(file);
}

/* Is the row for what only newer servers, or a cluster's, know? */
static int is_elsewhere(const evs__command_reply *row)
{
    static const char *const words[] = {"WITHSCORE", "IFEQ", "IFNE", "IFDEQ", "IFDNE"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (row->word != NULL && strcmp(row->word, words[i]) == 0)
            return 1;
    return strncmp(row->command, "CLUSTER ", 8) == 0 || strcmp(row->command, "ASKING") == 0 ||
           strcmp(row->command, "READONLY") == 0 || strcmp(row->command, "READWRITE") == 0;
}

static const evs__command *named(const char *name)
{
    const char *blank = strchr(name, ' ');
    evs_bytes first = {name, blank == NULL ? strlen(name) : (size_t)(blank - name)};
    return evs__command_find(first, evs_text(blank == NULL ? "" : blank + 1));
}

/* Does the server have it, and let scripts call it? */
static int is_here(const bench *b, const char *name)
{
    char bar[64];
    snprintf(bar, sizeof bar, "%s", name);
    for (char *c = bar; *c != '\0'; c++)
        *c = *c == ' ' ? '|' : *c;
    redisReply *info = redisCommand(b->server, "COMMAND INFO %s", bar);
    int here = info != NULL && info->elements == 1 && info->element[0]->elements > 2;
    for (size_t i = 0; here && i < info->element[0]->element[2]->elements; i++)
        if (strcmp(info->element[0]->element[2]->element[i]->str, "noscript") == 0)
            here = 0;
    freeReplyObject(info);
    return here;
}

static void every_row_is_tried(void **state)
{
    bench *b = *state;
    static const char *const blocking[] = {"BLMPOP", "BZMPOP"}; /* the same as without B */
    size_t count;
    const evs__command_reply *row = evs__command_replies("", &count);
    for (; strcmp(row->command, "ZUNIONSTORE") <= 0; row++) {
        size_t i = 0;
        while (i < b->ntried && b->tried[i] != row)
            i++;
        int same = strcmp(row->command, blocking[0]) == 0 || strcmp(row->command, blocking[1]) == 0;
        assert_non_null(named(row->command));
        if (i == b->ntried && !same && !is_elsewhere(row) && is_here(b, row->command))
            fail_msg("no call tries %s %s", row->command, row->word ? row->word : "");
        if (strcmp(row->command, "ZUNIONSTORE") == 0)
            break;
    }
}

static scratch *area;

static int begin(void **state)
{
    static bench b;
    scratch_server *server;
    if (scratch_new(&area) != SCRATCH_OK ||
        scratch_start(&server, area, "replies", NULL) != SCRATCH_OK)
        return -1;
    b.server = redisConnectUnix(scratch_socket(server));
    if (b.server == NULL || b.server->err)
        return -1;
    freeReplyObject(redisCommand(b.server, "SET k v"));
    redisReply *dump = redisCommand(b.server, "DUMP k");
    b.dump = malloc(dump->len);
    b.dump_len = dump->len;
    if (b.dump != NULL)
        memcpy(b.dump, dump->str, dump->len);
    freeReplyObject(dump);
    *state = &b;
    return b.dump == NULL ? -1 : 0;
}

static int end(void **state)
{
    bench *b = *state;
    redisFree(b->server);
    free(b->dump);
    scratch_free(area);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_what_the_table_says),
        cmocka_unit_test(every_row_is_tried),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
