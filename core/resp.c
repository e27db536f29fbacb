/*
 * The reader of replies.
 *
 * A value is a type byte, a line, and for some types what the line announces: the bytes of a
 * string, the elements of an array. The reader is in one phase at a time (see resp_inner.h) and
 * each phase takes what it can of the bytes at hand, so a reply may arrive in pieces of any size
 * and no byte is looked at twice. Attributes are passed over wherever they stand; a push is read
 * like a reply and told apart at its end.
 */
#include "core/resp_inner.h"

#include "core/mem.h"
#include "core/number.h"
#include "core/resp_quick.h"

enum { KEPT_TEXT = 1024 /* a larger buffer for half a line is not kept */ };

const evs__resp_row evs__resp_rows[256] = {
    ['+'] = {EVS__SHAPE_TEXT, EVS_REPLY_STATUS},
    ['-'] = {EVS__SHAPE_TEXT, EVS_REPLY_ERROR},
    [':'] = {EVS__SHAPE_NUMBER, EVS_REPLY_INTEGER},
    ['$'] = {EVS__SHAPE_BYTES, EVS_REPLY_STRING},
    ['*'] = {EVS__SHAPE_ITEMS, EVS_REPLY_ARRAY},
    /* RESP3 */
    ['_'] = {EVS__SHAPE_WORD, EVS_REPLY_NIL},
    ['#'] = {EVS__SHAPE_WORD, EVS_REPLY_BOOL},
    [','] = {EVS__SHAPE_TEXT, EVS_REPLY_DOUBLE},
    ['('] = {EVS__SHAPE_TEXT, EVS_REPLY_BIG_NUMBER},
    ['!'] = {EVS__SHAPE_BYTES, EVS_REPLY_ERROR},
    ['='] = {EVS__SHAPE_BYTES, EVS_REPLY_VERBATIM},
    ['~'] = {EVS__SHAPE_ITEMS, EVS_REPLY_SET},
    ['%'] = {EVS__SHAPE_PAIRS, EVS_REPLY_MAP},
    ['>'] = {EVS__SHAPE_PUSH, EVS_REPLY_ARRAY},
    ['|'] = {EVS__SHAPE_ASIDE, EVS_REPLY_MAP},
};

evs__resp *evs__resp_new(evs__arena *arena, size_t max_bytes, unsigned max_depth)
{
    evs__resp *resp = evs__zalloc_array(1, sizeof *resp);
    if (resp == NULL)
        return NULL;
    evs__build_init(&resp->build, arena, max_bytes, max_depth);
    return resp;
}

void evs__resp_free(evs__resp *resp)
{
    if (resp == NULL)
        return;
    evs__build_drop(&resp->build);
    evs__buf_free(&resp->text);
    evs__free(resp);
}

/* Between two replies. */
static void rest(evs__resp *resp)
{
    resp->phase = resp->skip_next ? EVS__AT_SKIPPED : EVS__AT_REPLY;
    resp->skip_next = 0;
    resp->skipped = 0;
    resp->aside = 0;
    resp->first = 0;
    resp->kind = 0;
    resp->push = 0;
    evs__build_drop(&resp->build);
}

void evs__resp_reset(evs__resp *resp)
{
    resp->skip_next = 0;
    rest(resp);
    evs__buf_free(&resp->text);
}

int evs__resp_owes_nothing(const evs__resp *resp)
{
    return resp->push || resp->first;
}

const char *evs__resp_problem(const evs__resp *resp)
{
    return resp->problem;
}

/*
 * Skipping.
 */

/* From here on the reply is skipped. The value that is being read counts as one to come; it has a
 * place in a frame already when it is a string of which the length was read. */
