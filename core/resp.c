/*
 * The reader of replies.
 *
 * A value is a type byte, a line, and for some types what the line announces: the bytes of a
 * string, the elements of an array. The reader is in one phase at a time (see `phase`) and each
 * phase takes what it can of the bytes at hand, so a reply may arrive in pieces of any size and no
 * byte is looked at twice. What is built, with its stack and limits, is in resp_build.c.
 *
 * Over a limit, or told to, the reader skips: nothing is built or allocated, and because the shape
 * does not matter any more, the stack becomes one number, how many values are still to come.
 *
 * Clean numbers and strings that are there as a whole are read by the quick_* functions; whatever
 * they do not like, incomplete or wrong, takes the exact way.
 */
#include "core/resp.h"

#include "core/buf.h"
#include "core/mem.h"
#include "core/number.h"
#include "core/printable.h"
#include "core/resp_build.h"

#include <stdio.h>

enum {
    LONGEST_LINE = 24, /* with a number: sign, digits of 64 bits, CRLF */
    QUICK_DIGITS = 18, /* cannot overflow */
    KEPT_TEXT = 1024,  /* a larger buffer for half a line is not kept */
    QUOTED = 64        /* characters of the stream in a complaint */
};

/* How a type continues behind its first byte. RESP3 needs rows, and a shape for pairs. */
typedef enum shape {
    SHAPE_NONE,   /* no type */
    SHAPE_TEXT,   /* the line is the value */
    SHAPE_NUMBER, /* the line is a number, and that is the value */
    SHAPE_BYTES,  /* the line is a number, and so many bytes follow */
    SHAPE_ITEMS   /* the line is a number, and so many values follow */
} shape;

static const struct row {
    unsigned char shape;
    unsigned char type;
} rows[256] = {
    ['+'] = {SHAPE_TEXT, EVS_REPLY_STATUS},    ['-'] = {SHAPE_TEXT, EVS_REPLY_ERROR},
    [':'] = {SHAPE_NUMBER, EVS_REPLY_INTEGER}, ['$'] = {SHAPE_BYTES, EVS_REPLY_STRING},
    ['*'] = {SHAPE_ITEMS, EVS_REPLY_ARRAY},
};

typedef enum phase {
    AT_REPLY,   /* before a reply */
    AT_SKIPPED, /* before a reply that will be skipped */
    AT_TYPE,    /* before a value in a reply */
    IN_HEAD,    /* in a line with a number, of which `head` has the beginning */
    IN_TEXT,    /* in a line of text, of which `text` has the beginning */
    IN_BYTES,   /* in a string, `missing` bytes before its end */
    AT_CR,      /* behind the bytes of a string */
    AT_LF,
    COMPLETE, /* behind a reply */
    LOST      /* behind nonsense */
} phase;

struct evs__resp {
    evs__build build;

    unsigned char phase;
    unsigned char type;    /* the first byte of the value that is being read */
    unsigned char cr;      /* the last byte of `text`, or of what was skipped of it, is a CR */
    unsigned char skipped; /* the reply is skipped, and `verdict` is why */
    unsigned char verdict; /* evs__resp_got */
    unsigned char head_len;
    char head[LONGEST_LINE];
    evs__buf text;

    char *bytes;      /* where the string goes on */
    uint64_t missing; /* bytes of it to come */
    uint64_t pending; /* values to come of a reply that is skipped */

    char problem[128];
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
    resp->phase = AT_REPLY;
    resp->skipped = 0;
    evs__build_drop(&resp->build);
}

void evs__resp_reset(evs__resp *resp)
{
    rest(resp);
    evs__buf_free(&resp->text);
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
    if (resp->skipped)
        return;
    resp->skipped = 1;
    resp->bytes = NULL;
    resp->pending = evs__build_pending(&resp->build) + (resp->phase >= IN_BYTES);
    evs__buf_free(&resp->text);
}

void evs__resp_skip(evs__resp *resp)
{
    if (resp->phase == AT_REPLY)
        resp->phase = AT_SKIPPED;
    if (resp->phase != AT_SKIPPED)
        give_up(resp, EVS__RESP_SKIPPED);
}

