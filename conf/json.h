/*
 * json.h - writes JSON that people can read, a member a line.
 */
#ifndef EVS_CONF_JSON_H
#define EVS_CONF_JSON_H

#include "core/buf.h"

typedef struct evs__json_out {
    evs__buf *out;
    int depth;
    int follows; /* a value stands before, so a comma is due */
} evs__json_out;

void evs__json_begin(evs__json_out *json, const char *name, char bracket); /* '{' or '[' */
void evs__json_end(evs__json_out *json, char bracket);

/* Members of an object; with the name NULL, values of a list. */
void evs__json_str(evs__json_out *json, const char *name, const char *text);
void evs__json_uint(evs__json_out *json, const char *name, uint64_t number);

/* A value that is JSON already, but for single quotes, which become double ones. */
void evs__json_raw(evs__json_out *json, const char *name, const char *value);

/* Members that are JSON already, but for single quotes. */
void evs__json_members(evs__json_out *json, const char *members);

#endif
