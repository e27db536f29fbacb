/*
 * string: whatever is done to an element of KEYS, it is derived from it; constants stay constants
 * where command names are made of them.
 */
#include "scripts/audit/builtins/builtin.h"

#include <ctype.h>

/* ---- upper, lower ---- */

static const evs__value *changed_letters(evs__interp *in, const evs__atom *atom, int upper,
                                         evs__span at)
{
    char *text = evs__arena_text(&in->pool->arena, atom->text.data, atom->text.len);
    if (text == NULL) {
        in->pool->failed = 1;
        return evs__value_lost();
    }
    for (size_t i = 0; i < atom->text.len; i++)
        text[i] = (char)(upper ? toupper((unsigned char)text[i]) : tolower((unsigned char)text[i]));
    evs_bytes bytes = {text, atom->text.len};
    return evs__value_constant(in->pool, bytes, at);
}

evs__seq evs__builtin_letters(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *value = evs__builtin_arg(in, call, 0);
    evs__span at = call->site->at;
    if (value->types != EVS__TYPE_STRING)
        return evs__builtin_computed(in, call);
    const evs__value *all = evs__value_none();
    for (size_t i = 0; i < value->natoms; i++) {
        if (value->atoms[i]->kind != EVS__ATOM_CONSTANT)
            return evs__builtin_computed(in, call);
        int upper = call->callable->builtin->name[0] == 'u';
        all = evs__value_join(in->pool, all, changed_letters(in, value->atoms[i], upper, at));
    }
    return evs__builtin_give(in, call, all);
}

/* ---- format ---- */

/* A format being filled in. */
typedef struct filling {
    evs__interp *in;
    const evs__builtin_call *call;
    const evs__value *made;
    size_t next; /* argument */
} filling;

static void add(filling *f, const evs__value *piece)
{
    f->made = evs__value_concat(f->in->pool, f->made, piece, f->call->site->at);
}

static void add_text(filling *f, const char *text, size_t len)
{
    evs_bytes bytes = {text, len};
    if (len > 0)
        add(f, evs__value_constant(f->in->pool, bytes, f->call->site->at));
}

/* `spec` is what stands between % and the letter: only a plain %s leaves a string as it is. */
static void add_argument(filling *f, char letter, size_t spec)
{
    evs__span at = f->call->site->at;
    const evs__value *value = evs__builtin_arg(f->in, f->call, f->next++);
    const evs__atom *single = evs__value_single(value);
    /* It ends at a zero byte. */
    int cut = single != NULL && single->kind == EVS__ATOM_CONSTANT && single->text.len > 0 &&
              memchr(single->text.data, '\0', single->text.len) != NULL;
    if (letter == 's')
        evs__builtin_note(f->in, f->call, EVS__SIGHT_SHOWN, f->next - 1);
    if (letter == 's' && spec == 0 && !cut)
        add(f, evs__to_string(f->in, value, at));
    else
        add(f, evs__value_computed(f->in->pool, value, EVS__TYPE_STRING, at));
}

static void fill(filling *f, evs_bytes format)
{
    size_t begin = 0;
    for (size_t i = 0; i < format.len; i++) {
        if (format.data[i] != '%')
            continue;
        add_text(f, format.data + begin, i - begin);
        size_t letter = i + 1;
        while (letter < format.len && strchr("-+ #0123456789.", format.data[letter]) != NULL &&
               format.data[letter] != '\0')
            letter++;
        if (letter < format.len && format.data[letter] == '%')
            add_text(f, "%", 1);
        else if (letter < format.len)
            add_argument(f, format.data[letter], letter - i - 1);
        i = letter;
        begin = letter + 1;
    }
    if (begin < format.len)
        add_text(f, format.data + begin, format.len - begin);
}

evs__seq evs__builtin_format(evs__interp *in, const evs__builtin_call *call)
{
    const evs__atom *format = evs__value_single(evs__builtin_arg(in, call, 0));
    if (format == NULL || format->kind != EVS__ATOM_CONSTANT)
        return evs__builtin_computed(in, call);
    evs_bytes empty = {"", 0};
    filling f = {in, call, evs__value_constant(in->pool, empty, call->site->at), 1};
    fill(&f, format->text);
    return evs__builtin_give(in, call, f.made);
}

/* ---- gsub, gmatch ---- */

evs__seq evs__builtin_gsub(evs__interp *in, const evs__builtin_call *call)
{
    evs__span at = call->site->at;
    const evs__value *replacement = evs__builtin_arg(in, call, 2);
    const evs__value *made = evs__builtin_mix(in, call, EVS__TYPE_STRING);
    made = evs__value_join(in->pool, made, evs__touch(in, replacement, at));
    if (replacement->types & EVS__TYPE_FUNCTION) {
        const evs__value *subject = evs__builtin_arg(in, call, 0);
        const evs__value *match = evs__value_computed(
            in->pool, subject, EVS__TYPE_STRING | EVS__TYPE_NUMBER | EVS__TYPE_NIL, at);
        evs__calls_back(in, replacement);
        evs__invoke_often(in, call->site, replacement, evs__seq_any(match, at));
        made = evs__value_join(in->pool, made,
                               evs__value_top(in->pool, "a function replaces parts of it", at));
    }
    evs__seq seq = evs__builtin_give(in, call, made);
    evs__seq_push(in->pool, &seq,
                  evs__value_data(in->pool, EVS__SOURCE_NUMBER, EVS__TYPE_NUMBER, at), at);
    return seq;
}

static evs__seq next_match(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *match = evs__value_join(in->pool, call->callable->bound, evs__value_nil());
    evs__seq seq = evs__builtin_give(in, call, match);
    seq.rest = match;
    seq.rest_at = call->site->at;
    return seq;
}

evs__seq evs__builtin_gmatch(evs__interp *in, const evs__builtin_call *call)
{
    static const evs__builtin iterator = {"string", "gmatch", next_match, EVS__TYPE_ANY, 0};
    evs__callable callable = {.builtin = &iterator};
    callable.bound = evs__builtin_mix(in, call, EVS__TYPE_STRING | EVS__TYPE_NUMBER);
    return evs__builtin_give(in, call, evs__value_callable(in->pool, &callable));
}
