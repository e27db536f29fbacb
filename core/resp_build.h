/*
 * resp_build.h - a reply while it is being built, for resp.c.
 *
 * Arrays are filled in place: a frame is the part of an array that is still to come. The bottom
 * frame has one element, the reply itself. Everything is in the arena; the limit counts what the
 * reply takes of it.
 */
#ifndef EVS_CORE_RESP_BUILD_H
#define EVS_CORE_RESP_BUILD_H

#include "core/resp.h"

enum { EVS__BUILD_FRAMES = 8 /* more than most replies nest */ };

typedef struct evs__build_frame {
    evs_reply *next, *end;
} evs__build_frame;

typedef struct evs__build {
    evs__arena *arena; /* borrowed */
    size_t max_bytes;
    size_t left; /* bytes that this reply may still take */
    unsigned max_depth;
    unsigned top; /* the frame that is being filled */
    unsigned nframes;
    evs__build_frame *stack; /* `few`, or ours */
    evs__build_frame few[EVS__BUILD_FRAMES];
} evs__build;

void evs__build_init(evs__build *build, evs__arena *arena, size_t max_bytes, unsigned max_depth);

/* Frees the stack when it had to grow; everything else is the arena's. */
void evs__build_drop(evs__build *build);

/* Makes room for the reply itself; 0 when out of memory, and then nothing can be placed. */
int evs__build_begin(evs__build *build);

/* Adds text of `len` bytes, to be filled at `*room` (a NUL is behind it), or an array of `count`
 * elements, to be filled next unless there are none. EVS__RESP_MORE, or why it cannot be. */
evs__resp_got evs__build_text(char **room, evs__build *build, evs_reply_type type, uint64_t len);
evs__resp_got evs__build_items(evs__build *build, evs_reply_type type, uint64_t count);

/* How many values are still to come. */
uint64_t evs__build_pending(const evs__build *build);

static inline evs_reply *evs__build_root(const evs__build *build)
{
    return build->stack[0].end - 1;
}

/* The next element to fill. */
static inline evs_reply *evs__build_place(evs__build *build, evs_reply_type type, size_t len)
{
    evs_reply *reply = build->stack[build->top].next++;
    reply->type = type;
    reply->len = len;
    return reply;
}

/* Closes the arrays that ended with the last value. 1 when that was the whole reply. */
static inline int evs__build_close(evs__build *build)
{
    while (build->stack[build->top].next == build->stack[build->top].end) {
        if (build->top == 0)
            return 1;
        build->top--;
    }
    return 0;
}

#endif
