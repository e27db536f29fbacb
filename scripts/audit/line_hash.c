/*
 * A fingerprint is XXH64 of the code and of the line, of which runs of blanks count as one and
 * those at its ends not at all, and the number of the finding among equal ones. It does not depend
 * on where the line stands. Of a very long line, as minified scripts have, only what is around the
 * finding counts.
 */
#include "scripts/audit/line_hash.h"

#include "core/hash64.h"
#include "core/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MAX_SEEN = 1000, AROUND = 100 };

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static evs_bytes part_of(evs_bytes line, int column)
{
    if (line.len <= LINE_MAX_SEEN)
        return line;
    size_t at = (size_t)column - 1;
    size_t begin = at > AROUND ? at - AROUND : 0;
    if (begin > line.len)
        begin = line.len;
    evs_bytes part = {line.data + begin, line.len - begin};
    if (part.len > 2 * AROUND)
        part.len = 2 * AROUND;
    return part;
}

/* The code, a line end, the line without needless blanks; no more than fits in `out`. */
static size_t normalise(char out[LINE_MAX_SEEN + 16], const char *code, evs_bytes line)
{
    size_t n = strlen(code);
    memcpy(out, code, n);
    out[n++] = '\n';
    int blank = 0;
    for (size_t i = 0; i < line.len; i++) {
        if (is_blank(line.data[i])) {
            blank = out[n - 1] != '\n';
            continue;
        }
        if (blank)
            out[n++] = ' ';
        blank = 0;
        out[n++] = line.data[i];
    }
    return n;
}

static uint64_t hash_of(const evs__origins *origins, const evs_finding *finding)
{
    char text[LINE_MAX_SEEN + 16];
    evs_span at = finding->at;
    const char *path = evs__origins_find(origins, &at);
    evs_bytes line = part_of(evs__origins_line(origins, path, at.line), at.column);
    evs_bytes whole = {text, normalise(text, finding->code, line)};
    return evs__xxh64(whole, 0);
}

/* How many fingerprints begin with this hash, this one included. */
static unsigned count(evs__pool *pool, evs__table *seen, const char *hash)
{
    unsigned *times = evs__table_get(seen, evs_text(hash));
    if (times == NULL) {
        times = evs__pool_alloc(pool, 1, sizeof *times);
        const char *key = evs__arena_text(&pool->arena, hash, strlen(hash));
        if (times == NULL || key == NULL || !evs__table_set(seen, evs_text(key), times)) {
            pool->failed = 1;
            return 0;
        }
    }
    return ++*times;
}

int evs__line_hashes(const evs__origins *origins, evs__findings *findings)
{
    evs__table seen = EVS__TABLE_INIT;
    for (size_t i = 0; i < findings->count && !findings->pool->failed; i++) {
        evs_finding *finding = &findings->items[i];
        if (finding->fingerprint != NULL)
            continue;
        char hash[24];
        snprintf(hash, sizeof hash, "%016" PRIx64, hash_of(origins, finding));
        unsigned times = count(findings->pool, &seen, hash);
        finding->fingerprint = evs__arena_format(&findings->pool->arena, "%s:%u", hash, times);
        if (finding->fingerprint == NULL)
            findings->pool->failed = 1;
    }
    evs__table_free(&seen);
    return !findings->pool->failed;
}
