#include "scripts/audit/extract/judge.h"

#include "scripts/syntax/lexer.h"
#include "scripts/syntax/parser.h"

#include <string.h>

enum {
    REPAIRS_MAX = 32, /* holes that become calls; each takes a parse */
    FAR = 12,         /* tokens that make a part of a script, */
    FAR_WHEN_RUN = 4  /* also when it goes to something that runs scripts */
};

static int has(evs_bytes text, const char *word)
{
    return text.len > 0 && memmem(text.data, text.len, word, strlen(word)) != NULL;
}

int evs__mentions_redis(evs_bytes text)
{
    return has(text, "redis.") || has(text, "server.") || has(text, "KEYS") || has(text, "ARGV");
}

/* Text that only names them is no script, even where it parses: "KEYS", "local key = KEYS[1]". */
static int speaks_of_redis(evs_bytes text)
{
    static const char *const calls[] = {"redis.call",   "redis.pcall",   "server.call",
                                        "server.pcall", "redis.sha1hex", "redis.register_function"};
    static const char *const given[] = {"KEYS[", "ARGV[", "#KEYS", "#ARGV", "(KEYS", "(ARGV"};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (has(text, calls[i]))
            return 1;
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (has(text, given[i]))
            return has(text, "return");
    return 0;
}

/* ---- holes where statements stand ---- */

/* The hole with which a name begins. What follows without a blank is not known to belong to it. */
static const evs_hole *hole_at(const evs__weave *weave, evs__span at)
{
    for (size_t i = 0; i < weave->nholes; i++)
        if (weave->holes[i].begin == at.start && weave->holes[i].end <= at.end)
            return &weave->holes[i];
    return NULL;
}

/* A name becomes a call where the parse failed behind it or at it; 0 when that is not the case. */
static int repair(evs__weave *weave, const evs__chunk *chunk)
{
    const evs__token *tokens[] = {&chunk->error.before, &chunk->error.token};
    for (size_t i = 0; i < 2; i++) {
        const evs_hole *hole = tokens[i]->kind == EVS__TK_NAME ? hole_at(weave, tokens[i]->at)
                                                               : NULL;
        if (hole == NULL)
            continue;
        memcpy(weave->text.data + hole->end - strlen(EVS__HOLE_CALL), EVS__HOLE_CALL,
               strlen(EVS__HOLE_CALL));
        return 1;
    }
    return 0;
}

/* ---- how far it came ---- */

static size_t tokens_before(evs__arena *arena, evs_bytes text, size_t end)
{
    evs__lexer lexer;
    evs__token token;
    size_t n = 0;
    evs__lexer_init(&lexer, arena, text, 0);
    for (evs__lexer_next(&lexer, &token); token.kind != EVS__TK_EOF && token.at.start < end; n++)
        evs__lexer_next(&lexer, &token);
    evs__lexer_free(&lexer);
    return n;
}

/* Is it made to be filled in by a function that formats? */
static int has_places(evs_bytes text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        char c = text.data[i], then = text.data[i + 1];
        if ((c == '%' && strchr("sdivqfu(@", then) != NULL) ||
            (c == '{' && (then == '}' || then == '{' || (then >= '0' && then <= '9'))))
            return then != '\0';
    }
    return 0;
}

/* What goes as it stands to something that runs scripts is a whole one, with an error. */
static int is_whole(const evs__weave *weave, const evs__gathered *gathered)
{
    evs_bytes text = {weave->text.data, weave->text.len};
    return gathered->is_run && gathered->is_argument && !gathered->appended && weave->nholes == 0 &&
           !has_places(text);
}

static evs__judgement judge_part(evs__weave *weave, const evs__gathered *gathered,
                                 evs__arena *arena, const evs__chunk *chunk)
{
    evs_bytes text = {weave->text.data, weave->text.len};
    size_t far = tokens_before(arena, text, chunk->error.at.start);
    if (far < (size_t)(gathered->is_run ? FAR_WHEN_RUN : FAR))
        return EVS__NO_SCRIPT;
    if (gathered->is_constant)
        return EVS__NO_SCRIPT; /* others are put together from it */
    return is_whole(weave, gathered) ? EVS__A_SCRIPT : EVS__A_PART;
}

static evs__judgement judge(evs__weave *weave, const evs__gathered *gathered, evs__arena *arena)
{
    evs_bytes text = {weave->text.data, weave->text.len};
    evs__chunk *chunk = NULL;
    for (int i = 0; i <= REPAIRS_MAX; i++) {
        evs__arena_reset(arena);
        if (!evs__lua_parse(&chunk, arena, text)) {
            weave->nomem = 1;
            return EVS__A_PART;
        }
        if (chunk->main != NULL)
            return EVS__A_SCRIPT;
        if (!repair(weave, chunk))
            break;
    }
    return judge_part(weave, gathered, arena, chunk);
}

evs__judgement evs__judge(evs__weave *weave, const evs__gathered *gathered)
{
    evs__arena arena = EVS__ARENA_INIT;
    evs_bytes text = {weave->text.data, weave->text.len};
    if (text.len == 0 || !speaks_of_redis(text))
        return EVS__NO_SCRIPT;
    evs__judgement judgement = judge(weave, gathered, &arena);
    evs__arena_free(&arena);
    return judgement;
}