/*
 * Complaints.
 */

/* The stream is lost at `p`. `what` tells what was expected. */
static const char *lose(evs__resp *resp, const char *what, const char *p, const char *end)
{
    char byte[8], around[QUOTED];
    evs__printable(byte, sizeof byte, (evs_bytes){p, 1});
    evs__printable(around, sizeof around, (evs_bytes){p, (size_t)(end - p)});
    snprintf(resp->problem, sizeof resp->problem, "expected %s, got '%s' (%s)", what, byte, around);
    resp->phase = LOST;
    return p;
}

/* The line behind the type byte is no number, or not one that can be. */
static const char *lose_line(evs__resp *resp, const char *line, size_t len, const char *p)
{
    static const char *const what[] = {
        [SHAPE_NUMBER] = "a number",
        [SHAPE_BYTES] = "the length of a string",
        [SHAPE_ITEMS] = "the length of an array",
    };
    char quoted[QUOTED];
    evs__printable(quoted, sizeof quoted, (evs_bytes){line, len});
    snprintf(resp->problem, sizeof resp->problem, "expected %s behind '%c', got '%s'",
             what[rows[resp->type].shape], resp->type, quoted);
    resp->phase = LOST;
    return p;
}

static const char *lose_number(evs__resp *resp, int64_t n, const char *p)
{
    char digits[LONGEST_LINE];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)n);
    return lose_line(resp, digits, (size_t)len, p);
}

/*
 * The phases. Each reads on from `p`, of which there is at least one byte, and returns how far it
 * came.
 */

static void begin(evs__resp *resp)
{
    resp->verdict = resp->phase == AT_SKIPPED ? EVS__RESP_SKIPPED : EVS__RESP_NOMEM;
    resp->skipped = resp->phase == AT_SKIPPED || !evs__build_begin(&resp->build);
    resp->pending = 1;
    resp->phase = AT_TYPE;
}

/* Behind a value. */
static void settle(evs__resp *resp)
{
    int all = resp->skipped ? resp->pending == 0 : evs__build_close(&resp->build);
    resp->phase = all ? COMPLETE : AT_TYPE;
}

static void value_done(evs__resp *resp)
{
    resp->pending -= resp->skipped;
    settle(resp);
}

static evs_reply_type type_of(const evs__resp *resp)
{
    return rows[resp->type].type;
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
        resp->phase = AT_CR;
    return p + n;
}

static const char *at_cr(evs__resp *resp, const char *p, const char *end)
{
    if (*p != '\r')
        return lose(resp, "CRLF behind a string", p, end);
    resp->phase = AT_LF;
    return p + 1;
}

static const char *at_lf(evs__resp *resp, const char *p, const char *end)
{
    if (*p != '\n')
        return lose(resp, "CRLF behind a string", p, end);
    value_done(resp);
    return p + 1;
}

static void begin_bytes(evs__resp *resp, int64_t len)
{
    resp->bytes = place_text(resp, (uint64_t)len);
    resp->missing = (uint64_t)len;
    resp->phase = len == 0 ? AT_CR : IN_BYTES;
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
        resp->phase = AT_TYPE;
    return 1;
}

static void nil(evs__resp *resp)
{
    if (!resp->skipped)
        evs__build_place(&resp->build, EVS_REPLY_NIL, 0)->as.integer = 0;
    value_done(resp);
}

/* Behind a line with the number `n`. */
static const char *number(evs__resp *resp, int64_t n, const char *p)
{
    unsigned char kind = rows[resp->type].shape;
    if (kind == SHAPE_NUMBER) {
        if (!resp->skipped)
            evs__build_place(&resp->build, EVS_REPLY_INTEGER, 0)->as.integer = n;
        value_done(resp);
        return p;
    }
    if (n < -1)
        return lose_number(resp, n, p);
    if (n == -1)
        nil(resp);
    else if (kind == SHAPE_BYTES)
        begin_bytes(resp, n);
    else if (!begin_items(resp, n))
        return lose_number(resp, n, p);
    return p;
}

