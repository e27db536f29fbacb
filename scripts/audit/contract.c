/*
 * The header block, read line by line.
 *
 *     block     -> sentence {tag | text | empty | directive}
 *     sentence  -> "--- " TEXT                     the first line, or the one after a shebang
 *     tag       -> "-- @key" NAME ["..."] [TEXT]   "..." on the last @key only
 *                | "-- @arg" NAME ["..."] [TEXT]   "..." on the last @arg only
 *                | "-- @returns" TYPE [TEXT]       at most once
 *                | "-- @retry" CLASS               at most once: once, idempotent, read_only
 *                | "-- @version" N                 at most once: from 1
 *     text      -> "-- " TEXT    goes on with the sentence, @key, @arg or @returns right above
 *     empty     -> "--"          what follows until the next tag is a remark and is skipped
 *     directive -> "-- evalshard:" anything        belongs to the auditor and is skipped
 *
 * The block ends at the first line that is no "--" comment; an empty line ends it too, and so does
 * a long comment. A line may be indented and may begin with three dashes for two. A name is
 * letters, digits and _, and is used once among the keys and once among the arguments.
 *
 * A leading comment that does not open with a sentence is no block, as most scripts in the world
 * have such comments. With a tag in it, it is a faulty block: somebody meant to declare something.
 * "---@" without a blank is for Lua language servers and is skipped like a directive.
 */
#include "scripts/audit/contract.h"

#include "core/buf.h"
#include "core/error.h"
#include "core/similar.h"

#include <limits.h>
#include <stdarg.h>

/* Comparing each name with those before it stays cheap below this. */
enum { PARAMS_MAX = 255 };

/* The lines of a source, one at a time. */
typedef struct lines {
    evs_bytes rest;
    evs_bytes line; /* without its end */
    int number;     /* of `line`, from 1 */
} lines;

typedef enum tag { KEY, ARG, RETURNS, RETRY, VERSION, NTAGS } tag;

typedef struct reader {
    evs__contract *out;
    evs__arena *arena;
    evs_error *err;
    lines lines;
    size_t at;           /* next byte of the line */
    int said_on[NTAGS];  /* line of a tag that is said once; 0 when it was not yet */
    const char **target; /* what text goes on with; NULL when it is a remark */
    evs__buf text;       /* the text of `target` so far */
} reader;

static const char *const tag_names[NTAGS] = {"key", "arg", "returns", "retry", "version"};
static const char *const class_names[] = {"once", "idempotent", "read_only"};

size_t evs__params_min(const evs__params *params)
{
    return params->count - (params->tail ? 1 : 0);
}

size_t evs__params_max(const evs__params *params)
{
    return params->tail ? SIZE_MAX : params->count;
}

/* Characters. Not <ctype.h>, which asks the locale. */

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_name_char(char c)
{
    return is_letter(c) || c == '_' || (c >= '0' && c <= '9');
}

static int equals(evs_bytes word, const char *text)
{
    return word.len == strlen(text) && memcmp(word.data, text, word.len) == 0;
}

static int begins_with(evs_bytes bytes, const char *text)
{
    size_t len = strlen(text);
    return bytes.len >= len && memcmp(bytes.data, text, len) == 0;
}

static evs_bytes from(evs_bytes bytes, size_t at)
{
    evs_bytes rest = {bytes.data + at, bytes.len - at};
    return rest;
}

/* Lines. */

static int next_line(lines *l)
{
    if (l->rest.len == 0)
        return 0;
    const char *end = memchr(l->rest.data, '\n', l->rest.len);
    size_t len = end == NULL ? l->rest.len : (size_t)(end - l->rest.data);
    l->line.data = l->rest.data;
    l->line.len = len;
    l->rest = from(l->rest, end == NULL ? len : len + 1);
    l->number++;
    while (l->line.len > 0 &&
           (l->line.data[l->line.len - 1] == '\r' || is_blank(l->line.data[l->line.len - 1])))
        l->line.len--;
    return 1;
}

static size_t skip_blanks(evs_bytes line, size_t at)
{
    while (at < line.len && is_blank(line.data[at]))
        at++;
    return at;
}

