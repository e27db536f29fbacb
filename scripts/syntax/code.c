#include "scripts/syntax/code.h"

/* Lua's MAXSTACK, and MAXARG_sBx. */
enum { MOST_REGISTERS = 250, LONGEST_JUMP = 131071 };

static const evs__jumps no_jumps = EVS__NO_JUMPS;

void evs__code_init(evs__code *code, evs__lexer *lexer, const evs__token *now,
                    const evs__token *before)
{
    *code = (evs__code){
        .lexer = lexer, .now = now, .before = before, .label = -1, .nil_pc = -1, .here = no_jumps};
}

static void fail(evs__code *code, const char *message)
{
    if (code->lexer->failed)
        return;
    message = evs__lexer_near(code->lexer, message, code->now);
    evs__lexer_blame(code->lexer, EVS__PARSE_LIMIT, message, code->now, code->before);
}

void evs__code_overflow(evs__code *code, const char *message)
{
    if (code->lexer->failed)
        return;
    evs__lexer_blame(code->lexer, EVS__PARSE_LIMIT, message, code->now, code->before);
    code->lexer->error.line = 0;
}

/* A jump at `from` goes to `to`, or is chained to the jump there. */
static void check_distance(evs__code *code, int from, int to)
{
    int distance = to - (from + 1);
    if (distance > LONGEST_JUMP || distance < -LONGEST_JUMP)
        fail(code, "control structure too long");
}

static void arrive(evs__code *code, evs__jumps list, int target)
{
    if (list.head < 0)
        return;
    check_distance(code, list.lowest, target);
    check_distance(code, list.highest, target);
}

void evs__code_emit(evs__code *code)
{
    arrive(code, code->here, code->pc);
    code->here = no_jumps;
    code->pc++;
}

void evs__code_unemit(evs__code *code)
{
    code->pc--;
}

void evs__code_nil(evs__code *code, int from, int count)
{
    int last = from + count - 1;
    int reached = code->pc <= code->label;
    if (!reached && code->pc == 0 && from >= code->nactive)
        return; /* a new function's registers are nil already */
    if (!reached && code->pc > 0 && code->nil_pc == code->pc - 1 && code->nil_from <= from &&
        from <= code->nil_to + 1) {
        if (last > code->nil_to)
            code->nil_to = last;
        return;
    }
    code->nil_pc = code->pc;
    code->nil_from = from;
    code->nil_to = last;
    evs__code_emit(code);
}

/* One more instruction for each upvalue says where it comes from. */
void evs__code_closure(evs__code *code, size_t nupvalues)
{
    if (code->nfunctions >= EVS__CONSTANTS_MAX)
        evs__code_overflow(code, "constant table overflow");
    code->nfunctions++;
    for (size_t i = 0; i <= nupvalues; i++)
        evs__code_emit(code);
}

void evs__code_check(evs__code *code, int count)
{
    if (code->free + count >= MOST_REGISTERS)
        fail(code, "function or expression too complex");
}

void evs__code_reserve(evs__code *code, int count)
{
    evs__code_check(code, count);
    code->free += count;
}

int evs__code_constant(evs__code *code, const evs__constant *constant)
{
    if (code->lexer->failed)
        return -1;
    int number = evs__constants_number(&code->constants, code->lexer->arena, constant);
    if (number < 0)
        evs__lexer_nomem(code->lexer);
    if (number >= EVS__CONSTANTS_MAX)
        evs__code_overflow(code, "constant table overflow");
    return number;
}

int evs__code_string(evs__code *code, evs_bytes text)
{
    evs__constant constant = {EVS__CONSTANT_STRING, 0, text};
    return evs__code_constant(code, &constant);
}

int evs__code_number(evs__code *code, double number)
{
    evs__constant constant = {EVS__CONSTANT_NUMBER, number, {NULL, 0}};
    return evs__code_constant(code, &constant);
}

void evs__code_join(evs__code *code, evs__jumps *list, evs__jumps more)
{
    if (more.head < 0)
        return;
    if (list->head < 0) {
        *list = more;
        return;
    }
    check_distance(code, list->last, more.head);
    list->last = more.last;
    if (more.lowest < list->lowest)
        list->lowest = more.lowest;
    if (more.highest > list->highest)
        list->highest = more.highest;
    list->needs_value |= more.needs_value;
}

evs__jumps evs__code_loop(evs__code *code)
{
    evs__jumps jump = {code->pc, code->pc, code->pc, code->pc, 1};
    evs__code_emit(code);
    return jump;
}

evs__jumps evs__code_jump(evs__code *code)
{
    evs__jumps landing = code->here;
    code->here = no_jumps;
    evs__jumps jump = evs__code_loop(code);
    evs__code_join(code, &jump, landing);
    return jump;
}

int evs__code_label(evs__code *code)
{
    code->label = code->pc;
    return code->pc;
}

void evs__code_land(evs__code *code, evs__jumps list)
{
    evs__code_label(code);
    evs__code_join(code, &code->here, list);
}

void evs__code_send(evs__code *code, evs__jumps list, int target)
{
    if (target == code->pc)
        evs__code_land(code, list);
    else
        arrive(code, list, target);
}
