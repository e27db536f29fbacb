/*
 * readers.c - from the text of a value to a number, a duration, a word, a name.
 *
 * Strict on purpose: 010, 0x10, yes and 500 (of what?) mean different things to different readers
 * of YAML, so each is refused with a hint.
 */
#include "conf/ascii.h"
#include "conf/fields.h"
#include "conf/quoted.h"
#include "core/similar.h"

#include <inttypes.h>
#include <stdio.h>

enum { LONGEST_NAME = 63, MOST_WORDS = 32 };

const char *evs__found(evs__reading *r, const evs__yaml *value)
{
    if (value->kind == EVS__YAML_MAP)
        return value->count == 0 ? "an empty mapping" : "a mapping";
    if (value->kind == EVS__YAML_LIST)
        return value->count == 0 ? "an empty list" : "a list";
    if (evs__yaml_empty(value))
        return "nothing";
    return value->secret ? "***" : evs__quoted(r->scratch, value->text);
}

const char *evs__keep(evs__reading *r, evs_bytes text)
{
    const char *copy = evs__arena_text(r->arena, text.data, text.len);
    if (copy == NULL)
        evs__diagnostics_nomem(r->diags);
    return copy;
}

int evs__want_filled(evs__reading *r, const evs__yaml *value)
{
    if (!evs__yaml_empty(value))
        return 1;
    evs__complain(r->diags, "E218", value->at, "%s is empty", evs__subject(r, value));
    return 0;
}

int evs__want_text(evs__reading *r, const evs__yaml *value)
{
    if (value->kind == EVS__YAML_BAD || !evs__want_filled(r, value))
        return 0;
    if (value->kind == EVS__YAML_TEXT)
        return 1;
    evs__complain(r->diags, "E215", value->at, "%s must be text, found %s", evs__subject(r, value),
                  evs__found(r, value));
    if (value->kind == EVS__YAML_MAP)
        evs__hint(r->diags, "text that begins with { needs quotes");
    else
        evs__hint(r->diags, "text that begins with [ needs quotes");
    return 0;
}

void evs__read_node(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    (void)r;
    (void)field;
    *(const evs__yaml **)at = value;
}

typedef enum digits {
    NO_DIGITS,
    A_NUMBER,
    TOO_LARGE /* for 64 bits; the number is the largest there is */
} digits;

/* The digits at the start of `text` as a number; *end is behind them. */
static digits parse_digits(uint64_t *out, evs_bytes text, size_t *end)
{
    digits kind = A_NUMBER;
    size_t i = 0;
    *out = 0;
    for (; i < text.len && evs__is_digit(text.data[i]); i++) {
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (*out > (UINT64_MAX - digit) / 10)
            kind = TOO_LARGE;
        *out = kind == TOO_LARGE ? UINT64_MAX : *out * 10 + digit;
    }
    *end = i;
    return i == 0 ? NO_DIGITS : kind;
}

static int leading_zero(evs_bytes text)
{
    return text.len > 1 && text.data[0] == '0' && evs__is_digit(text.data[1]);
}

void evs__read_number(evs__reading *r, const evs__field *field, const evs__yaml *value,
                      uint64_t *at, const char *code)
{
    uint64_t n;
    size_t end;
    if (!evs__want_text(r, value))
        return;
    int whole = parse_digits(&n, value->text, &end) == A_NUMBER && end == value->text.len;
    if (whole && !value->quoted && !leading_zero(value->text) && n >= field->min &&
        n <= field->max) {
        *at = n;
        return;
    }
    evs__complain(r->diags, whole ? code : "E216", value->at,
                  "%s must be a whole number from %" PRIu64 " to %" PRIu64 ", found %s",
                  evs__subject(r, value), field->min, field->max, evs__found(r, value));
    if (whole && value->quoted)
        evs__hint(r->diags, "a number stands without quotes");
    else if (whole && leading_zero(value->text))
        evs__hint(r->diags, "write it without the leading zero: %" PRIu64, n);
}

void evs__read_integer(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    evs__read_number(r, field, value, at, "E216");
}

typedef struct unit {
    const char *text;
    uint64_t ms;
} unit;

static const unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 60 * 60 * 1000}};

static int in_range(const evs__field *field, uint64_t ms)
{
    return ms >= field->min && ms <= field->max;
}

/* Suggests the units that make sense of a bare number. */
static void hint_units(evs__reading *r, const evs__field *field, uint64_t n)
{
    char hint[64] = "";
    size_t len = 0;
    for (size_t i = 0; i < 2; i++) {
        if (n <= field->max / units[i].ms && in_range(field, n * units[i].ms))
            len += (size_t)snprintf(hint + len, sizeof hint - len, "%s%" PRIu64 "%s?",
                                    len > 0 ? " " : "", n, units[i].text);
    }
    if (len > 0)
        evs__hint(r->diags, "%s", hint);
    else
        evs__hint(r->diags, "a duration is a whole number and ms, s, m or h");
}

