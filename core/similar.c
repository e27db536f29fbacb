/*
 * Optimal string alignment: Levenshtein's table with one more case for two swapped neighbours. Only
 * the last three rows are kept. A row whose smallest entry is over the limit ends the search; a
 * swap reaches back two rows, but costs what replacing one letter did in the row between.
 */
#include "core/similar.h"

enum { LONGEST = 64, FARTHEST = 3 };

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static int alike(char a, char b)
{
    return lower(a) == lower(b);
}

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static int swapped(evs_bytes a, evs_bytes b, size_t i, size_t j)
{
    return i > 1 && j > 1 && alike(a.data[i - 1], b.data[j - 2]) &&
           alike(a.data[i - 2], b.data[j - 1]);
}

/* Row `i` of the table from the two rows before it; returns its smallest entry. */
static unsigned fill(unsigned *row, const unsigned *up, const unsigned *up2, size_t i,
                     const evs_bytes ab[2])
{
    unsigned least = row[0] = (unsigned)i;
    for (size_t j = 1; j <= ab[1].len; j++) {
        unsigned replace = up[j - 1] + !alike(ab[0].data[i - 1], ab[1].data[j - 1]);
        unsigned best = smaller(replace, smaller(up[j], row[j - 1]) + 1);
        if (swapped(ab[0], ab[1], i, j))
            best = smaller(best, up2[j - 2] + 1);
        row[j] = best;
        least = smaller(least, best);
    }
    return least;
}

unsigned evs__edit_distance(evs_bytes a, evs_bytes b, unsigned limit)
{
    const evs_bytes ab[2] = {a, b};
    unsigned rows[3][LONGEST + 1];
    size_t apart = a.len > b.len ? a.len - b.len : b.len - a.len;
    if (a.len > LONGEST || b.len > LONGEST || apart > limit)
        return limit + 1;

    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned least = fill(rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3], i, ab);
        if (least > limit)
            return limit + 1;
    }
    return smaller(rows[a.len % 3][b.len], limit + 1);
}

/* One edit for two to four letters, two from five, three from eight. */
static unsigned edits_allowed(size_t len)
{
    size_t allowed = (len + 1) / 3;
    return allowed > FARTHEST ? FARTHEST : (unsigned)allowed;
}

const char *evs__most_similar(evs_bytes word, const char *const *words, size_t count)
{
    unsigned best = edits_allowed(word.len) + 1;
    const char *found = NULL;
    for (size_t i = 0; i < count && best > 0; i++) {
        unsigned distance = evs__edit_distance(word, evs_text(words[i]), best - 1);
        if (distance < best) {
            best = distance;
            found = words[i];
        }
    }
    return found;
}
