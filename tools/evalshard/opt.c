/*
 * opt.c - the words of a command line, one pass from left to right. Each word is an option, the
 * value of the option before it, or plain; `open` is the WORDS option that takes words at the
 * moment.
 */
#include "tools/evalshard/opt.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/evalshard/term.h"

typedef struct parser {
    opts *out;
    const char *const *argv;
    size_t argc;
    size_t at;      /* the word being read */
    opt_list *open; /* NULL: plain words */
} parser;

static int fail(opts *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(opts *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(out->problem, sizeof out->problem, format, args);
    va_end(args);
    return -1;
}

static void append(parser *p, opt_list *list, const char *word)
{
    if (list->words == NULL)
        list->words = need(calloc(p->argc + 1, sizeof *list->words));
    list->words[list->count++] = word;
}

static int looks_like_option(const char *word)
{
    return word[0] == '-' && (word[1] == '-' || isalpha((unsigned char)word[1]));
}

/* ---- did you mean ---- */

enum { SIMILAR_MAX = 32 };

/* Levenshtein's distance, one row at a time; letters of either case alike. */
static size_t distance(const char *a, const char *b)
{
    size_t row[SIMILAR_MAX + 1];
    size_t na = strlen(a), nb = strlen(b);
    if (na > SIMILAR_MAX || nb > SIMILAR_MAX)
        return SIMILAR_MAX;
    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            int same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            size_t best = corner + !same;
            corner = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return row[nb];
}

const char *opt_similar(const char *word, const char *const *words, size_t count)
{
    size_t best = strlen(word) / 3 + 2; /* beyond that a suggestion is a riddle */
    const char *found = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, words[i]);
        if (d < best && d < strlen(words[i])) {
            best = d;
            found = words[i];
        }
    }
    return found;
}

/* ---- one option ---- */

static int unknown(parser *p, const char *word)
{
    const char *names[OPT_MAX + 1] = {"help"};
    char name[SIMILAR_MAX + 1];
    size_t n = 1;
    for (size_t i = 0; i < p->out->nspecs; i++)
        names[n++] = p->out->specs[i].name;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *similar = word[1] == '-' ? opt_similar(name, names, n) : NULL;
    if (similar == NULL)
        return fail(p->out, "unknown option %s", word);
    return fail(p->out, "unknown option %s; did you mean --%s?", word, similar);
}

/* `attached` is the value written together with the option, NULL when there is none. */
static int option(parser *p, size_t row, const char *attached)
{
    const opt_spec *spec = &p->out->specs[row];
    opt_list *list = &p->out->values[row];
    p->open = NULL;
    if (spec->kind == OPT_FLAG) {
        list->count = 1;
        return attached == NULL ? 0 : fail(p->out, "--%s takes no value", spec->name);
    }
    const char *next = p->at + 1 < p->argc ? p->argv[p->at + 1] : "-h";
    int quoted = spec->kind == OPT_WORDS && strcmp(next, "--") == 0;
    if (attached == NULL && !quoted) {
        if (looks_like_option(next))
            return fail(p->out, "--%s needs a value: %s", spec->name, spec->argument);
        attached = next;
        p->at++;
    }
    if (attached != NULL)
        append(p, list, attached);
    if (spec->kind == OPT_WORDS)
        p->open = list;
    return 0;
}

static int long_option(parser *p, const char *word)
{
    const char *value = strchr(word, '=');
    size_t len = value == NULL ? strlen(word + 2) : (size_t)(value - word - 2);
    if (strcmp(word, "--help") == 0) {
        p->out->help = 1;
        return 0;
    }
    for (size_t i = 0; i < p->out->nspecs; i++) {
        const char *name = p->out->specs[i].name;
        if (strlen(name) == len && memcmp(name, word + 2, len) == 0)
            return option(p, i, value == NULL ? NULL : value + 1);
    }
    return unknown(p, word);
}

static int short_option(parser *p, const char *word)
{
    if (strcmp(word, "-h") == 0) {
        p->out->help = 1;
        return 0;
    }
    for (size_t i = 0; i < p->out->nspecs; i++) {
        if (p->out->specs[i].letter == word[1])
            return option(p, i, word[2] == '\0' ? NULL : word + 2);
    }
    return unknown(p, word);
}

int opt_parse(opts *out, const opt_spec *specs, size_t nspecs, const char *const *argv)
{
    *out = (opts){.specs = specs, .nspecs = nspecs};
    parser p = {.out = out, .argv = argv};
    while (argv[p.argc] != NULL)
        p.argc++;

    for (; p.at < p.argc; p.at++) {
        const char *word = argv[p.at];
        int failed = 0;
        if (strcmp(word, "--") == 0)
            break;
        if (!looks_like_option(word))
            append(&p, p.open == NULL ? &out->plain : p.open, word);
        else
            failed = word[1] == '-' ? long_option(&p, word) : short_option(&p, word);
        if (failed)
            return -1;
    }
    for (p.at++; p.at < p.argc; p.at++)
        append(&p, p.open == NULL ? &out->plain : p.open, argv[p.at]);
    return 0;
}

void opt_free(opts *given)
{
    for (size_t i = 0; i < given->nspecs; i++)
        free(given->values[i].words);
    free(given->plain.words);
}

int opt_given(const opts *given, size_t row)
{
    return given->values[row].count > 0;
}

const char *opt_text(const opts *given, size_t row)
{
    const opt_list *list = &given->values[row];
    return list->count == 0 ? NULL : list->words[list->count - 1];
}

int opt_duration(unsigned *out, const char *text)
{
    static const struct {
        const char *name;
        long ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    enum { DAY_MS = 86400000 };
    char *end;

    errno = 0;
    long n = strtol(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || errno != 0 || n < 1 || n > DAY_MS)
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].name) == 0 && n <= DAY_MS / units[i].ms) {
            *out = (unsigned)(n * units[i].ms);
            return 0;
        }
    }
    return -1;
}