static const char *in_head(evs__resp *resp, const char *p, const char *end)
{
    int64_t n;
    while (p < end && resp->head_len < sizeof resp->head && *p != '\n')
        resp->head[resp->head_len++] = *p++;
    if (p == end)
        return p;
    size_t len = resp->head_len;
    if (*p != '\n' || len == 0 || resp->head[len - 1] != '\r' ||
        !evs__number(&n, (evs_bytes){resp->head, len - 1}))
        return lose_line(resp, resp->head, len, p);
    return number(resp, n, p + 1);
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

static void text(evs__resp *resp, const char *line, size_t len)
{
    char *room = place_text(resp, len);
    if (room != NULL)
        memcpy(room, line, len);
    value_done(resp);
}

static const char *in_text(evs__resp *resp, const char *p, const char *end)
{
    const char *behind = line_end(resp, p, end);
    if (behind != NULL && resp->text.len == 0 && !resp->cr) { /* all of it is here */
        text(resp, p, (size_t)(behind - p) - 2);
        return behind;
    }
    keep(resp, p, (size_t)((behind == NULL ? end : behind) - p));
    if (behind == NULL) {
        resp->cr = end[-1] == '\r';
        return end;
    }
    text(resp, resp->text.data, resp->skipped ? 0 : resp->text.len - 2);
    if (resp->text.cap > KEPT_TEXT)
        evs__buf_free(&resp->text);
    evs__buf_clear(&resp->text);
    return behind;
}

/*
 * The quick ways.
 */

static inline int is_crlf(const char *p)
{
    return memcmp(p, "\r\n", 2) == 0;
}

/* Reads -?digits CRLF; NULL for anything else. */
static inline const char *quick_number(int64_t *out, const char *p, const char *end)
{
    int negative = p < end && *p == '-';
    p += negative;
    const char *first = p, *stop = end - p > QUICK_DIGITS ? p + QUICK_DIGITS : end;
    int64_t n = 0;
    for (unsigned digit; p < stop && (digit = (unsigned)*p - '0') <= 9; p++)
        n = n * 10 + digit;
    if (p == first || end - p < 2 || !is_crlf(p))
        return NULL;
    *out = negative ? -n : n;
    return p + 2;
}

/* Reads a length of up to six digits that is not the very end of the bytes. */
static inline const char *quick_length(size_t *out, const char *p, const char *end)
{
    size_t n = 0;
    const char *first = p, *stop = p + 6;
    if (end - p < 6 + 2)
        return NULL;
    for (unsigned digit; p < stop && (digit = (unsigned)*p - '0') <= 9; p++)
        n = n * 10 + digit;
    *out = n;
    return p > first && is_crlf(p) ? p + 2 : NULL;
}

/* The bytes of a string that is there as a whole; NULL for anything else. */
static inline const char *quick_string(evs_bytes *out, const char *p, const char *end)
{
    const char *q = quick_length(&out->len, p + 1, end);
    if (q == NULL || (size_t)(end - q) < out->len + 2 || !is_crlf(q + out->len))
        return NULL;
    out->data = q;
    return q + out->len + 2;
}

/* A number or a string that is there as a whole; NULL for anything else. */
static inline const char *quick_value(evs__resp *resp, evs_reply *into, const char *p,
                                      const char *end)
{
    if (*p == ':') {
        *into = (evs_reply){EVS_REPLY_INTEGER, 0, {.integer = 0}};
        return quick_number(&into->as.integer, p + 1, end);
    }
    evs_bytes bytes;
    const char *behind = *p == '$' ? quick_string(&bytes, p, end) : NULL;
    if (behind == NULL || bytes.len >= resp->build.left)
        return NULL;
    const char *text = evs__arena_text_within(resp->build.arena, bytes.data, bytes.len,
                                              (size_t)(end - bytes.data));
    if (text == NULL)
        return NULL;
    resp->build.left -= bytes.len + 1;
    *into = (evs_reply){EVS_REPLY_STRING, bytes.len, {.text = text}};
    return behind;
}

/* Fills the frame with such values; returns behind the last. */
static const char *quick_values(evs__resp *resp, const char *p, const char *end)
{
    evs__build_frame *into = &resp->build.stack[resp->build.top];
    evs_reply *next = into->next;
    while (next < into->end && p < end) {
        const char *behind = quick_value(resp, next, p, end);
        if (behind == NULL)
            break;
        p = behind;
        next++;
    }
    into->next = next;
    return p;
}

/* The same for values that are skipped. */
static const char *quick_skip(evs__resp *resp, const char *p, const char *end)
{
    int64_t number;
    evs_bytes bytes;
    for (; resp->pending > 0 && p < end; resp->pending--) {
        const char *behind = NULL;
        if (*p == '$')
            behind = quick_string(&bytes, p, end);
        if (*p == ':')
            behind = quick_number(&number, p + 1, end);
        if (behind == NULL)
            break;
        p = behind;
    }
    return p;
}

/* A reply that is such a value, without any state; NULL for anything else. */
static const char *quick_reply(evs__resp *resp, const char *p, const char *end,
                               const evs_reply **out)
{
    evs_reply value;
    resp->build.left = resp->build.max_bytes;
    const char *behind = quick_value(resp, &value, p, end);
    evs_reply *root = behind == NULL ? NULL : evs__arena_one(resp->build.arena, sizeof *root);
    if (root == NULL)
        return NULL;
    *root = value;
    *out = root;
    return behind;
}

static const char *at_type(evs__resp *resp, const char *p, const char *end)
{
    int64_t n;
    const char *behind;
    behind = resp->skipped ? quick_skip(resp, p, end) : quick_values(resp, p, end);
    if (behind > p) {
        settle(resp);
        return behind;
    }
    resp->type = (unsigned char)*p;
    switch (rows[resp->type].shape) {
    case SHAPE_NONE:
        return lose(resp, "a reply type", p, end);
    case SHAPE_TEXT:
        resp->cr = 0;
        resp->phase = IN_TEXT;
        return p + 1;
    default:
        behind = quick_number(&n, p + 1, end);
        if (behind != NULL)
            return number(resp, n, behind);
        resp->phase = IN_HEAD;
        resp->head_len = 0;
        return p + 1;
    }
}

static const char *read_on(evs__resp *resp, const char *p, const char *end)
{
    switch ((phase)resp->phase) {
    case AT_REPLY:
    case AT_SKIPPED:
        begin(resp);
        return p;
    case AT_TYPE:
        return at_type(resp, p, end);
    case IN_HEAD:
        return in_head(resp, p, end);
    case IN_TEXT:
        return in_text(resp, p, end);
    case IN_BYTES:
        return in_bytes(resp, p, end);
    case AT_CR:
        return at_cr(resp, p, end);
    case AT_LF:
        return at_lf(resp, p, end);
    case COMPLETE:
    case LOST:
        break;
    }
    return end;
}

static evs__resp_got deliver(evs__resp *resp, const evs_reply **out)
{
    evs__resp_got got = resp->skipped ? (evs__resp_got)resp->verdict : EVS__RESP_REPLY;
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
    while (p < end && resp->phase < COMPLETE)
        p = read_on(resp, p, end);
    *used = (size_t)(p - data.data);
    if (resp->phase == COMPLETE)
        return deliver(resp, out);
    return resp->phase == LOST ? EVS__RESP_BAD : EVS__RESP_MORE;
}

evs__resp_got evs__resp_read(evs__resp *resp, const char *data, size_t len, size_t *used,
                             const evs_reply **out)
{
    if (resp->phase != AT_REPLY || len == 0)
        return read_phases(resp, (evs_bytes){data, len}, used, out);
    const char *behind = quick_reply(resp, data, data + len, out);
    if (behind == NULL)
        return read_phases(resp, (evs_bytes){data, len}, used, out);
    *used = (size_t)(behind - data);
    return EVS__RESP_REPLY;
}
