/*
 * The parser says of every text what SCRIPT LOAD of a real server says: accepted or refused, in
 * which line, and in which words.
 *
 * The texts are the examples of the audit's rules and idioms, the scripts we ship, and variants of
 * them, made by changing tokens and bytes at random. EVS_ORACLE_RUNS says how many variants
 * (default 5,000), EVS_ORACLE_SEED which ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "scripts/syntax/lexer.h"
#include "scripts/syntax/parser.h"
#include "tools/scratch/scratch.h"

enum {
    MOST_TEXTS = 1024,
    MOST_TOKENS = 4096,
    LONGEST = 64 * 1024,
    BATCH = 100,
    FLUSH_EVERY = 20, /* batches */
    MOST_SHOWN = 5
};

typedef struct lua_text {
    char name[96];
    evs_bytes bytes;
} lua_text;

typedef struct server_oracle {
    scratch *area;
    redisContext *server;
    int refuses_nested; /* an old server: see evs__chunk.nested */
    lua_text texts[MOST_TEXTS];
    size_t ntexts;
    size_t asked, accepted, different;
    size_t skipped; /* nested brackets, on an old server */
} server_oracle;

/* ---- the texts ---- */

static void add_text(server_oracle *oracle, const char *kind, const char *name, const char *data,
                     size_t len)
{
    assert_true(oracle->ntexts < MOST_TEXTS);
    lua_text *text = &oracle->texts[oracle->ntexts++];
    snprintf(text->name, sizeof text->name, "%s of %s", kind, name);
    text->bytes.data = evs__copy_text(data, len);
    text->bytes.len = len;
    assert_non_null(text->bytes.data);
}

/* Adds the field `field` of every object of the array in `file`, named by its field `name`. */
static void add_fields(server_oracle *oracle, const char *file, const char *field, const char *name)
{
    char path[1024];
    json_error_t error;
    snprintf(path, sizeof path, EVS_TEST_SOURCE_DIR "/tests/data/%s", file);
    json_t *all = json_load_file(path, JSON_ALLOW_NUL, &error);
    assert_non_null(all);
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *row = json_array_get(all, i);
        const json_t *value = json_object_get(row, field);
        assert_non_null(value);
        add_text(oracle, field, json_string_value(json_object_get(row, name)),
                 json_string_value(value), json_string_length(value));
    }
    json_decref(all);
}

static void add_file(server_oracle *oracle, const char *path)
{
    static char data[LONGEST];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(data, 1, sizeof data, file);
    fclose(file);
    add_text(oracle, "file", path + strlen(EVS_TEST_SOURCE_DIR), data, len);
}

/* Adds every .lua file below `folder`, which is at most a few levels deep. */
static void add_folder(server_oracle *oracle, const char *folder)
{
    struct dirent **names;
    int count = scandir(folder, &names, NULL, alphasort);
    assert_true(count >= 0);
    for (int i = 0; i < count; i++) {
        char path[2048];
        const char *name = names[i]->d_name;
        snprintf(path, sizeof path, "%s/%s", folder, name);
        const char *end = strrchr(name, '.');
        if (end != NULL && strcmp(end, ".lua") == 0)
            add_file(oracle, path);
        else if (name[0] != '.' && names[i]->d_type == DT_DIR)
            add_folder(oracle, path);
        free(names[i]);
    }
    free(names);
}

/* ---- two verdicts on one text ---- */

/* `line` is 0 when the server tells none. */
typedef struct verdict {
    int accepted;
    int line;
    char message[512];
} verdict;

/* The server makes one line of its errors. */
static void set_message(verdict *out, const char *message)
{
    snprintf(out->message, sizeof out->message, "%s", message);
    for (char *p = out->message; *p != '\0'; p++) {
        if (*p == '\r' || *p == '\n')
            *p = ' ';
    }
    size_t len = strlen(out->message);
    while (len > 0 && out->message[len - 1] == ' ')
        out->message[--len] = '\0';
}

/* "ERR Error compiling script (new function): user_script:LINE: MESSAGE", or "ERR MESSAGE" when
 * the shebang is refused. */
static void read_server(verdict *out, const redisReply *reply)
{
    static const char compiling[] = "Error compiling script (new function): ";
    static const char script[] = "user_script:";
    *out = (verdict){.accepted = reply->type != REDIS_REPLY_ERROR};
    if (out->accepted)
        return;
    const char *message = reply->str;
    if (strncmp(message, "ERR ", 4) == 0)
        message += 4;
    if (strncmp(message, compiling, sizeof compiling - 1) == 0)
        message += sizeof compiling - 1;
    if (strncmp(message, script, sizeof script - 1) == 0) {
        char *end;
        out->line = (int)strtol(message + sizeof script - 1, &end, 10);
        message = end + 2;
    }
    set_message(out, message);
}

