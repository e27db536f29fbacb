/*
 * ast.c - the tree as text, and the nodes' small facts.
 *
 * The dump walks by recursion, which is bounded, but for the left spine of an expression, which is
 * not (see ast.h): the spine is written in two passes, down for the opening parentheses and up
 * again for the rest, over an array of its nodes.
 */
#include "scripts/syntax/ast.h"

#include "core/mem.h"

static void dump_expr(evs__buf *out, const evs__expr *expr);
static void dump_block(evs__buf *out, const evs__block *block);

const char *evs__binary_text(evs__binary_op op)
{
    static const char *const texts[] = {
        "+", "-", "*", "/", "%", "^", "..", "~=", "==", "<", "<=", ">", ">=", "and", "or"};
    return texts[op];
}

const char *evs__unary_text(evs__unary_op op)
{
    static const char *const texts[] = {"-", "not", "#"};
    return texts[op];
}

static void dump_string(evs__buf *out, evs_bytes text)
{
    evs__buf_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < ' ' || c > '~' || c == '"' || c == '\\')
            evs__buf_format(out, "\\%03d", c);
        else
            evs__buf_char(out, (char)c);
    }
    evs__buf_char(out, '"');
}

static void dump_exprs(evs__buf *out, const evs__exprs *list)
{
    for (size_t i = 0; i < list->count; i++) {
        evs__buf_char(out, ' ');
        dump_expr(out, list->items[i]);
    }
}

/* x is a global, x:1 the second declaration of the function, x:1^ one of a function around. */
static void dump_local(evs__buf *out, const evs__local *local)
{
    evs__buf_append(out, local->name.data, local->name.len);
    evs__buf_format(out, ":%zu", local->index);
}

static void dump_locals(evs__buf *out, evs__local *const *locals, size_t count)
{
    evs__buf_char(out, '(');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            evs__buf_char(out, ' ');
        dump_local(out, locals[i]);
    }
    evs__buf_char(out, ')');
}

static void dump_name(evs__buf *out, const evs__name *name)
{
    if (name->binding == EVS__BOUND_GLOBAL) {
        evs__buf_append(out, name->text.data, name->text.len);
        return;
    }
    dump_local(out, name->local);
    if (name->binding == EVS__BOUND_UPVALUE)
        evs__buf_char(out, '^');
}

static void dump_function(evs__buf *out, const evs__function *function)
{
    evs__buf_text(out, "(function ");
    dump_locals(out, function->parameters, function->nparameters);
    if (function->vararg)
        evs__buf_text(out, " ...");
    dump_block(out, &function->body);
    evs__buf_char(out, ')');
}

static void dump_item(evs__buf *out, const evs__item *item)
{
    evs__buf_char(out, ' ');
    if (item->kind == EVS__ITEM_POSITION) {
        dump_expr(out, item->value);
        return;
    }
    evs__buf_text(out, item->kind == EVS__ITEM_NAME ? "(. " : "([] ");
    dump_expr(out, item->key);
    evs__buf_char(out, ' ');
    dump_expr(out, item->value);
    evs__buf_char(out, ')');
}

static void dump_table(evs__buf *out, const evs__table_expr *table)
{
    evs__buf_text(out, "(table");
    for (size_t i = 0; i < table->count; i++)
        dump_item(out, &table->items[i]);
    evs__buf_char(out, ')');
}

/* The child that may be as deep as the script is long; NULL for other nodes. */
static const evs__expr *spine_child(const evs__expr *expr)
{
    switch (expr->kind) {
    case EVS__EXPR_BINARY:
        return expr->as.binary.left;
    case EVS__EXPR_INDEX:
        return expr->as.index.object;
    case EVS__EXPR_CALL:
        return expr->as.call.callee;
    case EVS__EXPR_METHOD:
        return expr->as.method.object;
    default:
        return NULL;
    }
}

