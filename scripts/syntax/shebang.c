/*
 * shebang.c - reads the shebang as the server does: words separated by blanks, quoted as in
 * redis-cli, the first one `#!lua`, the others `flags=` and a list with commas.
 */
#include "scripts/syntax/shebang.h"

#include <string.h>

/* A word being read. `text` is its value, NUL-terminated; `at` is where it stands in the line. */
typedef struct shebang_word {
    char *text;
    size_t len;
    size_t start, end;
} shebang_word;

static int is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The escape in double quotes at `p`, a backslash with a byte behind it; returns its length. */
static size_t escape(const char *p, size_t left, char *out)
{
    static const char letters[] = "nrtba";
    static const char values[] = "\n\r\t\b\a";
    if (left >= 4 && p[1] == 'x' && hex_digit(p[2]) >= 0 && hex_digit(p[3]) >= 0) {
        *out = (char)(hex_digit(p[2]) * 16 + hex_digit(p[3]));
        return 4;
    }
    const char *letter = strchr(letters, p[1]);
    *out = letter == NULL ? p[1] : values[letter - letters];
    return 2;
}

/* The rest of a quoted word; `*at` is behind its opening quote and moves behind the closing one,
 * which also ends the word. 0 when there is none, or something other than a blank behind it. */
static int quoted(shebang_word *word, evs_bytes line, size_t *at, char quote)
{
    size_t i = *at;
    while (i < line.len && line.data[i] != quote) {
        const char *p = line.data + i;
        size_t left = line.len - i;
        size_t step = 1;
        char c = *p;
        if (c == '\\' && quote == '"' && left >= 2)
            step = escape(p, left, &c);
        else if (c == '\\' && left >= 2 && p[1] == '\'')
            c = p[step++];
        word->text[word->len++] = c;
        i += step;
    }
    *at = i + 1;
    return i < line.len && (i + 1 == line.len || is_space(line.data[i + 1]));
}

/* Reads the next word from `*at` on: 1; 0 at the end of the line; -1 when it is badly quoted. */
static int next_word(shebang_word *word, evs_bytes line, size_t *at)
{
    int good = 1;
    size_t i = *at;
    while (i < line.len && is_space(line.data[i]))
        i++;
    word->start = i;
    word->len = 0;
    if (i == line.len)
        return 0;
    while (i < line.len && strchr(" \r\t", line.data[i]) == NULL) {
        char c = line.data[i++];
        if (c == '"' || c == '\'') {
            good = quoted(word, line, &i, c);
            break;
        }
        word->text[word->len++] = c;
    }
    word->end = *at = i < line.len ? i : line.len;
    word->text[word->len] = '\0';
    return good ? 1 : -1;
}

static int is_known_flag(const char *flag)
{
    static const char *const known[] = {"no-writes", "allow-oom", "allow-stale", "no-cluster",
                                        "allow-cross-slot-keys"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(flag, known[i]) == 0)
            return 1;
    }
    return 0;
}

/* The first flag of a list with commas that the server does not know; NULL when there is none.
 * Commas become NULs. An empty list is fine, an empty flag is not. */
static const char *unknown_flag(char *list, size_t len)
{
    char *end = list + len;
    for (char *flag = list; len > 0 && flag <= end;) {
        char *comma = memchr(flag, ',', (size_t)(end - flag));
        char *stop = comma == NULL ? end : comma;
        *stop = '\0';
        if (!is_known_flag(flag))
            return flag;
        flag = stop + 1;
    }
    return NULL;
}

/* What is wrong with a word, without the word itself, which goes to `*what`. */
static const char *complaint(shebang_word *word, int is_first, const char **what)
{
    static const char flags[] = "flags=";
    size_t skip = sizeof flags - 1;
    *what = word->text;
    if (is_first)
        return strcmp(word->text, "#!lua") == 0 ? NULL : "Unexpected engine in script shebang";
    if (strncmp(word->text, flags, skip) != 0)
        return "Unknown lua shebang option";
    *what = unknown_flag(word->text + skip, word->len - skip);
    return *what == NULL ? NULL : "Unexpected flag in script shebang";
}

evs_bytes evs__shebang_find(evs_bytes source)
{
    evs_bytes line = {source.data, 0};
    if (source.len < 2 || source.data[0] != '#' || source.data[1] != '!')
        return line;
    const char *end = memchr(source.data, '\n', source.len);
    line.len = end == NULL ? source.len : (size_t)(end - source.data);
    return line;
}

static const char *check_line(evs_bytes line, shebang_word *word, evs__arena *arena, int *nomem)
{
    size_t at = 0;
    int got;
    do {
        got = next_word(word, line, &at);
    } while (got > 0);
    if (got < 0)
        return "Invalid engine in script shebang";

    at = 0;
    while (next_word(word, line, &at) > 0) {
        const char *what;
        const char *problem = complaint(word, word->start == 0, &what);
        if (problem == NULL)
            continue;
        problem = evs__arena_format(arena, "%s: %s", problem, what);
        *nomem = problem == NULL;
        return problem;
    }
    return NULL;
}

const char *evs__shebang_problem(evs_bytes source, evs__arena *arena, evs__span *at, int *nomem)
{
    evs_bytes line = evs__shebang_find(source);
    *nomem = 0;
    if (line.len == 0)
        return NULL;
    *at = (evs__span){0, line.len, 1, 1};
    if (line.len == source.len || memchr(line.data, '\0', line.len) != NULL)
        return "Invalid script shebang";

    shebang_word word = {.text = evs__arena_alloc(arena, line.len + 1, 1)};
    if (word.text == NULL) {
        *nomem = 1;
        return NULL;
    }
    const char *problem = check_line(line, &word, arena, nomem);
    if (problem != NULL && word.end > word.start)
        *at = (evs__span){word.start, word.end, 1, (int)word.start + 1};
    return problem;
}