static void read_ours(verdict *out, const evs__chunk *chunk)
{
    const evs__parse_error *error = &chunk->error;
    *out = (verdict){.accepted = error->message == NULL};
    if (out->accepted)
        return;
    out->line = error->problem == EVS__PARSE_SHEBANG ? 0 : error->line;
    set_message(out, error->message);
}

static void show(const char *name, evs_bytes source, const verdict *theirs, const verdict *ours)
{
    fprintf(stderr, "%s\n  server: %s %d: %s\n  parser: %s %d: %s\n  text: ", name,
            theirs->accepted ? "accepts" : "refuses", theirs->line, theirs->message,
            ours->accepted ? "accepts" : "refuses", ours->line, ours->message);
    for (size_t i = 0; i < source.len && i < 4000; i++) {
        unsigned char c = (unsigned char)source.data[i];
        if (c >= ' ' && c <= '~' && c != '\\')
            fputc(c, stderr);
        else
            fprintf(stderr, "\\x%02x", c);
    }
    fputc('\n', stderr);
}

static void compare(server_oracle *oracle, const char *name, evs_bytes source,
                    const redisReply *reply)
{
    evs__arena arena = EVS__ARENA_INIT;
    evs__chunk *chunk;
    verdict theirs, ours;
    assert_int_equal(evs__lua_parse(&chunk, &arena, source), 1);
    read_server(&theirs, reply);
    read_ours(&ours, chunk);
    int nested = oracle->refuses_nested && chunk->nested.end > 0;
    evs__arena_free(&arena);
    oracle->asked++;
    oracle->accepted += (size_t)theirs.accepted;
    oracle->skipped += (size_t)nested;
    if (nested || (theirs.accepted == ours.accepted && theirs.line == ours.line &&
                   strcmp(theirs.message, ours.message) == 0))
        return;
    if (oracle->different++ < MOST_SHOWN)
        show(name, source, &theirs, &ours);
}

static void send_load(server_oracle *oracle, evs_bytes source)
{
    const char *argv[] = {"SCRIPT", "LOAD", source.data};
    size_t lens[] = {6, 4, source.len};
    assert_int_equal(redisAppendCommandArgv(oracle->server, 3, argv, lens), REDIS_OK);
}

static redisReply *read_reply(server_oracle *oracle)
{
    void *reply = NULL;
    assert_int_equal(redisGetReply(oracle->server, &reply), REDIS_OK);
    return reply;
}

/* ---- variants ---- */

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(uint64_t *state, size_t limit)
{
    return limit == 0 ? 0 : (size_t)(next_random(state) % limit);
}

typedef struct lua_variant {
    char data[LONGEST];
    size_t len;
    evs__span tokens[MOST_TOKENS];
    size_t ntokens;
} lua_variant;

/* Puts `text` in the place of the bytes from `start` to `end`, when it fits. */
static void replace(lua_variant *variant, size_t start, size_t end, evs_bytes text)
{
    if (variant->len - (end - start) + text.len > LONGEST)
        return;
    memmove(variant->data + start + text.len, variant->data + end, variant->len - end);
    if (text.len > 0)
        memcpy(variant->data + start, text.data, text.len);
    variant->len = variant->len - (end - start) + text.len;
}

/* Finds the tokens, up to the first text that is none. */
static void find_tokens(lua_variant *variant)
{
    evs__arena arena = EVS__ARENA_INIT;
    evs__lexer lexer;
    evs__token token;
    evs_bytes source = {variant->data, variant->len};
    evs__lexer_init(&lexer, &arena, source, 0);
    variant->ntokens = 0;
    evs__lexer_next(&lexer, &token);
    while (token.kind != EVS__TK_EOF && variant->ntokens < MOST_TOKENS) {
        variant->tokens[variant->ntokens++] = token.at;
        evs__lexer_next(&lexer, &token);
    }
    evs__lexer_free(&lexer);
    evs__arena_free(&arena);
}

static const char *const pieces[] = {
    "and",  "break",    "do",    "else", "elseif", "end",     "false",   "for",      "function",
    "if",   "in",       "local", "nil",  "not",    "or",      "repeat",  "return",   "then",
    "true", "until",    "while", "..",   "...",    "==",      ">=",      "<=",       "~=",
    "=",    "<",        ">",     "(",    ")",      "{",       "}",       "[",        "]",
    ";",    ":",        ",",     ".",    "+",      "-",       "*",       "/",        "%",
    "^",    "#",        "--",    "[[",   "]]",     "--[[",    "[=[",     "]=]",      "\"",
    "'",    "\\",       "\n",    "\r\n", "\\256",  "\\\n",    "goto",    "//",       "&",
    "a.b",  "f()",      "x = 1", "t[1]", "{...}",  "local x", "#!lua\n", "::a::",    "!=",
    "self", "a, b = b", "t:m()", "arg",  "(...)",  "1e",      "0x",      "return 1",
};

