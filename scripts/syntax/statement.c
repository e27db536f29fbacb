/*
 * statement.c - the statements of Lua 5.1, one function per production.
 *
 * A statement that can be the last of its block only (RETURN, BREAK) ends the loop in
 * evs__parse_chunk.
 */
#include "scripts/syntax/scope.h"

evs__block evs__parse_block(evs__parser *parser)
{
    evs__scope scope;
    evs__scope_open(parser, &scope, 0);
    evs__block body = evs__parse_chunk(parser);
    evs__scope_close(parser);
    return body;
}

evs__expr *evs__parse_condition(evs__parser *parser, evs__jumps *exit)
{
    evs__operand v;
    evs__expr *expr = evs__parse_expr(parser, &v);
    *exit = evs__operand_condition(&parser->frame->code, &v);
    return expr;
}

static void push_arm(evs__parser *parser, evs__branch_stat *branch, const evs__arm *arm)
{
    evs__arm *arms = evs__parser_room(parser, branch->arms, branch->narms, sizeof *arms);
    if (arms == NULL)
        return;
    branch->arms = arms;
    branch->arms[branch->narms++] = *arm;
}

/* test_then_block -> (IF | ELSEIF) cond THEN block */
static evs__jumps test_then_block(evs__parser *parser, evs__branch_stat *branch)
{
    evs__arm arm;
    evs__jumps otherwise;
    evs__parser_advance(parser);
    arm.condition = evs__parse_condition(parser, &otherwise);
    evs__parser_expect(parser, EVS__TK_THEN);
    arm.block = evs__parse_block(parser);
    push_arm(parser, branch, &arm);
    return otherwise;
}

/* ifstat -> IF cond THEN block {ELSEIF cond THEN block} [ELSE block] END */
static evs__stat *ifstat(evs__parser *parser, int line)
{
    evs__code *code = &parser->frame->code;
    evs__stat *stat = evs__parser_stat(parser, EVS__STAT_IF, parser->now.at);
    evs__branch_stat branch = {NULL, 0};
    evs__jumps end = EVS__NO_JUMPS;
    evs__jumps otherwise = test_then_block(parser, &branch);
    while (parser->now.kind == EVS__TK_ELSEIF) {
        evs__code_join(code, &end, evs__code_jump(code));
        evs__code_land(code, otherwise);
        otherwise = test_then_block(parser, &branch);
    }
    if (parser->now.kind == EVS__TK_ELSE) {
        evs__code_join(code, &end, evs__code_jump(code));
        evs__code_land(code, otherwise);
        evs__parser_advance(parser);
        evs__arm arm = {NULL, evs__parse_block(parser)};
        push_arm(parser, &branch, &arm);
    } else {
        evs__code_join(code, &end, otherwise);
    }
    evs__code_land(code, end);
    evs__parser_close(parser, EVS__TK_END, EVS__TK_IF, line);
    stat->as.branch = branch;
    return stat;
}

/* dostat -> DO block END */
static evs__stat *dostat(evs__parser *parser, int line)
{
    evs__stat *stat = evs__parser_stat(parser, EVS__STAT_DO, parser->now.at);
    evs__parser_advance(parser);
    evs__block body = evs__parse_block(parser);
    evs__parser_close(parser, EVS__TK_END, EVS__TK_DO, line);
    stat->as.block = body;
    return stat;
}

/* funcstat -> FUNCTION NAME {'.' NAME} [':' NAME] body */
static evs__stat *funcstat(evs__parser *parser, int line)
{
    evs__span start = parser->now.at;
    evs__stat *stat = evs__parser_stat(parser, EVS__STAT_FUNCTION, start);
    evs__function_stat function = {.method = 0};
    evs__operand variable, v;
    evs__parser_advance(parser);
    function.target = evs__parse_variable(parser, &variable);
    while (parser->now.kind == '.')
        function.target = evs__parse_field(parser, function.target, &variable);
    if (parser->now.kind == ':') {
        function.method = 1;
        function.target = evs__parse_field(parser, function.target, &variable);
    }
    evs__token self = parser->before;
    evs__name_assign(parser, function.target);
    function.function = evs__parse_body(parser, start, function.method ? &self : NULL, line, &v);
    evs__operand_store(&parser->frame->code, &variable, &v);
    stat->as.function = function;
    return stat;
}

