/*
 * reply_text.h - a reply as text.
 */
#ifndef EVS_TOOLS_REPLY_TEXT_H
#define EVS_TOOLS_REPLY_TEXT_H

#include <evalshard/reply.h>
#include <stdio.h>

#include "tools/evalshard/json.h"

/* As redis-cli shows it on a terminal: `(integer) 1`, `"text"`, `(nil)`, numbered elements. */
void reply_print(FILE *out, const evs_reply *reply);

/* As redis-cli writes it to a pipe: the bytes as they are, a line a value, nil as an empty line. */
void reply_print_raw(FILE *out, const evs_reply *reply);

/* null, a number, a string, an array; an error inside an array is {"error": "..."}. */
void reply_json(json *j, const evs_reply *reply);

#endif
