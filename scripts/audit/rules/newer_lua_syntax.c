/* ES002 - Lua of a version newer than 5.1. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static const char *meaning(char letter)
{
    switch (letter) {
    case 'x':
        return "\\x is the letter x in Lua 5.1, not a byte in hexadecimal";
    case 'z':
        return "\\z is the letter z in Lua 5.1, and skips nothing";
    default:
        return "\\u is the letter u in Lua 5.1, not a character";
    }
}

/* Escapes are no errors to the server: the script runs, with other data. */
static void check_escapes(const evs__facts *facts, evs__findings *out)
{
    const evs__chunk *chunk = facts->chunk;
    for (size_t i = 0; i < chunk->nnewer; i++) {
        char letter = chunk->source.data[chunk->newer[i].start + 1];
        evs_finding *finding = evs__finding_add(out, evs__span_public(chunk, chunk->newer[i]), "%s",
                                                meaning(letter));
        if (finding != NULL)
            finding->severity = EVS_SEVERITY_WARNING;
    }
}

static void check(const evs__facts *facts, evs__findings *out)
{
    if (facts->refusal == EVS__REFUSAL_NEWER)
        evs__finding_add(out, facts->syntax_at, "%s", facts->refusal_text);
    check_escapes(facts, out);
}

const evs__rule evs__rule_newer_lua_syntax = {
    .info =
        {
            .code = "ES002",
            .name = "newer-lua-syntax",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "Servers run Lua 5.1, and editors write newer ones. Operators and "
                   "statements that came later do not compile; the escapes \\x, \\z "
                   "and \\u in strings do, and silently are letters: '\\x41' is the "
                   "text x41.",
            .bad = "local v = 7 // 2\n"
                   "return v",
            .good = "return math.floor(7 / 2)",
            .exceptions = "",
            .false_positives = "None for operators. An escape is reported as a warning; write the "
                               "letter without the backslash if it is meant.",
            .server = "ERR Error compiling script (new function)",
            .fix = "write it in Lua 5.1: bit.band, math.floor, string.char, if and "
                   "while",
            .companions = "",
            .target = "",
        },
    .check = check,
};