static void give_up(evs__resp *resp, evs__resp_got why)
{
    resp->verdict = (unsigned char)why;
    if (resp->skipped && !resp->aside)
        return;
    uint64_t before = resp->aside ? resp->pending : resp->phase >= EVS__IN_BYTES;
    resp->skipped = 1;
    resp->aside = 0;
    resp->bytes = NULL;
    resp->pending = evs__build_pending(&resp->build) + before;
    evs__buf_free(&resp->text);
}

void evs__resp_skip(evs__resp *resp)
{
    if (resp->push)
        resp->skip_next = 1;
    else if (resp->phase == EVS__AT_REPLY)
        resp->phase = EVS__AT_SKIPPED;
    else if (resp->phase != EVS__AT_SKIPPED)
        give_up(resp, EVS__RESP_SKIPPED);
}

/*
 * The phases. Each reads on from `p`, of which there is at least one byte, and returns how far it
 * came.
 */

static void begin(evs__resp *resp)
{
    int skip = resp->phase == EVS__AT_SKIPPED;
    resp->verdict = skip ? EVS__RESP_SKIPPED : EVS__RESP_NOMEM;
    resp->skipped = skip || !evs__build_begin(&resp->build);
    resp->pending = 1;
    resp->first = 1;
    resp->phase = EVS__AT_TYPE;
}

/* A push is built even when it comes where a reply is to be skipped, and that one is skipped then.
 */
static void begin_push(evs__resp *resp)
{
    resp->push = 1;
    if (!resp->skipped || resp->verdict != EVS__RESP_SKIPPED)
        return;
    resp->skip_next = 1;
    resp->verdict = EVS__RESP_NOMEM;
    resp->skipped = !evs__build_begin(&resp->build);
}

/* Behind a value. */
static void settle(evs__resp *resp)
{
    if (resp->aside) {
        resp->aside = resp->pending > 0;
        resp->skipped = resp->aside;
        resp->phase = EVS__AT_TYPE;
        return;
    }
    int all = resp->skipped ? resp->pending == 0 : evs__build_close(&resp->build);
    resp->phase = all ? EVS__COMPLETE : EVS__AT_TYPE;
}

static void value_done(evs__resp *resp)
{
    resp->pending -= resp->skipped;
    settle(resp);
}

static evs_reply_type type_of(const evs__resp *resp)
{
    return evs__resp_rows[resp->type].type;
}

/* Room for text of the type that is being read; NULL when the reply is skipped. */
static char *place_text(evs__resp *resp, uint64_t len)
{
    char *room = NULL;
    if (resp->skipped)
        return NULL;
    evs__resp_got got = evs__build_text(&room, &resp->build, type_of(resp), len);
    if (got != EVS__RESP_MORE)
        give_up(resp, got);
    return room;
}

static const char *in_bytes(evs__resp *resp, const char *p, const char *end)
{
    size_t n = (size_t)(end - p);
    if (n > resp->missing)
        n = (size_t)resp->missing;
    if (resp->bytes != NULL) {
        memcpy(resp->bytes, p, n);
        resp->bytes += n;
    }
    resp->missing -= n;
    if (resp->missing == 0)
        resp->phase = EVS__AT_CR;
    return p + n;
}

static const char *at_cr(evs__resp *resp, const char *p, const char *end)
{
    if (*p != '\r')
        return evs__resp_lose(resp, "CRLF behind a string", p, end);
    resp->phase = EVS__AT_LF;
    return p + 1;
}

/* Takes the format out of a verbatim string, where it stays in front of the text. 0 when there is
 * none. */
static int take_format(evs__resp *resp)
{
    evs_reply *reply = &resp->build.stack[resp->build.top].next[-1];
    if (reply->as.text[EVS__REPLY_FORMAT - 1] != ':') {
        const char *text = reply->as.text;
        evs__resp_lose(resp, "a format and ':' in a string", text, text + reply->len);
        return 0;
    }
    reply->as.text += EVS__REPLY_FORMAT;
    reply->len -= EVS__REPLY_FORMAT;
    return 1;
}

