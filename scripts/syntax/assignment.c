/*
 * assignment.c - assignments, and calls as statements, which begin alike.
 */
#include "scripts/syntax/scope.h"

void evs__parse_adjust(evs__code *code, int wanted, int have, evs__operand *v)
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
        evs__parse_adjust(code, wanted, have, &v);
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
evs__stat *evs__parse_exprstat(evs__parser *parser)
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
