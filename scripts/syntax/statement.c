/*
 * statement.c - the statements of Lua 5.1, one function per production.
 *
 * A statement that can be the last of its block only (RETURN, BREAK) ends the loop in
 * evs__parse_chunk.
 */
#include "scripts/syntax/scope.h"

static evs__block block(evs__parser *parser)
{
    evs__scope scope;
    evs__scope_open(parser, &scope, 0);
    evs__block body = evs__parse_chunk(parser);
    evs__scope_close(parser);
    return body;
}

/* cond -> expr; the jumps that are taken when it is false go to `*exit` */
static evs__expr *cond(evs__parser *parser, evs__jumps *exit)
{
    evs__operand v;
    evs__expr *expr = evs__parse_expr(parser, &v);
    *exit = evs__operand_condition(&parser->frame->code, &v);
    return expr;
}

/* Brings a list of `have` values, of which `v` is the last, to `wanted` registers. */
static void adjust(evs__code *code, int wanted, int have, evs__operand *v)
{
    int extra = wanted - have;
    if (evs__operand_is_many(v)) {
        evs__operand_spread(code, v);
        if (extra > 0)
            evs__code_reserve(code, extra);
        return;
    }
    if (v->kind != EVS__OPERAND_VOID)
        evs__operand_next(code, v);
    if (extra > 0) {
        int first = code->free;
        evs__code_reserve(code, extra);
        evs__code_nil(code, first, extra);
    }
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
    arm.condition = cond(parser, &otherwise);
    evs__parser_expect(parser, EVS__TK_THEN);
    arm.block = block(parser);
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
        evs__arm arm = {NULL, block(parser)};
        push_arm(parser, &branch, &arm);
    } else {
        evs__code_join(code, &end, otherwise);
    }
    evs__code_land(code, end);
    evs__parser_close(parser, EVS__TK_END, EVS__TK_IF, line);
    stat->as.branch = branch;
    return stat;
}

/* whilestat -> WHILE cond DO block END */
static evs__stat *whilestat(evs__parser *parser, int line)
{
    evs__code *code = &parser->frame->code;
    evs__stat *stat = evs__parser_stat(parser, EVS__STAT_WHILE, parser->now.at);
    evs__loop_stat loop;
    evs__scope scope;
    evs__jumps exit;
    evs__parser_advance(parser);
    int start = evs__code_label(code);
    loop.condition = cond(parser, &exit);
    evs__scope_open(parser, &scope, 1);
    evs__parser_expect(parser, EVS__TK_DO);
    loop.block = block(parser);
    evs__code_send(code, evs__code_jump(code), start);
    evs__parser_close(parser, EVS__TK_END, EVS__TK_WHILE, line);
    evs__scope_close(parser);
    evs__code_land(code, exit);
    stat->as.loop = loop;
    return stat;
}

/* dostat -> DO block END */
static evs__stat *dostat(evs__parser *parser, int line)
{
    evs__stat *stat = evs__parser_stat(parser, EVS__STAT_DO, parser->now.at);
    evs__parser_advance(parser);
    evs__block body = block(parser);
    evs__parser_close(parser, EVS__TK_END, EVS__TK_DO, line);
    stat->as.block = body;
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
static evs__stat *breakstat(evs__parser *parser)
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
static evs__stat *repeatstat(evs__parser *parser, int line)
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
    loop.condition = cond(parser, &exit);
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
    evs__block body = block(parser);
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

static void push_local(evs__parser *parser, evs__local ***names, size_t *count, evs__local *local)
{
    evs__local **all = evs__parser_room(parser, *names, *count, sizeof(evs__local *));
    if (all == NULL)
        return;
    all[(*count)++] = local;
    *names = all;
}

/* forlist -> NAME {',' NAME} IN explist1 forbody */
static void forlist(evs__parser *parser, evs__stat *stat, const evs__token *name)
{
    evs__each_stat each = {.names = NULL};
    evs__operand v;
    int nvars = 0;
    hide_three(parser);
    push_local(parser, &each.names, &each.nnames,
               evs__local_declare(parser, EVS__LOCAL_FOR, name, 3 + nvars++));
    while (evs__parser_accept(parser, ',')) {
        evs__token next = evs__parser_name(parser);
        push_local(parser, &each.names, &each.nnames,
                   evs__local_declare(parser, EVS__LOCAL_FOR, &next, 3 + nvars++));
    }
    evs__parser_expect(parser, EVS__TK_IN);
    each.values = evs__parse_exprs(parser, &v);
    adjust(&parser->frame->code, 3, (int)each.values.count, &v);
    evs__code_check(&parser->frame->code, 3);
    each.block = forbody(parser, nvars, 0);
    stat->kind = EVS__STAT_FOR_IN;
    stat->as.each = each;
}

/* forstat -> FOR (fornum | forlist) END */
static evs__stat *forstat(evs__parser *parser, int line)
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
        push_local(parser, &local.names, &local.nnames,
                   evs__local_declare(parser, EVS__LOCAL_PLAIN, &name, count++));
    } while (evs__parser_accept(parser, ','));
    if (evs__parser_accept(parser, '='))
        local.values = evs__parse_exprs(parser, &v);
    adjust(&parser->frame->code, count, (int)local.values.count, &v);
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

