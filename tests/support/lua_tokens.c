#include "tests/support/lua_tokens.h"

#include "scripts/syntax/lexer.h"

#include <stdio.h>
#include <string.h>

void lua_tokens_read(lua_tokens *out, const char *text)
{
    evs__arena arena = EVS__ARENA_INIT;
    evs__lexer lexer;
    evs__token token;
    size_t begin = strncmp(text, "#!", 2) == 0 ? strcspn(text, "\n") : 0;
    out->count = 0;
    evs__lexer_init(&lexer, &arena, evs_text(text), begin);
    for (evs__lexer_next(&lexer, &token); token.kind != EVS__TK_EOF && out->count < LUA_TOKENS_MAX;
         evs__lexer_next(&lexer, &token)) {
        lua_token *item = &out->items[out->count++];
        item->kind = token.kind;
        item->text.data = text + token.at.start;
        item->text.len = token.at.end - token.at.start;
    }
    evs__lexer_free(&lexer);
    evs__arena_free(&arena);
}

int lua_token_is(const lua_token *token, const char *text)
{
    return token->text.len == strlen(text) && memcmp(token->text.data, text, token->text.len) == 0;
}

/* ---- writing ---- */

typedef struct page {
    char *text;
    size_t len;
    int full;
} page;

static void say(page *p, const char *text, size_t len)
{
    if (p->len + len + 2 > LUA_MUTANT_MAX) {
        p->full = 1;
        return;
    }
    memcpy(p->text + p->len, text, len);
    p->len += len;
    p->text[p->len++] = ' ';
}

/* The `)` behind the parameters of the function at `i`; 0 when there is none. */
static size_t end_of_parameters(const lua_tokens *tokens, size_t i)
{
    while (i < tokens->count && !lua_token_is(&tokens->items[i], ")"))
        i++;
    return i < tokens->count ? i : 0;
}

int lua_tokens_write(char out[LUA_MUTANT_MAX], const lua_tokens *tokens)
{
    static const char fuel[] = "local fuel_n = 100 local function fuel() fuel_n = fuel_n - 1 "
                               "if fuel_n < 0 then error('no fuel') end end\n";
    page p = {out, 0, 0};
    size_t behind = 0;
    say(&p, fuel, sizeof fuel - 1);
    for (size_t i = 0; i < tokens->count; i++) {
        const lua_token *token = &tokens->items[i];
        say(&p, token->text.data, token->text.len);
        if (token->kind == EVS__TK_FUNCTION)
            behind = end_of_parameters(tokens, i);
        if (token->kind == EVS__TK_DO || token->kind == EVS__TK_REPEAT ||
            (behind > 0 && i == behind))
            say(&p, "fuel();", 7);
        if (behind == i)
            behind = 0;
    }
    out[p.len] = '\0';
    return !p.full;
}

/* ---- changing ---- */

typedef struct change {
    lua_tokens *tokens;
    const lua_corpus *corpus;
    uint64_t random;
} change;

static size_t roll(change *c, size_t sides)
{
    c->random = c->random * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(c->random >> 33) % sides;
}

/* Takes `cut` words away at `at` and puts `more` there. */
static void splice(lua_tokens *tokens, size_t at, size_t cut, const lua_token *more, size_t count)
{
    size_t behind = tokens->count - at - cut;
    if (at + cut > tokens->count || tokens->count - cut + count > LUA_TOKENS_MAX)
        return;
    memmove(tokens->items + at + count, tokens->items + at + cut, behind * sizeof *tokens->items);
    if (count > 0)
        memcpy(tokens->items + at, more, count * sizeof *more);
    tokens->count = at + count + behind;
}

static lua_token word(const char *text, int kind)
{
    lua_token token = {kind, {text, strlen(text)}};
    return token;
}

