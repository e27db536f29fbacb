#include "core/json.h"

#include "core/utf8.h"

static void new_line(evs__json *json)
{
    if (json->indent > 0)
        evs__buf_format(json->out, "\n%*s", json->indent * json->depth, "");
}

void evs__json_open(evs__json *json, char c)
{
    evs__buf_char(json->out, c);
    json->first = 1;
    json->depth++;
}

void evs__json_close(evs__json *json, char c)
{
    json->depth--;
    new_line(json);
    evs__buf_char(json->out, c);
    json->first = 0;
}

void evs__json_line(evs__json *json)
{
    json->fresh = 1;
}

void evs__json_name(evs__json *json, const char *name)
{
    if (!json->first)
        evs__buf_char(json->out, ',');
    json->first = 0;
    if (json->fresh)
        evs__buf_char(json->out, '\n');
    json->fresh = 0;
    if (json->depth > 0)
        new_line(json);
    if (name != NULL)
        evs__buf_format(json->out, json->indent > 0 ? "\"%s\": " : "\"%s\":", name);
}

static void escaped(evs__buf *out, unsigned char c)
{
    switch (c) {
    case '"':
        evs__buf_text(out, "\\\"");
        return;
    case '\\':
        evs__buf_text(out, "\\\\");
        return;
    case '\n':
        evs__buf_text(out, "\\n");
        return;
    case '\t':
        evs__buf_text(out, "\\t");
        return;
    default:
        evs__buf_format(out, "\\u%04x", c);
        return;
    }
}

void evs__json_string(evs__json *json, evs_bytes text)
{
    evs__buf_char(json->out, '"');
    while (text.len > 0) {
        size_t n = evs__utf8_length(text);
        unsigned char c = (unsigned char)text.data[0];
        if (n == 0)
            evs__buf_text(json->out, "\xef\xbf\xbd");
        else if (n == 1 && (c < ' ' || c == '"' || c == '\\' || c == 0x7f))
            escaped(json->out, c);
        else
            evs__buf_append(json->out, text.data, n);
        n += n == 0;
        text.data += n;
        text.len -= n;
    }
    evs__buf_char(json->out, '"');
}

void evs__json_literal(evs__json *json, const char *word)
{
    evs__buf_text(json->out, word);
}

void evs__json_text(evs__json *json, const char *name, const char *text)
{
    evs__json_name(json, name);
    if (text == NULL)
        evs__json_literal(json, "null");
    else
        evs__json_string(json, evs_text(text));
}

void evs__json_number(evs__json *json, const char *name, long long number)
{
    evs__json_name(json, name);
    evs__buf_format(json->out, "%lld", number);
}

void evs__json_truth(evs__json *json, const char *name, int truth)
{
    evs__json_name(json, name);
    evs__json_literal(json, truth ? "true" : "false");
}

void evs__json_object(evs__json *json, const char *name)
{
    evs__json_name(json, name);
    evs__json_open(json, '{');
}

void evs__json_list(evs__json *json, const char *name)
{
    evs__json_name(json, name);
    evs__json_open(json, '[');
}
