/*
 * table.h - rows of text. On a terminal they wait for the end and are printed in aligned columns
 * below a header; in a pipe each row is printed at once, tab-separated, without a header and with
 * its bytes as they are.
 */
#ifndef EVS_TOOLS_TABLE_H
#define EVS_TOOLS_TABLE_H

#include "tools/evalshard/term.h"

typedef struct table table;

/* `headers` are borrowed. Ends the program when out of memory. */
table *table_new(FILE *out, const char *const *headers, size_t ncolumns);

/* The next cell, from left to right and from row to row. */
void table_bytes(table *t, evs_bytes text, style which);
void table_text(table *t, const char *text, style which);
void table_number(table *t, int64_t number, style which);

/* Prints what waits, and frees. */
void table_finish(table *t);

/* The same, each line behind `indent` spaces, aligned also when `out` is no terminal. */
void table_align(table *t, size_t indent);

#endif
