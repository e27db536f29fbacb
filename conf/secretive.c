/*
 * secretive.c - errs on the side of hiding: a masked address costs a look into the file, a shown
 * password costs more.
 */
#include "conf/secretive.h"

#include "conf/ascii.h"
#include "core/similar.h"

#include <strings.h>

static int is(evs_bytes text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.data, word, text.len) == 0;
}

static int contains_password(evs_bytes text)
{
    static const char word[] = "password";
    for (size_t i = 0; i + sizeof word - 1 <= text.len; i++) {
        if (strncasecmp(text.data + i, word, sizeof word - 1) == 0)
            return 1;
    }
    return 0;
}

static int ends_with(evs_bytes text, const char *end)
{
    size_t len = strlen(end);
    return text.len >= len && memcmp(text.data + text.len - len, end, len) == 0;
}

int evs__password_key(evs_bytes key)
{
    if (ends_with(key, "password_env") || ends_with(key, "password_file"))
        return 0;
    return contains_password(key) || evs__edit_distance(key, evs_text("password"), 1) <= 1;
}

int evs__secretive_key(evs_bytes key)
{
    static const char *const words[] = {"auth", "pass",   "passwd", "passphrase",  "pwd",
                                        "pw",   "secret", "token",  "requirepass", "masterauth"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (is(key, words[i]))
            return 1;
    }
    return evs__password_key(key);
}

static int in_word(char c)
{
    return evs__is_alnum(c) || c == '_' || c == '-' || c == '.';
}

/* Finds the first `word:` whose word is a key that `matches`; *behind is behind the colon. */
static int find_key(size_t *behind, evs_bytes line, int (*matches)(evs_bytes key))
{
    for (size_t at = 0; at < line.len;) {
        size_t end = at;
        while (end < line.len && in_word(line.data[end]))
            end++;
        size_t colon = end;
        while (colon < line.len && (evs__is_blank(line.data[colon]) || line.data[colon] == '"' ||
                                    line.data[colon] == '\''))
            colon++;
        if (end > at && colon < line.len && line.data[colon] == ':' &&
            matches((evs_bytes){line.data + at, end - at})) {
            *behind = colon + 1;
            return 1;
        }
        at = end + 1;
    }
    return 0;
}

int evs__secretive_text(evs_bytes text)
{
    size_t behind;
    const char *at = text.len == 0 ? NULL : memchr(text.data, '@', text.len);
    if (at != NULL && memchr(text.data, ':', (size_t)(at - text.data)) != NULL)
        return 1;
    return find_key(&behind, text, evs__password_key);
}

/* Whether the value of a secretive key begins on the next line. */
static int leaves_secret_open(evs_bytes line)
{
    static const char openers[] = " \t|>-+'\"";
    size_t at;
    if (!find_key(&at, line, evs__secretive_key))
        return 0;
    while (at < line.len && memchr(openers, line.data[at], sizeof openers - 1) != NULL)
        at++;
    return at == line.len;
}

static void hide(char *line, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (line[i] != ' ' && line[i] != '\t')
            line[i] = '*';
    }
}

void evs__mask_line(char *line, size_t len, evs_bytes previous)
{
    evs_bytes text = {line, len};
    if (leaves_secret_open(previous)) {
        hide(line, 0, len);
        return;
    }
    size_t behind;
    if (find_key(&behind, text, evs__secretive_key))
        hide(line, behind, len);
    for (size_t at = len; at > 0; at--) {
        size_t start = at - 1;
        if (line[start] != '@')
            continue;
        while (start > 0 && line[start - 1] != ' ' && line[start - 1] != '\t')
            start--;
        hide(line, start, at);
    }
}
