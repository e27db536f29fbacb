/*
 * Lines end as in Lua: LF, CR, CR LF and LF CR are one end each.
 */
#include "scripts/audit/source_map.h"

#include <string.h>

enum { LOOKED_AT = 256 };

static int is_end(char c)
{
    return c == '\n' || c == '\r';
}

/* The offset behind the line end at `at`. */
static size_t behind_end(evs_bytes text, size_t at)
{
    int two = at + 1 < text.len && is_end(text.data[at + 1]) && text.data[at + 1] != text.data[at];
    return at + (two ? 2 : 1);
}

/* Where the next line begins that begins behind `from`; 0 when there is none. It looks for one of
 * the two characters after the other, in parts, as one of them may be in none of them. */
static size_t next_line(evs_bytes text, size_t from)
{
    for (size_t room; from < text.len; from += room) {
        const char *at = text.data + from;
        room = text.len - from < LOOKED_AT ? text.len - from : LOOKED_AT;
        const char *end = memchr(at, '\n', room);
        const char *other = memchr(at, '\r', end == NULL ? room : (size_t)(end - at));
        end = other != NULL ? other : end;
        if (end != NULL)
            return behind_end(text, (size_t)(end - text.data));
    }
    return 0;
}

static size_t count_lines(evs_bytes text)
{
    size_t n = 1;
    for (size_t i = next_line(text, 0); i > 0; i = next_line(text, i))
        n++;
    return n;
}

static int index_text(evs__text *out, evs__pool *pool, const char *path, evs_bytes text)
{
    size_t n = 0;
    out->path = path;
    out->text = text;
    out->nlines = count_lines(text);
    size_t *lines = evs__pool_alloc(pool, out->nlines, sizeof *lines);
    if (lines == NULL)
        return 0;
    lines[n++] = 0;
    for (size_t i = next_line(text, 0); i > 0; i = next_line(text, i))
        lines[n++] = i;
    out->lines = lines;
    return 1;
}

int evs__origins_init(evs__origins *out, evs__pool *pool, const char *path, evs_bytes script,
                      const evs_source_map *map)
{
    out->map = map != NULL && map->nparts > 0 ? map : NULL;
    out->files = NULL;
    if (!index_text(&out->script, pool, path, script))
        return 0;
    if (out->map == NULL)
        return 1;
    out->files = evs__pool_alloc(pool, map->nfiles, sizeof *out->files);
    if (out->files == NULL)
        return 0;
    for (size_t i = 0; i < map->nfiles; i++)
        if (!index_text(&out->files[i], pool, map->files[i].path, map->files[i].text))
            return 0;
    return 1;
}

/* ---- offsets and places ---- */

static size_t offset_of(const evs__text *text, int line, int column)
{
    size_t n = line < 1 ? 0 : (size_t)line - 1;
    if (n >= text->nlines)
        return text->text.len;
    size_t at = text->lines[n] + (column < 1 ? 0 : (size_t)column - 1);
    return at < text->text.len ? at : text->text.len;
}

/* The last of `count` ascending offsets that is not behind `at`. */
static size_t line_of(const evs__text *text, size_t at)
{
    size_t low = 0, high = text->nlines;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (text->lines[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void place_of(const evs__text *text, size_t at, int *line, int *column)
{
    size_t n = line_of(text, at < text->text.len ? at : text->text.len);
    *line = (int)n + 1;
    *column = (int)(at - text->lines[n]) + 1;
}

static const evs_source_part *part_of(const evs_source_map *map, size_t at)
{
    size_t low = 0, high = map->nparts;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (map->parts[middle].begin <= at)
            low = middle;
        else
            high = middle;
    }
    return &map->parts[low];
}

static size_t part_length(const evs__origins *origins, const evs_source_part *part)
{
    const evs_source_map *map = origins->map;
    int last = part + 1 == map->parts + map->nparts;
    return (last ? origins->script.text.len : part[1].begin) - part->begin;
}

/* Where in its file the byte at `at` of the script begins, or ends. */
static size_t begin_in_file(const evs__origins *origins, const evs_source_part *part, size_t at)
{
    int verbatim = part->length == part_length(origins, part);
    return part->at + (verbatim && at > part->begin ? at - part->begin : 0);
}

static size_t end_in_file(const evs__origins *origins, const evs_source_part *part, size_t at)
{
    if (part->length != part_length(origins, part))
        return part->at + part->length;
    return begin_in_file(origins, part, at) + 1;
}

const char *evs__origins_find(const evs__origins *origins, evs_span *at)
{
    if (origins->map == NULL)
        return origins->script.path;
    size_t start = offset_of(&origins->script, at->line, at->column);
    size_t end = offset_of(&origins->script, at->end_line, at->end_column);
    const evs_source_part *first = part_of(origins->map, start);
    const evs_source_part *last = end > start ? part_of(origins->map, end - 1) : first;
    while (last > first && last->file != first->file)
        last--; /* to the end of what comes from the first file: at most all parts */

    const evs__text *file = &origins->files[first->file];
    size_t from = begin_in_file(origins, first, start), to = from;
    size_t behind = last->begin + part_length(origins, last);
    if (end > start)
        to = end_in_file(origins, last, (end < behind ? end : behind) - 1);
    place_of(file, from, &at->line, &at->column);
    place_of(file, to < from ? from : to, &at->end_line, &at->end_column);
    return file->path;
}

static const evs__text *text_called(const evs__origins *origins, const char *path)
{
    for (size_t i = 0; origins->map != NULL && i < origins->map->nfiles; i++)
        if (origins->files[i].path == path || strcmp(origins->files[i].path, path) == 0)
            return &origins->files[i];
    return &origins->script;
}

evs_bytes evs__origins_line(const evs__origins *origins, const char *path, int line)
{
    const evs__text *file = text_called(origins, path);
    evs_bytes text = {"", 0};
    if (line < 1 || (size_t)line > file->nlines)
        return text;
    size_t at = file->lines[line - 1];
    size_t end = (size_t)line < file->nlines ? file->lines[line] : file->text.len;
    while (end > at && is_end(file->text.data[end - 1]))
        end--; /* one line end: at most twice */
    text.data = file->text.data + at;
    text.len = end - at;
    return text;
}
