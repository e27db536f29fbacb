#include "core/net/reader.h"

#include "core/mem.h"

evs__reader *evs__reader_new(size_t max_bytes, unsigned max_depth)
{
    evs__reader *reader = evs__zalloc_array(1, sizeof *reader);
    if (reader == NULL)
        return NULL;
    reader->max_bytes = max_bytes;
    reader->max_depth = max_depth;
    reader->resp = evs__resp_new(&reader->arena, max_bytes, max_depth);
    if (reader->resp != NULL)
        return reader;
    evs__free(reader);
    return NULL;
}

void evs__reader_free(evs__reader *reader)
{
    if (reader == NULL)
        return;
    evs__resp_free(reader->resp);
    evs__arena_free(&reader->arena);
    evs__free(reader);
}
