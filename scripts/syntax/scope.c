#include "scripts/syntax/scope.h"

#include "core/mem.h"

#include <limits.h>
#include <string.h>

enum { MOST_LOCALS = 200, MOST_UPVALUES = 60, MOST_DECLARED = SHRT_MAX };

void evs__frame_open(evs__parser *parser, evs__frame *frame, evs__function *function)
{
    evs__frame *outer = parser->frame;
    *frame = (evs__frame){.outer = outer, .function = function};
    if (outer != NULL)
        frame->base = outer->base + MOST_LOCALS;
    evs__code_init(&frame->code, &parser->lexer, &parser->now, &parser->before);
    parser->frame = frame;
}

void evs__frame_close(evs__parser *parser)
{
    evs__code_emit(&parser->frame->code);
    parser->frame = parser->frame->outer;
}

evs__function *evs__function_new(evs__parser *parser, evs__span start)
{
    evs__function *function = evs__arena_zalloc(parser->arena, 1, sizeof *function);
    if (function == NULL) {
        evs__lexer_nomem(&parser->lexer);
        function = &parser->spare.function;
    }
    *function = (evs__function){.at = start, .number = parser->nfunctions++};
    if (parser->frame != NULL) {
        function->parent = parser->frame->function;
        function->depth = function->parent->depth + 1;
    }
    return function;
}

void evs__scope_open(evs__parser *parser, evs__scope *scope, int is_loop)
{
    evs__frame *frame = parser->frame;
    *scope = (evs__scope){.outer = frame->scope, .nactive = frame->code.nactive};
    scope->is_loop = is_loop;
    scope->breaks = (evs__jumps)EVS__NO_JUMPS;
    frame->loops += (unsigned)is_loop;
    frame->scope = scope;
}

void evs__scope_close(evs__parser *parser)
{
    evs__frame *frame = parser->frame;
    evs__scope *scope = frame->scope;
    frame->scope = scope->outer;
    frame->loops -= (unsigned)scope->is_loop;
    frame->code.nactive = scope->nactive;
    if (scope->captured)
        evs__code_emit(&frame->code);
    frame->code.free = frame->code.nactive;
    evs__code_land(&frame->code, scope->breaks);
}

/* The next free entry, `position` places on; NULL after a failure. */
static evs__local **slot(evs__parser *parser, int position)
{
    const evs__frame *frame = parser->frame;
    size_t at = frame->base + (size_t)(frame->code.nactive + position);
    if (parser->lexer.failed)
        return NULL;
    if (at < parser->active_room)
        return &parser->active[at];
    size_t room = at * 2 + 32;
    evs__local **active = evs__realloc_array(parser->active, room, sizeof(evs__local *));
    if (active == NULL) {
        evs__lexer_nomem(&parser->lexer);
        return NULL;
    }
    parser->active = active;
    parser->active_room = room;
    return &active[at];
}

/* Lua's two limits: locals in scope, and all locals of a function, those of loops included. */
static void check_room(evs__parser *parser, int position)
{
    evs__frame *frame = parser->frame;
    evs__parser_check_limit(parser, frame, frame->code.nactive + position + 1, MOST_LOCALS,
                            "local variables");
    if (frame->ndeclared >= MOST_DECLARED)
        evs__code_overflow(&frame->code, "too many local variables");
    frame->ndeclared++;
}

void evs__local_hide(evs__parser *parser, int position)
{
    check_room(parser, position);
    evs__local **place = slot(parser, position);
    if (place != NULL)
        *place = NULL;
}

evs__local *evs__local_declare(evs__parser *parser, evs__local_kind kind, const evs__token *name,
                               int position)
{
    evs__frame *frame = parser->frame;
    check_room(parser, position);
    evs__local **place = slot(parser, position);
    evs__local *local = NULL;
    if (place != NULL)
        local = evs__arena_zalloc(parser->arena, 1, sizeof *local);
    if (local == NULL) {
        if (place != NULL)
            evs__lexer_nomem(&parser->lexer);
        return &parser->spare.local;
    }
    local->kind = kind;
    local->name = name->text;
    local->at = name->at;
    local->owner = frame->function;
    local->index = frame->function->nlocals++;
    local->loops = frame->loops;
    *place = local;
    return local;
}

