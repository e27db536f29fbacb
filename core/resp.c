/*
 * The reader of replies.
 *
 * A value is a type byte, a line, and for some types what the line announces: the bytes of a
 * string, the elements of an array. The reader is in one phase at a time (see `phase`) and each
 * phase takes what it can of the bytes at hand, so a reply may arrive in pieces of any size and no
 * byte is looked at twice. Arrays are filled in place: a frame of the stack is the part of an array
 * that is still to come. The bottom frame has one element, the reply itself.
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

#include <stdio.h>

enum {
    INLINE_FRAMES = 8, /* more than most replies nest */
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
    AT_TYPE,  /* before a value */
    IN_HEAD,  /* in a line with a number, of which `head` has the beginning */
    IN_TEXT,  /* in a line of text, of which `text` has the beginning */
    IN_BYTES, /* in a string, `missing` bytes before its end */
    AT_CR,    /* behind the bytes of a string */
    AT_LF,
    COMPLETE, /* behind a reply */
    LOST      /* behind nonsense */
} phase;

/* The part of an array that is still to come. */
typedef struct frame {
    evs_reply *next, *end;
} frame;

struct evs__resp {
    evs__arena *arena; /* borrowed */
    size_t max_bytes;
    size_t left; /* bytes that this reply may still take */
    unsigned max_depth;

    unsigned char phase;
    unsigned char type;    /* the first byte of the value that is being read */
    unsigned char cr;      /* the last byte of `text`, or of what was skipped of it, is a CR */
    unsigned char begun;   /* some byte of a reply was read */
    unsigned char skipped; /* the reply is skipped, and `verdict` is why */
    unsigned char skip_next;
    unsigned char verdict; /* evs__resp_got */
    unsigned char head_len;
    char head[LONGEST_LINE];
    evs__buf text;

    char *bytes;      /* where the string goes on */
    uint64_t missing; /* bytes of it to come */
    uint64_t pending; /* values to come of a reply that is skipped */

    unsigned top; /* the frame that is being filled */
    unsigned nframes;
    frame *stack; /* `few`, or ours */
    frame few[INLINE_FRAMES];
    char problem[128];
};

evs__resp *evs__resp_new(evs__arena *arena, size_t max_bytes, unsigned max_depth)
{
    evs__resp *resp = evs__zalloc_array(1, sizeof *resp);
    if (resp == NULL)
        return NULL;
    resp->arena = arena;
    resp->max_bytes = max_bytes;
    resp->max_depth = max_depth < EVS__RESP_DEEPEST ? max_depth : EVS__RESP_DEEPEST;
    resp->stack = resp->few;
    resp->nframes = INLINE_FRAMES;
    return resp;
}

static void drop_stack(evs__resp *resp)
{
    if (resp->stack != resp->few)
        evs__free(resp->stack);
    resp->stack = resp->few;
    resp->nframes = INLINE_FRAMES;
}

void evs__resp_free(evs__resp *resp)
{
    if (resp == NULL)
        return;
    drop_stack(resp);
    evs__buf_free(&resp->text);
    evs__free(resp);
}

/* Between two replies. */
static void rest(evs__resp *resp)
{
    resp->phase = AT_TYPE;
    resp->begun = 0;
    resp->skipped = 0;
    if (resp->stack != resp->few)
        drop_stack(resp);
}

void evs__resp_reset(evs__resp *resp)
{
    rest(resp);
    resp->skip_next = 0;
    resp->cr = 0;
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
    resp->pending = resp->phase >= IN_BYTES;
    for (unsigned i = 0; i <= resp->top; i++)
        resp->pending += (uint64_t)(resp->stack[i].end - resp->stack[i].next);
    evs__buf_free(&resp->text);
}

