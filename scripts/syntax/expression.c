/*
 * expression.c - the expressions of Lua 5.1, one function per production.
 *
 * Each function returns the node and tells by `v` what Lua's compiler would know of the value; see
 * operand.h. Precedences are one table, at `subexpr`.
 */
#include "scripts/syntax/scope.h"

static unsigned higher(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static unsigned highest(const evs__exprs *list)
{
    unsigned height = 0;
    for (size_t i = 0; i < list->count; i++)
        height = higher(height, list->items[i]->height);
    return height;
}

/* A node of one token, which is passed. */
static evs__expr *leaf(evs__parser *parser, evs__expr_kind kind)
{
    evs__span start = parser->now.at;
    evs__parser_advance(parser);
    return evs__parser_expr(parser, kind, start);
}

/* A name or string used as a key. */
evs__expr *evs__parse_key(evs__parser *parser, const evs__token *token)
{
    evs__expr *key = evs__parser_expr(parser, EVS__EXPR_STRING, token->at);
    key->at = parser->inside != NULL ? *parser->inside : token->at;
    key->as.string = token->text;
    return key;
}

evs__operand evs__parse_string(evs__parser *parser, evs_bytes text)
{
    evs__operand v = evs__operand_of(EVS__OPERAND_STRING);
    v.constant = evs__code_string(&parser->frame->code, text);
    return v;
}

static evs__expr *vararg(evs__parser *parser, evs__operand *v)
{
    if (!parser->frame->function->vararg)
        evs__parser_fail(parser, "cannot use '...' outside a vararg function");
    evs__code_emit(&parser->frame->code);
    *v = evs__operand_of(EVS__OPERAND_VARARG);
    return leaf(parser, EVS__EXPR_VARARG);
}

static evs__expr *number(evs__parser *parser, evs__operand *v)
{
    *v = evs__operand_of(EVS__OPERAND_NUMBER);
    v->number = parser->now.number;
    evs__expr *expr = leaf(parser, EVS__EXPR_NUMBER);
    expr->as.number = v->number;
    return expr;
}

static evs__expr *string(evs__parser *parser, evs__operand *v)
{
    evs_bytes text = parser->now.text;
    *v = evs__parse_string(parser, text);
    evs__expr *expr = leaf(parser, EVS__EXPR_STRING);
    expr->as.string = text;
    return expr;
}

/* FUNCTION body */
static evs__expr *function(evs__parser *parser, evs__operand *v)
{
    evs__span start = parser->now.at;
    evs__parser_advance(parser);
    return evs__parse_body(parser, start, NULL, parser->lexer.line, v);
}

/* simpleexp -> NUMBER | STRING | NIL | TRUE | FALSE | '...' | constructor | FUNCTION body
 *            | primaryexp */
static evs__expr *simpleexp(evs__parser *parser, evs__operand *v)
{
    switch (parser->now.kind) {
    case EVS__TK_NUMBER:
        return number(parser, v);
    case EVS__TK_STRING:
        return string(parser, v);
    case EVS__TK_NIL:
        *v = evs__operand_of(EVS__OPERAND_NIL);
        return leaf(parser, EVS__EXPR_NIL);
    case EVS__TK_TRUE:
        *v = evs__operand_of(EVS__OPERAND_TRUE);
        return leaf(parser, EVS__EXPR_TRUE);
    case EVS__TK_FALSE:
        *v = evs__operand_of(EVS__OPERAND_FALSE);
        return leaf(parser, EVS__EXPR_FALSE);
    case EVS__TK_DOTS:
        return vararg(parser, v);
    case '{':
        return evs__parse_constructor(parser, v);
    case EVS__TK_FUNCTION:
        return function(parser, v);
    default:
        return evs__parse_primary(parser, v);
    }
}

evs__exprs evs__parse_exprs(evs__parser *parser, evs__operand *v)
{
    evs__exprs list = {NULL, 0};
    evs__parser_push(parser, &list, evs__parse_expr(parser, v));
    while (evs__parser_accept(parser, ',')) {
        evs__operand_next(&parser->frame->code, v);
        evs__parser_push(parser, &list, evs__parse_expr(parser, v));
    }
    return list;
}

evs__expr *evs__parse_variable(evs__parser *parser, evs__operand *v)
{
    evs__token name = evs__parser_name(parser);
    evs__expr *expr = evs__parser_expr(parser, EVS__EXPR_NAME, name.at);
    evs__name_resolve(parser, &name, &expr->as.name, v);
    return expr;
}

/* '(' expr ')' */
static evs__expr *parenthesised(evs__parser *parser, evs__operand *v)
{
    evs__span start = parser->now.at;
    int line = parser->lexer.line;
    evs__parser_advance(parser);
    evs__expr *inner = evs__parse_expr(parser, v);
    evs__parser_close(parser, ')', '(', line);
    evs__operand_load(&parser->frame->code, v);
    evs__expr *expr = evs__parser_expr(parser, EVS__EXPR_PAREN, start);
    expr->as.paren = inner;
    expr->height = inner->height + 1;
    return expr;
}

/* prefixexp -> NAME | '(' expr ')' */
static evs__expr *prefixexp(evs__parser *parser, evs__operand *v)
{
    if (parser->now.kind == '(')
        return parenthesised(parser, v);
    if (parser->now.kind == EVS__TK_NAME)
        return evs__parse_variable(parser, v);
    *v = evs__operand_of(EVS__OPERAND_NIL);
    evs__parser_fail(parser, "unexpected symbol");
    return evs__parser_expr(parser, EVS__EXPR_NIL, parser->now.at);
}

static evs__expr *index_node(evs__parser *parser, evs__expr *object, evs__expr *key, int dotted)
{
    evs__expr *expr = evs__parser_expr(parser, EVS__EXPR_INDEX, object->at);
    expr->as.index = (evs__index){object, key, dotted};
    expr->height = higher(object->height, key->height) + 1;
    return expr;
}

evs__expr *evs__parse_field(evs__parser *parser, evs__expr *object, evs__operand *v)
{
    evs__operand_any(&parser->frame->code, v);
    evs__parser_advance(parser);
    evs__token name = evs__parser_name(parser);
    evs__operand key = evs__parse_string(parser, name.text);
    evs__operand_index(&parser->frame->code, v, &key);
    return index_node(parser, object, evs__parse_key(parser, &name), 1);
}

/* '[' expr ']' */
static evs__expr *subscript(evs__parser *parser, evs__expr *object, evs__operand *v)
{
    evs__operand key;
    evs__operand_any(&parser->frame->code, v);
    evs__parser_advance(parser);
    evs__expr *inner = evs__parse_expr(parser, &key);
    evs__operand_value(&parser->frame->code, &key);
    evs__parser_expect(parser, ']');
    evs__operand_index(&parser->frame->code, v, &key);
    return index_node(parser, object, inner, 0);
}

/* '(' [explist1] ')' */
static evs__exprs arguments(evs__parser *parser, evs__operand *v)
{
    evs__exprs args = {NULL, 0};
    int line = parser->lexer.line;
    if (line != parser->before_line)
        evs__parser_fail(parser, "ambiguous syntax (function call x new statement)");
    evs__parser_advance(parser);
    *v = evs__operand_of(EVS__OPERAND_VOID);
    if (parser->now.kind != ')') {
        args = evs__parse_exprs(parser, v);
        evs__operand_spread(&parser->frame->code, v);
    }
    evs__parser_close(parser, ')', '(', line);
    return args;
}

/* funcargs -> '(' [explist1] ')' | constructor | STRING */
static evs__exprs funcargs(evs__parser *parser, evs__operand *callee)
{
    evs__code *code = &parser->frame->code;
    evs__exprs args = {NULL, 0};
    evs__operand v = evs__operand_of(EVS__OPERAND_VOID);
    if (parser->now.kind == '(')
        args = arguments(parser, &v);
    else if (parser->now.kind == '{')
        evs__parser_push(parser, &args, evs__parse_constructor(parser, &v));
    else if (parser->now.kind == EVS__TK_STRING)
        evs__parser_push(parser, &args, string(parser, &v));
    else
        evs__parser_fail(parser, "function arguments expected");
    if (!evs__operand_is_many(&v) && v.kind != EVS__OPERAND_VOID)
        evs__operand_next(code, &v);
    evs__code_emit(code);
    code->free = callee->at + 1;
    *callee = evs__operand_in(EVS__OPERAND_CALL, callee->at);
    return args;
}

static evs__expr *call(evs__parser *parser, evs__expr *callee, evs__operand *v)
{
    evs__operand_next(&parser->frame->code, v);
    evs__exprs args = funcargs(parser, v);
    evs__expr *expr = evs__parser_expr(parser, EVS__EXPR_CALL, callee->at);
    expr->as.call = (evs__call_expr){callee, args};
    expr->height = higher(callee->height, highest(&args)) + 1;
    return expr;
}

/* ':' NAME funcargs */
static evs__expr *method(evs__parser *parser, evs__expr *object, evs__operand *v)
{
    evs__parser_advance(parser);
    evs__token name = evs__parser_name(parser);
    evs__span name_at = parser->inside != NULL ? *parser->inside : name.at;
    evs__operand key = evs__parse_string(parser, name.text);
    evs__operand_self(&parser->frame->code, v, &key);
    evs__exprs args = funcargs(parser, v);
    evs__expr *expr = evs__parser_expr(parser, EVS__EXPR_METHOD, object->at);
    expr->as.method = (evs__method_expr){object, name.text, name_at, args};
    expr->height = higher(object->height, highest(&args)) + 1;
    return expr;
}

evs__expr *evs__parse_primary(evs__parser *parser, evs__operand *v)
{
    evs__expr *expr = prefixexp(parser, v);
    for (;;) {
        switch (parser->now.kind) {
        case '.':
            expr = evs__parse_field(parser, expr, v);
            break;
        case '[':
            expr = subscript(parser, expr, v);
            break;
        case ':':
            expr = method(parser, expr, v);
            break;
        case '(':
        case '{':
        case EVS__TK_STRING:
            expr = call(parser, expr, v);
            break;
        default:
            return expr;
        }
    }
}

/* Which operator a token is, and how strongly it binds to its left and to its right. Those that
 * group to the right (`..` and `^`) bind more strongly to the left. */
typedef struct operator
{
    int token;
    evs__binary_op op;
    int left;
    int right;
}
operator;

static const operator operators[] = {
    {'+', EVS__OP_ADD, 6, 6},
    {'-', EVS__OP_SUB, 6, 6},
    {'*', EVS__OP_MUL, 7, 7},
    {'/', EVS__OP_DIV, 7, 7},
    {'%', EVS__OP_MOD, 7, 7},
    {'^', EVS__OP_POW, 10, 9},
    {EVS__TK_CONCAT, EVS__OP_CONCAT, 5, 4},
    {EVS__TK_NE, EVS__OP_NE, 3, 3},
    {EVS__TK_EQ, EVS__OP_EQ, 3, 3},
    {'<', EVS__OP_LT, 3, 3},
    {EVS__TK_LE, EVS__OP_LE, 3, 3},
    {'>', EVS__OP_GT, 3, 3},
    {EVS__TK_GE, EVS__OP_GE, 3, 3},
    {EVS__TK_AND, EVS__OP_AND, 2, 2},
    {EVS__TK_OR, EVS__OP_OR, 1, 1},
};

enum { UNARY_RIGHT = 8 };

/* The operator that the current token is, if it binds more strongly than `limit`. */
static const operator* binary_operator(const evs__parser *parser, int limit)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (operators[i].token == parser->now.kind)
            return operators[i].left > limit ? &operators[i] : NULL;
    }
    return NULL;
}

