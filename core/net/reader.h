/*
 * reader.h - what it takes to read a reply: the reader of core/resp.h and the arena it builds in.
 * A connection needs one only while a reply is under way.
 */
#ifndef EVS_CORE_NET_READER_H
#define EVS_CORE_NET_READER_H

#include "core/arena.h"
#include "core/resp.h"

typedef struct evs__reader {
    evs__arena arena;
    evs__resp *resp;
    size_t max_bytes;
    unsigned max_depth;
} evs__reader;

/* NULL when out of memory. */
evs__reader *evs__reader_new(size_t max_bytes, unsigned max_depth);
void evs__reader_free(evs__reader *reader);

#endif
