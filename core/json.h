/*
 * json.h - writes JSON into a buffer: commas, quotes and escapes are its business.
 */
#ifndef EVS_CORE_JSON_H
#define EVS_CORE_JSON_H

#include "core/buf.h"

typedef struct evs__json {
    evs__buf *out;
    int first;  /* no comma before the next value or member */
    int fresh;  /* the next one begins on a new line */
    int indent; /* each begins on a line of its own, indented by so much more per level */
    int depth;
} evs__json;

/* '{' or '['; the end is '}' or ']'. Begins a value of a list; of a member after evs__json_name. */
void evs__json_open(evs__json *json, char c);
void evs__json_close(evs__json *json, char c);

/* Lets the next value or member begin on a new line. */
void evs__json_line(evs__json *json);

/* Begins a member, or (NULL) a value of a list. */
void evs__json_name(evs__json *json, const char *name);

/* Values behind evs__json_name. Bytes that are no UTF-8 become U+FFFD. */
void evs__json_string(evs__json *json, evs_bytes text);
void evs__json_literal(evs__json *json, const char *word);

/* Whole members; with the name NULL, values of a list. A NULL text is null. */
void evs__json_text(evs__json *json, const char *name, const char *text);
void evs__json_number(evs__json *json, const char *name, long long number);
void evs__json_truth(evs__json *json, const char *name, int truth);
void evs__json_object(evs__json *json, const char *name);
void evs__json_list(evs__json *json, const char *name);

#endif
