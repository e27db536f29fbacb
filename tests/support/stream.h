/*
 * stream.h - what the reply reader makes of bytes, as text.
 */
#ifndef EVS_TESTS_SUPPORT_STREAM_H
#define EVS_TESTS_SUPPORT_STREAM_H

#include "core/buf.h"
#include "core/resp.h"

typedef struct stream_limits {
    size_t bytes;
    unsigned depth;
} stream_limits;

/* A reply as text: 5, "str", +OK, -ERR, nil, [1 "a" []], true, ,0.5, (123, txt:"a", <"in" "a set">,
 * {"key" "value"}. */
void stream_show(evs__buf *buf, const evs_reply *reply);

/* Everything that comes out of `resp` for these bytes, a line each. 0 when the stream is lost. */
int stream_feed(evs__buf *buf, evs__resp *resp, evs__arena *arena, evs_bytes bytes);

/* What comes out of `bytes` in pieces of `piece` bytes, the first one of `first`; free it with
 * evs__free. */
char *stream_read(evs_bytes bytes, size_t first, size_t piece, stream_limits limit);

/* Skips this reply from every byte on, fed byte by byte, and the next one is right. The arena is
 * freed at once: nothing is written to it any more. */
void stream_skip_anywhere(evs_bytes reply);

/* With the n-th allocation failing, a reply is either right or skipped, and so is the next. */
void stream_lack_memory(const char *reply);

#endif