/* A target of an assignment, and those to its left. */
typedef struct target {
    struct target *left;
    evs__operand v;
} target;

/* In `t[a], a = ...` the key of a target to the left is the local that is assigned here. Lua saves
 * it in a register first. */
static void check_conflict(evs__code *code, target *left, const evs__operand *local)
{
    int saved = code->free;
    int conflict = 0;
    for (; left != NULL; left = left->left) {
        if (left->v.kind != EVS__OPERAND_INDEXED)
            continue;
        int object = left->v.at == local->at;
        int key = left->v.key == local->at;
        left->v.at = object ? saved : left->v.at;
        left->v.key = key ? saved : left->v.key;
        conflict |= object || key;
    }
    if (conflict) {
        evs__code_emit(code);
        evs__code_reserve(code, 1);
    }
}

/* '=' explist1; the last target, and the only one whose value may be anywhere */
static void assign_last(evs__parser *parser, evs__assign_stat *assign, target *last)
{
    evs__code *code = &parser->frame->code;
    evs__operand v;
    int wanted = (int)assign->targets.count;
    evs__parser_expect(parser, '=');
    assign->values = evs__parse_exprs(parser, &v);
    int have = (int)assign->values.count;
    if (have == wanted) {
        evs__operand_load(code, &v);
    } else {
        adjust(code, wanted, have, &v);
        if (have > wanted)
            code->free -= have - wanted;
        v = evs__operand_in(EVS__OPERAND_FIXED, code->free - 1);
    }
    evs__operand_store(code, &last->v, &v);
}

/* assignment -> primaryexp {',' primaryexp} '=' explist1; one call for each target, so that the
 * values are stored from right to left */
static void assignment(evs__parser *parser, evs__assign_stat *assign, target *here)
{
    evs__code *code = &parser->frame->code;
    if (here->v.kind < EVS__OPERAND_LOCAL || here->v.kind > EVS__OPERAND_INDEXED)
        evs__parser_fail(parser, "syntax error");
    evs__name_assign(parser, assign->targets.items[assign->targets.count - 1]);
    if (!evs__parser_accept(parser, ',')) {
        assign_last(parser, assign, here);
        return;
    }
    target next = {.left = here};
    evs__parser_push(parser, &assign->targets, evs__parse_primary(parser, &next.v));
    if (next.v.kind == EVS__OPERAND_LOCAL)
        check_conflict(code, here, &next.v);
    evs__parser_check_limit(parser, parser->frame, (int)assign->targets.count - 1,
                            EVS__MOST_LEVELS - parser->levels, "variables in assignment");
    assignment(parser, assign, &next);
    evs__operand v = evs__operand_in(EVS__OPERAND_FIXED, code->free - 1);
    evs__operand_store(code, &here->v, &v);
}

/* exprstat -> primaryexp that is a call | assignment */
static evs__stat *exprstat(evs__parser *parser)
{
    evs__stat *stat = evs__parser_stat(parser, EVS__STAT_CALL, parser->now.at);
    target first = {.left = NULL};
    evs__expr *expr = evs__parse_primary(parser, &first.v);
    if (first.v.kind == EVS__OPERAND_CALL) {
        stat->as.call = expr;
        return stat;
    }
    evs__assign_stat assign = {.values = {NULL, 0}};
    evs__parser_push(parser, &assign.targets, expr);
    if (!parser->lexer.failed)
        assignment(parser, &assign, &first);
    stat->kind = EVS__STAT_ASSIGN;
    stat->as.assign = assign;
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
        return whilestat(parser, line);
    case EVS__TK_DO:
        return dostat(parser, line);
    case EVS__TK_FOR:
        return forstat(parser, line);
    case EVS__TK_REPEAT:
        return repeatstat(parser, line);
    case EVS__TK_FUNCTION:
        return funcstat(parser, line);
    case EVS__TK_LOCAL:
        return local(parser);
    case EVS__TK_RETURN:
        return retstat(parser);
    case EVS__TK_BREAK:
        return breakstat(parser);
    default:
        return exprstat(parser);
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