static const char *at_lf(evs__resp *resp, const char *p, const char *end)
{
    if (*p != '\n')
        return evs__resp_lose(resp, "CRLF behind a string", p, end);
    if (resp->type == '=' && !resp->skipped && !take_format(resp))
        return p;
    value_done(resp);
    return p + 1;
}

static void begin_bytes(evs__resp *resp, int64_t len)
{
    resp->bytes = place_text(resp, (uint64_t)len);
    resp->missing = (uint64_t)len;
    resp->phase = len == 0 ? EVS__AT_CR : EVS__IN_BYTES;
}

/* Skipped elements are only counted. 0 when there are more than can be counted. */
static int begin_items(evs__resp *resp, int64_t count)
{
    evs__resp_got got = EVS__RESP_MORE;
    if (!resp->skipped)
        got = evs__build_items(&resp->build, type_of(resp), (uint64_t)count);
    if (got != EVS__RESP_MORE)
        give_up(resp, got);
    if (resp->skipped && (uint64_t)count > UINT64_MAX - resp->pending)
        return 0;
    if (resp->skipped)
        resp->pending += (uint64_t)count;
    if (resp->skipped || count == 0)
        value_done(resp);
    else
        resp->phase = EVS__AT_TYPE;
    return 1;
}

/* Twice as many values as pairs. 0 when there are more than can be counted. */
static int begin_pairs(evs__resp *resp, int64_t count)
{
    return count <= INT64_MAX / 2 && begin_items(resp, 2 * count);
}

/* What is in an attribute is skipped; then the value comes that it belongs to. */
static int begin_aside(evs__resp *resp, int64_t count)
{
    uint64_t before = resp->skipped ? resp->pending : 0;
    resp->phase = EVS__AT_TYPE;
    if (count > INT64_MAX / 2 || 2 * (uint64_t)count > UINT64_MAX - before)
        return 0;
    if (count == 0)
        return 1;
    resp->aside |= !resp->skipped;
    resp->skipped = 1;
    resp->pending = before + 2 * (uint64_t)count;
    return 1;
}

static void place_integer(evs__resp *resp, evs_reply_type type, int64_t n)
{
    if (!resp->skipped)
        evs__build_place(&resp->build, type, 0)->as.integer = n;
    value_done(resp);
}

/* 0 when `n` cannot be the length of what is being read. */
static int begin_long(evs__resp *resp, int64_t n)
{
    if (n == -1 && (resp->type == '$' || resp->type == '*')) {
        place_integer(resp, EVS_REPLY_NIL, 0);
        return 1;
    }
    if (n < 0 || (resp->type == '=' && n < EVS__REPLY_FORMAT))
        return 0;
    switch (evs__resp_rows[resp->type].shape) {
    case EVS__SHAPE_BYTES:
        begin_bytes(resp, n);
        return 1;
    case EVS__SHAPE_PAIRS:
        return begin_pairs(resp, n);
    case EVS__SHAPE_ASIDE:
        return begin_aside(resp, n);
    default:
        return begin_items(resp, n);
    }
}

/* Behind a line with the number `n`. */
static const char *number(evs__resp *resp, int64_t n, const char *p)
{
    if (evs__resp_rows[resp->type].shape == EVS__SHAPE_NUMBER)
        place_integer(resp, EVS_REPLY_INTEGER, n);
    else if (!begin_long(resp, n))
        return evs__resp_lose_number(resp, n, p);
    return p;
}

/* _ CR LF, #t CR LF, #f CR LF. 0 for another line. */
static int word(evs__resp *resp, evs_bytes line)
{
    if (line.len != (resp->type == '#'))
        return 0;
    if (line.len == 1 && line.data[0] != 't' && line.data[0] != 'f')
        return 0;
    place_integer(resp, type_of(resp), line.len == 1 && line.data[0] == 't');
    return 1;
}

