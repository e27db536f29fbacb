/*
 * json.h - writing JSON, piece by piece and without memory of its own.
 *
 *     json_open(&j, '{');
 *     json_key(&j, "shard");
 *     json_text(&j, name);
 *     json_close(&j, '}');
 */
#ifndef EVS_TOOLS_JSON_H
#define EVS_TOOLS_JSON_H

#include <evalshard/base.h>
#include <stdio.h>

typedef struct json {
    FILE *out;
    int follows; /* whether a value stands before, so that a comma is due */
} json;

void json_open(json *j, char bracket);  /* '{' or '[' */
void json_close(json *j, char bracket); /* '}' or ']' */
void json_key(json *j, const char *name);
void json_number(json *j, int64_t number);
void json_unsigned(json *j, uint64_t number);
void json_flag(json *j, int is_true);
void json_null(json *j);

/* A string; bytes that are not UTF-8 are replaced. */
void json_text(json *j, const char *text);

/* Any bytes: a string when they are UTF-8, else {"base64": "..."}. */
void json_bytes(json *j, evs_bytes bytes);

/* Starts a new line before the next element of an array. */
void json_line(json *j);

#endif