/* Where the long bracket "[[", "[=[", ... at `at` would make the comment a long one. */
static int is_long_bracket(evs_bytes line, size_t at)
{
    if (at >= line.len || line.data[at] != '[')
        return 0;
    do
        at++;
    while (at < line.len && line.data[at] == '=');
    return at < line.len && line.data[at] == '[';
}

/* Whether the line is a "--" comment; `*at` is then the byte behind its two dashes. */
static int is_comment(evs_bytes line, size_t *at)
{
    size_t start = skip_blanks(line, 0);
    if (!begins_with(from(line, start), "--") || is_long_bracket(line, start + 2))
        return 0;
    *at = start + 2;
    return 1;
}

/* Whether the comment whose text begins at `at` is a tag; `*at` then becomes that of its "@". */
static int is_tag(evs_bytes line, size_t *at)
{
    size_t start = *at;
    if (start < line.len && line.data[start] == '-')
        start++;
    size_t mark = skip_blanks(line, start);
    if (mark + 1 >= line.len || line.data[mark] != '@' || !is_letter(line.data[mark + 1]))
        return 0;
    if (start > *at && mark == start)
        return 0;
    *at = mark;
    return 1;
}

/* Whether the block opens here: "--- " and a sentence, which `*at` then points at. */
static int is_opening(evs_bytes line, size_t *at)
{
    if (!begins_with(line, "---") || line.len == 3 || !is_blank(line.data[3]))
        return 0;
    size_t tag_at = 2;
    if (is_tag(line, &tag_at))
        return 0;
    *at = skip_blanks(line, 3);
    return *at < line.len;
}