static const char *in_head(evs__resp *resp, const char *p, const char *end)
{
    int64_t n;
    while (p < end && resp->head_len < sizeof resp->head && *p != '\n')
        resp->head[resp->head_len++] = *p++;
    if (p == end)
        return p;
    evs_bytes all = {resp->head, resp->head_len};
    evs_bytes line = {all.data, all.len - (all.len > 0)};
    if (*p != '\n' || all.len == 0 || all.data[all.len - 1] != '\r')
        return evs__resp_lose_line(resp, all, p);
    if (evs__resp_rows[resp->type].shape == EVS__SHAPE_WORD)
        return word(resp, line) ? p + 1 : evs__resp_lose_line(resp, all, p);
    return evs__number(&n, line) ? number(resp, n, p + 1) : evs__resp_lose_line(resp, all, p);
}

/* The end of the line that goes on at `p`, behind its CRLF; NULL when it is not there yet. */
static const char *line_end(const evs__resp *resp, const char *p, const char *end)
{
    if (resp->cr && *p == '\n')
        return p + 1;
    for (const char *q = p; (q = memchr(q, '\n', (size_t)(end - q))) != NULL; q++) {
        if (q > p && q[-1] == '\r')
            return q + 1;
    }
    return NULL;
}

/* Keeps a part of a line, unless it is skipped. Of the limit, the text and its NUL are counted when
 * the line is complete; CR and LF are never more than that. */
static void keep(evs__resp *resp, const char *p, size_t len)
{
    if (resp->skipped)
        return;
    if (len > resp->build.left || resp->text.len > resp->build.left - len + 1) {
        give_up(resp, EVS__RESP_TOO_BIG);
        return;
    }
    evs__buf_append(&resp->text, p, len);
    if (!evs__buf_ok(&resp->text))
        give_up(resp, EVS__RESP_NOMEM);
}

static int may_be(unsigned char type, evs_bytes line)
{
    if (type == ',')
        return evs__is_double(line);
    return type != '(' || evs__is_whole(line);
}

/* The line of a value that is text; returns `behind`. */
static const char *text(evs__resp *resp, evs_bytes line, const char *behind)
{
    char *room = place_text(resp, line.len);
    if (room != NULL && !may_be(resp->type, line))
        return evs__resp_lose_line(resp, line, behind);
    if (room != NULL)
        memcpy(room, line.data, line.len);
    value_done(resp);
    return behind;
}

static const char *in_text(evs__resp *resp, const char *p, const char *end)
{
    const char *behind = line_end(resp, p, end);
    if (behind != NULL && resp->text.len == 0 && !resp->cr) /* all of it is here */
        return text(resp, (evs_bytes){p, (size_t)(behind - p) - 2}, behind);
    keep(resp, p, (size_t)((behind == NULL ? end : behind) - p));
    if (behind == NULL) {
        resp->cr = end[-1] == '\r';
        return end;
    }
    behind = text(resp, (evs_bytes){resp->text.data, resp->skipped ? 0 : resp->text.len - 2},
                  behind);
    if (resp->text.cap > KEPT_TEXT)
        evs__buf_free(&resp->text);
    evs__buf_clear(&resp->text);
    return behind;
}

/* Behind a type byte. */
static const char *begin_value(evs__resp *resp, const char *p, const char *end)
{
    int64_t n;
    if (evs__resp_rows[resp->type].shape == EVS__SHAPE_TEXT) {
        resp->cr = 0;
        resp->phase = EVS__IN_TEXT;
        return p;
    }
    const char *behind = evs__quick_number(&n, p, end);
    if (behind != NULL && evs__resp_rows[resp->type].shape != EVS__SHAPE_WORD)
        return number(resp, n, behind);
    resp->phase = EVS__IN_HEAD;
    resp->head_len = 0;
    return p;
}