void evs__locals_activate(evs__parser *parser, int count)
{
    parser->frame->code.nactive += count;
}

/* The register of the active local called `name`; -1 when there is none. */
static int find(const evs__parser *parser, const evs__frame *frame, evs_bytes name)
{
    for (int i = frame->code.nactive - 1; i >= 0; i--) {
        const evs__local *local = parser->active[frame->base + (size_t)i];
        if (local != NULL && local->name.len == name.len &&
            memcmp(local->name.data, name.data, name.len) == 0)
            return i;
    }
    return -1;
}

/* The block that declared register `at` has to close it when it ends. */
static void capture(evs__frame *frame, int at)
{
    evs__scope *scope = frame->scope;
    while (scope != NULL && scope->nactive > at)
        scope = scope->outer;
    if (scope != NULL)
        scope->captured = 1;
}

static void add_upvalue(evs__parser *parser, const evs__frame *frame, evs__local *local)
{
    evs__function *function = frame->function;
    for (size_t i = 0; i < function->nupvalues; i++) {
        if (function->upvalues[i] == local)
            return;
    }
    evs__parser_check_limit(parser, frame, (int)function->nupvalues + 1, MOST_UPVALUES, "upvalues");
    evs__local **all = evs__parser_room(parser, function->upvalues, function->nupvalues,
                                        sizeof(evs__local *));
    if (all == NULL)
        return;
    function->upvalues = all;
    function->upvalues[function->nupvalues++] = local;
}

/* `local` of the frame `owner` is used in `frame`, inside of it: every function between them
 * captures it, the outermost first. */
static void pass_down(evs__parser *parser, const evs__frame *owner, const evs__frame *frame,
                      evs__local *local)
{
    if (frame == owner)
        return;
    pass_down(parser, owner, frame->outer, local);
    if (frame->outer == owner && !local->captured) {
        local->captured = 1;
        local->first_capture = frame->function->at.start;
    }
    if (!parser->lexer.failed)
        add_upvalue(parser, frame, local);
}

void evs__name_resolve(evs__parser *parser, const evs__token *token, evs__name *out,
                       evs__operand *v)
{
    *out = (evs__name){.text = token->text, .binding = EVS__BOUND_GLOBAL};
    *v = evs__operand_of(EVS__OPERAND_GLOBAL);
    evs__frame *frame = parser->frame;
    int at = -1;
    while (!parser->lexer.failed && frame != NULL) {
        at = find(parser, frame, token->text);
        if (at >= 0)
            break;
        frame = frame->outer;
    }
    if (at < 0) {
        evs__code_string(&parser->frame->code, token->text);
        return;
    }
    out->local = parser->active[frame->base + (size_t)at];
    out->local->uses++;
    if (frame == parser->frame) {
        out->binding = EVS__BOUND_LOCAL;
        *v = evs__operand_in(EVS__OPERAND_LOCAL, at);
        return;
    }
    out->binding = EVS__BOUND_UPVALUE;
    *v = evs__operand_of(EVS__OPERAND_UPVALUE);
    capture(frame, at);
    pass_down(parser, frame, parser->frame, out->local);
}

void evs__name_assign(evs__parser *parser, const evs__expr *target)
{
    if (parser->lexer.failed || target->kind != EVS__EXPR_NAME || target->as.name.local == NULL)
        return;
    evs__local *local = target->as.name.local;
    int closure = target->as.name.binding == EVS__BOUND_UPVALUE;
    local->assignments++;
    local->last_assignment = target->at.start;
    local->assigned_by_closure |= closure;
    local->assigned_in_loop |= closure || parser->frame->loops > local->loops;
}
