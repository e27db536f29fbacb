/*
 * The parser ends at the first token that Lua 5.1 does not take; what stands there and just before
 * it tells which construct of a newer Lua it is.
 */
#include "scripts/audit/refusal.h"

#include <string.h>

static int is_text(evs_bytes bytes, const char *text)
{
    return bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}

static int begins(evs_bytes bytes, const char *text)
{
    return bytes.len >= strlen(text) && memcmp(bytes.data, text, strlen(text)) == 0;
}

/* The byte behind the token where the parse ended; -1 at the end. */
static int byte_behind(const evs__chunk *chunk)
{
    size_t at = chunk->error.token.at.end;
    return at < chunk->source.len ? (unsigned char)chunk->source.data[at] : -1;
}

/* Do the token and the one before it touch? */
static int touch(const evs__parse_error *e)
{
    return e->before.at.end > 0 && e->before.at.end == e->token.at.start;
}

static const char *newer_operator(const evs__chunk *chunk)
{
    const evs__parse_error *e = &chunk->error;
    switch (e->token.kind) {
    case '/':
        return e->before.kind == '/' && touch(e) ? "// is an operator of Lua 5.3" : NULL;
    case '&':
        return "& is an operator of Lua 5.3; here it is bit.band";
    case '|':
        return "| is an operator of Lua 5.3; here it is bit.bor";
    case '~':
        return "~ is an operator of Lua 5.3; here it is bit.bxor or bit.bnot";
    case '<':
        if (e->before.kind == '<' && touch(e))
            return "<< is an operator of Lua 5.3; here it is bit.lshift";
        return e->before.kind == EVS__TK_NAME ? "attributes of locals came with Lua 5.4" : NULL;
    case '>':
        return e->before.kind == '>' && touch(e)
                   ? ">> is an operator of Lua 5.3; here it is bit.rshift"
                   : NULL;
    case ':':
        return byte_behind(chunk) == ':' ? "labels came with Lua 5.2" : NULL;
    case ';':
        return "empty statements came with Lua 5.2";
    case EVS__TK_NAME:
        return e->before.kind == EVS__TK_NAME && is_text(e->before.text, "goto")
                   ? "goto came with Lua 5.2"
                   : NULL;
    default:
        return NULL;
    }
}

/* 1ULL and 0x1p4 are one malformed number to Lua 5.1. */
static const char *newer_number(const evs__chunk *chunk)
{
    const evs__parse_error *e = &chunk->error;
    evs_bytes text = {chunk->source.data + e->at.start, e->at.end - e->at.start};
    if (!begins(evs_text(e->message), "malformed number"))
        return NULL;
    if (text.len > 2 && (text.data[text.len - 1] | 32) == 'l')
        return "suffixes of numbers are LuaJIT's";
    if (text.len > 2 && (text.data[1] | 32) == 'x' && memchr(text.data, 'p', text.len) != NULL)
        return "hexadecimal numbers with an exponent came with Lua 5.2";
    return NULL;
}

static evs__refusal syntax(const evs__chunk *chunk, const char **what)
{
    const evs__parse_error *e = &chunk->error;
    if (begins(chunk->source, "\xef\xbb\xbf")) {
        *what = "the script begins with a byte order mark";
        return EVS__REFUSAL_LEADING;
    }
    if (chunk->source.len > 0 && chunk->source.data[0] == '\0') {
        *what = "the script begins with a NUL byte";
        return EVS__REFUSAL_LEADING;
    }
    if (e->token.kind == '#' && byte_behind(chunk) == '!') {
        *what = "a shebang must begin at the first byte";
        return EVS__REFUSAL_SHEBANG;
    }
    *what = newer_operator(chunk);
    if (*what == NULL)
        *what = newer_number(chunk);
    return *what != NULL ? EVS__REFUSAL_NEWER : EVS__REFUSAL_SYNTAX;
}

evs__refusal evs__refusal_of(const evs__chunk *chunk, const char **what)
{
    *what = NULL;
    switch (chunk->error.problem) {
    case EVS__PARSE_OK:
        break;
    case EVS__PARSE_SYNTAX:
        return syntax(chunk, what);
    case EVS__PARSE_LIMIT:
        return EVS__REFUSAL_LIMIT;
    case EVS__PARSE_SHEBANG:
        return EVS__REFUSAL_SHEBANG;
    }
    return EVS__REFUSAL_NONE;
}