static const char *at_type(evs__resp *resp, const char *p, const char *end)
{
    int top = resp->first && !resp->aside;
    if (top) {
        resp->first = *p == '|';
        resp->kind = (unsigned char)(resp->skipped && resp->kind == '|' ? '|' : *p);
    }
    const char *behind = p;
    if (*p == ':' || *p == '$')
        behind = resp->skipped ? evs__quick_skip(&resp->pending, p, end)
                               : evs__quick_values(&resp->build, p, end);
    if (behind > p) {
        settle(resp);
        return behind;
    }
    resp->type = (unsigned char)*p;
    unsigned char kind = evs__resp_rows[resp->type].shape;
    if (kind == EVS__SHAPE_NONE || (kind == EVS__SHAPE_PUSH && !top))
        return evs__resp_lose(resp, "a reply type", p, end);
    if (kind == EVS__SHAPE_PUSH)
        begin_push(resp);
    return begin_value(resp, p + 1, end);
}

static const char *read_on(evs__resp *resp, const char *p, const char *end)
{
    switch ((evs__resp_phase)resp->phase) {
    case EVS__AT_REPLY:
    case EVS__AT_SKIPPED:
        begin(resp);
        return p;
    case EVS__AT_TYPE:
        return at_type(resp, p, end);
    case EVS__IN_HEAD:
        return in_head(resp, p, end);
    case EVS__IN_TEXT:
        return in_text(resp, p, end);
    case EVS__IN_BYTES:
        return in_bytes(resp, p, end);
    case EVS__AT_CR:
        return at_cr(resp, p, end);
    case EVS__AT_LF:
        return at_lf(resp, p, end);
    case EVS__COMPLETE:
    case EVS__LOST:
        break;
    }
    return end;
}

/* In what is skipped, the beginning of an attribute is not told from what it belongs to. */
static int is_no_error(const evs__resp *resp)
{
    return resp->kind != '-' && resp->kind != '!' && resp->kind != '|';
}

static evs__resp_got deliver(evs__resp *resp, const evs_reply **out)
{
    evs__resp_got got = resp->skipped ? (evs__resp_got)resp->verdict : EVS__RESP_REPLY;
    if (got == EVS__RESP_NOMEM && is_no_error(resp))
        got = EVS__RESP_NOMEM_VALUE;
    if (resp->push)
        got = EVS__RESP_PUSH;
    if (!resp->skipped)
        *out = evs__build_root(&resp->build);
    rest(resp);
    return got;
}

static evs__resp_got read_phases(evs__resp *resp, evs_bytes data, size_t *used,
                                 const evs_reply **out)
{
    const char *p = data.data, *end = p + data.len;
    *out = NULL;
    while (p < end && resp->phase < EVS__COMPLETE)
        p = read_on(resp, p, end);
    *used = (size_t)(p - data.data);
    if (resp->phase == EVS__COMPLETE)
        return deliver(resp, out);
    return resp->phase == EVS__LOST ? EVS__RESP_BAD : EVS__RESP_MORE;
}

/* A reply that is one such value, without any state; NULL for anything else. */
static const char *quick_reply(evs__build *build, const char *p, const char *end,
                               const evs_reply **out)
{
    evs_reply value;
    build->left = build->max_bytes;
    const char *behind = evs__quick_value(build, &value, p, end);
    evs_reply *root = behind == NULL ? NULL : evs__arena_one(build->arena, sizeof *root);
    if (root == NULL)
        return NULL;
    *root = value;
    *out = root;
    return behind;
}

evs__resp_got evs__resp_read(evs__resp *resp, const char *data, size_t len, size_t *used,
                             const evs_reply **out)
{
    if (resp->phase != EVS__AT_REPLY || len == 0)
        return read_phases(resp, (evs_bytes){data, len}, used, out);
    const char *behind = quick_reply(&resp->build, data, data + len, out);
    if (behind == NULL)
        return read_phases(resp, (evs_bytes){data, len}, used, out);
    *used = (size_t)(behind - data);
    return EVS__RESP_REPLY;
}