static const char *const numbers[] = {"0",     "1",      "3.",   ".5",   "1e10",  "1E+5", "0xff",
                                      "0x1p4", "1..2",   "1e",   "1e-",  "0x",    "12ab", "1.2.3",
                                      "08",    "1_000",  "5x",   "0xg",  "1e400", "3e-9", "0X1F",
                                      "1.e1",  "0x.8p1", "0x1.", "9e9e", "...5"};

static void change_byte(lua_variant *variant, uint64_t *random)
{
    size_t at = below(random, variant->len + 1);
    size_t left = variant->len - at;
    char byte = (char)next_random(random);
    evs_bytes one = {&byte, 1};
    switch (below(random, 3)) {
    case 0:
        replace(variant, at, at, one);
        return;
    case 1:
        replace(variant, at, at + (left > 0), one);
        return;
    default:
        replace(variant, at, at + (left > 0), evs_text(""));
        return;
    }
}

/* Some of the source, at most a few tokens of it; copied, so that it can go in elsewhere. */
static evs_bytes some_tokens(const lua_variant *from, uint64_t *random, char room[1024])
{
    if (from->ntokens == 0)
        return evs_text("x");
    size_t first = below(random, from->ntokens);
    size_t last = first + below(random, 8);
    if (last >= from->ntokens)
        last = from->ntokens - 1;
    size_t start = from->tokens[first].start;
    size_t len = from->tokens[last].end - start;
    if (len > 1023)
        len = 1023;
    memcpy(room, from->data + start, len);
    return (evs_bytes){room, len};
}

/* The same few tokens again and again: what runs into the compiler's limits. */
static void repeat_tokens(lua_variant *variant, uint64_t *random, evs_bytes some, size_t at)
{
    size_t times = 2 + below(random, 260);
    for (size_t i = 0; i < times && variant->len < LONGEST / 2; i++) {
        replace(variant, at, at, evs_text(" "));
        replace(variant, at, at, some);
    }
}

static void change_token(lua_variant *variant, uint64_t *random)
{
    char room[1024];
    find_tokens(variant);
    if (variant->ntokens == 0)
        return;
    evs__span one = variant->tokens[below(random, variant->ntokens)];
    evs__span other = variant->tokens[below(random, variant->ntokens)];
    evs_bytes some = some_tokens(variant, random, room);
    const char *piece = pieces[below(random, sizeof pieces / sizeof *pieces)];
    switch (below(random, 9)) {
    case 0:
        replace(variant, one.start, one.end, evs_text(""));
        return;
    case 1:
        replace(variant, one.start, one.start, evs_text(piece));
        return;
    case 2:
        replace(variant, one.start, one.end, evs_text(piece));
        return;
    case 3:
        replace(variant, one.start, one.start, some);
        return;
    case 4:
        replace(variant, one.start, one.end, some);
        return;
    case 5: /* a token moves forward */
        if (one.start < other.start && other.end - other.start < sizeof room) {
            evs_bytes late = {room, other.end - other.start};
            memcpy(room, variant->data + other.start, late.len);
            replace(variant, other.start, other.end, evs_text(""));
            replace(variant, one.start, one.start, late);
        }
        return;
    case 6:
        replace(variant, one.start, one.start, evs_text(" "));
        replace(variant, one.start, one.start, evs_text(piece));
        return;
    case 7:
        replace(variant, one.start, one.end,
                evs_text(numbers[below(random, sizeof numbers / sizeof *numbers)]));
        return;
    default:
        if (below(random, 4) == 0)
            repeat_tokens(variant, random, below(random, 2) ? some : evs_text(piece), one.start);
        return;
    }
}

/* The beginning of one text and the end of another, each cut at a token or anywhere. */
static void splice(lua_variant *variant, uint64_t *random, evs_bytes other)
{
    find_tokens(variant);
    size_t at = below(random, variant->len + 1);
    if (variant->ntokens > 0 && below(random, 2))
        at = variant->tokens[below(random, variant->ntokens)].end;
    size_t from = below(random, other.len + 1);
    replace(variant, at, variant->len, (evs_bytes){other.data + from, other.len - from});
}

/* One text, or a few, each in a block of its own. */
static void begin_variant(const server_oracle *oracle, lua_variant *variant, uint64_t *random)
{
    size_t count = 1 + below(random, 4);
    variant->len = 0;
    for (size_t i = 0; i < count; i++) {
        const lua_text *base = &oracle->texts[below(random, oracle->ntexts)];
        if (count > 1)
            replace(variant, variant->len, variant->len, evs_text("do "));
        replace(variant, variant->len, variant->len, base->bytes);
        if (count > 1)
            replace(variant, variant->len, variant->len, evs_text("\nend\n"));
    }
}