/* localfunc -> LOCAL FUNCTION NAME body */
static evs__stat *localfunc(evs__parser *parser, evs__span start, evs__span function_at)
{
    evs__code *code = &parser->frame->code;
    evs__stat *stat = evs__parser_stat(parser, EVS__STAT_LOCAL_FUNCTION, start);
    evs__token name = evs__parser_name(parser);
    evs__local_function_stat function;
    function.name = evs__local_declare(parser, EVS__LOCAL_FUNCTION, &name, 0);
    evs__operand variable = evs__operand_in(EVS__OPERAND_LOCAL, code->free);
    evs__operand v;
    evs__code_reserve(code, 1);
    evs__locals_activate(parser, 1);
    function.function = evs__parse_body(parser, function_at, NULL, parser->lexer.line, &v);
    evs__operand_store(code, &variable, &v);
    stat->as.local_function = function;
    return stat;
}

/* localstat -> LOCAL NAME {',' NAME} ['=' explist1] */
static evs__stat *localstat(evs__parser *parser, evs__span start)
{
    evs__stat *stat = evs__parser_stat(parser, EVS__STAT_LOCAL, start);
    evs__local_stat local = {.names = NULL};
    evs__operand v = evs__operand_of(EVS__OPERAND_VOID);
    int count = 0;
    do {
        evs__token name = evs__parser_name(parser);
        evs__parser_push_local(parser, &local.names, &local.nnames,
                               evs__local_declare(parser, EVS__LOCAL_PLAIN, &name, count++));
    } while (evs__parser_accept(parser, ','));
    if (evs__parser_accept(parser, '='))
        local.values = evs__parse_exprs(parser, &v);
    evs__parse_adjust(&parser->frame->code, count, (int)local.values.count, &v);
    evs__locals_activate(parser, count);
    stat->as.local = local;
    return stat;
}

/* LOCAL (localfunc | localstat) */
static evs__stat *local(evs__parser *parser)
{
    evs__span start = parser->now.at;
    evs__parser_advance(parser);
    evs__span function_at = parser->now.at;
    if (evs__parser_accept(parser, EVS__TK_FUNCTION))
        return localfunc(parser, start, function_at);
    return localstat(parser, start);
}

/* retstat -> RETURN [explist1] */
static evs__stat *retstat(evs__parser *parser)
{
    evs__code *code = &parser->frame->code;
    evs__stat *stat = evs__parser_stat(parser, EVS__STAT_RETURN, parser->now.at);
    evs__exprs values = {NULL, 0};
    evs__operand v;
    evs__parser_advance(parser);
    if (!evs__parse_ends_block(parser) && parser->now.kind != ';') {
        values = evs__parse_exprs(parser, &v);
        if (evs__operand_is_many(&v))
            evs__operand_spread(code, &v);
        else if (values.count == 1)
            evs__operand_any(code, &v);
        else
            evs__operand_next(code, &v);
    }
    evs__code_emit(code);
    stat->as.values = values;
    return stat;
}

/* statement -> ifstat | whilestat | dostat | forstat | repeatstat | funcstat | local | retstat
 *            | breakstat | exprstat */
static evs__stat *statement(evs__parser *parser)
{
    int line = parser->lexer.line;
    switch (parser->now.kind) {
    case EVS__TK_IF:
        return ifstat(parser, line);
    case EVS__TK_WHILE:
        return evs__parse_while(parser, line);
    case EVS__TK_DO:
        return dostat(parser, line);
    case EVS__TK_FOR:
        return evs__parse_for(parser, line);
    case EVS__TK_REPEAT:
        return evs__parse_repeat(parser, line);
    case EVS__TK_FUNCTION:
        return funcstat(parser, line);
    case EVS__TK_LOCAL:
        return local(parser);
    case EVS__TK_RETURN:
        return retstat(parser);
    case EVS__TK_BREAK:
        return evs__parse_break(parser);
    default:
        return evs__parse_exprstat(parser);
    }
}

int evs__parse_ends_block(const evs__parser *parser)
{
    switch (parser->now.kind) {
    case EVS__TK_ELSE:
    case EVS__TK_ELSEIF:
    case EVS__TK_END:
    case EVS__TK_UNTIL:
    case EVS__TK_EOF:
        return 1;
    default:
        return 0;
    }
}

evs__block evs__parse_chunk(evs__parser *parser)
{
    evs__block body = {NULL, parser->now.at};
    evs__stat **tail = &body.first;
    int ended = 0;
    body.at.end = body.at.start;
    evs__parser_enter(parser);
    while (!ended && !evs__parse_ends_block(parser)) {
        evs__span start = parser->now.at;
        evs__stat *stat = statement(parser);
        stat->at = evs__parser_since(parser, start);
        body.at.end = stat->at.end;
        ended = stat->kind == EVS__STAT_RETURN || stat->kind == EVS__STAT_BREAK;
        *tail = stat;
        tail = &stat->next;
        evs__parser_accept(parser, ';');
        parser->frame->code.free = parser->frame->code.nactive;
    }
    evs__parser_leave(parser);
    return body;
}