/* What stands before the spine's child. */
static void open_spine(evs__buf *out, const evs__expr *expr)
{
    switch (expr->kind) {
    case EVS__EXPR_BINARY:
        evs__buf_format(out, "(%s ", evs__binary_text(expr->as.binary.op));
        return;
    case EVS__EXPR_INDEX:
        evs__buf_text(out, expr->as.index.dotted ? "(. " : "([] ");
        return;
    case EVS__EXPR_CALL:
        evs__buf_text(out, "(call ");
        return;
    default:
        evs__buf_text(out, "(method ");
        return;
    }
}

/* And what stands behind it. */
static void close_spine(evs__buf *out, const evs__expr *expr)
{
    switch (expr->kind) {
    case EVS__EXPR_BINARY:
        evs__buf_char(out, ' ');
        dump_expr(out, expr->as.binary.right);
        break;
    case EVS__EXPR_INDEX:
        evs__buf_char(out, ' ');
        dump_expr(out, expr->as.index.key);
        break;
    case EVS__EXPR_CALL:
        dump_exprs(out, &expr->as.call.args);
        break;
    default:
        evs__buf_char(out, ' ');
        dump_string(out, expr->as.method.name);
        dump_exprs(out, &expr->as.method.args);
        break;
    }
    evs__buf_char(out, ')');
}

static void dump_spine(evs__buf *out, const evs__expr *top)
{
    size_t count = 0;
    const evs__expr *at = top;
    for (; spine_child(at) != NULL; at = spine_child(at))
        count++;
    const evs__expr **spine = evs__alloc_array(count, sizeof(const evs__expr *));
    if (spine == NULL) {
        out->failed = 1;
        return;
    }
    at = top;
    for (size_t i = 0; i < count; i++) {
        open_spine(out, at);
        spine[i] = at;
        at = spine_child(at);
    }
    dump_expr(out, at);
    for (size_t i = count; i > 0; i--)
        close_spine(out, spine[i - 1]);
    evs__free(spine);
}

static void dump_expr(evs__buf *out, const evs__expr *expr)
{
    switch (expr->kind) {
    case EVS__EXPR_NIL:
        evs__buf_text(out, "nil");
        return;
    case EVS__EXPR_TRUE:
        evs__buf_text(out, "true");
        return;
    case EVS__EXPR_FALSE:
        evs__buf_text(out, "false");
        return;
    case EVS__EXPR_NUMBER:
        evs__buf_format(out, "%.14g", expr->as.number);
        return;
    case EVS__EXPR_STRING:
        dump_string(out, expr->as.string);
        return;
    case EVS__EXPR_VARARG:
        evs__buf_text(out, "...");
        return;
    case EVS__EXPR_FUNCTION:
        dump_function(out, expr->as.function);
        return;
    case EVS__EXPR_NAME:
        dump_name(out, &expr->as.name);
        return;
    case EVS__EXPR_UNARY:
        evs__buf_format(out, "(%s ", evs__unary_text(expr->as.unary.op));
        dump_expr(out, expr->as.unary.operand);
        evs__buf_char(out, ')');
        return;
    case EVS__EXPR_TABLE:
        dump_table(out, &expr->as.table);
        return;
    case EVS__EXPR_PAREN:
        evs__buf_text(out, "(paren ");
        dump_expr(out, expr->as.paren);
        evs__buf_char(out, ')');
        return;
    default:
        dump_spine(out, expr);
        return;
    }
}

static void dump_loop(evs__buf *out, const char *word, const evs__loop_stat *loop)
{
    evs__buf_text(out, word);
    if (*word == 'w') {
        evs__buf_char(out, ' ');
        dump_expr(out, loop->condition);
    }
    dump_block(out, &loop->block);
    if (*word != 'w') {
        evs__buf_char(out, ' ');
        dump_expr(out, loop->condition);
    }
}

static void dump_branch(evs__buf *out, const evs__branch_stat *branch)
{
    evs__buf_text(out, "if");
    for (size_t i = 0; i < branch->narms; i++) {
        evs__buf_text(out, " (");
        if (branch->arms[i].condition == NULL)
            evs__buf_text(out, "else");
        else
            dump_expr(out, branch->arms[i].condition);
        dump_block(out, &branch->arms[i].block);
        evs__buf_char(out, ')');
    }
}

