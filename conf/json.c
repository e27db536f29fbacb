#include "conf/json.h"

#include <inttypes.h>

static void quote(evs__buf *out, const char *text)
{
    evs__buf_char(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            evs__buf_char(out, '\\');
        if ((unsigned char)*text < 0x20)
            evs__buf_format(out, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            evs__buf_char(out, *text);
    }
    evs__buf_char(out, '"');
}

static void start(evs__json_out *json, const char *name)
{
    if (json->follows)
        evs__buf_char(json->out, ',');
    if (json->depth > 0)
        evs__buf_format(json->out, "\n%*s", json->depth * 2, "");
    if (name != NULL) {
        quote(json->out, name);
        evs__buf_text(json->out, ": ");
    }
    json->follows = 1;
}

void evs__json_begin(evs__json_out *json, const char *name, char bracket)
{
    start(json, name);
    evs__buf_char(json->out, bracket);
    json->follows = 0;
    json->depth++;
}

void evs__json_end(evs__json_out *json, char bracket)
{
    json->depth--;
    evs__buf_format(json->out, "\n%*s%c", json->depth * 2, "", bracket);
    json->follows = 1;
}

void evs__json_str(evs__json_out *json, const char *name, const char *text)
{
    start(json, name);
    quote(json->out, text);
}

void evs__json_uint(evs__json_out *json, const char *name, uint64_t number)
{
    start(json, name);
    evs__buf_format(json->out, "%" PRIu64, number);
}

void evs__json_raw(evs__json_out *json, const char *name, const char *value)
{
    start(json, name);
    for (; *value != '\0'; value++)
        evs__buf_char(json->out, *value == '\'' ? '"' : *value);
}

void evs__json_members(evs__json_out *json, const char *members)
{
    evs__json_raw(json, NULL, members);
}
