/*
 * constructor.c - table constructors.
 *
 * Values by position wait in registers until there are enough of them; so a long table needs a
 * bounded number of registers, and the books of code.h have to know when they go.
 */
#include "scripts/syntax/state.h"

static unsigned higher(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

/* recfield -> (NAME | '[' expr ']') '=' expr */
static void recfield(evs__parser *parser, evs__item *item)
{
    evs__code *code = &parser->frame->code;
    int free = code->free;
    evs__operand key, value;
    if (parser->now.kind == EVS__TK_NAME) {
        evs__token name = evs__parser_name(parser);
        item->kind = EVS__ITEM_NAME;
        item->key = evs__parse_key(parser, &name);
        key = evs__parse_string(parser, name.text);
    } else {
        item->kind = EVS__ITEM_KEY;
        evs__parser_advance(parser);
        item->key = evs__parse_expr(parser, &key);
        evs__operand_value(code, &key);
        evs__parser_expect(parser, ']');
    }
    evs__parser_expect(parser, '=');
    evs__operand_nameable(code, &key);
    item->value = evs__parse_expr(parser, &value);
    evs__operand_nameable(code, &value);
    evs__code_emit(code);
    code->free = free;
}

static int begins_recfield(evs__parser *parser)
{
    if (parser->now.kind != EVS__TK_NAME)
        return parser->now.kind == '[';
    evs__parser_look(parser);
    return parser->ahead.kind == '=';
}

static void push_item(evs__parser *parser, evs__table_expr *table, const evs__item *item)
{
    evs__item *items = evs__parser_room(parser, table->items, table->count, sizeof *items);
    if (items == NULL)
        return;
    table->items = items;
    table->items[table->count++] = *item;
}

/* Values wait in registers; a full batch of them goes into the table with one instruction, or two
 * when the table is long. */
typedef struct list_batch {
    evs__operand last; /* VOID, or the value that is not in a register yet */
    int waiting;
    int total;
    int free; /* the first register behind the table's own */
} list_batch;

enum { FULL_BATCH = 50, LONG_TABLE = 511 * FULL_BATCH };

static void flush(evs__code *code, list_batch *batch)
{
    evs__code_emit(code);
    if (batch->total > LONG_TABLE)
        evs__code_emit(code);
    code->free = batch->free;
    batch->waiting = 0;
}

static void close_listfield(evs__code *code, list_batch *batch)
{
    if (batch->last.kind == EVS__OPERAND_VOID)
        return;
    evs__operand_next(code, &batch->last);
    batch->last.kind = EVS__OPERAND_VOID;
    if (batch->waiting == FULL_BATCH)
        flush(code, batch);
}

static void last_listfield(evs__code *code, list_batch *batch)
{
    if (batch->waiting == 0)
        return;
    if (evs__operand_is_many(&batch->last))
        evs__operand_spread(code, &batch->last);
    else if (batch->last.kind != EVS__OPERAND_VOID)
        evs__operand_next(code, &batch->last);
    flush(code, batch);
}

/* field -> recfield | expr */
static void field(evs__parser *parser, evs__table_expr *table, list_batch *batch)
{
    evs__item item = {EVS__ITEM_POSITION, NULL, NULL};
    close_listfield(&parser->frame->code, batch);
    if (begins_recfield(parser)) {
        recfield(parser, &item);
    } else {
        item.value = evs__parse_expr(parser, &batch->last);
        batch->waiting++;
        batch->total++;
    }
    push_item(parser, table, &item);
}

/* constructor -> '{' [field {(',' | ';') field} [',' | ';']] '}' */
evs__expr *evs__parse_constructor(evs__parser *parser, evs__operand *v)
{
    evs__code *code = &parser->frame->code;
    evs__span start = parser->now.at;
    int line = parser->lexer.line;
    evs__table_expr table = {NULL, 0};

    evs__code_emit(code);
    *v = evs__operand_of(EVS__OPERAND_LOOSE);
    evs__operand_next(code, v);
    list_batch batch = {.last = evs__operand_of(EVS__OPERAND_VOID), .free = code->free};
    evs__parser_expect(parser, '{');
    do {
        if (parser->now.kind == '}')
            break;
        field(parser, &table, &batch);
    } while (evs__parser_accept(parser, ',') || evs__parser_accept(parser, ';'));
    evs__parser_close(parser, '}', '{', line);
    last_listfield(code, &batch);

    evs__expr *expr = evs__parser_expr(parser, EVS__EXPR_TABLE, start);
    for (size_t i = 0; i < table.count; i++) {
        const evs__item *item = &table.items[i];
        unsigned height = higher(item->value->height, item->key == NULL ? 0 : item->key->height);
        expr->height = higher(expr->height, height + 1);
    }
    expr->as.table = table;
    return expr;
}
