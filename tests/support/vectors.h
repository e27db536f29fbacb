/*
 * vectors.h - recorded placements of tests/data/vectors, read row by row.
 */
#ifndef EVS_TESTS_SUPPORT_VECTORS_H
#define EVS_TESTS_SUPPORT_VECTORS_H

#include <evalshard/base.h>

#include <jansson.h>

enum { VECTOR_KEYS = 250, VECTOR_COLUMNS = 20 };

/* The path of a file of vectors; borrowed until the next call. */
const char *vector_path(const char *file);

/* Calls `row` for each line of a TSV file that is no comment, split at tabs. Returns how many. */
typedef void vector_row_fn(void *arg, char **columns, size_t count);
size_t vector_rows(const char *file, vector_row_fn *row, void *arg);

/* Bytes from hexadecimal digits; `data` is to be freed. */
evs_bytes vector_bytes(const char *hex);

/* keys.tsv, read once. Setup and teardown of a group of tests. */
int vector_keys_read(void **state);
int vector_keys_free(void **state);

/* Key number `i` in the order of the file, and the one of an id. */
evs_bytes vector_key(size_t i);
evs_bytes vector_key_of(const char *id);

/* A JSON file of vectors, to be dropped with json_decref. Ends the test when it cannot be read. */
json_t *vector_json(const char *file);

#endif