void evs__resp_skip(evs__resp *resp)
{
    if (resp->begun)
        give_up(resp, EVS__RESP_SKIPPED);
    else
        resp->skip_next = 1;
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
 * Building.
 */

static void begin(evs__resp *resp)
{
    resp->begun = 1;
    resp->top = 0;
    resp->left = resp->max_bytes;
    resp->stack[0] = (frame){NULL, NULL};
    resp->pending = 1;
    if (resp->skip_next) {
        resp->skip_next = 0;
        resp->skipped = 1;
        resp->verdict = EVS__RESP_SKIPPED;
        return;
    }
    evs_reply *root = evs__arena_alloc(resp->arena, 1, sizeof *root);
    if (root == NULL) {
        resp->skipped = 1;
        resp->verdict = EVS__RESP_NOMEM;
        return;
    }
    resp->stack[0] = (frame){root, root + 1};
}

/* The arrays that ended with the last value; perhaps the whole reply. */
static void close_items(evs__resp *resp)
{
    resp->phase = AT_TYPE;
    while (resp->stack[resp->top].next == resp->stack[resp->top].end) {
        if (resp->top == 0) {
            resp->phase = COMPLETE;
            return;
        }
        resp->top--;
    }
}

static void value_done(evs__resp *resp)
{
    if (resp->skipped)
        resp->phase = --resp->pending == 0 ? COMPLETE : AT_TYPE;
    else
        close_items(resp);
}

/* The next element to fill. */
static evs_reply *place(evs__resp *resp, evs_reply_type type, size_t len)
{
    evs_reply *reply = resp->stack[resp->top].next++;
    reply->type = type;
    reply->len = len;
    return reply;
}

/* A string, status or error of `len` bytes, to be filled; NULL when the reply is skipped. */
static char *place_text(evs__resp *resp, uint64_t len)
{
    if (resp->skipped)
        return NULL;
    if (len >= resp->left) {
        give_up(resp, EVS__RESP_TOO_BIG);
        return NULL;
    }
    char *room = evs__arena_bytes(resp->arena, (size_t)len + 1);
    if (room == NULL) {
        give_up(resp, EVS__RESP_NOMEM);
        return NULL;
    }
    resp->left -= (size_t)len + 1;
    room[len] = '\0';
    place(resp, rows[resp->type].type, (size_t)len)->as.text = room;
    return room;
}

/* Room for one more frame; 0 when out of memory. */
static int grow_stack(evs__resp *resp)
{
    if (resp->top + 1 < resp->nframes)
        return 1;
    frame *stack = evs__alloc_array(2 * (size_t)resp->nframes, sizeof *stack);
    if (stack == NULL)
        return 0;
    unsigned nframes = resp->nframes;
    memcpy(stack, resp->stack, nframes * sizeof *stack);
    drop_stack(resp);
    resp->stack = stack;
    resp->nframes = 2 * nframes;
    return 1;
}

/* An array of `count` elements, to be filled; nothing when the reply is skipped. */
static void place_items(evs__resp *resp, uint64_t count)
{
    evs_reply *items = NULL;
    if (resp->skipped)
        return;
    if (resp->top == resp->max_depth) {
        give_up(resp, EVS__RESP_TOO_DEEP);
        return;
    }
    if (count > resp->left / sizeof *items) {
        give_up(resp, EVS__RESP_TOO_BIG);
        return;
    }
    if (count > 0)
        items = evs__arena_alloc(resp->arena, (size_t)count, sizeof *items);
    if ((count > 0 && items == NULL) || !grow_stack(resp)) {
        give_up(resp, EVS__RESP_NOMEM);
        return;
    }
    resp->left -= (size_t)count * sizeof *items;
    place(resp, rows[resp->type].type, (size_t)count)->as.items = items;
    if (count > 0)
        resp->stack[++resp->top] = (frame){items, items + count};
}

/*
 * The phases. Each reads on from `p`, of which there is at least one byte, and returns how far it
 * came.
 */

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
    place_items(resp, (uint64_t)count);
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
        place(resp, EVS_REPLY_NIL, 0)->as.integer = 0;
    value_done(resp);
}

/* Behind a line with the number `n`. */
static const char *number(evs__resp *resp, int64_t n, const char *p)
{
    unsigned char kind = rows[resp->type].shape;
    if (kind == SHAPE_NUMBER) {
        if (!resp->skipped)
            place(resp, EVS_REPLY_INTEGER, 0)->as.integer = n;
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
    if (len > resp->left || resp->text.len > resp->left - len + 1) {
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

/* Reads -?digits CRLF; NULL for anything else. */
static const char *quick_number(int64_t *out, const char *p, const char *end)
{
    const char *stop = end - p > QUICK_DIGITS ? p + QUICK_DIGITS : end;
    int negative = p < stop && *p == '-';
    const char *first = p += negative;
    int64_t n = 0;
    for (; p < stop && *p >= '0' && *p <= '9'; p++)
        n = n * 10 + (*p - '0');
    if (p == first || end - p < 2 || p[0] != '\r' || p[1] != '\n')
        return NULL;
    *out = negative ? -n : n;
    return p + 2;
}

/* Fills the frame with strings as long as one comes complete; returns the first that does not. */
static const char *quick_strings(evs__resp *resp, const char *p, const char *end)
{
    frame *into = &resp->stack[resp->top];
    int64_t n;
    while (into->next < into->end && p < end && *p == '$') {
        const char *q = quick_number(&n, p + 1, end);
        if (q == NULL || n < 0 || end - q < n + 2 || q[n] != '\r' || q[n + 1] != '\n')
            break;
        if ((size_t)n >= resp->left)
            break;
        char *room = evs__arena_bytes(resp->arena, (size_t)n + 1);
        if (room == NULL)
            break;
        memcpy(room, q, (size_t)n);
        room[n] = '\0';
        resp->left -= (size_t)n + 1;
        *into->next++ = (evs_reply){EVS_REPLY_STRING, (size_t)n, {.text = room}};
        p = q + n + 2;
    }
    return p;
}

static const char *at_type(evs__resp *resp, const char *p, const char *end)
{
    int64_t n;
    const char *behind;
    if (!resp->begun)
        begin(resp);
    if (*p == '$' && !resp->skipped) {
        behind = quick_strings(resp, p, end);
        if (behind > p) {
            close_items(resp);
            return behind;
        }
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
        *out = resp->stack[0].end - 1;
    rest(resp);
    return got;
}

evs__resp_got evs__resp_read(evs__resp *resp, const char *data, size_t len, size_t *used,
                             const evs_reply **out)
{
    const char *p = data, *end = data + len;
    *out = NULL;
    while (p < end && resp->phase < COMPLETE)
        p = read_on(resp, p, end);
    *used = (size_t)(p - data);
    if (resp->phase == COMPLETE)
        return deliver(resp, out);
    return resp->phase == LOST ? EVS__RESP_BAD : EVS__RESP_MORE;
}