static void make_variant(const server_oracle *oracle, lua_variant *variant, uint64_t *random)
{
    size_t changes = 1 + below(random, 1 + below(random, 4));
    begin_variant(oracle, variant, random);
    for (size_t i = 0; i < changes; i++) {
        size_t kind = below(random, 10);
        if (kind == 0)
            splice(variant, random, oracle->texts[below(random, oracle->ntexts)].bytes);
        else if (kind <= 2)
            change_byte(variant, random);
        else
            change_token(variant, random);
    }
}

/* ---- the tests ---- */

static int begin(void **state)
{
    server_oracle *oracle = calloc(1, sizeof *oracle);
    scratch_server *server;
    if (oracle == NULL || scratch_new(&oracle->area) != SCRATCH_OK ||
        scratch_start(&server, oracle->area, "oracle", NULL) != SCRATCH_OK)
        return -1;
    oracle->server = redisConnectUnix(scratch_socket(server));
    if (oracle->server == NULL || oracle->server->err != 0)
        return -1;
    add_fields(oracle, "audit-rules.json", "bad", "code");
    add_fields(oracle, "audit-rules.json", "good", "code");
    add_fields(oracle, "audit-idioms.json", "lua", "id");
    add_folder(oracle, EVS_TEST_SOURCE_DIR "/scripts/lib");
    send_load(oracle, evs_text("return [[ [[ ]]"));
    redisReply *reply = read_reply(oracle);
    oracle->refuses_nested = reply->type == REDIS_REPLY_ERROR;
    freeReplyObject(reply);
    *state = oracle;
    return 0;
}

static int end(void **state)
{
    server_oracle *oracle = *state;
    for (size_t i = 0; i < oracle->ntexts; i++)
        evs__free((char *)oracle->texts[i].bytes.data);
    redisFree(oracle->server);
    scratch_free(oracle->area);
    free(oracle);
    return 0;
}

static void every_example_gets_the_verdict_of_the_server(void **state)
{
    server_oracle *oracle = *state;
    for (size_t i = 0; i < oracle->ntexts; i++) {
        send_load(oracle, oracle->texts[i].bytes);
        redisReply *reply = read_reply(oracle);
        compare(oracle, oracle->texts[i].name, oracle->texts[i].bytes, reply);
        freeReplyObject(reply);
    }
    printf("%zu texts, %zu accepted\n", oracle->asked, oracle->accepted);
    assert_true(oracle->ntexts >= 2 * 89 + 83 + 1);
    assert_int_equal(oracle->different, 0);
}

/* The seed of a variant is its number in the run: one can be made again alone. */
static void run_batch(server_oracle *oracle, uint64_t seed, unsigned long first,
                      lua_variant *variants)
{
    for (unsigned long i = 0; i < BATCH; i++) {
        uint64_t random = seed + (first + i) * 0x2545f4914f6cdd1du;
        make_variant(oracle, &variants[i], &random);
        send_load(oracle, (evs_bytes){variants[i].data, variants[i].len});
    }
    for (unsigned long i = 0; i < BATCH; i++) {
        char name[64];
        snprintf(name, sizeof name, "variant %lu of seed %" PRIu64, first + i, seed);
        redisReply *reply = read_reply(oracle);
        compare(oracle, name, (evs_bytes){variants[i].data, variants[i].len}, reply);
        freeReplyObject(reply);
    }
}

static unsigned long number_from(const char *variable, unsigned long otherwise)
{
    const char *text = getenv(variable);
    return text == NULL ? otherwise : strtoul(text, NULL, 10);
}

static void every_variant_gets_the_verdict_of_the_server(void **state)
{
    server_oracle *oracle = *state;
    unsigned long runs = number_from("EVS_ORACLE_RUNS", 5000);
    uint64_t seed = number_from("EVS_ORACLE_SEED", 1);
    lua_variant *variants = calloc(BATCH, sizeof *variants);
    assert_non_null(variants);
    oracle->asked = oracle->accepted = oracle->different = oracle->skipped = 0;
    for (unsigned long done = 0; done < runs; done += BATCH) {
        run_batch(oracle, seed, done, variants);
        if (done / BATCH % FLUSH_EVERY == 0)
            freeReplyObject(redisCommand(oracle->server, "SCRIPT FLUSH SYNC"));
    }
    free(variants);
    printf("%zu variants with seed %" PRIu64 ", %zu accepted, %zu different, %zu skipped\n",
           oracle->asked, seed, oracle->accepted, oracle->different, oracle->skipped);
    assert_int_equal(oracle->different, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_gets_the_verdict_of_the_server),
        cmocka_unit_test(every_variant_gets_the_verdict_of_the_server),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
