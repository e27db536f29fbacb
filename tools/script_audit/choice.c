#include "tools/script_audit/choice.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST = 32, NEAR = 3 };

int choose(int *out, const char *option, const char *word, const choice *choices)
{
    for (const choice *c = choices; c->word != NULL; c++) {
        if (strcmp(c->word, word) == 0) {
            *out = c->value;
            return 1;
        }
    }
    fprintf(stderr, "script-audit: %s %s: must be one of", option, word);
    for (const choice *c = choices; c->word != NULL; c++)
        fprintf(stderr, "%s %s", c == choices ? "" : ",", c->word);
    fputc('\n', stderr);
    return 0;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned n = a < b ? a : b;
    return n < c ? n : c;
}

/* Letters to insert, delete or replace to make `b` of `a`. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[LONGEST + 1];
    size_t n = strlen(b);
    if (n > LONGEST || strlen(a) > LONGEST)
        return LONGEST;
    for (unsigned j = 0; j <= n; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1] != '\0'; i++) {
        unsigned corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            unsigned above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, corner + (a[i - 1] != b[j - 1]));
            corner = above;
        }
    }
    return row[n];
}

const char *nearest(const char *word, const char *const *words, size_t count)
{
    const char *best = NULL;
    unsigned so_far = NEAR + 1;
    for (size_t i = 0; i < count; i++) {
        unsigned d = distance(word, words[i]);
        if (d < so_far && d < strlen(word)) {
            so_far = d;
            best = words[i];
        }
    }
    return best;
}