/* Errors point at byte `at` of the line that is being read. */
static evs_status fault(reader *r, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static evs_status fault(reader *r, size_t at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    evs_status status = evs__fail_v(r->err, EVS_E_INVALID, format, args);
    va_end(args);
    if (r->err != NULL) {
        r->err->line = r->lines.number;
        r->err->column = (int)at + 1;
    }
    return status;
}

/* How much of a word a message shows. */
static int shown(evs_bytes word)
{
    return word.len > 40 ? 40 : (int)word.len;
}

/* Text that may go on over several lines. */

static void begin_text(reader *r, const char **target)
{
    r->target = target;
    r->at = skip_blanks(r->lines.line, r->at);
    evs__buf_append(&r->text, r->lines.line.data + r->at, r->lines.line.len - r->at);
}

static void go_on_with_text(reader *r)
{
    if (r->target == NULL)
        return;
    if (r->text.len > 0)
        evs__buf_char(&r->text, ' ');
    begin_text(r, r->target);
}

static evs_status end_text(reader *r)
{
    if (r->target == NULL)
        return EVS_OK;
    const char *copy = NULL;
    if (evs__buf_ok(&r->text))
        copy = evs__arena_text(r->arena, r->text.data, r->text.len);
    if (copy == NULL)
        return evs__fail_nomem(r->err);
    *r->target = copy;
    r->target = NULL;
    evs__buf_clear(&r->text);
    return EVS_OK;
}

/* Words. */

static evs_bytes word(reader *r, size_t *start)
{
    evs_bytes line = r->lines.line;
    *start = r->at = skip_blanks(line, r->at);
    while (r->at < line.len && !is_blank(line.data[r->at]))
        r->at++;
    evs_bytes found = {line.data + *start, r->at - *start};
    return found;
}

static evs_span span_of(const reader *r, size_t start, size_t len)
{
    evs_span at = {r->lines.number, (int)start + 1, r->lines.number, (int)(start + len) + 1};
    return at;
}

static evs_status expect_end(reader *r, const char *what)
{
    size_t start;
    if (word(r, &start).len == 0)
        return EVS_OK;
    return fault(r, start, "%s, nothing behind it", what);
}

static int is_name(evs_bytes text)
{
    if (text.len == 0 || !(is_letter(text.data[0]) || text.data[0] == '_'))
        return 0;
    for (size_t i = 0; i < text.len; i++)
        if (!is_name_char(text.data[i]))
            return 0;
    return 1;
}

/* Parameters. */

static int grow(reader *r, evs__params *params)
{
    if (params->count < params->cap)
        return 1;
    size_t cap = params->cap == 0 ? 4 : params->cap * 2;
    evs__param *items = evs__arena_alloc(r->arena, cap, sizeof *items);
    if (items == NULL)
        return 0;
    if (params->count > 0)
        memcpy(items, params->items, params->count * sizeof *items);
    params->items = items;
    params->cap = cap;
    return 1;
}

static evs_status check_param(reader *r, const evs__params *params, evs_bytes name, tag kind)
{
    size_t at = (size_t)(name.data - r->lines.line.data);
    if (!is_name(name))
        return fault(r, at, "@%s wants a name of letters, digits and _", tag_names[kind]);
    if (params->tail)
        return fault(r, at, "@%s %.*s comes after %s..., which takes all the rest", tag_names[kind],
                     shown(name), name.data, params->items[params->count - 1].name);
    for (size_t i = 0; i < params->count; i++)
        if (equals(name, params->items[i].name))
            return fault(r, at, "@%s %.*s is there twice (first on line %d)", tag_names[kind],
                         shown(name), name.data, params->items[i].at.line);
    if (params->count >= PARAMS_MAX)
        return fault(r, at, "more than %d @%s lines", PARAMS_MAX, tag_names[kind]);
    return EVS_OK;
}

/* NAME ["..."] [TEXT] */
static evs_status param(reader *r, evs__params *params, tag kind)
{
    size_t start;
    evs_bytes name = word(r, &start);
    int tail = name.len > 3 && memcmp(name.data + name.len - 3, "...", 3) == 0;
    if (tail)
        name.len -= 3;
    evs_status status = check_param(r, params, name, kind);
    if (status != EVS_OK)
        return status;
    size_t next = skip_blanks(r->lines.line, r->at);
    if (!tail && begins_with(from(r->lines.line, next), "..."))
        return fault(r, next, "the dots belong to the name: %.*s...", shown(name), name.data);

    const char *copy = evs__arena_text(r->arena, name.data, name.len);
    if (copy == NULL || !grow(r, params))
        return evs__fail_nomem(r->err);
    evs__param *added = &params->items[params->count++];
    added->name = copy;
    added->text = "";
    added->at = span_of(r, start, name.len);
    params->tail = tail;
    r->out->counts = 1;
    begin_text(r, &added->text);
    return EVS_OK;
}

static evs_status key(reader *r)
{
    return param(r, &r->out->keys, KEY);
}

static evs_status arg(reader *r)
{
    return param(r, &r->out->args, ARG);
}

/* TYPE [TEXT]; a type is one word, which only people and generators interpret. */
static evs_status returns(reader *r)
{
    size_t start;
    evs_bytes type = word(r, &start);
    if (type.len == 0 || !is_letter(type.data[0]))
        return fault(r, start, "@returns wants a type, such as string or integer");
    r->out->type = evs__arena_text(r->arena, type.data, type.len);
    if (r->out->type == NULL)
        return evs__fail_nomem(r->err);
    r->at = start;
    begin_text(r, &r->out->returns);
    return EVS_OK;
}

/* CLASS */
static evs_status retry(reader *r)
{
    size_t start, count = sizeof class_names / sizeof *class_names;
    evs_bytes name = word(r, &start);
    for (size_t i = 0; i < count; i++)
        if (equals(name, class_names[i])) {
            r->out->retry = (evs_retry)i;
            r->out->retry_at = span_of(r, start, name.len);
            return expect_end(r, "@retry takes one word");
        }
    const char *likely = evs__most_similar(name, class_names, count);
    if (likely != NULL)
        return fault(r, start, "@retry %.*s is unknown, did you mean %s", shown(name), name.data,
                     likely);
    return fault(r, start, "@retry wants once, idempotent or read_only");
}

/* N */
static evs_status version(reader *r)
{
    size_t start;
    evs_bytes digits = word(r, &start);
    int n = 0;
    for (size_t i = 0; i < digits.len; i++) {
        int digit = digits.data[i] - '0';
        if (digit < 0 || digit > 9 || n > (INT_MAX - digit) / 10)
            return fault(r, start, "@version wants a whole number from 1 to %d", INT_MAX);
        n = n * 10 + digit;
    }
    if (n == 0)
        return fault(r, start, "@version wants a whole number from 1 to %d", INT_MAX);
    r->out->version = n;
    return expect_end(r, "@version takes one number");
}

static evs_status unknown_tag(reader *r, size_t start, evs_bytes name)
{
    const char *likely = evs__most_similar(name, tag_names, NTAGS);
    if (likely != NULL)
        return fault(r, start, "unknown tag @%.*s, did you mean @%s", shown(name), name.data,
                     likely);
    return fault(r, start, "unknown tag @%.*s; there are @key, @arg, @returns, @retry, @version",
                 shown(name), name.data);
}

/* The line is a tag whose "@" is at `start`. */
static evs_status read_tag(reader *r, size_t start)
{
    static evs_status (*const read[NTAGS])(reader *) = {key, arg, returns, retry, version};

    size_t name_at;
    r->at = start + 1;
    evs_bytes name = word(r, &name_at);
    tag t = KEY;
    while (t < NTAGS && !equals(name, tag_names[t]))
        t++;
    if (t == NTAGS)
        return unknown_tag(r, start, name);
    if (t >= RETURNS && r->said_on[t] != 0)
        return fault(r, start, "@%s is there twice (first on line %d)", tag_names[t],
                     r->said_on[t]);
    r->said_on[t] = r->lines.number;
    return read[t](r);
}

/* Only dashes and blanks: an empty comment, or a ruler. */
static int is_empty(evs_bytes line, size_t at)
{
    while (at < line.len && (line.data[at] == '-' || is_blank(line.data[at])))
        at++;
    return at == line.len;
}

/* What is for the auditor or for an editor, not for us. */
static int is_directive(evs_bytes line, size_t at)
{
    return begins_with(from(line, at), "-@") ||
           begins_with(from(line, skip_blanks(line, at)), "evalshard:");
}

static evs_status read_comment(reader *r, size_t at)
{
    evs_bytes line = r->lines.line;
    size_t mark = at;
    if (is_tag(line, &mark)) {
        evs_status status = end_text(r);
        return status != EVS_OK ? status : read_tag(r, mark);
    }
    if (is_empty(line, at) || is_directive(line, at))
        return end_text(r);
    r->at = line.data[at] == '-' ? at + 1 : at;
    go_on_with_text(r);
    return EVS_OK;
}

static evs_status read_block(reader *r, size_t sentence_at)
{
    r->out->present = 1;
    r->at = sentence_at;
    begin_text(r, &r->out->summary);
    size_t at;
    while (next_line(&r->lines) && is_comment(r->lines.line, &at)) {
        evs_status status = read_comment(r, at);
        if (status != EVS_OK)
            return status;
    }
    return end_text(r);
}

/* A comment that does not open as a block must have no tags. */
static evs_status read_plain_comment(reader *r)
{
    int first = r->lines.number;
    size_t at;
    while (is_comment(r->lines.line, &at)) {
        if (is_tag(r->lines.line, &at))
            return fault(r, at,
                         "tags need a header block: open it on line %d with \"--- \" and a "
                         "sentence",
                         first);
        if (!next_line(&r->lines))
            return EVS_OK;
    }
    return EVS_OK;
}

static evs_status read_source(reader *r)
{
    if (!next_line(&r->lines))
        return EVS_OK;
    if (begins_with(r->lines.line, "#!") && !next_line(&r->lines))
        return EVS_OK;
    if (!begins_with(r->lines.line, "--"))
        return EVS_OK;
    size_t sentence_at;
    if (is_opening(r->lines.line, &sentence_at))
        return read_block(r, sentence_at);
    return read_plain_comment(r);
}

evs_status evs__contract_read(evs__contract *out, evs__arena *arena, evs_bytes source,
                              evs_error *err)
{
    memset(out, 0, sizeof *out);
    out->summary = out->type = out->returns = "";
    reader r = {.out = out, .arena = arena, .err = err, .text = EVS__BUF_INIT};
    r.lines.rest = source;
    evs_status status = read_source(&r);
    evs__buf_free(&r.text);
    return status;
}