static void complain_unit(evs__reading *r, const evs__field *field, const evs__yaml *value)
{
    uint64_t n;
    size_t end;
    if (parse_digits(&n, value->text, &end) != NO_DIGITS && end == value->text.len) {
        evs__complain(r->diags, "E241", value->at, "%s needs a unit", evs__found(r, value));
        hint_units(r, field, n);
        return;
    }
    evs__complain(r->diags, "E241", value->at, "%s is not a duration", evs__found(r, value));
    evs__hint(r->diags, "a duration is a whole number and ms, s, m or h, such as 500ms");
}

void evs__read_duration(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    uint64_t n, factor = 0;
    size_t end = 0;
    if (!evs__want_text(r, value))
        return;
    if (parse_digits(&n, value->text, &end) != NO_DIGITS) {
        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
            if (strcmp(value->text.data + end, units[i].text) == 0)
                factor = units[i].ms;
        }
    }
    if (factor == 0) {
        complain_unit(r, field, value);
        return;
    }
    if (n > field->max / factor || !in_range(field, n * factor)) {
        evs__complain(r->diags, "E240", value->at,
                      "%s must be from %" PRIu64 "ms to %" PRIu64 "m%s", field->name, field->min,
                      field->max / (60 * 1000), evs__where(r));
        return;
    }
    *(unsigned *)at = (unsigned)(n * factor);
}

static void complain_word(evs__reading *r, const evs__field *field, const evs__yaml *value)
{
    const char *names[MOST_WORDS];
    size_t n = 0;
    for (size_t i = 0; i < field->nwords && n < MOST_WORDS; i++) {
        if (field->words[i].value >= 0)
            names[n++] = field->words[i].text;
    }
    const char *near = evs__most_similar(value->text, names, n);
    evs__complain(r->diags, "E204", value->at, "unknown %s %s%s", field->name, evs__found(r, value),
                  evs__where(r));
    if (near != NULL)
        evs__hint(r->diags, "did you mean \"%s\"? allowed: %s", near, evs__join(r, names, n));
    else
        evs__hint(r->diags, "allowed: %s", evs__join(r, names, n));
}

void evs__read_word(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    if (!evs__want_text(r, value))
        return;
    for (size_t i = 0; i < field->nwords; i++) {
        const evs__word *word = &field->words[i];
        if (strcmp(value->text.data, word->text) != 0)
            continue;
        *(int *)at = word->value;
        return;
    }
    complain_word(r, field, value);
}

void evs__read_true(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    (void)field;
    if (!evs__want_text(r, value))
        return;
    int yes = strcmp(value->text.data, "true") == 0;
    if (!value->quoted && (yes || strcmp(value->text.data, "false") == 0)) {
        *(int *)at = yes;
        return;
    }
    evs__complain(r->diags, "E214", value->at, "%s is not true or false", evs__found(r, value));
}

static int name_char(char c, int first)
{
    return evs__is_alnum(c) || (!first && (c == '.' || c == '_' || c == '-'));
}

int evs__check_name(evs__reading *r, const evs__yaml *text)
{
    int good = text->text.len > 0 && text->text.len <= LONGEST_NAME;
    for (size_t i = 0; good && i < text->text.len; i++)
        good = name_char(text->text.data[i], i == 0);
    if (good)
        return 1;
    evs__complain(r->diags, "E217", text->at, "%s is not a name%s", evs__found(r, text),
                  evs__where(r));
    evs__hint(r->diags,
              "a name has 1 to %d letters, digits and . _ - and begins with a letter or "
              "a digit",
              LONGEST_NAME);
    return 0;
}

void evs__read_name(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    (void)field;
    if (!evs__want_text(r, value) || !evs__check_name(r, value))
        return;
    *(const char **)at = evs__keep(r, value->text);
}

void evs__read_text(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    if (field->min == 0 && evs__yaml_empty(value)) {
        *(const char **)at = "";
        return;
    }
    if (!evs__want_text(r, value))
        return;
    if (value->text.len < field->min || value->text.len > field->max) {
        evs__complain(r->diags, "E216", value->at,
                      "%s must have %" PRIu64 " to %" PRIu64 " bytes, found %zu",
                      evs__subject(r, value), field->min, field->max, value->text.len);
        return;
    }
    for (size_t i = 0; i < value->text.len; i++) {
        unsigned char c = (unsigned char)value->text.data[i];
        if (c >= 0x20 && c != 0x7f)
            continue;
        evs__complain(r->diags, "E217", value->at, "%s holds a control character",
                      evs__subject(r, value));
        return;
    }
    *(const char **)at = evs__keep(r, value->text);
}
