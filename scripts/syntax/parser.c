/*
 * parser.c - the parser's way over the tokens, its nodes, and the call that does it all.
 */
#include "scripts/syntax/parser.h"

#include "core/mem.h"
#include "scripts/syntax/scope.h"
#include "scripts/syntax/shebang.h"

#include <string.h>

/* The first error ends everything: what follows is EOF. */
static void stop_if_failed(evs__parser *parser)
{
    if (!parser->lexer.failed)
        return;
    parser->now.kind = EVS__TK_EOF;
    parser->has_ahead = 0;
}

/* Reads a token that stands behind `before`. */
static void read(evs__parser *parser, evs__token *out, const evs__token *before)
{
    int failed_already = parser->lexer.failed;
    evs__lexer_next(&parser->lexer, out);
    if (parser->lexer.failed && !failed_already)
        parser->lexer.error.before = *before;
}

void evs__parser_advance(evs__parser *parser)
{
    parser->before = parser->now;
    parser->before_line = parser->lexer.line;
    if (parser->has_ahead)
        parser->now = parser->ahead;
    else
        read(parser, &parser->now, &parser->before);
    parser->has_ahead = 0;
    stop_if_failed(parser);
}

void evs__parser_look(evs__parser *parser)
{
    read(parser, &parser->ahead, &parser->now);
    parser->has_ahead = 1;
    stop_if_failed(parser);
}

int evs__parser_accept(evs__parser *parser, int kind)
{
    if (parser->now.kind != kind)
        return 0;
    evs__parser_advance(parser);
    return 1;
}

static void record(evs__parser *parser, evs__parse_problem problem, const char *message)
{
    evs__lexer_blame(&parser->lexer, problem, message, &parser->now, &parser->before);
    stop_if_failed(parser);
}

void evs__parser_fail(evs__parser *parser, const char *message)
{
    if (parser->lexer.failed)
        return;
    record(parser, EVS__PARSE_SYNTAX, evs__lexer_near(&parser->lexer, message, &parser->now));
}

void evs__parser_check_limit(evs__parser *parser, const evs__frame *frame, int value, int limit,
                             const char *what)
{
    if (value <= limit || parser->lexer.failed)
        return;
    const char *message =
        frame->line == 0
            ? evs__arena_format(parser->arena, "main function has more than %d %s", limit, what)
            : evs__arena_format(parser->arena, "function at line %d has more than %d %s",
                                frame->line, limit, what);
    record(parser, EVS__PARSE_LIMIT, message);
}

void evs__parser_expect(evs__parser *parser, int kind)
{
    char room[16];
    if (evs__parser_accept(parser, kind) || parser->lexer.failed)
        return;
    const char *message = evs__arena_format(parser->arena, "'%s' expected",
                                            evs__token_text(kind, room));
    evs__parser_fail(parser, message);
}

void evs__parser_close(evs__parser *parser, int close, int open, int line)
{
    char close_room[16], open_room[16];
    if (parser->now.kind == close || line == parser->lexer.line) {
        evs__parser_expect(parser, close);
        return;
    }
    if (parser->lexer.failed)
        return;
    evs__parser_fail(parser,
                     evs__arena_format(parser->arena, "'%s' expected (to close '%s' at line %d)",
                                       evs__token_text(close, close_room),
                                       evs__token_text(open, open_room), line));
}

evs__token evs__parser_name(evs__parser *parser)
{
    evs__token name = parser->now;
    evs__parser_expect(parser, EVS__TK_NAME);
    return name;
}

void evs__parser_enter(evs__parser *parser)
{
    if (++parser->levels > EVS__MOST_LEVELS && !parser->lexer.failed)
        record(parser, EVS__PARSE_LIMIT, "chunk has too many syntax levels");
}

void evs__parser_leave(evs__parser *parser)
{
    parser->levels--;
    stop_if_failed(parser);
}

evs__span evs__parser_since(const evs__parser *parser, evs__span first)
{
    if (parser->inside != NULL)
        return *parser->inside;
    first.end = parser->before.at.end > first.start ? parser->before.at.end : first.end;
    return first;
}

evs__expr *evs__parser_expr(evs__parser *parser, evs__expr_kind kind, evs__span start)
{
    evs__expr *expr = evs__arena_zalloc(parser->arena, 1, sizeof *expr);
    if (expr == NULL) {
        evs__lexer_nomem(&parser->lexer);
        expr = &parser->spare.expr;
    }
    expr->kind = kind;
    expr->height = 1;
    expr->at = evs__parser_since(parser, start);
    stop_if_failed(parser);
    return expr;
}

evs__stat *evs__parser_stat(evs__parser *parser, evs__stat_kind kind, evs__span start)
{
    evs__stat *stat = evs__arena_zalloc(parser->arena, 1, sizeof *stat);
    if (stat == NULL) {
        evs__lexer_nomem(&parser->lexer);
        stat = &parser->spare.stat;
    }
    stat->kind = kind;
    stat->at = start;
    stop_if_failed(parser);
    return stat;
}