static void dump_count(evs__buf *out, const evs__count_stat *count)
{
    evs__buf_text(out, "for ");
    dump_local(out, count->name);
    evs__buf_char(out, ' ');
    dump_expr(out, count->start);
    evs__buf_char(out, ' ');
    dump_expr(out, count->limit);
    evs__buf_char(out, ' ');
    if (count->step == NULL)
        evs__buf_char(out, '1');
    else
        dump_expr(out, count->step);
    dump_block(out, &count->block);
}

static void dump_each(evs__buf *out, const evs__each_stat *each)
{
    evs__buf_text(out, "for-in ");
    dump_locals(out, each->names, each->nnames);
    evs__buf_text(out, " (");
    dump_exprs(out, &each->values);
    evs__buf_char(out, ')');
    dump_block(out, &each->block);
}

static void dump_local_stat(evs__buf *out, const evs__local_stat *local)
{
    evs__buf_text(out, "local ");
    dump_locals(out, local->names, local->nnames);
    dump_exprs(out, &local->values);
}

static void dump_assign(evs__buf *out, const evs__assign_stat *assign)
{
    evs__buf_text(out, "= (");
    for (size_t i = 0; i < assign->targets.count; i++) {
        if (i > 0)
            evs__buf_char(out, ' ');
        dump_expr(out, assign->targets.items[i]);
    }
    evs__buf_char(out, ')');
    dump_exprs(out, &assign->values);
}

static void dump_stat(evs__buf *out, const evs__stat *stat)
{
    switch (stat->kind) {
    case EVS__STAT_LOCAL:
        dump_local_stat(out, &stat->as.local);
        return;
    case EVS__STAT_LOCAL_FUNCTION:
        evs__buf_text(out, "local-function ");
        dump_local(out, stat->as.local_function.name);
        evs__buf_char(out, ' ');
        dump_expr(out, stat->as.local_function.function);
        return;
    case EVS__STAT_ASSIGN:
        dump_assign(out, &stat->as.assign);
        return;
    case EVS__STAT_CALL:
        evs__buf_text(out, "do-call ");
        dump_expr(out, stat->as.call);
        return;
    case EVS__STAT_DO:
        evs__buf_text(out, "do");
        dump_block(out, &stat->as.block);
        return;
    case EVS__STAT_WHILE:
        dump_loop(out, "while", &stat->as.loop);
        return;
    case EVS__STAT_REPEAT:
        dump_loop(out, "repeat", &stat->as.loop);
        return;
    case EVS__STAT_IF:
        dump_branch(out, &stat->as.branch);
        return;
    case EVS__STAT_FOR:
        dump_count(out, &stat->as.count);
        return;
    case EVS__STAT_FOR_IN:
        dump_each(out, &stat->as.each);
        return;
    case EVS__STAT_FUNCTION:
        evs__buf_text(out, stat->as.function.method ? "method-function " : "function ");
        dump_expr(out, stat->as.function.target);
        evs__buf_char(out, ' ');
        dump_expr(out, stat->as.function.function);
        return;
    case EVS__STAT_RETURN:
        evs__buf_text(out, "return");
        dump_exprs(out, &stat->as.values);
        return;
    case EVS__STAT_BREAK:
        evs__buf_text(out, "break");
        return;
    }
}

/* Each statement with a blank before it. */
static void dump_block(evs__buf *out, const evs__block *block)
{
    for (const evs__stat *stat = block->first; stat != NULL; stat = stat->next) {
        evs__buf_text(out, " (");
        dump_stat(out, stat);
        evs__buf_char(out, ')');
    }
}

void evs__ast_dump(evs__buf *out, const evs__function *main)
{
    dump_function(out, main);
}

void evs__ast_dump_expr(evs__buf *out, const evs__expr *expr)
{
    dump_expr(out, expr);
}