static int unary_operator(const evs__parser *parser, evs__unary_op *out)
{
    if (parser->now.kind == EVS__TK_NOT)
        *out = EVS__OP_NOT;
    else if (parser->now.kind == '-')
        *out = EVS__OP_NEG;
    else if (parser->now.kind == '#')
        *out = EVS__OP_LEN;
    else
        return 0;
    return 1;
}

static evs__expr *subexpr(evs__parser *parser, evs__operand *v, int limit);

static evs__expr *unary(evs__parser *parser, evs__unary_op op, evs__operand *v)
{
    evs__span start = parser->now.at;
    evs__parser_advance(parser);
    evs__expr *operand = subexpr(parser, v, UNARY_RIGHT);
    evs__operand_unary(&parser->frame->code, op, v);
    evs__expr *expr = evs__parser_expr(parser, EVS__EXPR_UNARY, start);
    expr->as.unary = (evs__unary){op, operand};
    expr->height = operand->height + 1;
    return expr;
}

static evs__expr *binary(evs__parser *parser, const operator* row, evs__expr *left, evs__operand *v)
{
    evs__span op_at = parser->now.at;
    evs__operand right_value;
    evs__parser_advance(parser);
    evs__operand_left(&parser->frame->code, row->op, v);
    evs__expr *right = subexpr(parser, &right_value, row->right);
    evs__operand_binary(&parser->frame->code, row->op, v, &right_value);
    evs__expr *expr = evs__parser_expr(parser, EVS__EXPR_BINARY, left->at);
    expr->as.binary = (evs__binary){row->op, op_at, left, right};
    expr->height = higher(left->height, right->height) + 1;
    return expr;
}

/* subexpr -> (simpleexp | unop subexpr) {binop subexpr}, where each binop binds more strongly than
 * `limit` */
static evs__expr *subexpr(evs__parser *parser, evs__operand *v, int limit)
{
    evs__unary_op op;
    evs__parser_enter(parser);
    evs__expr *expr = unary_operator(parser, &op) ? unary(parser, op, v) : simpleexp(parser, v);
    for (;;) {
        const operator* row = binary_operator(parser, limit);
        if (row == NULL)
            break;
        expr = binary(parser, row, expr, v);
    }
    evs__parser_leave(parser);
    return expr;
}

evs__expr *evs__parse_expr(evs__parser *parser, evs__operand *v)
{
    return subexpr(parser, v, 0);
}
