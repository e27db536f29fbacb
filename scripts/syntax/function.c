/*
 * function.c - the parameters and the body of a function.
 */
#include "scripts/syntax/scope.h"

static void add_parameter(evs__parser *parser, evs__function *function, evs__local *local)
{
    evs__local **all = evs__parser_room(parser, function->parameters, function->nparameters,
                                        sizeof(evs__local *));
    if (all == NULL)
        return;
    function->parameters = all;
    function->parameters[function->nparameters++] = local;
}

/* parlist -> {NAME ','} (NAME | '...') */
static void parlist(evs__parser *parser, evs__function *function)
{
    int count = 0;
    do {
        evs__token token = parser->now;
        if (token.kind == EVS__TK_NAME) {
            evs__parser_advance(parser);
            evs__local *local = evs__local_declare(parser, EVS__LOCAL_PARAMETER, &token, count++);
            add_parameter(parser, function, local);
        } else if (token.kind == EVS__TK_DOTS) {
            evs__parser_advance(parser);
            token.text = evs_text("arg");
            function->vararg = 1;
            function->arg = evs__local_declare(parser, EVS__LOCAL_ARG, &token, count++);
        } else {
            evs__parser_fail(parser, "<name> or '...' expected");
            return;
        }
    } while (!function->vararg && evs__parser_accept(parser, ','));
    evs__locals_activate(parser, count);
}

evs__expr *evs__parse_body(evs__parser *parser, evs__span start, const evs__token *self, int line,
                           evs__operand *v)
{
    evs__function *function = evs__function_new(parser, start);
    evs__frame frame;
    evs__frame_open(parser, &frame, function);
    frame.line = line;
    evs__parser_expect(parser, '(');
    if (self != NULL) {
        evs__token token = *self;
        token.text = evs_text("self");
        add_parameter(parser, function, evs__local_declare(parser, EVS__LOCAL_SELF, &token, 0));
        evs__locals_activate(parser, 1);
    }
    if (parser->now.kind != ')')
        parlist(parser, function);
    evs__code_reserve(&frame.code, frame.code.nactive);
    evs__parser_expect(parser, ')');
    function->body = evs__parse_chunk(parser);
    evs__parser_close(parser, EVS__TK_END, EVS__TK_FUNCTION, line);
    evs__frame_close(parser);

    function->at = evs__parser_since(parser, start);
    evs__code_closure(&parser->frame->code, function->nupvalues);
    *v = evs__operand_of(EVS__OPERAND_LOOSE);
    evs__expr *expr = evs__parser_expr(parser, EVS__EXPR_FUNCTION, start);
    expr->as.function = function;
    return expr;
}