/* Arrays have room for 4, 8, 16, ... items: a full one is seen by its count. */
void *evs__parser_room(evs__parser *parser, void *items, size_t count, size_t size)
{
    int full = count == 0 || (count >= 4 && (count & (count - 1)) == 0);
    if (!full)
        return items;
    void *grown = evs__arena_alloc(parser->arena, count == 0 ? 4 : count * 2, size);
    if (grown == NULL) {
        evs__lexer_nomem(&parser->lexer);
        stop_if_failed(parser);
        return NULL;
    }
    if (count > 0)
        memcpy(grown, items, count * size);
    return grown;
}

void evs__parser_push(evs__parser *parser, evs__exprs *list, evs__expr *expr)
{
    evs__expr **items = evs__parser_room(parser, list->items, list->count, sizeof(evs__expr *));
    if (items == NULL)
        return;
    list->items = items;
    list->items[list->count++] = expr;
}

void evs__parser_push_local(evs__parser *parser, evs__local ***names, size_t *count,
                            evs__local *local)
{
    evs__local **all = evs__parser_room(parser, *names, *count, sizeof(evs__local *));
    if (all == NULL)
        return;
    all[(*count)++] = local;
    *names = all;
}

/* chunk EOF */
static evs__function *main_function(evs__parser *parser)
{
    evs__span all = {0, parser->lexer.source.len, 1, 1};
    evs__function *function = evs__function_new(parser, all);
    evs__frame frame;
    function->vararg = 1;
    evs__frame_open(parser, &frame, function);
    evs__parser_advance(parser);
    function->body = evs__parse_chunk(parser);
    evs__parser_expect(parser, EVS__TK_EOF);
    evs__frame_close(parser);
    return function;
}

/* The first line of a script, which a text compiled by a script does not have. */
static void check_shebang(evs__parser *parser, const evs__chunk *chunk)
{
    evs__lexer *lexer = &parser->lexer;
    evs__span at = {0, 0, 1, 1};
    int nomem = 0;
    const char *problem = evs__shebang_problem(chunk->source, parser->arena, &at, &nomem);
    if (nomem)
        evs__lexer_nomem(lexer);
    if (problem != NULL)
        evs__lexer_fail(lexer, EVS__PARSE_SHEBANG, at, problem);
}

static void parse(evs__parser *parser, evs__chunk *chunk)
{
    evs__lexer *lexer = &parser->lexer;
    if (parser->inside == NULL)
        chunk->shebang = evs__shebang_find(chunk->source);
    evs__lexer_init(lexer, parser->arena, chunk->source, chunk->shebang.len);
    if (parser->inside == NULL)
        check_shebang(parser, chunk);
    parser->now.kind = EVS__TK_EOF;
    evs__function *function = main_function(parser);
    if (!lexer->failed)
        chunk->main = function;
    chunk->error = lexer->error;
    chunk->comments = lexer->comments;
    chunk->ncomments = lexer->ncomments;
    chunk->nested = lexer->nested;
    memcpy(chunk->newer, lexer->newer, sizeof chunk->newer);
    chunk->nnewer = lexer->nnewer;
    chunk->lines = lexer->lines;
    chunk->nlines = lexer->nlines;
    chunk->nfunctions = parser->nfunctions;
}

static int parse_text(evs__chunk **out, evs__arena *arena, evs_bytes source,
                      const evs__span *inside)
{
    evs__parser parser = {.arena = arena, .inside = inside};
    evs__chunk *chunk = evs__arena_zalloc(arena, 1, sizeof *chunk);
    if (chunk == NULL)
        return 0;
    chunk->source = source.data == NULL ? evs_text("") : source;
    parse(&parser, chunk);
    int done = !parser.lexer.nomem;
    evs__lexer_free(&parser.lexer);
    evs__free(parser.active);
    if (done)
        *out = chunk;
    return done;
}

int evs__lua_parse(evs__chunk **out, evs__arena *arena, evs_bytes source)
{
    return parse_text(out, arena, source, NULL);
}

int evs__lua_parse_inside(evs__chunk **out, evs__arena *arena, evs_bytes source, evs__span at)
{
    return parse_text(out, arena, source, &at);
}

void evs__chunk_place(const evs__chunk *chunk, size_t offset, int *line, int *column)
{
    size_t low = 0, high = chunk->nlines;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (chunk->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    *line = (int)low + 1;
    *column = (int)(offset - chunk->lines[low]) + 1;
}

const evs_hole *evs__chunk_hole(const evs__chunk *chunk, evs__span span)
{
    size_t low = 0, high = chunk->nholes;
    while (low < high) { /* the first one that ends behind the span's beginning */
        size_t middle = low + (high - low) / 2;
        if (chunk->holes[middle].end <= span.start)
            low = middle + 1;
        else
            high = middle;
    }
    return low < chunk->nholes && chunk->holes[low].begin < span.end ? &chunk->holes[low] : NULL;
}

evs_span evs__span_public(const evs__chunk *chunk, evs__span span)
{
    evs_span at = {span.line, span.column, span.line, span.column};
    if (span.end > span.start)
        evs__chunk_place(chunk, span.end, &at.end_line, &at.end_column);
    return at;
}