/* Another word of the same kind, from the script itself or well known. */
static void replace(change *c)
{
    static const char *const names[] = {"KEYS", "ARGV", "redis", "pcall", "k", "t", "ipairs"};
    static const char *const texts[] = {"'k1'", "'bad'", "'SET'", "'MSET'", "'DEL'", "'err'", "''"};
    static const char *const numbers[] = {"1", "2", "3", "0", "-1"};
    static const char *const signs[] = {"==", "~=", "..", "and", "or", "+", "<"};
    lua_token *token = &c->tokens->items[roll(c, c->tokens->count)];
    const lua_token *other = &c->tokens->items[roll(c, c->tokens->count)];
    if (other->kind == token->kind && roll(c, 2))
        *token = *other;
    else if (token->kind == EVS__TK_NAME)
        *token = word(names[roll(c, 7)], EVS__TK_NAME);
    else if (token->kind == EVS__TK_STRING)
        *token = word(texts[roll(c, 7)], EVS__TK_STRING);
    else if (token->kind == EVS__TK_NUMBER)
        *token = word(numbers[roll(c, 5)], EVS__TK_NUMBER);
    else if (token->kind == EVS__TK_EQ || token->kind == EVS__TK_NE ||
             token->kind == EVS__TK_CONCAT || token->kind == EVS__TK_AND)
        *token = word(signs[roll(c, 7)], token->kind);
}

/* Where the statement begins that the word at `i` is in, roughly. */
static int begins_statement(const lua_token *token)
{
    switch (token->kind) {
    case EVS__TK_LOCAL:
    case EVS__TK_IF:
    case EVS__TK_FOR:
    case EVS__TK_WHILE:
    case EVS__TK_RETURN:
    case EVS__TK_END:
        return 1;
    default:
        return lua_token_is(token, "redis");
    }
}

static size_t statement_from(const lua_tokens *tokens, size_t i)
{
    while (i < tokens->count && !begins_statement(&tokens->items[i]))
        i++;
    return i;
}

/* A statement goes away, comes twice, or changes places with the next. */
static void move(change *c)
{
    lua_tokens *tokens = c->tokens;
    size_t first = statement_from(tokens, roll(c, tokens->count));
    size_t second = statement_from(tokens, first + 1), third = statement_from(tokens, second + 1);
    static lua_token copy[LUA_TOKENS_MAX];
    size_t n = second - first;
    if (first >= tokens->count || n == 0 || n > 60)
        return;
    memcpy(copy, tokens->items + first, n * sizeof *copy);
    switch (roll(c, 3)) {
    case 0:
        splice(tokens, first, n, NULL, 0);
        return;
    case 1:
        splice(tokens, second, 0, copy, n);
        return;
    default:
        if (third <= tokens->count)
            splice(tokens, third, 0, copy, n);
        splice(tokens, first, n, NULL, 0);
        return;
    }
}

/* Another script, without what it returns, in front of a statement. */
static void graft(change *c)
{
    static lua_tokens other;
    lua_tokens_read(&other, c->corpus->scripts[roll(c, c->corpus->count)].text);
    size_t at = roll(c, 2) ? 0 : statement_from(c->tokens, roll(c, c->tokens->count));
    size_t n = 0;
    while (n < other.count && other.items[n].kind != EVS__TK_RETURN)
        n++;
    if (n < 150)
        splice(c->tokens, at, 0, other.items, n);
}

/* Parts of it run in a function that may be caught. */
static void wrap(change *c)
{
    static const char *const begin[] = {"pcall", "(", "function", "(", "...", ")"};
    static const char *const end[] = {"end", ")"};
    lua_token words[6];
    size_t at = statement_from(c->tokens, roll(c, c->tokens->count));
    size_t to = statement_from(c->tokens, at + 1);
    if (at >= c->tokens->count || to > c->tokens->count)
        return;
    for (size_t i = 0; i < 2; i++)
        words[i] = word(end[i], i == 0 ? EVS__TK_END : ')');
    splice(c->tokens, to, 0, words, 2);
    for (size_t i = 0; i < 6; i++)
        words[i] = word(begin[i], i == 2 ? EVS__TK_FUNCTION : EVS__TK_NAME);
    splice(c->tokens, at, 0, words, 6);
}

void lua_mutate(lua_tokens *out, const lua_corpus *corpus, uint64_t seed)
{
    change c = {out, corpus, seed * 0x9e3779b97f4a7c15u + 1};
    roll(&c, 2);
    lua_tokens_read(out, corpus->scripts[roll(&c, corpus->count)].text);
    for (size_t n = 1 + roll(&c, 4); n > 0 && out->count > 0; n--) {
        switch (roll(&c, 8)) {
        case 0:
            graft(&c);
            break;
        case 1:
            wrap(&c);
            break;
        case 2:
        case 3:
            move(&c);
            break;
        default:
            replace(&c);
            break;
        }
    }
}
