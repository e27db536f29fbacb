/*
 * json.c - writing JSON (RFC 8259).
 */
#include "tools/evalshard/json.h"

#include <inttypes.h>

#include "tools/evalshard/term.h"

static void comma(json *j)
{
    if (j->follows)
        fputc(',', j->out);
    j->follows = 1;
}

void json_open(json *j, char bracket)
{
    comma(j);
    fputc(bracket, j->out);
    j->follows = 0;
}

void json_close(json *j, char bracket)
{
    fputc(bracket, j->out);
    j->follows = 1;
}

/* A byte that is not UTF-8 has no place in JSON and becomes the replacement character. */
static void quoted(json *j, evs_bytes text)
{
    fputc('"', j->out);
    for (size_t i = 0; i < text.len;) {
        size_t len = utf8_length((evs_bytes){text.data + i, text.len - i});
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\')
            fprintf(j->out, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", j->out);
        else if (c < 0x20 || c == 0x7f)
            fprintf(j->out, "\\u%04x", c);
        else if (len == 0)
            fputs("\\ufffd", j->out);
        else
            fwrite(text.data + i, 1, len, j->out);
        i += len == 0 ? 1 : len;
    }
    fputc('"', j->out);
}

void json_key(json *j, const char *name)
{
    comma(j);
    quoted(j, evs_text(name));
    fputc(':', j->out);
    j->follows = 0;
}

void json_text(json *j, const char *text)
{
    comma(j);
    quoted(j, evs_text(text));
}

void json_number(json *j, int64_t number)
{
    comma(j);
    fprintf(j->out, "%" PRId64, number);
}

void json_unsigned(json *j, uint64_t number)
{
    comma(j);
    fprintf(j->out, "%" PRIu64, number);
}

void json_flag(json *j, int is_true)
{
    comma(j);
    fputs(is_true ? "true" : "false", j->out);
}

void json_null(json *j)
{
    comma(j);
    fputs("null", j->out);
}

static int is_utf8(evs_bytes text)
{
    while (text.len > 0) {
        size_t n = utf8_length(text);
        if (n == 0)
            return 0;
        text.data += n;
        text.len -= n;
    }
    return 1;
}

/* RFC 4648, section 4. "foobar" is Zm9vYmFy, "fo" is Zm8=. */
static void base64(json *j, evs_bytes bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    fputc('"', j->out);
    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (i + k < bytes.len ? (unsigned char)bytes.data[i + k] : 0);
        for (size_t k = 0; k < 4; k++) {
            int is_padding = i + k > bytes.len;
            fputc(is_padding ? '=' : digits[group >> (18 - 6 * k) & 63], j->out);
        }
    }
    fputc('"', j->out);
}

void json_bytes(json *j, evs_bytes bytes)
{
    comma(j);
    if (is_utf8(bytes)) {
        quoted(j, bytes);
        return;
    }
    fputs("{\"base64\":", j->out);
    base64(j, bytes);
    fputc('}', j->out);
}

void json_line(json *j)
{
    comma(j);
    fputc('\n', j->out);
    j->follows = 0;
}
