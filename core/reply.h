/*
 * reply.h - what is inside an evs_reply. The reader (resp.h) builds these in an arena; a reply that
 * was copied for a caller is one block whose first element is the root.
 */
#ifndef EVS_CORE_REPLY_H
#define EVS_CORE_REPLY_H

#include "core/arena.h"

#include <evalshard/reply.h>

enum { EVS__REPLY_FORMAT = 4 /* bytes in front of the text of a verbatim string: txt: */ };

struct evs_reply {
    evs_reply_type type;
    size_t len; /* bytes of text, or number of items; both keys and values count */
    union {
        int64_t integer;  /* of a bool too */
        const char *text; /* NUL behind it, not counted */
        evs_reply *items; /* `len` of them, one after the other */
    } as;
};

/* A copy that lives in `arena`; NULL when out of memory. */
evs_reply *evs__reply_copy_to(evs__arena *arena, const evs_reply *reply);

static inline evs_reply_type evs__reply_type(const evs_reply *reply)
{
    return reply == NULL ? EVS_REPLY_NIL : reply->type;
}

static inline int evs__reply_has_text(const evs_reply *reply)
{
    enum {
        TEXTS = 1 << EVS_REPLY_STRING | 1 << EVS_REPLY_STATUS | 1 << EVS_REPLY_ERROR |
                1 << EVS_REPLY_DOUBLE | 1 << EVS_REPLY_BIG_NUMBER | 1 << EVS_REPLY_VERBATIM
    };
    return (TEXTS >> reply->type) & 1;
}

static inline int evs__reply_has_items(const evs_reply *reply)
{
    enum { LISTS = 1 << EVS_REPLY_ARRAY | 1 << EVS_REPLY_SET | 1 << EVS_REPLY_MAP };
    return (LISTS >> reply->type) & 1;
}

#endif
