/*
 * What reading a reply costs.
 *
 *   bench.resp KIND COUNT      int, string (100 bytes), array (1000 strings of 10 bytes),
 *                              rows (100 arrays of a string and a number), skip (as array)
 *
 * Replies are fed in pieces of 16 KB, as a read would bring them. Nanoseconds are printed;
 * instructions come from
 *
 *   valgrind --tool=callgrind --callgrind-out-file=/dev/null bench.resp int N
 *
 * as the difference between two N, which leaves out what starting costs.
 */
#include "core/buf.h"
#include "core/resp.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PIECE = 16 * 1024 };

static void strings(evs__buf *buf, unsigned count, unsigned len)
{
    evs__buf_format(buf, "*%u\r\n", count);
    for (unsigned i = 0; i < count; i++)
        evs__buf_format(buf, "$%u\r\n%0*u\r\n", len, (int)len, i);
}

static int make(evs__buf *buf, const char *kind)
{
    if (strcmp(kind, "int") == 0)
        evs__buf_text(buf, ":1\r\n");
    else if (strcmp(kind, "string") == 0)
        evs__buf_format(buf, "$100\r\n%0100d\r\n", 7);
    else if (strcmp(kind, "array") == 0 || strcmp(kind, "skip") == 0)
        strings(buf, 1000, 10);
    else if (strcmp(kind, "rows") == 0) {
        evs__buf_text(buf, "*100\r\n");
        for (unsigned i = 0; i < 100; i++)
            evs__buf_format(buf, "*2\r\n$10\r\n%010u\r\n:%u\r\n", i, i);
    } else
        return 0;
    return 1;
}

/* As many replies as make a piece or two, but at least one. */
static void repeat(evs__buf *stream, const evs__buf *one, unsigned long *replies)
{
    *replies = 0;
    do {
        evs__buf_append(stream, one->data, one->len);
        ++*replies;
    } while (stream->len < 2 * PIECE);
}

static unsigned long feed(evs__resp *resp, evs__arena *arena, const evs__buf *stream, int skip)
{
    unsigned long count = 0;
    for (size_t at = 0; at < stream->len; at += PIECE) {
        const char *p = stream->data + at;
        const char *end = p + (stream->len - at < PIECE ? stream->len - at : PIECE);
        while (p < end) {
            const evs_reply *reply;
            size_t used;
            if (skip)
                evs__resp_skip(resp);
            if (evs__resp_read(resp, p, (size_t)(end - p), &used, &reply) != EVS__RESP_MORE) {
                count++;
                evs__arena_reset(arena);
            }
            p += used;
        }
    }
    return count;
}

int main(int argc, char **argv)
{
    evs__buf one = EVS__BUF_INIT, stream = EVS__BUF_INIT;
    evs__arena arena = EVS__ARENA_INIT;
    unsigned long wanted, done = 0, replies;
    if (argc != 3 || !make(&one, argv[1]) || (wanted = strtoul(argv[2], NULL, 10)) == 0) {
        fprintf(stderr, "usage: bench.resp int|string|array|rows|skip COUNT\n");
        return 2;
    }
    evs__resp *resp = evs__resp_new(&arena, 64u << 20, 16);
    if (resp == NULL)
        return 3;
    repeat(&stream, &one, &replies);

    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    while (done < wanted)
        done += feed(resp, &arena, &stream, strcmp(argv[1], "skip") == 0);
    clock_gettime(CLOCK_MONOTONIC, &to);
    double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
    printf("%s: %lu replies of %zu bytes, %.1f ns each\n", argv[1], done, one.len,
           ns / (double)done);

    evs__resp_free(resp);
    evs__arena_free(&arena);
    evs__buf_free(&one);
    evs__buf_free(&stream);
    return 0;
}
