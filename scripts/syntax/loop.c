/*
 * loop.c - the loops, and the way out of them.
 */
#include "scripts/syntax/scope.h"

/* whilestat -> WHILE cond DO block END */
evs__stat *evs__parse_while(evs__parser *parser, int line)
{
    evs__code *code = &parser->frame->code;
    evs__stat *stat = evs__parser_stat(parser, EVS__STAT_WHILE, parser->now.at);
    evs__loop_stat loop;
    evs__scope scope;
    evs__jumps exit;
    evs__parser_advance(parser);
    int start = evs__code_label(code);
    loop.condition = evs__parse_condition(parser, &exit);
    evs__scope_open(parser, &scope, 1);
    evs__parser_expect(parser, EVS__TK_DO);
    loop.block = evs__parse_block(parser);
    evs__code_send(code, evs__code_jump(code), start);
    evs__parser_close(parser, EVS__TK_END, EVS__TK_WHILE, line);
    evs__scope_close(parser);
    evs__code_land(code, exit);
    stat->as.loop = loop;
    return stat;
}

/* A jump out of the innermost loop, which closes what it leaves. */
static void leave_loop(evs__parser *parser)
{
    evs__code *code = &parser->frame->code;
    evs__scope *scope = parser->frame->scope;
    int captured = 0;
    while (scope != NULL && !scope->is_loop) {
        captured |= scope->captured;
        scope = scope->outer;
    }
    if (scope == NULL) {
        evs__parser_fail(parser, "no loop to break");
        return;
    }
    if (captured)
        evs__code_emit(code);
    evs__code_join(code, &scope->breaks, evs__code_jump(code));
}

/* breakstat -> BREAK */
evs__stat *evs__parse_break(evs__parser *parser)
{
    evs__stat *stat = evs__parser_stat(parser, EVS__STAT_BREAK, parser->now.at);
    evs__parser_advance(parser);
    leave_loop(parser);
    return stat;
}

/* Behind the condition of a loop whose block declares what closures captured, the loop is left by
 * a `break`, so that the captured locals are closed on both ways. */
static void end_repeat(evs__parser *parser, evs__jumps exit, int start)
{
    evs__code *code = &parser->frame->code;
    if (!parser->frame->scope->captured) {
        evs__scope_close(parser);
        evs__code_send(code, exit, start);
        return;
    }
    leave_loop(parser);
    evs__code_land(code, exit);
    evs__scope_close(parser);
    evs__code_send(code, evs__code_jump(code), start);
}

/* repeatstat -> REPEAT chunk UNTIL cond; the condition sees the block's locals */
evs__stat *evs__parse_repeat(evs__parser *parser, int line)
{
    evs__stat *stat = evs__parser_stat(parser, EVS__STAT_REPEAT, parser->now.at);
    evs__loop_stat loop;
    evs__scope outside, inside;
    evs__jumps exit;
    int start = evs__code_label(&parser->frame->code);
    evs__scope_open(parser, &outside, 1);
    evs__scope_open(parser, &inside, 0);
    evs__parser_advance(parser);
    loop.block = evs__parse_chunk(parser);
    evs__parser_close(parser, EVS__TK_UNTIL, EVS__TK_REPEAT, line);
    loop.condition = evs__parse_condition(parser, &exit);
    end_repeat(parser, exit, start);
    evs__scope_close(parser);
    stat->as.loop = loop;
    return stat;
}

/* An expression into the next register. */
static evs__expr *exp1(evs__parser *parser)
{
    evs__operand v;
    evs__expr *expr = evs__parse_expr(parser, &v);
    evs__operand_next(&parser->frame->code, &v);
    return expr;
}

/* forbody -> DO block; the loop has three hidden variables and then `nvars` */
static evs__block forbody(evs__parser *parser, int nvars, int numeric)
{
    evs__code *code = &parser->frame->code;
    evs__scope scope;
    evs__locals_activate(parser, 3);
    evs__parser_expect(parser, EVS__TK_DO);
    evs__jumps enter = numeric ? evs__code_loop(code) : evs__code_jump(code);
    int start = enter.head + 1;
    evs__scope_open(parser, &scope, 0);
    evs__locals_activate(parser, nvars);
    evs__code_reserve(code, nvars);
    evs__block body = evs__parse_block(parser);
    evs__scope_close(parser);
    evs__code_land(code, enter);
    if (numeric) {
        evs__code_send(code, evs__code_loop(code), start);
        return body;
    }
    evs__code_emit(code);
    evs__code_send(code, evs__code_jump(code), start);
    return body;
}

static void hide_three(evs__parser *parser)
{
    for (int i = 0; i < 3; i++)
        evs__local_hide(parser, i);
}

/* fornum -> NAME '=' exp1 ',' exp1 [',' exp1] forbody */
static void fornum(evs__parser *parser, evs__stat *stat, const evs__token *name)
{
    evs__code *code = &parser->frame->code;
    evs__count_stat count = {.step = NULL};
    hide_three(parser);
    count.name = evs__local_declare(parser, EVS__LOCAL_FOR, name, 3);
    evs__parser_expect(parser, '=');
    count.start = exp1(parser);
    evs__parser_expect(parser, ',');
    count.limit = exp1(parser);
    if (evs__parser_accept(parser, ',')) {
        count.step = exp1(parser);
    } else {
        evs__code_number(code, 1);
        evs__code_emit(code);
        evs__code_reserve(code, 1);
    }
    count.block = forbody(parser, 1, 1);
    stat->kind = EVS__STAT_FOR;
    stat->as.count = count;
}

/* forlist -> NAME {',' NAME} IN explist1 forbody */
static void forlist(evs__parser *parser, evs__stat *stat, const evs__token *name)
{
    evs__each_stat each = {.names = NULL};
    evs__operand v;
    int nvars = 0;
    hide_three(parser);
    evs__parser_push_local(parser, &each.names, &each.nnames,
                           evs__local_declare(parser, EVS__LOCAL_FOR, name, 3 + nvars++));
    while (evs__parser_accept(parser, ',')) {
        evs__token next = evs__parser_name(parser);
        evs__parser_push_local(parser, &each.names, &each.nnames,
                               evs__local_declare(parser, EVS__LOCAL_FOR, &next, 3 + nvars++));
    }
    evs__parser_expect(parser, EVS__TK_IN);
    each.values = evs__parse_exprs(parser, &v);
    evs__parse_adjust(&parser->frame->code, 3, (int)each.values.count, &v);
    evs__code_check(&parser->frame->code, 3);
    each.block = forbody(parser, nvars, 0);
    stat->kind = EVS__STAT_FOR_IN;
    stat->as.each = each;
}

/* forstat -> FOR (fornum | forlist) END */
evs__stat *evs__parse_for(evs__parser *parser, int line)
{
    evs__stat *stat = evs__parser_stat(parser, EVS__STAT_FOR, parser->now.at);
    evs__scope scope;
    evs__scope_open(parser, &scope, 1);
    evs__parser_advance(parser);
    evs__token name = evs__parser_name(parser);
    if (parser->now.kind == '=')
        fornum(parser, stat, &name);
    else if (parser->now.kind == ',' || parser->now.kind == EVS__TK_IN)
        forlist(parser, stat, &name);
    else
        evs__parser_fail(parser, "'=' or 'in' expected");
    evs__parser_close(parser, EVS__TK_END, EVS__TK_FOR, line);
    evs__scope_close(parser);
    return stat;
}
