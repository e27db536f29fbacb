/*
 * Atoms in words, for messages.
 */
#include "scripts/audit/value.h"

enum { SHOWN_MAX = 40 };

static void indexed(evs__buf *out, const char *table, int index)
{
    if (index == 0)
        evs__buf_format(out, "an element of %s", table);
    else
        evs__buf_format(out, "%s[%d]", table, index);
}

static void quoted(evs__buf *out, evs_bytes text)
{
    size_t shown = text.len > SHOWN_MAX ? SHOWN_MAX : text.len;
    evs__buf_char(out, '\'');
    for (size_t i = 0; i < shown; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < ' ' || c == 0x7f)
            evs__buf_format(out, "\\%03d", c);
        else
            evs__buf_char(out, (char)c);
    }
    evs__buf_text(out, text.len > SHOWN_MAX ? "...'" : "'");
}

static void sources(evs__buf *out, const evs__atom *atom)
{
    if (atom->sources & EVS__SOURCE_REPLY) {
        if (atom->text.len > 0)
            evs__buf_format(out, "a reply of %.*s", (int)atom->text.len, atom->text.data);
        else
            evs__buf_text(out, "a reply");
    } else if (atom->sources & EVS__SOURCE_ARGUMENT) {
        indexed(out, "ARGV", atom->index);
    } else if (atom->sources == EVS__SOURCE_HOLE ||
               atom->sources == (EVS__SOURCE_HOLE | EVS__SOURCE_CONSTANT)) {
        evs__buf_format(out, "text with interpolated `%.*s`", (int)atom->text.len, atom->text.data);
    } else if (atom->sources & EVS__SOURCE_RANDOM) {
        evs__buf_text(out, "a random number");
    } else if (atom->sources & EVS__SOURCE_NUMBER) {
        evs__buf_text(out, "a computed number");
    } else {
        evs__buf_text(out, "constants");
    }
}

void evs__atom_describe(evs__buf *out, const evs__atom *atom)
{
    char number[32];
    switch (atom->kind) {
    case EVS__ATOM_CONSTANT:
        evs__buf_text(out, "the constant ");
        quoted(out, atom->text);
        return;
    case EVS__ATOM_NUMBER:
        evs__number_text(number, atom->number);
        evs__buf_format(out, "the number %s", number);
        return;
    case EVS__ATOM_KEY:
    case EVS__ATOM_DERIVED:
        indexed(out, "KEYS", atom->index);
        return;
    case EVS__ATOM_ARGUMENT:
        indexed(out, "ARGV", atom->index);
        return;
    case EVS__ATOM_REPLY:
        evs__buf_format(out, "a reply of %.*s", (int)atom->text.len, atom->text.data);
        return;
    case EVS__ATOM_DATA:
        sources(out, atom);
        return;
    case EVS__ATOM_TOP:
        evs__buf_append(out, atom->text.data, atom->text.len);
        return;
    }
}

const char *evs__atom_text(evs__pool *pool, const evs__atom *atom)
{
    evs__buf buf = EVS__BUF_INIT;
    evs__atom_describe(&buf, atom);
    char *text = evs__buf_ok(&buf) ? evs__arena_text(&pool->arena, buf.data, buf.len) : NULL;
    evs__buf_free(&buf);
    pool->failed |= text == NULL;
    return text == NULL ? "" : text;
}
