/*
 * reply_text.c - a reply as text. The depth of a reply is bounded by the client that read it, and
 * so is the recursion here.
 */
#include "tools/evalshard/reply_text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tools/evalshard/term.h"

static void print(FILE *out, const evs_reply *reply, int indent);

static void print_shown(FILE *out, const char *before, evs_bytes text, char quote)
{
    char *safe = shown(text, quote);
    fprintf(out, "%s%s%s\n", before, safe, quote == '\0' ? "" : "\"");
    free(safe);
}

static int digits(size_t n)
{
    int count = 1;
    for (; n > 9; n /= 10)
        count++;
    return count;
}

/* The first element stands on the line that is open, the others below it. `mark` is ')' for an
 * array and '~' for a set. */
static void print_list(FILE *out, const evs_reply *reply, int indent, char mark)
{
    size_t count = evs_reply_count(reply);
    int width = digits(count);
    if (count == 0)
        fprintf(out, "(empty %s)\n", evs_reply_kind_name(evs_reply_kind(reply)));
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%*s%*zu%c ", i == 0 ? 0 : indent, "", width, i + 1, mark);
        print(out, evs_reply_at(reply, i), indent + width + 2);
    }
}

/* A key, and below it, further in, its value. */
static void print_map(FILE *out, const evs_reply *reply, int indent)
{
    size_t pairs = evs_reply_count(reply) / 2;
    int width = digits(pairs);
    if (pairs == 0)
        fputs("(empty map)\n", out);
    for (size_t i = 0; i < pairs; i++) {
        int inner = indent + width + 2;
        fprintf(out, "%*s%*zu# ", i == 0 ? 0 : indent, "", width, i + 1);
        print(out, evs_reply_at(reply, 2 * i), inner);
        fprintf(out, "%*s=> ", inner, "");
        print(out, evs_reply_at(reply, 2 * i + 1), inner + 3);
    }
}

static void print(FILE *out, const evs_reply *reply, int indent)
{
    switch (evs_reply_kind(reply)) {
    case EVS_REPLY_NIL:
        fputs("(nil)\n", out);
        break;
    case EVS_REPLY_STRING:
    case EVS_REPLY_VERBATIM:
        print_shown(out, "\"", evs_reply_bytes(reply), '"');
        break;
    case EVS_REPLY_DOUBLE:
        print_shown(out, "(double) ", evs_reply_bytes(reply), '\0');
        break;
    case EVS_REPLY_BIG_NUMBER:
        print_shown(out, "(big number) ", evs_reply_bytes(reply), '\0');
        break;
    case EVS_REPLY_BOOL:
        fputs(evs_reply_integer(reply) ? "(true)\n" : "(false)\n", out);
        break;
    case EVS_REPLY_STATUS:
        print_shown(out, "", evs_reply_bytes(reply), '\0');
        break;
    case EVS_REPLY_ERROR:
        print_shown(out, "(error) ", evs_reply_bytes(reply), '\0');
        break;
    case EVS_REPLY_INTEGER:
        fprintf(out, "(integer) %" PRId64 "\n", evs_reply_integer(reply));
        break;
    case EVS_REPLY_ARRAY:
        print_list(out, reply, indent, ')');
        break;
    case EVS_REPLY_SET:
        print_list(out, reply, indent, '~');
        break;
    case EVS_REPLY_MAP:
        print_map(out, reply, indent);
        break;
    }
}

void reply_print(FILE *out, const evs_reply *reply)
{
    print(out, reply, 0);
}

void reply_print_raw(FILE *out, const evs_reply *reply)
{
    evs_bytes bytes = evs_reply_bytes(reply);
    size_t count = evs_reply_count(reply);
    evs_reply_type type = evs_reply_kind(reply);
    if (type == EVS_REPLY_INTEGER || type == EVS_REPLY_BOOL)
        fprintf(out, "%" PRId64, evs_reply_integer(reply));
    else
        fwrite(bytes.data, 1, bytes.len, out);
    for (size_t i = 0; i < count; i++)
        reply_print_raw(out, evs_reply_at(reply, i));
    if (count == 0)
        fputc('\n', out);
}

void reply_json(json *j, const evs_reply *reply)
{
    switch (evs_reply_kind(reply)) {
    case EVS_REPLY_NIL:
        json_null(j);
        break;
    case EVS_REPLY_INTEGER:
        json_number(j, evs_reply_integer(reply));
        break;
    case EVS_REPLY_BOOL:
        json_flag(j, evs_reply_integer(reply) != 0);
        break;
    case EVS_REPLY_STRING:
    case EVS_REPLY_STATUS:
    case EVS_REPLY_VERBATIM:
    case EVS_REPLY_DOUBLE: /* as in RESP2: JSON has no inf, and would change digits */
    case EVS_REPLY_BIG_NUMBER:
        json_bytes(j, evs_reply_bytes(reply));
        break;
    case EVS_REPLY_ERROR:
        json_open(j, '{');
        json_key(j, "error");
        json_bytes(j, evs_reply_bytes(reply));
        json_close(j, '}');
        break;
    case EVS_REPLY_MAP: /* as in RESP2: key, value, key, value; keys need not be text */
    case EVS_REPLY_SET:
    case EVS_REPLY_ARRAY:
        json_open(j, '[');
        for (size_t i = 0; i < evs_reply_count(reply); i++)
            reply_json(j, evs_reply_at(reply, i));
        json_close(j, ']');
        break;
    }
}
