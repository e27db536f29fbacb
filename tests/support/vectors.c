#include "tests/support/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_LINE = 160000 };

typedef struct key_row {
    char id[16];
    evs_bytes bytes; /* ours */
} key_row;

static key_row keys[VECTOR_KEYS];
static size_t nkeys;

static void give_up(const char *what, const char *file)
{
    fprintf(stderr, "vectors: %s %s\n", what, file);
    abort();
}

const char *vector_path(const char *file)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/tests/data/vectors/%s", EVS_TEST_SOURCE_DIR, file);
    return path;
}

static size_t split(char *line, char **columns)
{
    size_t count = 0;
    for (char *at = line; at != NULL && count < VECTOR_COLUMNS; count++) {
        columns[count] = at;
        at = strchr(at, '\t');
        if (at != NULL)
            *at++ = '\0';
    }
    return count;
}

size_t vector_rows(const char *file, vector_row_fn *row, void *arg)
{
    static char line[LONGEST_LINE];
    size_t rows = 0;
    FILE *in = fopen(vector_path(file), "r");
    if (in == NULL)
        give_up("cannot read", file);
    while (fgets(line, sizeof line, in) != NULL) {
        char *columns[VECTOR_COLUMNS];
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#')
            continue;
        row(arg, columns, split(line, columns));
        rows++;
    }
    fclose(in);
    return rows;
}

evs_bytes vector_bytes(const char *hex)
{
    size_t len = strlen(hex) / 2;
    char *data = malloc(len + 1);
    if (data == NULL)
        give_up("no memory for", hex);
    for (size_t i = 0; i < len; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        data[i] = (char)strtoul(digits, NULL, 16);
    }
    return (evs_bytes){data, len};
}

static void take_key(void *arg, char **columns, size_t count)
{
    (void)arg;
    if (count != 3 || nkeys == VECTOR_KEYS)
        give_up("not as expected:", "keys.tsv");
    snprintf(keys[nkeys].id, sizeof keys[nkeys].id, "%s", columns[0]);
    keys[nkeys++].bytes = vector_bytes(columns[2]);
}

int vector_keys_read(void **state)
{
    (void)state;
    vector_rows("keys.tsv", take_key, NULL);
    return nkeys == VECTOR_KEYS ? 0 : -1;
}

int vector_keys_free(void **state)
{
    (void)state;
    while (nkeys > 0)
        free((char *)(uintptr_t)keys[--nkeys].bytes.data);
    return 0;
}

evs_bytes vector_key(size_t i)
{
    return keys[i].bytes;
}

evs_bytes vector_key_of(const char *id)
{
    for (size_t i = 0; i < nkeys; i++) {
        if (strcmp(keys[i].id, id) == 0)
            return keys[i].bytes;
    }
    give_up("no key has the id", id);
    return keys[0].bytes;
}

json_t *vector_json(const char *file)
{
    json_t *json = json_load_file(vector_path(file), 0, NULL);
    if (json == NULL)
        give_up("cannot read", file);
    return json;
}
